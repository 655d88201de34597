//! A scenario as a person reads it.

use std::fmt::Write as _;

use crate::{
    scenario::{
        Arrivals, Connections, Dataset, LoadDefaults, LoadModel, ParameterSource, Pool, Protocol, Recycling, Results,
        Scenario, Sharing, SqlText, Statement, ThinkDistribution, Value,
    },
    text,
};

/// All of a scenario, in lines of `width` columns where words allow it.
pub(super) fn describe(scenario: &Scenario, width: usize) -> String {
    let mut text = format!("{}: {}\n", scenario.id, scenario.title);
    if !scenario.description.is_empty() {
        let _ = write!(text, "\n{}", indent(&scenario.description, "  ", width));
    }
    dataset(&scenario.dataset, width, &mut text);
    workload(scenario, width, &mut text);
    text.push_str("\nLoad\n");
    for line in load(&scenario.load) {
        text.push_str(&indent(&line, "  ", width));
    }
    if !scenario.thresholds.is_empty() {
        text.push_str("\nThresholds\n");
        for threshold in &scenario.thresholds {
            let _ = writeln!(text, "  {threshold}");
        }
    }
    text.push_str("\nResults\n");
    text.push_str(&indent(&results(&scenario.results), "  ", width));
    if !scenario.gates.is_empty() {
        text.push_str("\nGates\n");
        for gate in &scenario.gates {
            let _ = writeln!(text, "  {gate}");
        }
    }
    fix(scenario, width, &mut text);
    text
}

fn dataset(dataset: &Dataset, width: usize, text: &mut String) {
    let _ = writeln!(text, "\nDataset, seed {}, schema in {}", dataset.seed, dataset.schema.source);
    for table in &dataset.tables {
        let _ = writeln!(text, "  {}, {}", table.name, text::counted(table.rows, "row"));
        let widest = table.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
        for column in &table.columns {
            let words = format!("{}{}", column.generator, nulls(column.null_share));
            text.push_str(&indent(&words, &format!("    {:widest$}  ", column.name), width));
        }
    }
}

fn workload(scenario: &Scenario, width: usize, text: &mut String) {
    text.push_str("\nWorkload\n");
    for script in &scenario.scripts {
        let statements: Vec<&Statement> =
            script.steps.iter().map(|step| &scenario.statements[step.statement]).collect();
        let _ = write!(text, "  {}, weight {}", script.name, script.weight);
        text.push_str(if script.transaction { ", in a transaction\n" } else { "\n" });
        for (step, executed) in script.steps.iter().zip(&statements) {
            let mut margin = "    ";
            if executed.name != script.name {
                let _ = write!(text, "    {}", executed.name);
                if let Some(of) = step.for_each {
                    let _ = write!(text, ", for each row of {}", statements[of].name);
                }
                text.push('\n');
                margin = "      ";
            }
            text.push_str(&sql(&executed.sql, margin, width));
            statement(executed, step.for_each, &statements, margin, width, text);
        }
    }
}

fn statement(
    statement: &Statement,
    for_each: Option<usize>,
    steps: &[&Statement],
    margin: &str,
    width: usize,
    text: &mut String,
) {
    for (index, parameter) in statement.parameters.iter().enumerate() {
        let words = match &parameter.source {
            ParameterSource::Result { step, column, all } => {
                let rows = match () {
                    () if *all => "of all rows",
                    () if for_each == Some(*step) => "of the row",
                    () => "of the first row",
                };
                format!("{column} {rows} of {}", steps[*step].name)
            }
            source => format!("{source}{}", nulls(parameter.null_share)),
        };
        text.push_str(&indent(&words, &format!("{margin}${}  ", index + 1), width));
    }
    let classes = &statement.classes;
    let named =
        [("hot", &classes.hot), ("typical", &classes.typical), ("cold", &classes.cold), ("absent", &classes.absent)];
    let named: Vec<String> = named
        .into_iter()
        .filter_map(|(name, values)| values.as_ref().map(|values| format!("{name} {}", listed(values))))
        .collect();
    if !named.is_empty() {
        text.push_str(&indent(&named.join(", "), &format!("{margin}plans for "), width));
    }
}

/// The load, a line a subject.
fn load(load: &LoadDefaults) -> Vec<String> {
    let clients = text::counted(load.clients, "client");
    let (model, unit) = match load.model {
        LoadModel::Closed { think_time: None } => (format!("closed, {clients}"), " clients"),
        LoadModel::Closed { think_time: Some(time) } => {
            let drawn = match time.distribution {
                ThinkDistribution::Constant => "",
                ThinkDistribution::Exponential => ", exponential",
            };
            (format!("closed, {clients}, think time {:?}{drawn}", time.mean), " clients")
        }
        LoadModel::Open { rate, arrivals, latency_limit } => {
            let arrivals = match arrivals {
                Arrivals::Poisson => "Poisson",
                Arrivals::Constant => "constant",
            };
            let limit = latency_limit.map_or_else(String::new, |limit| format!(", skipped when {limit:?} late"));
            let up_to = if load.stages.is_empty() { "" } else { "up to " };
            (format!("open, {up_to}{rate}/s, {arrivals} arrivals, {clients}{limit}"), "/s")
        }
    };
    let mut lines = vec![model];
    lines.extend(
        load.stages.iter().map(|stage| format!("{:?} from {} to {}{unit}", stage.duration, stage.from, stage.to)),
    );
    let (measured, warmup) = (load.duration.as_secs_f64(), load.warmup.as_secs_f64());
    lines.push(format!("{measured} s after {warmup} s of warm-up, seed {}", load.seed));
    lines.extend(load.block.map(|block| format!("blocks of a run: {block}")));
    lines.extend(connections(&load.connections));
    if load.retries > 0 {
        lines.push(format!("up to {} after a serialization failure or a deadlock", tries(load.retries)));
    }
    if load.error_limit < 1.0 {
        lines.push(format!("stopped if more than {} of the operations fail", percent(load.error_limit)));
    }
    lines
}

fn connections(connections: &Connections) -> Vec<String> {
    let sharing = match connections.sharing {
        Sharing::Client => "a connection for each client".to_owned(),
        Sharing::Operation => "a connection for each operation".to_owned(),
        Sharing::Pool(Pool { size, wait_timeout, recycling }) => {
            let wait = wait_timeout.map_or_else(String::new, |wait| format!(", waited for {wait:?} at most"));
            let recycling = match recycling {
                Recycling::Fast => "",
                Recycling::Verified => ", verified before each use",
                Recycling::Clean => ", cleaned before each use",
            };
            format!("a pool of {}{wait}{recycling}", text::counted(size, "connection"))
        }
    };
    let protocol = match connections.protocol {
        Protocol::Simple => "simple",
        Protocol::Extended => "extended",
        Protocol::Prepared => "prepared",
    };
    let mut lines = vec![format!("{sharing}, protocol {protocol}")];
    if let Some(timeout) = connections.statement_timeout {
        lines.push(format!("statement timeout {timeout:?}"));
    }
    lines.extend(connections.settings.iter().map(|(name, value)| format!("{name} = {}", Value::Text(value.clone()))));
    lines
}

fn fix(scenario: &Scenario, width: usize, text: &mut String) {
    let fix = &scenario.fix;
    let _ = writeln!(text, "\nFix: {}", fix.title);
    if fix.changes_database() {
        let _ = writeln!(text, "  lock timeout {} s", fix.lock_timeout.as_secs_f64());
        for (name, commands) in [("up", &fix.up), ("down", &fix.down)] {
            let _ = writeln!(text, "  {name}, {}", commands.source);
            text.push_str(&sql(commands, "    ", width));
        }
    }
    for rewrite in &fix.rewrites {
        let _ = writeln!(text, "  {} is sent as, {}", scenario.statements[rewrite.statement].name, rewrite.sql.source);
        text.push_str(&sql(&rewrite.sql, "    ", width));
    }
}

/// What is compared of the results.
fn results(results: &Results) -> String {
    let sets = text::counted(results.sample, "parameter set");
    let roles = match results.roles.as_slice() {
        [] => String::new(),
        roles => format!(", also as {}", roles.join(", ")),
    };
    format!("compared before and after for {sets} per operation{roles}")
}

fn tries(retries: u32) -> String {
    text::counted(retries, "retry")
}

fn nulls(share: f64) -> String {
    if share > 0.0 { format!("; NULL {}", percent(share)) } else { String::new() }
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

/// Statements, indented; broken only where they are already.
fn sql(text: &SqlText, margin: &str, width: usize) -> String {
    text.statements.iter().map(|statement| indent(&format!("{};", statement.text), margin, width)).collect()
}

fn listed(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// Breaks text at spaces to fit `width`, each line beneath the end of `head`.
pub(super) fn indent(text: &str, head: &str, width: usize) -> String {
    let margin = " ".repeat(head.chars().count());
    let room = width.saturating_sub(margin.len()).max(20);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for (index, word) in paragraph.split(' ').enumerate() {
            if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(std::mem::take(&mut line));
            } else if index > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    let mut indented = String::new();
    for (index, line) in lines.iter().enumerate() {
        let _ = writeln!(indented, "{}", format!("{}{line}", if index == 0 { head } else { &margin }).trim_end());
    }
    indented
}
