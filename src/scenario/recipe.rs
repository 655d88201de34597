//! The recipe of a dataset: what tells whether two datasets have the same rows.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::model::{Scenario, Table};

/// Raised whenever the same scenario gives other rows than it did before.
pub const GENERATOR_VERSION: u32 = 1;

/// Everything that decides the rows.
#[derive(Serialize)]
struct Recipe<'a> {
    generator: u32,
    seed: u64,
    schema: &'a str,
    tables: &'a [Table],
}

impl Scenario {
    /// SHA-256, in hexadecimal, over everything that decides the rows: the generators' version, the seed, the DDL's text,
    /// the tables with their rows and columns.
    #[expect(clippy::expect_used, reason = "plain data with text keys always has a JSON form")]
    pub fn recipe(&self) -> String {
        let recipe = Recipe {
            generator: GENERATOR_VERSION,
            seed: self.dataset.seed,
            schema: &self.dataset.schema.text,
            tables: &self.dataset.tables,
        };
        let json = serde_json::to_vec(&recipe).expect("a recipe has a JSON form");
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
