//! What a query writes: INSERT, UPDATE, DELETE, MERGE, as the statement itself or in a WITH, and locks on rows.

use super::{
    Known,
    reading::{Beyond, Reading},
    words::Words,
};

/// Looks through the words from `from` on for what is written.
///
/// # Errors
/// It is not certain to be in the schema.
pub(super) fn read(words: &Words, from: usize, known: &Known, reading: &mut Reading) -> Result<(), Beyond> {
    for at in from..words.len() {
        let before = words.verb_before(at);
        // Where the table's name is; none for the parts of a statement that has named it already.
        let target = match words.verb(at) {
            "update" | "share" if matches!(before, "for" | "key") => {
                reading.locks = true;
                None
            }
            "update" if before == "do" => None,
            "insert" | "update" | "delete" if before == "then" => None,
            "update" => Some(at + 1),
            "insert" | "merge" if words.key(at + 1) == "into" => Some(at + 2),
            "delete" if words.key(at + 1) == "from" => Some(at + 2),
            // As names they need not be quoted; then this errs on the safe side.
            "insert" | "merge" | "delete" => return Err(Beyond::Anything),
            // SELECT .. INTO creates a table.
            "into" if !matches!(before, "insert" | "merge") => return Err(Beyond::Anything),
            _ => None,
        };
        let Some(target) = target else { continue };
        let target = if words.key(target) == "only" { target + 1 } else { target };
        let name = words
            .parts(target)
            .and_then(|(parts, _)| crate::scenario::reach::name::Name::of(&parts))
            .ok_or(Beyond::Anything)?;
        reading.targets.insert(name.clone());
        known.require_table(&name)?;
    }
    Ok(())
}
