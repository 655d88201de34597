//! A scenario to work on.

use std::time::Duration;

use latclinic::scenario::{
    Column, Dataset, Fix, Generator, LoadDefaults, Origin, Results, Scenario, SqlStatement, SqlText, Table,
};

/// A statement a line, so that statement n stands in line n.
pub(crate) fn sql(source: &str, statements: &[&str]) -> SqlText {
    let statements: Vec<_> =
        statements.iter().zip(1..).map(|(text, line)| SqlStatement { text: (*text).to_owned(), line }).collect();
    SqlText { source: source.to_owned(), text: String::new(), statements }
}

fn column(name: &str, generator: Generator) -> Column {
    Column { name: name.to_owned(), generator, null_share: 0.0 }
}

/// A scenario of one table of 1 000 events by 100 users, without statements, with this fix.
pub(crate) fn scenario(up: &[&str], down: &[&str]) -> Scenario {
    Scenario {
        id: "events".into(),
        title: "t".into(),
        description: String::new(),
        origin: Origin::Bundled,
        dataset: Dataset {
            seed: 1,
            schema: sql("schema.sql", &["CREATE TABLE events (id bigint PRIMARY KEY, user_id int)"]),
            tables: vec![Table {
                name: "events".into(),
                rows: 1000,
                columns: vec![
                    column("id", Generator::Sequence { start: 1, step: 1 }),
                    column("user_id", Generator::Uniform { min: 0.0, max: 99.0, decimals: 0 }),
                ],
            }],
        },
        statements: Vec::new(),
        scripts: Vec::new(),
        load: LoadDefaults::closed(1, Duration::ZERO, Duration::from_secs(1), 1),
        fix: Fix {
            title: "an index".into(),
            up: sql("fix.up.sql", up),
            down: sql("fix.down.sql", down),
            lock_timeout: Duration::from_secs(5),
            rewrites: Vec::new(),
        },
        thresholds: Vec::new(),
        results: Results::default(),
        gates: Vec::new(),
        rows_asked: None,
    }
}
