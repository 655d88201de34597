//! The size of a dataset is that of everything that holds its rows.

use super::site::Site;

const SCENARIO: &str = r#"
title = "Partitions and heirs"
[dataset]
schema = """
CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-07-01') PARTITION BY RANGE (id);
CREATE TABLE events_1_all PARTITION OF events_1 DEFAULT;
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
CREATE INDEX events_at ON events (at);
CREATE TABLE animals (id int NOT NULL);
CREATE TABLE cats (PRIMARY KEY (id)) INHERITS (animals);
INSERT INTO cats SELECT n FROM generate_series(1, 20000) n;
"""
[dataset.tables.events]
rows = 20000
[dataset.tables.events.columns]
id = { sequence = {} }
at = { timestamp = { from = "2024-01-01", to = "2025-01-01" } }
[dataset.tables.animals]
rows = 10
[dataset.tables.animals.columns]
id = { sequence = {} }
[workload.statements.one]
sql = "SELECT 1"
[fix]
title = "index"
up = "CREATE INDEX events_id ON events (id)"
down = "DROP INDEX events_id"
"#;

#[test]
fn a_dataset_has_the_size_of_its_partitions_and_heirs() {
    let site = Site::new();
    let seeded = site.command("seed", "sizes", SCENARIO, &["--format", "json"]);
    assert_eq!(seeded.code, Some(0), "{}", seeded.stderr);
    let told: serde_json::Value = serde_json::from_str(&seeded.stdout).unwrap();
    let expected = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class
                    WHERE relnamespace = 'latclinic_sizes'::regnamespace AND relkind = 'r' AND relname !~ '^_'";
    let expected: u64 = site.sql(expected).parse().unwrap();
    assert!(expected > 2_000_000, "{expected}");
    assert_eq!(told["bytes"].as_u64(), Some(expected));
}
