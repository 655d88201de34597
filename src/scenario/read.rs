//! A scenario file from text to checked: syntax, shape, meaning.

use std::path::Path;

use serde::Deserialize;
use toml::de::DeTable;

use super::{
    bundled::{self, bundled},
    error::Error,
    faults::{Collector, Faults, Finding},
    files::{self, Files},
    model::{Origin, Scenario},
    nearest::nearest,
    node::Node,
    raw, structure, validate,
};
use crate::scenario::misfit::Misfit;

/// [`load`], which also finds the columns that cannot be filled, as far as their types are known without a server.
///
/// # Errors
/// As of [`load`].
pub fn check(id_or_path: &str, misfit: Misfit<'_>) -> Result<Scenario, Error> {
    load_with(id_or_path, Some(misfit))
}

/// Loads a scenario: a bundled id, or a path to a TOML file (has a `/`, ends with `.toml`, or exists).
///
/// # Errors
/// [`Error::NotFound`] names the nearest id; [`Error::Faults`] has every fault of the file; [`Error::Io`].
pub fn load(id_or_path: &str) -> Result<Scenario, Error> {
    load_with(id_or_path, None)
}

fn load_with(id_or_path: &str, misfit: Option<Misfit<'_>>) -> Result<Scenario, Error> {
    let path = Path::new(id_or_path);
    let is_path = id_or_path.contains('/') || id_or_path.ends_with(".toml");
    if is_path || (bundled::toml(id_or_path).is_none() && path.is_file()) {
        return load_file(path, misfit);
    }
    bundled_with(id_or_path, misfit)
}

fn load_file(path: &Path, misfit: Option<Misfit<'_>>) -> Result<Scenario, Error> {
    let bytes = files::read_bytes(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        let mut faults = Collector::new(name.as_str(), String::from_utf8_lossy(error.as_bytes()));
        faults.push(Finding::new(start..start + char::REPLACEMENT_CHARACTER.len_utf8(), "a byte that is not UTF-8"));
        Error::Faults(faults.finish())
    })?;
    let id = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let files = Files::Disk(folder);
    read(&text, &name, &id, Origin::File(path.to_owned()), &files, misfit).map_err(Error::Faults)
}

fn bundled_with(id: &str, misfit: Option<Misfit<'_>>) -> Result<Scenario, Error> {
    let Some(text) = bundled::toml(id) else {
        let known: Vec<_> = bundled().collect();
        let nearest = nearest(id, known.iter().copied()).map(str::to_owned);
        return Err(Error::NotFound { id: id.to_owned(), nearest, known });
    };
    let name = format!("{}/{id}.toml", bundled::FOLDER);
    read(text, &name, id, Origin::Bundled, &Files::Bundled, misfit).map_err(Error::Faults)
}

impl Scenario {
    /// A bundled scenario.
    ///
    /// # Errors
    /// [`Error::NotFound`] names the nearest id.
    pub fn bundled(id: &str) -> Result<Self, Error> {
        bundled_with(id, None)
    }
}

/// The JSON Schema of a scenario file, which documents every key.
pub fn json_schema() -> serde_json::Value {
    raw::json_schema().to_value()
}

/// Reads a scenario from text; `files` are those that it may name.
fn read(
    text: &str,
    name: &str,
    id: &str,
    origin: Origin,
    files: &Files,
    misfit: Option<Misfit<'_>>,
) -> Result<Scenario, Faults> {
    let mut faults = Collector::new(name, text);
    let (mut table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or_default();
        faults.push(Finding::new(span, error.message()));
    }
    let sound = structure::check(&json_schema(), &mut table, &mut faults);
    let context = validate::Context { id, origin, files, root: Node::root(&table), misfit };
    let scenario = match raw::Scenario::deserialize(toml::de::Deserializer::from(sound)) {
        Ok(raw) => validate::check(raw, context, &mut faults),
        Err(error) => {
            // The schema and the shapes come from the same source; should they ever differ, this says where.
            faults.push(Finding::new(error.span().unwrap_or_default(), error.message()));
            None
        }
    };
    if !errors.is_empty() {
        faults.keep_certain(errors.len());
        faults.keep_causes(errors.len());
    }
    match scenario {
        Some(scenario) if faults.len() == 0 => Ok(scenario),
        _ => {
            if faults.len() == 0 {
                faults.push(Finding::new(0..0, "a file that makes no scenario"));
            }
            Err(faults.finish())
        }
    }
}
