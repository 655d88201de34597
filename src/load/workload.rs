//! The statement mix and the parameters, as pure functions of (seed, operation number).

use super::{
    classes::ClassValues,
    error::{Error, Result},
    model::Operation,
    parameter::{ClassOf, Parameter, StatementFacts, parameters},
};
use crate::{
    draw::Stream,
    scenario::{Classes, Scenario, Value},
};

/// What is sent: scripts by weight and the parameters of their statements. Every part of an operation follows from the seed and
/// the number of the operation alone.
#[derive(Debug)]
pub struct Workload {
    scripts: Vec<Mixed>,
    statements: Vec<Compiled>,
    mix: Stream,
}

/// A script in the mix.
#[derive(Debug)]
struct Mixed {
    /// Share of this script and all before it, 0 to 1.
    cumulative: f64,
    /// Statement of each step.
    steps: Vec<usize>,
}

/// A statement with its parameters.
#[derive(Debug)]
struct Compiled {
    name: String,
    parameters: Vec<Parameter>,
    classes: Classes,
}

impl Workload {
    /// Compiles the statements of `scenario`; `facts` has one entry a statement.
    ///
    /// # Errors
    /// When there are no statements, the number of parameters differs between scenario and SQL, a generator cannot make
    /// values of a parameter's type, or a parameter's query returned no rows.
    pub fn new(scenario: &Scenario, facts: &[StatementFacts], seed: u64) -> Result<Self> {
        let statements = &scenario.statements;
        if statements.is_empty() {
            return Err(Error::empty());
        }
        let mut compiled = Vec::with_capacity(statements.len());
        for (index, statement) in statements.iter().enumerate() {
            let facts = facts.get(index).map_or(&[][..], |facts| &facts.parameters);
            compiled.push(Compiled {
                name: statement.name.clone(),
                parameters: parameters(statement, facts, &scenario.dataset, seed)?,
                classes: statement.classes.clone(),
            });
        }
        let total: f64 = scenario.scripts.iter().map(|script| script.weight).sum();
        let mut sum = 0.0;
        let mut scripts = Vec::with_capacity(scenario.scripts.len());
        for (index, script) in scenario.scripts.iter().enumerate() {
            sum += script.weight;
            scripts.push(Mixed {
                cumulative: if index + 1 == scenario.scripts.len() { 1.0 } else { sum / total },
                steps: script.steps.iter().map(|step| step.statement).collect(),
            });
        }
        Ok(Self { scripts, statements: compiled, mix: Stream::new(seed, &["mix"]) })
    }

    /// Number of scripts in the mix, at least 1.
    pub fn scripts(&self) -> usize {
        self.scripts.len()
    }

    /// Number of statements, at least 1.
    pub fn statements(&self) -> usize {
        self.statements.len()
    }

    /// The statement of each step of a script.
    pub fn steps(&self, script: usize) -> &[usize] {
        &self.scripts[script].steps
    }

    /// Makes operation `number`. Memory that `operation` holds is used again.
    pub fn fill(&self, number: u64, operation: &mut Operation) {
        let script = match self.scripts.len() {
            1 => 0,
            _ => {
                let at = self.mix.at(number).unit();
                self.scripts.partition_point(|script| script.cumulative <= at)
            }
        };
        self.fill_script(number, script, operation);
    }

    /// Makes operation `number` of a given script, outside the mix.
    pub fn fill_script(&self, number: u64, script: usize, operation: &mut Operation) {
        operation.number = number;
        operation.script = script;
        operation.parameters.clear();
        for &statement in &self.scripts[script].steps {
            let parameters = &self.statements[statement].parameters;
            operation.parameters.extend(parameters.iter().map(|parameter| parameter.value(number)));
        }
    }

    /// The distinct values that operations have for each parameter of a statement, each with how many of them have it; empty for one that
    /// comes from a result. NULLs are left out.
    pub fn sent(&self, statement: usize) -> Vec<Vec<(Value, u64)>> {
        self.statements[statement].parameters.iter().map(Parameter::sent).collect()
    }

    /// Parameter values for the plans of a statement: as the scenario names them, otherwise derived from each parameter's
    /// distribution. Parameters are drawn independently, so the most frequent tuple is that of the most frequent values.
    ///
    /// # Errors
    /// When the scenario names another number of values than the statement has parameters.
    pub fn classes(&self, statement: usize) -> Result<ClassValues> {
        let Compiled { name, parameters, classes: named } = &self.statements[statement];
        let check = |class, values: &Option<Vec<Value>>| match values {
            Some(values) if values.len() != parameters.len() => {
                Err(Error::class_count(name, class, values.len(), parameters.len()))
            }
            _ => Ok(()),
        };
        check("hot", &named.hot)?;
        check("typical", &named.typical)?;
        check("cold", &named.cold)?;
        check("absent", &named.absent)?;
        let derived: Vec<ClassOf> = parameters.iter().map(Parameter::classes).collect();
        let of = |named: &Option<Vec<Value>>, class: fn(&ClassOf) -> &Value| {
            named.clone().unwrap_or_else(|| derived.iter().map(class).cloned().collect())
        };
        Ok(ClassValues {
            hot: of(&named.hot, |of| &of.hot),
            typical: of(&named.typical, |of| &of.typical),
            cold: of(&named.cold, |of| &of.cold),
            absent: of(&named.absent, |of| &of.absent),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        draw::ColumnType,
        load::{ParameterFacts, arrivals::WARM_UP},
        scenario::{
            self, Dataset, Fix, Generator, LoadDefaults, Origin, ParameterSource, Results, Script, SqlText, Statement,
            Step,
        },
    };

    fn sql() -> SqlText {
        SqlText { source: String::new(), text: String::new(), statements: Vec::new() }
    }

    fn statement(name: &str, weight: f64, parameters: Vec<ParameterSource>) -> (Statement, f64) {
        let parameters = parameters.into_iter().map(scenario::Parameter::from).collect();
        (Statement { name: name.to_owned(), sql: sql(), parameters, classes: Classes::default() }, weight)
    }

    fn scenario(statements: Vec<(Statement, f64)>) -> Scenario {
        let (statements, weights): (Vec<_>, Vec<_>) = statements.into_iter().unzip();
        let script = |(index, (statement, weight)): (usize, (&Statement, f64))| {
            Script::of_statement(&statement.name, weight, index)
        };
        let scripts = statements.iter().zip(weights).enumerate().map(script).collect();
        let time = std::time::Duration::from_secs(1);
        Scenario {
            id: "mixed".to_owned(),
            title: String::new(),
            description: String::new(),
            origin: Origin::Bundled,
            dataset: Dataset { seed: 1, schema: sql(), tables: Vec::new() },
            statements,
            scripts,
            load: LoadDefaults::closed(1, time, time, 1),
            fix: Fix { title: String::new(), up: sql(), down: sql(), lock_timeout: time, rewrites: Vec::new() },
            thresholds: Vec::new(),
            results: Results::default(),
            gates: Vec::new(),
            rows_asked: None,
        }
    }

    fn zipf() -> ParameterSource {
        ParameterSource::Generator(Generator::Zipf { min: 1, max: 10_000, exponent: 1.0 })
    }

    fn of(parameters: Vec<ParameterFacts>) -> StatementFacts {
        StatementFacts { parameters, results_as_text: false }
    }

    fn facts(fetched: &[i64]) -> ParameterFacts {
        ParameterFacts {
            column_type: ColumnType::Int8,
            sql_type: String::new(),
            fetched: fetched.iter().copied().map(Value::Int).collect(),
        }
    }

    fn mixed() -> (Scenario, Vec<StatementFacts>) {
        let query = ParameterSource::Query { sql: sql(), shares: None };
        let scenario = scenario(vec![
            statement("insert", 1.0, vec![zipf(), zipf()]),
            statement("read", 7.0, vec![query]),
            statement("vacuous", 2.0, vec![]),
        ]);
        (scenario, vec![of(vec![facts(&[]), facts(&[])]), of(vec![facts(&[3, 5, 8, 5])]), of(vec![])])
    }

    fn operation(workload: &Workload, number: u64) -> Operation {
        let mut operation = Operation::default();
        workload.fill(number, &mut operation);
        operation
    }

    #[test]
    fn an_operation_follows_from_seed_and_number_alone() {
        let (scenario, facts) = mixed();
        let one = Workload::new(&scenario, &facts, 7).unwrap();
        let same = Workload::new(&scenario, &facts, 7).unwrap();
        let other = Workload::new(&scenario, &facts, 8).unwrap();
        let backwards: Vec<Operation> = (0..1000).rev().map(|number| operation(&same, number)).collect();
        let mut reused = Operation::default();
        for number in 0..1000 {
            one.fill(number, &mut reused);
            assert_eq!(reused, backwards[999 - number as usize]);
        }
        assert!((0..1000).any(|number| operation(&one, number) != operation(&other, number)));
        assert!(
            (0..1000).any(|number| operation(&one, number).parameters != operation(&one, number | WARM_UP).parameters)
        );
    }

    #[test]
    fn statements_come_by_weight_with_parameters_of_their_own() {
        let (scenario, facts) = mixed();
        let workload = Workload::new(&scenario, &facts, 7).unwrap();
        let mut counts = [0; 3];
        for number in 0..100_000 {
            let operation = operation(&workload, number);
            counts[operation.script] += 1;
            match (operation.script, operation.parameters.as_slice()) {
                (0, [Value::Int(1..=10_000), Value::Int(1..=10_000)]) | (1, [Value::Int(3 | 5 | 8)]) | (2, []) => {}
                other => panic!("{other:?}"),
            }
        }
        for (count, share) in counts.into_iter().zip([0.1, 0.7, 0.2]) {
            assert!((f64::from(count) / 100_000.0 - share).abs() < 0.01, "{counts:?}");
        }
    }

    #[test]
    fn classes_are_derived_or_as_the_scenario_names_them() {
        let (mut scenario, facts) = mixed();
        scenario.statements[0].classes.typical = Some(vec![Value::Int(77), Value::Int(78)]);
        let workload = Workload::new(&scenario, &facts, 7).unwrap();
        let insert = workload.classes(0).unwrap();
        assert_eq!(insert.hot, [Value::Int(1), Value::Int(1)]);
        assert_eq!(insert.typical, [Value::Int(77), Value::Int(78)]);
        assert_eq!(insert.absent, [Value::Int(10_001), Value::Int(10_001)]);
        let read = workload.classes(1).unwrap();
        let int = |value| vec![Value::Int(value)];
        assert_eq!((read.hot, read.cold, read.absent), (int(5), int(8), int(9)));
        assert_eq!(workload.classes(2).unwrap(), ClassValues::default());
    }

    #[test]
    fn an_operation_has_the_parameters_of_all_its_steps() {
        let (mut scenario, facts) = mixed();
        let result = ParameterSource::Result { step: 0, column: "id".to_owned(), all: false };
        scenario.statements[1].parameters = vec![result.into()];
        let step = |statement| Step { statement, for_each: None };
        scenario.scripts = vec![Script {
            name: "both".to_owned(),
            weight: 1.0,
            transaction: true,
            steps: vec![step(0), step(1), step(2)],
        }];
        let workload = Workload::new(&scenario, &facts, 7).unwrap();
        assert_eq!((workload.scripts(), workload.statements(), workload.steps(0)), (1, 3, &[0, 1, 2][..]));
        assert!(matches!(operation(&workload, 5).parameters[..], [Value::Int(_), Value::Int(_), Value::Null]));
        let nothing = ClassValues {
            hot: vec![Value::Null],
            typical: vec![Value::Null],
            cold: vec![Value::Null],
            absent: vec![Value::Null],
        };
        assert_eq!(workload.classes(1).unwrap(), nothing);
    }

    #[test]
    fn a_share_of_the_operations_has_null() {
        let (mut scenario, facts) = mixed();
        scenario.statements[0].parameters[1].null_share = 0.3;
        let workload = Workload::new(&scenario, &facts, 7).unwrap();
        let mut made = Operation::default();
        let mut nulls = [0.0; 2];
        for number in 0..100_000 {
            workload.fill_script(number, 0, &mut made);
            for (count, value) in nulls.iter_mut().zip(&made.parameters) {
                *count += f64::from(u8::from(*value == Value::Null));
            }
        }
        assert_eq!(nulls[0], 0.0);
        assert!((nulls[1] / 100_000.0 - 0.3).abs() < 0.006, "{nulls:?}");
        // NULLs take no part in the classes.
        assert_eq!(workload.classes(0).unwrap().hot[1], Value::Int(1));
    }

    #[test]
    fn the_typical_value_of_a_skewed_parameter_is_neither_hot_nor_cold() {
        let scenario = scenario(vec![statement("read", 1.0, vec![zipf()])]);
        let workload = Workload::new(&scenario, &[of(vec![facts(&[])])], 7).unwrap();
        let classes = workload.classes(0).unwrap();
        let ([Value::Int(typical)], [Value::Int(cold)]) = (&classes.typical[..], &classes.cold[..]) else {
            panic!("one integer")
        };
        assert!((5..1000).contains(typical) && *cold > 1000, "{typical}, {cold}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_place() {
        let refused =
            |scenario: &Scenario, facts: &[StatementFacts]| Workload::new(scenario, facts, 7).unwrap_err().to_string();
        insta::assert_snapshot!(refused(&scenario(vec![]), &[]), @"the workload has no statements");
        let two = scenario(vec![statement("read", 1.0, vec![zipf(), zipf()])]);
        insta::assert_snapshot!(refused(&two, &[of(vec![facts(&[])])]), @"statement read: the SQL uses 1 parameter, but the scenario gives 2");
        let queried = scenario(vec![statement("read", 1.0, vec![ParameterSource::Query { sql: sql(), shares: None }])]);
        insta::assert_snapshot!(refused(&queried, &[of(vec![facts(&[])])]), @"statement read: parameter $1: its query returned no rows");
        let text = ParameterFacts { column_type: ColumnType::Uuid, sql_type: String::new(), fetched: Vec::new() };
        let one = scenario(vec![statement("read", 1.0, vec![zipf()])]);
        assert!(refused(&one, &[of(vec![text])]).starts_with("statement read: parameter $1: "));
        let (mut named, facts) = mixed();
        named.statements[1].classes.hot = Some(vec![]);
        let workload = Workload::new(&named, &facts, 7).unwrap();
        insta::assert_snapshot!(workload.classes(1).unwrap_err(), @"statement read: the class hot has 0 values, the SQL takes 1");
    }
}
