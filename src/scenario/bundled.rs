//! The scenarios in the binary. A new one is a TOML file in `scenarios/`, a folder in `sql/` and a line here.

/// Folder of the scenario files in the repository.
pub(super) const FOLDER: &str = "scenarios";

struct Bundle {
    id: &'static str,
    toml: &'static str,
    /// Path in the repository, and text.
    sql: &'static [(&'static str, &'static str)],
}

macro_rules! bundle {
    ($id:literal, [$($file:literal),* $(,)?]) => {
        Bundle {
            id: $id,
            toml: include_str!(concat!("../../scenarios/", $id, ".toml")),
            sql: &[$((
                concat!("sql/", $id, "/", $file),
                include_str!(concat!("../../sql/", $id, "/", $file)),
            )),*],
        }
    };
}

const BUNDLES: &[Bundle] = &[bundle!("events", ["schema.sql", "fix.up.sql", "fix.down.sql"])];

/// Ids of the bundled scenarios, in the order in which they are listed.
pub fn bundled() -> impl Iterator<Item = &'static str> + Clone {
    BUNDLES.iter().map(|bundle| bundle.id)
}

/// The TOML text of a bundled scenario.
pub(super) fn toml(id: &str) -> Option<&'static str> {
    BUNDLES.iter().find(|bundle| bundle.id == id).map(|bundle| bundle.toml)
}

/// The text of a bundled SQL file, by its path in the repository.
pub(super) fn file(path: &str) -> Option<&'static str> {
    BUNDLES.iter().flat_map(|bundle| bundle.sql).find(|(name, _)| *name == path).map(|(_, text)| *text)
}
