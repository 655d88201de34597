//! What a parameter takes from the result of an earlier step.

use tokio_postgres::{
    Statement,
    types::{Kind, Type},
};

use super::catalog::column_type;
use crate::{draw::ColumnType, scenario::nearest};

/// A column of a result as a parameter takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Feed {
    /// Index of the column in the result.
    pub(crate) column: usize,
    /// How a value's binary form becomes that of the parameter or of its elements.
    pub(crate) conversion: Conversion,
    /// OID of the elements, where the parameter takes the values of all rows.
    pub(crate) element: Option<u32>,
}

/// How the binary form of one type becomes that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// It is the same.
    None,
    /// An integer of some width becomes one of this type.
    Integer(IntegerType),
}

/// An integer type by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntegerType {
    Int2,
    Int4,
    Int8,
}

/// Why a parameter cannot take a column, as a fragment, and the way out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) what: String,
    pub(crate) hint: String,
}

/// Looks for `column` in what `source`, the step `step`, returns, and how a parameter of type `parameter` takes it: one row's value,
/// or with `all` those of all rows as an array.
pub(crate) fn feed(source: &Statement, step: &str, column: &str, parameter: &Type, all: bool) -> Result<Feed, Misfit> {
    let columns: Vec<(&str, &Type)> = source.columns().iter().map(|column| (column.name(), column.type_())).collect();
    feed_from(&columns, step, column, parameter, all)
}

fn feed_from(columns: &[(&str, &Type)], step: &str, column: &str, parameter: &Type, all: bool) -> Result<Feed, Misfit> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut found = columns.iter().enumerate().filter(|(_, (name, _))| *name == column);
    let Some((index, (_, ty))) = found.next() else {
        let (there, hint) = match (names.is_empty(), nearest(column, names.iter().copied())) {
            (true, _) => ("returns no rows".to_owned(), "let it return them: SELECT, or RETURNING".to_owned()),
            (false, Some(near)) => (format!("has {}", names.join(", ")), format!("did you mean {near}?")),
            (false, None) => (format!("has {}", names.join(", ")), "name one of these".to_owned()),
        };
        return Err(Misfit { what: format!("reads column {column} of step {step}, which {there}"), hint });
    };
    if found.next().is_some() {
        let what = format!("reads column {column} of step {step}, which has several of that name");
        return Err(Misfit { what, hint: format!("name them apart in its SQL: .. AS {column}_2") });
    }
    let misfit = |hint| {
        let (rows, brackets) = if all { ("all rows of ", "[]") } else { ("", "") };
        let (takes, gives) = (name(parameter), name(ty));
        Misfit {
            what: format!("takes {takes}, and column {column} of {rows}step {step} gives {gives}{brackets}"),
            hint,
        }
    };
    let cast = |to: &Type| format!("cast it in the SQL of step {step}: {column}::{} AS {column}", name(to));
    let (target, element) = match (all, base(parameter).kind()) {
        (true, Kind::Array(element)) => (element, Some(element.oid())),
        (true, _) => {
            return Err(misfit("compare with = ANY ($n), which takes an array, or take `all` out".to_owned()));
        }
        (false, Kind::Array(element)) if conversion(ty, element).is_some() => {
            return Err(misfit("take the values of all rows: all = true".to_owned()));
        }
        (false, _) => (parameter, None),
    };
    match conversion(ty, target) {
        Some(conversion) => Ok(Feed { column: index, conversion, element }),
        None => Err(misfit(cast(target))),
    }
}

/// A type as SQL names it.
fn name(ty: &Type) -> String {
    match ty.kind() {
        Kind::Array(element) => format!("{}[]", name(element)),
        _ => ty.to_string(),
    }
}

/// A type, or that which a domain is over.
fn base(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(over) => base(over),
        _ => ty,
    }
}

/// How a `from` becomes a `to`; `None` if it does not.
fn conversion(from: &Type, to: &Type) -> Option<Conversion> {
    // Results are of a domain's base type, and a domain takes its values.
    let (from, to) = (base(from), base(to));
    if from == to {
        return Some(Conversion::None);
    }
    let text_like = |ty: &ColumnType| matches!(ty, ColumnType::Text | ColumnType::TextLike(_) | ColumnType::Enum(_));
    match (column_type(from)?, column_type(to)?) {
        // An array says in its binary form what its elements are.
        (ColumnType::Array(_), _) | (_, ColumnType::Array(_)) => None,
        (from, to) if from == to => Some(Conversion::None),
        (from, to) if text_like(&from) && text_like(&to) => Some(Conversion::None),
        (ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8, to) => Some(Conversion::Integer(match to {
            ColumnType::Int2 => IntegerType::Int2,
            ColumnType::Int4 => IntegerType::Int4,
            ColumnType::Int8 => IntegerType::Int8,
            _ => return None,
        })),
        _ => None,
    }
}

impl Conversion {
    /// Appends the converted binary form.
    ///
    /// # Errors
    /// The number, where it does not fit.
    pub(crate) fn put(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), i64> {
        let Self::Integer(to) = self else {
            out.extend_from_slice(bytes);
            return Ok(());
        };
        // From as many bytes as there are, with their sign.
        let negative = bytes.first().is_some_and(|first| *first >= 0x80);
        let number = bytes.iter().fold(if negative { -1_i64 } else { 0 }, |sum, byte| sum << 8 | i64::from(*byte));
        match to {
            IntegerType::Int2 => out.extend_from_slice(&i16::try_from(number).map_err(|_| number)?.to_be_bytes()),
            IntegerType::Int4 => out.extend_from_slice(&i32::try_from(number).map_err(|_| number)?.to_be_bytes()),
            IntegerType::Int8 => out.extend_from_slice(&number.to_be_bytes()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, &Type); 5] = [
        ("id", &Type::INT8),
        ("name", &Type::TEXT),
        ("tags", &Type::VARCHAR_ARRAY),
        ("twice", &Type::INT4),
        ("twice", &Type::INT4),
    ];

    fn fed(column: &str, parameter: &Type, all: bool) -> Result<Feed, String> {
        feed_from(&COLUMNS, "first", column, parameter, all)
            .map_err(|misfit| format!("{}; {}", misfit.what, misfit.hint))
    }

    #[test]
    fn what_fits_is_taken() {
        let feed = |column, conversion, element| Ok(Feed { column, conversion, element });
        let integer = Conversion::Integer;
        assert_eq!(fed("id", &Type::INT8, false), feed(0, Conversion::None, None));
        assert_eq!(fed("id", &Type::INT2, false), feed(0, integer(IntegerType::Int2), None));
        assert_eq!(fed("id", &Type::INT4_ARRAY, true), feed(0, integer(IntegerType::Int4), Some(23)));
        assert_eq!(fed("name", &Type::VARCHAR, false), feed(1, Conversion::None, None));
        assert_eq!(fed("tags", &Type::VARCHAR_ARRAY, false), feed(2, Conversion::None, None));
        let domain = Type::new("tags".into(), 99_999, Kind::Domain(Type::VARCHAR_ARRAY), "public".into());
        assert_eq!(fed("tags", &domain, false), feed(2, Conversion::None, None));
    }

    #[test]
    fn what_does_not_fit_is_told_with_a_way_out() {
        let refusals = [
            fed("nmae", &Type::TEXT, false),
            fed("twice", &Type::INT4, false),
            fed("name", &Type::INT8, false),
            fed("id", &Type::NUMERIC, false),
            fed("tags", &Type::TEXT_ARRAY, false),
            fed("id", &Type::INT8_ARRAY, false),
            fed("id", &Type::INT8, true),
            fed("name", &Type::UUID_ARRAY, true),
            feed_from(&[], "first", "id", &Type::INT8, false)
                .map_err(|misfit| format!("{}; {}", misfit.what, misfit.hint)),
        ];
        let told: Vec<_> = refusals.into_iter().map(Result::unwrap_err).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        reads column nmae of step first, which has id, name, tags, twice, twice; did you mean name?
        reads column twice of step first, which has several of that name; name them apart in its SQL: .. AS twice_2
        takes int8, and column name of step first gives text; cast it in the SQL of step first: name::int8 AS name
        takes numeric, and column id of step first gives int8; cast it in the SQL of step first: id::numeric AS id
        takes text[], and column tags of step first gives varchar[]; cast it in the SQL of step first: tags::text[] AS tags
        takes int8[], and column id of step first gives int8; take the values of all rows: all = true
        takes int8, and column id of all rows of step first gives int8[]; compare with = ANY ($n), which takes an array, or take `all` out
        takes uuid[], and column name of all rows of step first gives text[]; cast it in the SQL of step first: name::uuid AS name
        reads column id of step first, which returns no rows; let it return them: SELECT, or RETURNING
        ");
    }

    #[test]
    fn integers_keep_their_value_or_are_refused() {
        let put = |bytes: &[u8], to| {
            let mut out = Vec::new();
            Conversion::Integer(to).put(bytes, &mut out).map(|()| out)
        };
        assert_eq!(put(&(-2_i16).to_be_bytes(), IntegerType::Int8), Ok((-2_i64).to_be_bytes().to_vec()));
        assert_eq!(put(&70_000_i64.to_be_bytes(), IntegerType::Int4), Ok(70_000_i32.to_be_bytes().to_vec()));
        assert_eq!(put(&70_000_i32.to_be_bytes(), IntegerType::Int2), Err(70_000));
        assert_eq!(put(&i64::MIN.to_be_bytes(), IntegerType::Int4), Err(i64::MIN));
    }
}
