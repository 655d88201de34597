//! What else a value for a parameter takes: columns that allow no value twice, and values for what is compared with nothing.

use tokio_postgres::types::{Kind, Type};

use super::{
    catalog::{qualified, undomained},
    value_counts::{ValueCounts, failed, get},
    value_sample::ParameterTypes,
};
use crate::pg::link::{Limit, error::Result};

impl ValueCounts<'_> {
    /// The columns of a table of which an index allows no values twice, those that refer to other rows left out.
    ///
    /// # Errors
    /// The server cannot be reached, or it was told to stop.
    pub async fn unique_columns(&self, schema: &str, table: &str) -> Result<Vec<String>> {
        let own = self.own_within().await?;
        let _limit = own.limited(Limit::Server(self.limit));
        let sql = "
            SELECT DISTINCT a.attname::text
            FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
            WHERE i.indrelid = $1::text::regclass AND i.indisunique
              AND NOT EXISTS (SELECT FROM pg_constraint c
                              WHERE c.conrelid = i.indrelid AND c.contype = 'f' AND a.attnum = ANY (c.conkey))";
        let name = qualified(schema, table);
        let asked = async {
            let rows = own.query(sql, &[&name]).await.map_err(failed)?;
            rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()
        };
        Ok(self.answered(own, asked).await?.unwrap_or_default())
    }
}

impl ParameterTypes {
    /// Whether the parameter of this number is a range.
    pub fn is_range(&self, parameter: usize) -> bool {
        let ty = parameter.checked_sub(1).and_then(|place| self.0.get(place)).map(undomained);
        ty.is_some_and(|ty| matches!(ty.kind(), Kind::Range(_) | Kind::Multirange(_)))
    }

    /// A value of the type of this parameter, for one that is compared with nothing; `None` where only the server knows any.
    pub fn any_value(&self, parameter: usize) -> Option<String> {
        let ty = undomained(self.0.get(parameter.checked_sub(1)?)?);
        let text = match ty.kind() {
            Kind::Enum(labels) => labels.first()?,
            Kind::Array(_) => "{}",
            Kind::Simple => match *ty {
                Type::BOOL => "true",
                Type::INT2 | Type::INT4 | Type::INT8 | Type::NUMERIC | Type::FLOAT4 | Type::FLOAT8 | Type::OID => "1",
                Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR => "a",
                Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => "now",
                Type::INTERVAL => "1 day",
                Type::UUID => "00000000-0000-0000-0000-000000000000",
                Type::JSON | Type::JSONB => "{}",
                _ => return None,
            },
            _ => return None,
        };
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_with_nothing_gets_a_value_of_its_type() {
        let types = ParameterTypes(vec![Type::INT4, Type::TEXT, Type::POINT, Type::DATE_ARRAY]);
        let of: Vec<_> = (0..6).map(|number| types.any_value(number)).collect();
        assert_eq!(of, [None, Some("1".into()), Some("a".into()), None, Some("{}".into()), None]);
    }
}
