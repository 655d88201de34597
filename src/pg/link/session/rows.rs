//! What is kept of a step's result for later steps.

use crate::pg::link::wire::connection::{ROW, Reply};

/// Some columns of a result's rows. Memory is used again from one operation to the next.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    count: usize,
    bytes: Vec<u8>,
    /// Where in `bytes` each cell lies, row by row; `None` is NULL.
    cells: Vec<Option<(usize, usize)>>,
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.bytes.clear();
        self.cells.clear();
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// A cell; the columns count among those that are kept. `None` is NULL.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Option<&[u8]> {
        let width = self.cells.len() / self.count.max(1);
        let (begin, end) = (*self.cells.get(row * width + column)?)?;
        self.bytes.get(begin..end)
    }

    /// Adds a row's cells of the columns that are kept.
    pub(crate) fn push<'c>(&mut self, cells: impl IntoIterator<Item = Option<&'c [u8]>>) {
        for cell in cells {
            self.push_cell(cell);
        }
        self.count += 1;
    }

    fn push_cell(&mut self, cell: Option<&[u8]>) {
        let begin = self.bytes.len();
        self.cells.push(cell.map(|bytes| {
            self.bytes.extend_from_slice(bytes);
            (begin, begin + bytes.len())
        }));
    }
}

/// Keeps what arrives.
#[derive(Debug)]
pub(crate) struct Reading<'r> {
    rows: &'r mut Rows,
    /// Indices of the columns to keep, growing.
    columns: &'r [usize],
    /// Whether a row was not as the protocol has it.
    garbled: bool,
}

impl<'r> Reading<'r> {
    pub(crate) fn new(rows: &'r mut Rows, columns: &'r [usize]) -> Self {
        Self { rows, columns, garbled: false }
    }

    /// Whether a row was not as the protocol has it.
    pub(crate) fn is_garbled(&self) -> bool {
        self.garbled
    }
}

impl Reply for Reading<'_> {
    const ROWS: bool = true;

    fn message(&mut self, tag: u8, body: &[u8]) {
        if tag == ROW {
            let (rows, columns) = (&mut *self.rows, self.columns);
            self.garbled |= cells(body, columns, |cell| rows.push_cell(cell)).is_none();
            rows.count += 1;
        }
    }
}

/// Hands out the cells of `columns` in the body of a DataRow; `None` when it is not one with these columns.
fn cells(body: &[u8], columns: &[usize], mut found: impl FnMut(Option<&[u8]>)) -> Option<()> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let count = usize::from(u16::from_be_bytes(*count));
    let mut wanted = columns.iter().peekable();
    for column in 0..count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let cell = match i32::from_be_bytes(*length) {
            -1 => None,
            length => Some(after.get(..usize::try_from(length).ok()?)?),
        };
        rest = &after[cell.map_or(0, <[u8]>::len)..];
        if wanted.next_if_eq(&&column).is_some() {
            found(cell);
        }
    }
    wanted.next().is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DataRow.
    fn row(cells: &[Option<&str>]) -> Vec<u8> {
        let mut body = (cells.len() as u16).to_be_bytes().to_vec();
        for cell in cells {
            body.extend_from_slice(&cell.map_or(-1, |cell| cell.len() as i32).to_be_bytes());
            body.extend_from_slice(cell.unwrap_or_default().as_bytes());
        }
        body
    }

    #[test]
    fn the_wanted_columns_are_kept() {
        let mut rows = Rows::default();
        for _ in 0..2 {
            rows.clear();
            let mut reading = Reading::new(&mut rows, &[1, 3]);
            reading.message(ROW, &row(&[Some("a"), Some("bcd"), None, Some("")]));
            reading.message(b'T', b"passed over");
            reading.message(ROW, &row(&[None, None, None, Some("e"), Some("f")]));
            assert!(!reading.is_garbled());
            assert_eq!(rows.count(), 2);
            let cells = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| rows.cell(row, column));
            assert_eq!(cells, [Some(&b"bcd"[..]), Some(b""), None, Some(b"e")]);
            assert_eq!(rows.cell(2, 0), None);
        }
    }

    #[test]
    fn what_is_no_row_with_these_columns_is_told() {
        let whole = row(&[Some("a"), Some("b")]);
        for body in [&whole[..whole.len() - 1], &whole[..3], &row(&[Some("a")]), b""] {
            let mut rows = Rows::default();
            let mut reading = Reading::new(&mut rows, &[1]);
            reading.message(ROW, body);
            assert!(reading.is_garbled(), "{body:?}");
        }
    }
}
