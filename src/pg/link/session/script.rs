//! Executing a script, on whatever connection.

use std::time::Instant;

use super::{
    arguments::Arguments,
    program::{Program, Statement},
    rows::Rows,
};
use crate::{
    engine::{self, Failure, FailureKind, Steps},
    load::Operation,
};

/// What a script is executed on.
pub(crate) trait Connection {
    /// Executes a command without parameters or result.
    async fn command(&mut self, command: &'static str) -> Result<(), Failure>;

    /// Executes a statement; adds the columns `kept` of its rows to `rows`.
    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &Arguments<'_>,
        kept: Option<&[usize]>,
        rows: &mut Rows,
    ) -> Result<(), Failure>;
}

/// Executes an operation; `results` has room for the result of each step.
pub(crate) async fn run(
    connection: &mut impl Connection,
    program: &Program,
    operation: &Operation,
    results: &mut [Rows],
    steps: &mut Steps,
) -> Result<(), Failure> {
    let script = &program.scripts[operation.script];
    if let Some(statement) = script.single() {
        let statement = &program.statements[statement];
        let arguments = Arguments::drawn(&operation.parameters, statement.types());
        return connection.execute(statement, &arguments, None, &mut results[0]).await;
    }
    if !script.transaction {
        return run_steps(connection, program, operation, results, steps).await;
    }
    connection.command("BEGIN").await?;
    let outcome = match run_steps(connection, program, operation, results, steps).await {
        Ok(()) => connection.command("COMMIT").await,
        failed => failed,
    };
    match outcome {
        Err(failure) if failure.kind != FailureKind::Connection => match connection.command("ROLLBACK").await {
            Ok(()) => Err(failure),
            // Nobody knows what is open there.
            Err(_) => Err(Failure { kind: FailureKind::Connection, ..failure }),
        },
        outcome => outcome,
    }
}

async fn run_steps(
    connection: &mut impl Connection,
    program: &Program,
    operation: &Operation,
    results: &mut [Rows],
    steps: &mut Steps,
) -> Result<(), Failure> {
    for (index, step) in program.scripts[operation.script].steps.iter().enumerate() {
        let (earlier, rest) = results.split_at_mut(index);
        let rows = &mut rest[0];
        rows.clear();
        if step.needs.iter().any(|needed| earlier[*needed].count() == 0) {
            continue;
        }
        let statement = &program.statements[step.statement];
        for row in 0..step.for_each.map_or(1, |source| earlier[source].count()) {
            rows.clear();
            let drawn = Arguments::drawn(&operation.parameters[step.first..], statement.types());
            let arguments = drawn.fed(&step.inputs, earlier, step.for_each.map(|source| (source, row)));
            let sent = Instant::now();
            let outcome = connection.execute(statement, &arguments, step.kept.as_deref(), rows).await;
            let service = sent.elapsed();
            let failure = outcome.as_ref().err().map(|failure| failure.kind);
            steps.note(engine::Step { statement: step.statement, service, failure });
            outcome?;
        }
    }
    Ok(())
}
