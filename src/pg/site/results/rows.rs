//! Rows as they come from the server: kept while there is room, otherwise only their digest.

use sha2::{Digest as _, Sha256};

use super::shape::Shape;

/// What a row costs beside its texts, in bytes.
const ROW_BYTES: usize = 32;

/// What a value costs beside its text, in bytes.
const CELL_BYTES: usize = 16;

/// A row: its values as text, then those of sort keys that the statement itself does not return.
pub type Row = Box<[Option<Box<str>>]>;

/// Room for rows.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

/// What stands for rows that there was no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// How many they are.
    pub rows: u64,
    /// Of all in their order.
    pub sequence: u128,
    /// Of all in any order.
    pub multiset: u128,
    /// Of the sort keys in their order.
    pub keys: u128,
}

impl Budget {
    /// Room for this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }

    fn take(&mut self, bytes: usize) -> bool {
        let there = bytes <= self.left;
        if there {
            self.left -= bytes;
        }
        there
    }
}

/// Bytes that a row takes.
fn cost(row: &Row) -> usize {
    ROW_BYTES + row.iter().map(|cell| CELL_BYTES + cell.as_ref().map_or(0, |text| text.len())).sum::<usize>()
}

/// A result that is being read.
pub(crate) struct Reading<'s> {
    shape: &'s Shape,
    rows: Vec<Row>,
    bytes: usize,
    digesting: Option<Digesting>,
}

impl<'s> Reading<'s> {
    pub(crate) fn new(shape: &'s Shape) -> Self {
        Self { shape, rows: Vec::new(), bytes: 0, digesting: None }
    }

    /// Adds a row. Where there is no room for it, that of the rows before it is given back.
    pub(crate) fn push(&mut self, row: Row, budget: &mut Budget) {
        if let Some(digesting) = &mut self.digesting {
            return digesting.add(&row, self.shape);
        }
        let bytes = cost(&row);
        self.rows.push(row);
        if budget.take(bytes) {
            self.bytes += bytes;
            return;
        }
        budget.left += std::mem::take(&mut self.bytes);
        let mut digesting = Digesting::default();
        std::mem::take(&mut self.rows).iter().for_each(|row| digesting.add(row, self.shape));
        self.digesting = Some(digesting);
    }

    /// The rows, or what stands for them.
    pub(crate) fn end(self) -> Result<Vec<Row>, Digest> {
        match self.digesting {
            None => Ok(self.rows),
            Some(digesting) => Err(digesting.end()),
        }
    }
}

impl Digest {
    /// That of rows.
    pub fn of(rows: &[Row], shape: &Shape) -> Self {
        let mut digesting = Digesting::default();
        rows.iter().for_each(|row| digesting.add(row, shape));
        digesting.end()
    }
}

#[derive(Default)]
struct Digesting {
    rows: u64,
    sequence: Sha256,
    multiset: u128,
    keys: Sha256,
}

impl Digesting {
    fn add(&mut self, row: &Row, shape: &Shape) {
        let cells = || row.iter().zip(&shape.forms);
        let mut of_row = Sha256::new();
        cells().for_each(|(cell, form)| put(&mut of_row, cell.as_deref().map(|text| form.rounded(text)).as_deref()));
        let of_row = of_row.finalize();
        self.rows += 1;
        self.sequence.update(of_row);
        self.multiset = self.multiset.wrapping_add(number(&of_row));
        for key in shape.keys.iter().flatten() {
            if let Some((cell, form)) = cells().nth(*key) {
                put(&mut self.keys, cell.as_deref().map(|text| form.sorted(text)).as_deref());
            }
        }
    }

    fn end(self) -> Digest {
        Digest {
            rows: self.rows,
            sequence: number(&self.sequence.finalize()),
            multiset: self.multiset,
            keys: number(&self.keys.finalize()),
        }
    }
}

/// A value, told apart from NULL and from what stands beside it.
fn put(hash: &mut Sha256, cell: Option<&str>) {
    match cell {
        None => hash.update([0]),
        Some(text) => {
            hash.update([1]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
}

/// The first half of a hash.
fn number(hash: &[u8]) -> u128 {
    hash.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::site::results::cell::Form;

    fn row(cells: &[Option<&str>]) -> Row {
        cells.iter().map(|cell| cell.map(Into::into)).collect()
    }

    fn shape() -> Shape {
        Shape::of(&["id", "value"], &[Form::Text, Form::Float8], Some(vec![0]), "SELECT id, value FROM t ORDER BY id")
    }

    #[test]
    fn what_does_not_fit_leaves_a_digest_and_its_room() {
        let shape = shape();
        let rows: Vec<Row> = (0..10).map(|id: u32| row(&[Some(&id.to_string()), Some("0.5")])).collect();
        let mut budget = Budget::new(5 * cost(&rows[0]));
        let mut read = |count: usize| {
            let mut reading = Reading::new(&shape);
            rows.iter().take(count).for_each(|row| reading.push(row.clone(), &mut budget));
            reading.end()
        };
        assert_eq!(read(10), Err(Digest::of(&rows, &shape)));
        assert_eq!(read(3).unwrap().len(), 3);
        assert_eq!(read(3), Err(Digest::of(&rows[..3], &shape)));
        assert_eq!(read(2).unwrap().len(), 2);
        assert_eq!(read(1).unwrap_err().rows, 1);
    }

    #[test]
    fn a_digest_tells_order_from_rows_and_keys_from_the_rest() {
        let shape = shape();
        let of = |rows: &[(&str, Option<&str>)]| {
            let rows: Vec<Row> = rows.iter().map(|(id, value)| row(&[Some(id), *value])).collect();
            Digest::of(&rows, &shape)
        };
        let one = of(&[("1", Some("0.30000000000000004")), ("2", None)]);
        assert_eq!(one, of(&[("1", Some("0.3")), ("2", None)]));
        let turned = of(&[("2", None), ("1", Some("0.3"))]);
        assert_eq!(
            (one.multiset, one.sequence == turned.sequence, one.keys == turned.keys),
            (turned.multiset, false, false)
        );
        let other = of(&[("1", Some("0.3")), ("2", Some(""))]);
        assert_eq!((one.keys, one.multiset == other.multiset), (other.keys, false));
    }
}
