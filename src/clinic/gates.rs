//! Gates of a scenario, of flags and of a record, as conditions on a comparison.

use super::{Error, ErrorKind};
use crate::{
    compare::{Bound, Condition, MetricName, Requirement},
    record::Found,
    scenario::{Change, Gate, GateCondition, GateMetric, Relation},
    text::Field,
};

/// `gates` with the `asked` ones that are not among them, each once.
///
/// # Errors
/// [`ErrorKind::Usage`] when one that is asked for is about none of the `operations`.
pub(super) fn added(mut gates: Vec<Gate>, asked: &[Gate], operations: &[&str]) -> Result<Vec<Gate>, Error> {
    for gate in asked {
        if let Some(fault) = gate.unknown_operation(operations.iter().copied()) {
            let message = format!("{}: {}", Field::Gate, fault.render(&gate.to_string()));
            return Err(Error::new(ErrorKind::Usage, message).about(&[Field::Gate]));
        }
        if gates.iter().all(|known| known.condition != gate.condition) {
            gates.push(gate.clone());
        }
    }
    Ok(gates)
}

/// The gates that stand in the record after, and the `asked` ones. Those of a record are on its fix: where both are of one phase,
/// as with a baseline, only the asked ones are left.
///
/// # Errors
/// [`ErrorKind::Undecided`] when the record has one that this build does not read; else as [`added`].
pub(super) fn of_records(before: &Found, found: &Found, asked: &[Gate]) -> Result<Vec<Gate>, Error> {
    let read = |text: &String| {
        Gate::parse(text).map_err(|fault| {
            let (record, fault) = (found.folder.display(), fault.render(text));
            Error::new(ErrorKind::Undecided, format!("the record in {record} has a gate that cannot be read: {fault}"))
                .with_hint("use the latclinic version that wrote it, or a newer one")
        })
    };
    let own = found.record.gates.iter().filter(|_| before.record.phase != found.record.phase);
    let gates = own.map(read).collect::<Result<_, _>>()?;
    let operations: Vec<&str> = found.record.statements.iter().map(|statement| statement.name.as_str()).collect();
    added(gates, asked, &operations)
}

/// Gates as a comparison judges them.
pub(super) fn conditions(gates: &[Gate]) -> Vec<Condition> {
    let requirement = |condition: &GateCondition| match condition {
        GateCondition::ResultsIdentical => Requirement::ResultsIdentical,
        GateCondition::FindingsNoneWorse => Requirement::FindingsNoneWorse,
        GateCondition::Change(Change { operation, metric, relation, limit }) => Requirement::Ratio {
            metric: match metric {
                GateMetric::P50 => MetricName::P50,
                GateMetric::P95 => MetricName::P95,
                GateMetric::P99 => MetricName::P99,
                GateMetric::Throughput => MetricName::Throughput,
            },
            statement: operation.clone(),
            bound: match relation {
                Relation::Less => Bound::Below,
                Relation::LessOrEqual => Bound::AtMost,
                Relation::Greater => Bound::Above,
                Relation::GreaterOrEqual => Bound::AtLeast,
            },
            limit: *limit,
        },
    };
    let condition = |gate: &Gate| Condition { expression: gate.to_string(), requirement: requirement(&gate.condition) };
    gates.iter().map(condition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Phase, sample};

    fn gate(text: &str) -> Gate {
        Gate::parse(text).unwrap()
    }

    #[test]
    fn gates_add_up_each_condition_once() {
        let scenario = vec![gate("p99 improves by 2x")];
        let asked = [gate("p99 improves by at least 2x"), gate("read.p50 improves by 50%")];
        let all = added(scenario, &asked, &["read"]).unwrap();
        assert_eq!(all, [gate("p99 improves by 2x"), gate("read.p50 improves by 50%")]);
        let error = added(all, &[gate("raed.p50 improves by 2x")], &["read"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().starts_with("`gate`: no operation `raed`, did you mean `read`?"), "{error}");
    }

    #[test]
    fn the_gates_of_a_record_come_first_and_have_to_be_read() {
        let mut record = sample::record(Phase::After);
        record.gates = vec!["p99 improves by 2x".into()];
        let mut found = Found { folder: "reports/x".into(), record };
        let operation = found.record.statements[0].name.clone();
        let own = gate(&format!("{operation}.throughput regresses less than 10%"));
        let before = Found { folder: "reports/y".into(), record: sample::record(Phase::Before) };
        let all = of_records(&before, &found, std::slice::from_ref(&own)).unwrap();
        assert_eq!(all, [gate("p99 improves by 2x"), own.clone()]);
        assert_eq!(of_records(&found, &found, std::slice::from_ref(&own)).unwrap(), [own]);
        found.record.gates = vec!["p42 sings".into()];
        let error = of_records(&before, &found, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Undecided);
        assert!(error.to_string().contains("reports/x"), "{error}");
    }

    #[test]
    fn a_gate_says_the_same_as_a_condition() {
        let found = conditions(&[gate("read.throughput regresses less than 10%"), gate("results identical")]);
        assert_eq!(found[0].expression, "read.throughput regresses less than 10%");
        assert_eq!(
            found[0].requirement,
            Requirement::Ratio {
                metric: MetricName::Throughput,
                statement: Some("read".into()),
                bound: Bound::Above,
                limit: 0.9
            }
        );
        assert_eq!(found[1].requirement, Requirement::ResultsIdentical);
    }
}
