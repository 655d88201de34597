//! What the catalog says of the tables of a statement.

use std::collections::BTreeSet;

use tokio_postgres::{
    Row,
    types::{FromSqlOwned, ToSql},
};

use crate::{
    catalog::{ColumnFacts, IndexFacts, IndexKey, OperatorFacts, Referring, TableFacts, Tables},
    pg::link::{
        Client, Fault,
        error::{Error, Result},
        user_session::UserSession,
    },
    plan::Plan,
};

/// Tables of these schemas and names, and the partitioned tables that they are parts of or the tables that they inherit from.
/// The names that are taken are those that begin as the table's own: an index's name keeps at least 14 letters of it, however
/// long its columns' names are.
///
/// A session hands in what it counted late: what it loaded before an ANALYZE of its own may count as changed since. Where that would be
/// rows beyond those that ANALYZE found, and the file has not grown by a quarter of what they take, nothing is said to have changed.
const TABLES: &str = "
    WITH RECURSIVE named AS (
        SELECT c.oid FROM unnest($1::text[], $2::text[]) AS asked(schema, name)
        JOIN pg_namespace n ON n.nspname = asked.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
    ), meant AS (
        SELECT oid FROM named UNION SELECT pg_partition_root(oid) FROM named
        UNION SELECT top FROM ancestors
    ), above AS (
        SELECT oid, oid AS top, 0 AS level FROM named
        UNION SELECT above.oid, h.inhparent, above.level + 1
        FROM above JOIN pg_inherits h ON h.inhrelid = above.top JOIN pg_class p ON p.oid = h.inhparent AND p.relkind = 'r'
        WHERE above.level < 20
    ), ancestors AS (
        SELECT DISTINCT ON (oid) oid, top FROM above WHERE level > 0 ORDER BY oid, level DESC, top
    )
    SELECT c.oid, n.nspname::text, c.relname::text, c.reltuples::float8, c.relpages::int8, c.relallvisible::int8,
           CASE WHEN c.relkind IN ('r', 'm') AND c.relpages > 0 AND s.n_live_tup > 1.1 * c.reltuples::float8 AND c.reltuples > 0
                     AND pg_relation_size(c.oid) / current_setting('block_size')::float8
                         < c.relpages * (1 + 0.25 * (s.n_live_tup / c.reltuples::float8 - 1))
                THEN 0 ELSE coalesce(s.n_mod_since_analyze, 0) END, greatest(s.last_analyze, s.last_autoanalyze)::text,
           greatest(s.last_vacuum, s.last_autovacuum)::text, coalesce(s.n_dead_tup, 0), c.relrowsecurity,
           c.relkind = 'p', rn.nspname::text, root.relname::text,
           CASE WHEN root.oid IS NULL THEN an.nspname::text END, CASE WHEN root.oid IS NULL THEN a.relname::text END,
           EXISTS (SELECT FROM pg_inherits h JOIN pg_class chunk ON chunk.oid = h.inhrelid
                   JOIN pg_namespace hn ON hn.oid = chunk.relnamespace
                   WHERE h.inhparent = c.oid AND c.relkind = 'r' AND hn.nspname = '_timescaledb_internal'
                   AND chunk.relname ~ '^_hyper_[0-9]+_[0-9]+_chunk$'),
           ARRAY(SELECT taken.relname::text FROM pg_class taken
                 WHERE taken.relnamespace = c.relnamespace AND starts_with(taken.relname::text, left(c.relname::text, 14))),
           current_setting('server_version_num')::int4 / 10000
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
    LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid) AND root.oid <> c.oid
    LEFT JOIN pg_namespace rn ON rn.oid = root.relnamespace
    LEFT JOIN ancestors ON ancestors.oid = c.oid
    LEFT JOIN pg_class a ON a.oid = ancestors.top
    LEFT JOIN pg_namespace an ON an.oid = a.relnamespace
    WHERE c.oid IN (SELECT oid FROM meant) AND c.relkind IN ('r', 'p', 'm', 'f')
    ORDER BY n.nspname, c.relname";

/// Those of these tables whose policies hold for the role of the session.
const SECURED: &str = "
    SELECT c.oid FROM pg_catalog.pg_class c
    WHERE c.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND pg_catalog.row_security_active(c.oid)";

/// Types are printed for the path `$2`. `pg_stats` shows what the role may read, and nothing of a table whose rows it sees only in part.
const COLUMNS: &str = "
    WITH printed AS MATERIALIZED (SELECT set_config('search_path', $2, true))
    SELECT c.oid, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           s.n_distinct::float8, s.null_frac::float8, s.avg_width::float8,
           CASE WHEN s.avg_width <= 64 THEN s.most_common_vals::text::text[] END, s.most_common_freqs::float8[],
           format_type(base.oid, NULL), base.typtype IN ('r', 'm'), s.correlation::float8,
           CASE WHEN s.avg_width <= 64 THEN (s.histogram_bounds::text::text[])[1] END,
           CASE WHEN s.avg_width <= 64
                THEN (s.histogram_bounds::text::text[])[cardinality(s.histogram_bounds::text::text[])] END,
           CASE WHEN l.oid IS NULL OR provider.name = 'b' THEN true
                WHEN provider.name = 'i' THEN false
                ELSE CASE l.collprovider WHEN 'd' THEN d.datcollate ELSE l.collcollate END IN ('C', 'POSIX') END
    FROM printed CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_database d ON d.datname = current_database()
    CROSS JOIN LATERAL (
        WITH RECURSIVE made_of AS (
            SELECT t.oid, t.typbasetype, t.typtype FROM pg_type t WHERE t.oid = a.atttypid
            UNION ALL SELECT t.oid, t.typbasetype, t.typtype FROM made_of JOIN pg_type t ON t.oid = made_of.typbasetype
        ) SELECT oid, typtype FROM made_of WHERE typbasetype = 0
    ) AS base
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
           coalesce(i.indoption[k.place - 1]::int4 & 2 <> 0, false), o.opcname::text,
           i.indisvalid AND i.indisready,
           CASE WHEN i.indcollation[k.place - 1] <> a.attcollation THEN l.collname::text END
    FROM printed CROSS JOIN pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    CROSS JOIN LATERAL generate_series(1, i.indnatts::int4) AS k(place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place - 1] AND a.attnum <> 0
    LEFT JOIN pg_opclass o ON o.oid = i.indclass[k.place - 1] AND NOT o.opcdefault AND k.place <= i.indnkeyatts
    LEFT JOIN pg_collation l ON l.oid = i.indcollation[k.place - 1]
    WHERE i.indrelid = ANY ($1) AND i.indislive
    ORDER BY i.indrelid, x.relname, k.place";

/// The operators of these names that each column can be on the left of, as its own type, as what that is stored like, or as one of
/// a kind of types; with the indexes and the default or first operator class of another method than b-tree that have them.
const OPERATORS: &str = "
    WITH printed AS MATERIALIZED (SELECT set_config('search_path', $3, true)), columns AS MATERIALIZED (
        SELECT a.attrelid, a.attnum, a.attname, base.oid AS type, base.typtype, base.typelem, base.typlen
        FROM pg_attribute a CROSS JOIN LATERAL (
            WITH RECURSIVE made_of AS (
                SELECT t.oid, t.typbasetype, t.typtype, t.typelem, t.typlen FROM pg_type t WHERE t.oid = a.atttypid
                UNION ALL SELECT t.oid, t.typbasetype, t.typtype, t.typelem, t.typlen
                FROM made_of JOIN pg_type t ON t.oid = made_of.typbasetype
            ) SELECT oid, typtype, typelem, typlen FROM made_of WHERE typbasetype = 0
        ) AS base
        WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
    ), sides AS (
        SELECT attrelid, attnum, type AS side FROM columns
        UNION SELECT attrelid, attnum, k.casttarget FROM columns JOIN pg_cast k ON k.castsource = type AND k.castmethod = 'b'
            AND k.castcontext = 'i'
        UNION SELECT attrelid, attnum, 'anyenum'::regtype FROM columns WHERE typtype = 'e'
        UNION SELECT attrelid, attnum, 'anyrange'::regtype FROM columns WHERE typtype = 'r'
        UNION SELECT attrelid, attnum, 'anymultirange'::regtype FROM columns WHERE typtype = 'm'
        UNION SELECT attrelid, attnum, 'anyarray'::regtype FROM columns WHERE typelem <> 0 AND typlen = -1
    )
    SELECT s.attrelid, c.attname::text, o.oprname::text, n.nspname::text, format_type(o.oprright, NULL), o.oprleft = c.type,
           p.oid::regprocedure::text, p.proleakproof,
           ARRAY(SELECT x.relname::text
                 FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                 CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int4) AS k(place)
                 JOIN pg_opclass l ON l.oid = i.indclass[k.place - 1]
                 JOIN pg_amop f ON f.amopfamily = l.opcfamily AND f.amopopr = o.oid AND f.amoppurpose = 's'
                 WHERE i.indrelid = s.attrelid AND i.indkey[k.place - 1] = s.attnum AND i.indisvalid AND i.indisready
                 ORDER BY x.relname),
           class.method, class.name, pg_operator_is_visible(o.oid)
    FROM printed CROSS JOIN sides s JOIN columns c ON c.attrelid = s.attrelid AND c.attnum = s.attnum
    JOIN pg_operator o ON o.oprleft = s.side AND o.oprname = ANY ($2) AND o.oprkind = 'b'
    JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_namespace n ON n.oid = o.oprnamespace
    LEFT JOIN LATERAL (
        SELECT m.amname::text AS method, CASE WHEN l.opcdefault THEN '' ELSE l.opcname::text END AS name
        FROM pg_amop f JOIN pg_opclass l ON l.opcfamily = f.amopfamily AND l.opcintype IN (c.type, s.side)
        JOIN pg_am m ON m.oid = l.opcmethod
        WHERE f.amopopr = o.oid AND f.amoppurpose = 's' AND m.amname IN ('gin', 'gist')
        ORDER BY m.amname, l.opcdefault DESC, l.opcname LIMIT 1
    ) AS class ON true
    ORDER BY s.attrelid, s.attnum, o.oprname, o.oid";

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
    let plans: Vec<&Plan> = plans.into_iter().collect();
    let nodes = plans.iter().flat_map(|plan| plan.nodes());
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
    // It depends on the role that the session itself has now.
    let active = session.ask(SECURED, &[&oids]).await.map_err(unreadable)?;
    let place = |row: &Row| get::<u32>(row, 0).map(|oid| oids.iter().position(|known| *known == oid));
    for row in active {
        if let Some(at) = place(&row)? {
            tables[at].row_security_applies = true;
        }
    }
    for row in ask(client, COLUMNS, &[&oids, &path]).await? {
        if let Some(at) = place(&row)? {
            tables[at].columns.push(column(&row)?);
        }
    }
    for row in ask(client, INDEXES, &[&oids, &path]).await? {
        if let Some(at) = place(&row)? {
            let table = &mut tables[at];
            let is_valid: bool = get(&row, 12)?;
            add_index_column(if is_valid { &mut table.indexes } else { &mut table.invalid_indexes }, &row)?;
        }
    }
    let operators: BTreeSet<&str> = plans.iter().flat_map(|plan| plan.operators()).collect();
    let operators: Vec<&str> = operators.into_iter().collect();
    for row in ask(client, OPERATORS, &[&oids, &operators, &path]).await? {
        // What another path finds is printed with its schema.
        if let (Some(at), true) = (place(&row)?, get(&row, 11)?) {
            tables[at].operators.push(operator(&row)?);
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
        heir_of: get::<Option<String>>(row, 14)?.zip(get(row, 15)?),
        hypertable: get(row, 16)?,
        taken_names: get(row, 17)?,
        server: u32::try_from(get::<i32>(row, 18)?).unwrap_or(0),
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
        base_type: get(row, 9)?,
        range: get(row, 10)?,
        correlation: get(row, 11)?,
        bounds: get::<Option<String>>(row, 12)?.zip(get(row, 13)?),
        bytewise: get(row, 14)?,
    })
}

fn operator(row: &Row) -> Result<OperatorFacts> {
    Ok(OperatorFacts {
        column: get(row, 1)?,
        name: get(row, 2)?,
        schema: get(row, 3)?,
        operand: get(row, 4)?,
        exact: get(row, 5)?,
        function: get(row, 6)?,
        leakproof: get(row, 7)?,
        indexes: get(row, 8)?,
        class: get::<Option<String>>(row, 9)?.zip(get(row, 10)?),
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
            collation: get(row, 13)?,
        });
    }
    Ok(())
}
