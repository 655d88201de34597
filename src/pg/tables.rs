//! What the catalog says of the tables of a statement.

use std::collections::BTreeSet;

use tokio_postgres::{
    Row,
    types::{FromSqlOwned, ToSql},
};

use super::{
    error::{Error, Result},
    link::{Client, Fault},
    user_session::UserSession,
};
use crate::explain::{ColumnFacts, IndexFacts, IndexKey, Plan, Referring, TableFacts, Tables};

/// Tables of these schemas and names, and the partitioned tables that they are parts of.
///
/// A session hands in what it counted late: what it loaded before an ANALYZE of its own may count as changed since. Where that would be
/// rows beyond those that ANALYZE found, and the file has not grown by a quarter of what they take, nothing is said to have changed.
const TABLES: &str = "
    WITH named AS (
        SELECT c.oid FROM unnest($1::text[], $2::text[]) AS asked(schema, name)
        JOIN pg_namespace n ON n.nspname = asked.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
    ), meant AS (
        SELECT oid FROM named UNION SELECT pg_partition_root(oid) FROM named
    )
    SELECT c.oid, n.nspname::text, c.relname::text, c.reltuples::float8, c.relpages::int8, c.relallvisible::int8,
           CASE WHEN c.relkind IN ('r', 'm') AND c.relpages > 0 AND s.n_live_tup > 1.1 * c.reltuples::float8 AND c.reltuples > 0
                     AND pg_relation_size(c.oid) / current_setting('block_size')::float8
                         < c.relpages * (1 + 0.25 * (s.n_live_tup / c.reltuples::float8 - 1))
                THEN 0 ELSE coalesce(s.n_mod_since_analyze, 0) END, greatest(s.last_analyze, s.last_autoanalyze)::text,
           greatest(s.last_vacuum, s.last_autovacuum)::text, coalesce(s.n_dead_tup, 0), c.relrowsecurity,
           c.relkind = 'p', rn.nspname::text, root.relname::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
    LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid) AND root.oid <> c.oid
    LEFT JOIN pg_namespace rn ON rn.oid = root.relnamespace
    WHERE c.oid IN (SELECT oid FROM meant) AND c.relkind IN ('r', 'p', 'm', 'f')
    ORDER BY n.nspname, c.relname";

/// Types are printed for the path `$2`. `pg_stats` shows what the role may read, and nothing of a table whose rows it sees only in part.
const COLUMNS: &str = "
    WITH printed AS MATERIALIZED (SELECT set_config('search_path', $2, true))
    SELECT c.oid, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           s.n_distinct::float8, s.null_frac::float8, s.avg_width::float8,
           CASE WHEN s.avg_width <= 64 THEN s.most_common_vals::text::text[] END, s.most_common_freqs::float8[],
           CASE WHEN l.oid IS NULL OR provider.name = 'b' THEN true
                WHEN provider.name = 'i' THEN false
                ELSE CASE l.collprovider WHEN 'd' THEN d.datcollate ELSE l.collcollate END IN ('C', 'POSIX') END
    FROM printed CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    CROSS JOIN LATERAL (
        SELECT CASE l.collprovider WHEN 'd' THEN to_jsonb(d) ->> 'datlocprovider' ELSE l.collprovider::text END
    ) AS provider(name)
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                        AND s.inherited = (c.relkind = 'p')
    WHERE c.oid = ANY ($1)
    ORDER BY c.oid, a.attnum";

/// A row for each column of each index, in its order; those that it only holds last. Expressions are printed for the path `$2`, as plans
/// print those that they are compared with.
const INDEXES: &str = "
    WITH printed AS MATERIALIZED (SELECT set_config('search_path', $2, true))
    SELECT i.indrelid, x.relname::text, m.amname::text, i.indisprimary, i.indisunique, pg_get_expr(i.indpred, i.indrelid),
           k.place > i.indnkeyatts, coalesce(a.attname::text, pg_get_indexdef(i.indexrelid, k.place, false)),
           a.attname IS NULL, coalesce(i.indoption[k.place - 1]::int4 & 1 <> 0, false),
           coalesce(i.indoption[k.place - 1]::int4 & 2 <> 0, false), o.opcname::text
    FROM printed CROSS JOIN pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    CROSS JOIN LATERAL generate_series(1, i.indnatts::int4) AS k(place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place - 1] AND a.attnum <> 0
    LEFT JOIN pg_opclass o ON o.oid = i.indclass[k.place - 1] AND NOT o.opcdefault AND k.place <= i.indnkeyatts
    WHERE i.indrelid = ANY ($1) AND i.indisvalid AND i.indisready
    ORDER BY i.indrelid, x.relname, k.place";

/// Columns of each extended statistics; expressions in them are left out.
const EXTENDED: &str = "
    SELECT e.stxrelid, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_statistic_ext e JOIN pg_attribute a ON a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)
    WHERE e.stxrelid = ANY ($1)
    GROUP BY e.oid, e.stxrelid
    ORDER BY e.stxrelid, e.oid";

/// Foreign keys that refer to a table, those of a whole table before those that its partitions have of it. An index serves the lookup of
/// referring rows where it can be asked for their columns alone: they are its first, and it holds all rows.
const REFERRING: &str = "
    SELECT f.confrelid, f.conname::text, n.nspname::text, c.relname::text, c.relkind = 'p',
           (SELECT array_agg(a.attname::text ORDER BY k.place)
            FROM unnest(f.conkey) WITH ORDINALITY AS k(number, place)
            JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number),
           (SELECT min(x.relname::text)
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
            WHERE i.indrelid = f.conrelid AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND m.amname IN ('btree', 'hash')
            AND i.indnkeyatts >= cardinality(f.conkey)
            AND f.conkey <@ (i.indkey::int2[])[0:cardinality(f.conkey) - 1])
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE f.contype = 'f' AND f.confrelid = ANY ($1)
    ORDER BY f.confrelid, f.conparentid <> 0, n.nspname, c.relname, f.conname";

/// What the catalog says of the tables that these plans read or write, and of the partitioned tables that they are parts of. The plans
/// name the schemas of their tables, as those of `EXPLAIN (VERBOSE)` do, and are of `session`: what is printed reads as in its path.
/// Reads only; needs no privilege beyond a connection: what the role may not see is not known.
///
/// # Errors
/// The server cannot be asked.
pub async fn tables<'p>(session: &UserSession, plans: impl IntoIterator<Item = &'p Plan>) -> Result<Tables> {
    let nodes = plans.into_iter().flat_map(Plan::nodes);
    let named: BTreeSet<(&str, &str)> =
        nodes.filter_map(|node| Some((node.schema.as_deref()?, node.relation.as_deref()?))).collect();
    let (schemas, names): (Vec<_>, Vec<_>) = named.into_iter().unzip();
    if names.is_empty() {
        return Ok(Tables::default());
    }
    let (client, path) = (session.own().await?, session.path().await?);
    let rows = ask(client, TABLES, &[&schemas, &names]).await?;
    let oids: Vec<u32> = rows.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
    let mut tables: Vec<TableFacts> = rows.iter().map(table).collect::<Result<_>>()?;
    let place = |row: &Row| get::<u32>(row, 0).map(|oid| oids.iter().position(|known| *known == oid));
    for row in ask(client, COLUMNS, &[&oids, &path]).await? {
        if let Some(at) = place(&row)? {
            tables[at].columns.push(column(&row)?);
        }
    }
    for row in ask(client, INDEXES, &[&oids, &path]).await? {
        if let Some(at) = place(&row)? {
            add_index_column(&mut tables[at].indexes, &row)?;
        }
    }
    for row in ask(client, EXTENDED, &[&oids]).await? {
        if let Some(at) = place(&row)? {
            tables[at].extended_statistics.push(get(&row, 1)?);
        }
    }
    for row in ask(client, REFERRING, &[&oids]).await? {
        if let Some(at) = place(&row)? {
            tables[at].referred_by.push(referring(&row)?);
        }
    }
    Ok(Tables { tables })
}

async fn ask(client: &Client, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
    client.query(query, parameters).await.map_err(unreadable)
}

fn unreadable(cause: Fault) -> Error {
    Error::from_server("cannot read what the catalog says of the statement's tables", cause)
}

fn get<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|cause| unreadable(cause.into()))
}

fn whole(row: &Row, at: usize) -> Result<u64> {
    get::<i64>(row, at).map(|number| u64::try_from(number).unwrap_or(0))
}

fn table(row: &Row) -> Result<TableFacts> {
    let root: (Option<String>, Option<String>) = (get(row, 12)?, get(row, 13)?);
    Ok(TableFacts {
        schema: get(row, 1)?,
        name: get(row, 2)?,
        rows: get(row, 3)?,
        pages: whole(row, 4)?,
        all_visible_pages: whole(row, 5)?,
        modified_since_analyze: whole(row, 6)?,
        analyzed_at: get(row, 7)?,
        vacuumed_at: get(row, 8)?,
        dead_rows: whole(row, 9)?,
        row_security: get(row, 10)?,
        partitioned: get(row, 11)?,
        partition_of: root.0.zip(root.1),
        ..TableFacts::default()
    })
}

fn column(row: &Row) -> Result<ColumnFacts> {
    let values: Vec<String> = get::<Option<_>>(row, 7)?.unwrap_or_default();
    let shares: Vec<f64> = get::<Option<_>>(row, 8)?.unwrap_or_default();
    Ok(ColumnFacts {
        name: get(row, 1)?,
        type_name: get(row, 2)?,
        not_null: get(row, 3)?,
        n_distinct: get(row, 4)?,
        null_share: get(row, 5)?,
        width: get(row, 6)?,
        common: values.into_iter().zip(shares).collect(),
        bytewise: get(row, 9)?,
    })
}

fn referring(row: &Row) -> Result<Referring> {
    Ok(Referring {
        constraint: get(row, 1)?,
        schema: get(row, 2)?,
        table: get(row, 3)?,
        partitioned: get(row, 4)?,
        columns: get::<Option<_>>(row, 5)?.unwrap_or_default(),
        index: get(row, 6)?,
    })
}

/// The columns of an index come one after the other.
fn add_index_column(indexes: &mut Vec<IndexFacts>, row: &Row) -> Result<()> {
    let name: String = get(row, 1)?;
    if indexes.last().is_none_or(|last| last.name != name) {
        indexes.push(IndexFacts {
            name,
            method: get(row, 2)?,
            primary: get(row, 3)?,
            unique: get(row, 4)?,
            predicate: get(row, 5)?,
            ..IndexFacts::default()
        });
    }
    let Some(index) = indexes.last_mut() else { return Ok(()) };
    if get(row, 6)? {
        index.include.push(get(row, 7)?);
    } else {
        index.keys.push(IndexKey {
            expression: get(row, 7)?,
            is_expression: get(row, 8)?,
            descending: get(row, 9)?,
            nulls_first: get(row, 10)?,
            operator_class: get(row, 11)?,
        });
    }
    Ok(())
}
