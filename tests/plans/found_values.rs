//! Values for parameters that got none, found in the data for every way in which a statement compares them.

use super::query::Bed;

const SCHEMA: &str = r#"
    CREATE TYPE state AS ENUM ('open', 'done', 'void');
    CREATE DOMAIN code AS text CHECK (value ~ '^[a-z0-9-]+$');
    CREATE TABLE notes (
        id bigint PRIMARY KEY, author int NOT NULL, state state NOT NULL, ref uuid NOT NULL UNIQUE, code code NOT NULL,
        title text NOT NULL, body text NOT NULL, words tsvector NOT NULL, doc jsonb NOT NULL, tags text[] NOT NULL,
        during tstzrange NOT NULL, written timestamptz NOT NULL, on_day date NOT NULL, price numeric(10,2) NOT NULL,
        host inet NOT NULL, is_old bool NOT NULL);
    INSERT INTO notes SELECT n, n % 700, (ARRAY['open', 'done', 'done'])[1 + n % 3]::state, md5(n::text)::uuid, 'c-' || n % 900,
        'Title ' || n % 5000, 'apple number ' || n, to_tsvector('english', 'apple pear' || n % 800),
        jsonb_build_object('kind', 'k' || n % 600, 'size', n % 40), ARRAY['t' || n % 50, 'u' || n % 3],
        tstzrange(now() - n * interval '1 minute', now() - (n - 30) * interval '1 minute'), now() - n * interval '1 minute',
        current_date - n % 1000, n % 1000 / 7.0, ('10.0.' || n % 200 || '.' || n % 250)::inet, n % 9 = 0
        FROM generate_series(1, 30000) AS n;
    CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL);
    INSERT INTO people SELECT n, 'User' || n || '@Example.org' FROM generate_series(0, 699) AS n;
    CREATE VIEW shown AS SELECT id, author AS who, lower(title) AS heading FROM notes WHERE NOT is_old;
    ANALYZE notes, people"#;

/// Statements, each with how many rows it has to return at least, and at most, for one of the values.
const STATEMENTS: &[(&str, u64, u64)] = &[
    ("SELECT id FROM notes WHERE tags @> $1", 500, 20_000),
    ("SELECT id FROM notes WHERE tags && $1", 500, 20_000),
    ("SELECT id FROM notes WHERE $1 = ANY (tags)", 500, 20_000),
    ("SELECT id FROM notes WHERE tags <@ $1", 1, 20_000),
    ("SELECT id FROM notes WHERE doc @> $1", 1, 1_000),
    ("SELECT id FROM notes WHERE doc ? $1", 1, 30_000),
    ("SELECT id FROM notes WHERE doc ?| $1", 1, 30_000),
    ("SELECT id FROM notes WHERE doc @? $1", 1, 30_000),
    ("SELECT id FROM notes WHERE doc @@ $1", 1, 30_000),
    ("SELECT id FROM notes WHERE doc->>'kind' = $1", 50, 50),
    ("SELECT id FROM notes WHERE (doc->>'size')::int > $1", 0, 1_500),
    ("SELECT id FROM notes WHERE during @> $1::timestamptz", 1, 100),
    ("SELECT id FROM notes WHERE during && $1", 1, 100),
    ("SELECT id FROM notes WHERE written <@ $1::tstzrange", 100, 600),
    ("SELECT id FROM notes WHERE words @@ to_tsquery('english', $1)", 30, 30_000),
    ("SELECT id FROM notes WHERE words @@ plainto_tsquery($1)", 30, 30_000),
    ("SELECT id FROM notes WHERE words @@ websearch_to_tsquery('simple', $1)", 30, 30_000),
    ("SELECT id FROM notes WHERE to_tsvector('simple', body) @@ to_tsquery('simple', $1)", 1, 30_000),
    ("SELECT id FROM notes WHERE words @@ $1", 30, 30_000),
    ("SELECT id FROM notes WHERE title LIKE $1", 1, 30_000),
    ("SELECT id FROM notes WHERE title ILIKE '%' || $1 || '%'", 1, 30_000),
    ("SELECT id FROM notes WHERE title ~ $1", 1, 30_000),
    ("SELECT id FROM notes WHERE starts_with(title, $1)", 1, 30_000),
    ("SELECT id FROM notes WHERE written > now() - $1::interval", 100, 600),
    ("SELECT id FROM notes WHERE written > now() - ($1 || ' minutes')::interval", 100, 600),
    ("SELECT id FROM notes WHERE written > now() - make_interval(mins => $1)", 100, 600),
    ("SELECT id FROM notes WHERE written > now() - $1 * interval '1 minute'", 100, 600),
    ("SELECT id FROM notes WHERE extract(epoch FROM written) < $1", 0, 1_000),
    ("SELECT id FROM notes WHERE date_trunc('day', written) = $1", 100, 1_440),
    ("SELECT id FROM notes WHERE lower(title) = lower($1)", 6, 6),
    ("SELECT id FROM notes WHERE lower(title) = $1", 6, 6),
    ("SELECT id FROM notes WHERE author = $1 + 1", 40, 60),
    ("SELECT id FROM notes WHERE author * 2 = $1", 40, 60),
    ("SELECT id FROM notes WHERE code || '/' || title = $1", 1, 10),
    ("SELECT id FROM notes WHERE on_day BETWEEN $1 AND $2", 100, 700),
    ("SELECT id FROM notes WHERE (author, id) = ($1, $2)", 1, 1),
    ("SELECT id FROM notes WHERE (written, id) > ($1, $2) ORDER BY written, id LIMIT $3", 20, 20),
    ("SELECT id FROM notes ORDER BY id LIMIT $1 OFFSET $2", 20, 20),
    ("SELECT id FROM notes WHERE author = ANY ($1)", 100, 200),
    ("SELECT id FROM notes WHERE author IN ($1, $2, $3)", 100, 200),
    ("SELECT id FROM notes WHERE author <> ALL ($1)", 29_000, 30_000),
    ("SELECT id FROM notes WHERE author IN (SELECT unnest($1::int[]))", 100, 200),
    ("SELECT author FROM notes GROUP BY author HAVING count(*) > $1", 500, 700),
    ("SELECT id FROM notes WHERE state = $1", 10_000, 20_000),
    ("SELECT id FROM notes WHERE state <> $1", 10_000, 20_000),
    ("SELECT id FROM notes WHERE ref = $1", 1, 1),
    ("SELECT id FROM notes WHERE code = $1", 30, 40),
    ("SELECT id FROM notes WHERE price = $1 AND is_old = $2", 1, 100),
    ("SELECT id FROM notes WHERE host <<= $1", 1, 200),
    ("SELECT id FROM notes WHERE title IS NOT DISTINCT FROM $1", 6, 6),
    ("SELECT id FROM notes WHERE $1::int IS NULL OR author = $1", 40, 50),
    ("SELECT id, $2::text FROM notes WHERE author = $1", 40, 50),
    ("SELECT n.id FROM notes n JOIN people p ON p.id = n.author WHERE p.email = $1", 40, 50),
    (
        "SELECT n.id FROM notes n JOIN people p ON p.id = n.author WHERE lower(p.email) = lower($1) AND n.written > $2",
        0,
        5,
    ),
    ("SELECT id FROM notes n WHERE EXISTS (SELECT FROM people p WHERE p.id = n.author AND p.email = $1)", 40, 50),
    (
        "WITH w AS MATERIALIZED (SELECT author, count(*) AS c FROM notes GROUP BY author) SELECT * FROM w WHERE author = $1",
        1,
        1,
    ),
    ("SELECT * FROM (SELECT author, row_number() OVER (ORDER BY id) AS r FROM notes) s WHERE author = $1", 40, 50),
    ("SELECT id FROM shown WHERE who = $1", 30, 50),
    ("SELECT id FROM shown WHERE heading = $1", 4, 6),
];

#[tokio::test]
async fn values_are_found_for_whatever_a_parameter_is_compared_with() {
    let bed = Bed::new().await;
    bed.client.batch_execute(SCHEMA).await.unwrap();
    let mut wrong = Vec::new();
    for (sql, least, most) in STATEMENTS {
        let found = match bed.ask(sql, &[], false).await {
            Ok(found) => found,
            Err(error) => {
                wrong.push(format!("{sql}: {error}"));
                continue;
            }
        };
        let rows: Vec<_> = found.plans.iter().map(|plan| plan.rows_returned).collect();
        let fits = |rows: &Option<u64>| rows.is_some_and(|rows| (*least..=*most).contains(&rows));
        if !rows.iter().any(fits) {
            wrong.push(format!("{sql}: {rows:?}, {:?}", found.notes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn values_are_found_for_what_is_written() {
    let bed = Bed::new().await;
    bed.client.batch_execute(SCHEMA).await.unwrap();
    let statements = [
        "INSERT INTO people (id, email) VALUES ($1, $2)",
        "INSERT INTO people (id, email) VALUES ($1, $2), ($3, $4) RETURNING id",
        "INSERT INTO people (id, email) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET email = $3",
        "UPDATE people SET email = $1 WHERE id = $2",
        "UPDATE notes SET price = price + $1, state = $2 WHERE ref = $3",
        "DELETE FROM notes WHERE tags @> $1 AND written < now() - $2::interval",
    ];
    let mut wrong = Vec::new();
    for sql in statements {
        let found = match bed.ask(sql, &[], true).await {
            Ok(found) => found,
            Err(error) => {
                wrong.push(format!("{sql}: {error}"));
                continue;
            }
        };
        if !found.plans.iter().all(|plan| plan.execution_ms.is_some()) {
            wrong.push(format!("{sql}: {:?}", found.notes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn where_a_value_is_missing_its_parameter_is_named_and_the_estimates_are_judged() {
    let bed = Bed::new().await;
    let functions =
        "CREATE FUNCTION own(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN reverse($1); END $$";
    bed.client.batch_execute(functions).await.unwrap();
    let found = bed.ask("SELECT id FROM items WHERE own(kind) = $1 AND id > $2", &[], false).await.unwrap();
    assert_eq!(found.plans[0].class, "generic");
    assert_eq!(found.notes[1], "no value was found in the data for $1: give values with --parameter");
    assert!(!found.findings.is_empty(), "{found:?}");
    // Values that do not fit are no reason to fail.
    bed.client.batch_execute("ALTER TABLE items ADD CHECK (id < 60000 AND kind <> '')").await.unwrap();
    bed.client.batch_execute("CREATE UNIQUE INDEX ON items (kind, id)").await.unwrap();
    let kept = bed.ask("INSERT INTO items (kind, id) VALUES ($1, $2 + 70000)", &[], true).await.unwrap();
    assert_eq!(kept.plans[0].execution_ms, None);
    assert!(kept.notes.iter().any(|note| note.contains("violates check constraint")), "{kept:?}");
    assert!(!kept.notes.iter().any(|note| note.contains("rolled back")), "{kept:?}");
}
