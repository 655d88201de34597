//! The parameters for which results are compared: the same for both phases.

use std::collections::HashSet;

use crate::{
    load::{self, ClassValues, Operation, Workload},
    scenario::{ParameterSource, Scenario, Script, Value},
};

/// Where the numbers of the drawn sets begin: beyond those of any load.
const FIRST: u64 = 1 << 62;

/// Draws for each set that is wanted, before it is taken that there are no more.
const DRAWS: u64 = 4;

/// The values of an operation: for each step one for each parameter.
pub(super) type Set = Vec<Vec<Value>>;

/// Up to `size` sets for an operation, no two the same: hot, typical, cold and absent values, then drawn ones. An operation that draws
/// nothing has one.
pub(super) fn sets(scenario: &Scenario, workload: &Workload, script: usize, size: u32) -> load::Result<Vec<Set>> {
    let size = size as usize;
    let statements: Vec<usize> = scenario.scripts[script].steps.iter().map(|step| step.statement).collect();
    let classes: Vec<ClassValues> =
        statements.iter().map(|index| workload.classes(*index)).collect::<Result<_, _>>()?;
    let of = |class: fn(&ClassValues) -> &Vec<Value>| classes.iter().map(|values| class(values).clone()).collect();
    let mut sets: Vec<Set> = vec![of(|of| &of.hot), of(|of| &of.typical), of(|of| &of.cold), of(|of| &of.absent)];
    if !draws(scenario, &scenario.scripts[script]) {
        sets.truncate(1);
        return Ok(sets);
    }
    let mut seen = HashSet::new();
    let mut is_new = |set: &Set| seen.insert(format!("{set:?}"));
    sets.retain(&mut is_new);
    let mut operation = Operation::default();
    for number in 0..DRAWS * size as u64 {
        if sets.len() >= size {
            break;
        }
        workload.fill_script(FIRST + number, script, &mut operation);
        let mut values = operation.parameters.drain(..);
        let set: Set = statements
            .iter()
            .map(|index| values.by_ref().take(scenario.statements[*index].parameters.len()).collect())
            .collect();
        if is_new(&set) {
            sets.push(set);
        }
    }
    sets.truncate(size);
    Ok(sets)
}

/// Whether the values of some parameter are drawn.
fn draws(scenario: &Scenario, script: &Script) -> bool {
    let parameters = script.steps.iter().flat_map(|step| &scenario.statements[step.statement].parameters);
    parameters.into_iter().any(|parameter| !matches!(parameter.source, ParameterSource::Result { .. }))
}

#[cfg(test)]
mod tests;
