//! The dataset: tables and columns, against each other and against the DDL.

use super::{Check, Finding, Node};
use crate::scenario::{
    ddl::{self, Ddl},
    faults::Collector,
    generator::{self, Place},
    generator_model::Generator,
    misfit::Misfit,
    model::{Column, Dataset, Table},
    nearest::nearest,
    raw,
};

impl Check<'_> {
    pub(super) fn dataset(&mut self, raw: raw::Dataset, at: &Node<'_>, misfit: Option<Misfit<'_>>) -> Option<Dataset> {
        let schema = self.commands(raw.schema, raw.schema_file, "schema", "dataset", at);
        let all = at.get("tables");
        let ddl = schema.as_ref().map(ddl::read);
        if let Some(ddl) = &ddl {
            Names { at: &all, ddl, faults: self.faults }.check();
        }
        let tables: Vec<_> = raw.tables?.into_iter().map(|(name, raw)| self.table(name, raw, &all)).collect();
        let before = self.faults.len();
        self.foreign_keys(&tables, &all);
        let refers = self.faults.len() == before;
        let tables = tables.into_iter().map(|(table, sound)| sound.then_some(table)).collect::<Option<Vec<_>>>()?;
        let dataset = Dataset { seed: raw.seed.unwrap_or(1), schema: schema?, tables };
        if let Some((misfit, ddl)) = misfit.zip(ddl).filter(|_| refers) {
            self.types(&dataset, &ddl, misfit, &all);
        }
        Some(dataset)
    }

    /// The generators against the types of their columns.
    fn types(&mut self, dataset: &Dataset, ddl: &Ddl, misfit: Misfit<'_>, all: &Node<'_>) {
        for table in &dataset.tables {
            let Some(declared) = ddl.tables.get(&table.name).filter(|table| !ddl.retyped && !table.retyped) else {
                continue;
            };
            let at = all.get(&table.name).get("columns");
            for column in &table.columns {
                let known = declared.columns.get(&column.name).filter(|known| !known.computed);
                let Some(ty) = known.and_then(|known| known.ty.as_ref()) else { continue };
                if let Some(why) = misfit(dataset, table, column, ty) {
                    self.faults.push(Finding::new(at.get(&column.name).span(), why).relative());
                }
            }
        }
    }

    /// The table with its sound columns, and whether those are all.
    fn table(&mut self, name: String, raw: raw::Table, all: &Node<'_>) -> (Table, bool) {
        self.identifier(&name, all);
        let at = all.get(&name).get("columns");
        let mut sound = true;
        let mut columns = Vec::new();
        for (column, raw_column) in raw.columns.into_iter().flatten() {
            self.identifier(&column, &at);
            // Without a sound number of rows a sequence is checked for one row.
            let place = Place { rows: Some(raw.rows.unwrap_or(1)), nested: false };
            match generator::check(&raw_column.generator, &at.get(&column), place, self.faults) {
                Some(generator) => columns.push(Column { name: column, generator, null_share: raw_column.null }),
                None => sound = false,
            }
        }
        let rows = raw.rows.unwrap_or(1);
        (Table { name, rows, columns }, sound)
    }

    fn foreign_keys(&mut self, tables: &[(Table, bool)], all: &Node<'_>) {
        let tables: Vec<&Table> = tables.iter().map(|(table, _)| table).collect();
        for table in &tables {
            for column in &table.columns {
                if let Generator::ForeignKey { table: to_table, column: to_column, .. } = &column.generator {
                    let at = all.get(&table.name).get("columns").get(&column.name).get("foreign_key");
                    self.foreign_key(&tables, (to_table, to_column), &at, all);
                }
            }
        }
    }

    fn foreign_key(&mut self, tables: &[&Table], (table, column): (&str, &str), at: &Node<'_>, all: &Node<'_>) {
        // Whether it exists is asked of the file, not of what is sound in it.
        if !all.has(table) {
            let finding = Finding::new(at.get("table").span(), format!("no table `{table}` in the dataset"));
            self.faults.push(finding.did_you_mean(nearest(table, all.keys())).relative());
            return;
        }
        let columns = all.get(table).get("columns");
        if !columns.has(column) {
            let finding = Finding::new(at.get("column").span(), format!("no generated column `{column}` in `{table}`"));
            self.faults.push(finding.did_you_mean(nearest(column, columns.keys())).relative());
            return;
        }
        let target = tables.iter().find(|found| found.name == table);
        let Some(target) = target.and_then(|table| table.columns.iter().find(|found| found.name == column)) else {
            return;
        };
        let finding = Finding::new(at.get("column").span(), format!("`{table}.{column}` cannot be referenced"));
        if matches!(target.generator, Generator::ForeignKey { .. }) {
            self.faults.push(finding.help("it is a foreign key itself: name the column that it references").relative());
        } else if target.null_share > 0.0 {
            self.faults.push(finding.help("some of its values are NULL").relative());
        }
    }
}

/// The names of the dataset against those of the DDL.
struct Names<'a> {
    at: &'a Node<'a>,
    ddl: &'a Ddl,
    faults: &'a mut Collector,
}

impl Names<'_> {
    fn check(mut self) {
        for name in self.at.keys() {
            match self.ddl.tables.get(name) {
                Some(table) => self.columns(name, table),
                None if self.ddl.open => {}
                None => {
                    let near = nearest(name, self.ddl.tables.keys().map(String::as_str));
                    let finding = Finding::new(self.at.key(name), format!("the schema has no table `{name}`"));
                    self.faults.push(finding.did_you_mean(near).relative());
                }
            }
        }
    }

    fn columns(&mut self, name: &str, table: &ddl::Table) {
        let at = self.at.get(name);
        let columns = at.get("columns");
        let open = table.open || self.ddl.open;
        let mut meant = Vec::new();
        for column in columns.keys() {
            match table.columns.get(column) {
                Some(known) if known.computed => {
                    let finding =
                        Finding::new(columns.key(column), format!("PostgreSQL computes `{name}.{column}` itself"));
                    self.faults.push(finding.help("it is GENERATED ALWAYS: remove its generator").relative());
                }
                Some(_) => {}
                None if open => {}
                None => {
                    let free = table.columns.keys().map(String::as_str).filter(|known| !columns.has(known));
                    let near = nearest(column, free);
                    meant.extend(near);
                    let finding = Finding::new(columns.key(column), format!("table `{name}` has no column `{column}`"));
                    self.faults.push(finding.did_you_mean(near).relative());
                }
            }
        }
        if open || !at.has("columns") {
            return;
        }
        for (column, _) in table.columns.iter().filter(|(_, column)| column.required && !column.filled) {
            if !columns.has(column) && !meant.contains(&column.as_str()) {
                let finding = Finding::new(columns.span(), format!("no generator for `{name}.{column}`"));
                self.faults.push(finding.help("the column is NOT NULL and has no default").relative());
            }
        }
    }
}
