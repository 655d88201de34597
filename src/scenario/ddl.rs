//! What the DDL of a scenario says of its tables, as far as it can be told without a server.
//!
//! Whatever is not understood leaves the answer open: a fault is only reported where PostgreSQL would fail for certain.

use std::collections::BTreeMap;

use sqlparser::{
    ast::{AlterTableOperation, ColumnDef, ColumnOption, CreateTable, DataType, Expr, Statement, TableConstraint},
    dialect::PostgreSqlDialect,
    parser::Parser,
};

use super::{
    declared::{self, DeclaredType},
    sql_text::SqlText,
};
use crate::scenario::declared::{catalog_name, fold};

/// The tables that a DDL text creates.
#[derive(Debug, Default)]
pub(super) struct Ddl {
    /// By name as the catalog has it.
    pub tables: BTreeMap<String, Table>,
    /// Whether a statement was not understood, so that there may be more tables, columns, defaults.
    pub open: bool,
    /// Whether one of these may have changed the type of a column.
    pub retyped: bool,
    /// The types that it creates, by name as the catalog has it.
    types: BTreeMap<String, DeclaredType>,
}

/// One table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By name as the catalog has it.
    pub columns: BTreeMap<String, Column>,
    /// Whether there may be more columns or defaults.
    pub open: bool,
    /// Whether the type of a column may have been changed.
    pub retyped: bool,
}

/// One column.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// NOT NULL or in the primary key.
    pub required: bool,
    /// Whether it may get a value without being written: a default, an identity, a type that may have a default.
    pub filled: bool,
    /// GENERATED ALWAYS AS an expression: nobody may write it.
    pub computed: bool,
    /// Its type, if it is known without a server.
    pub ty: Option<DeclaredType>,
}

/// Reads a DDL text.
pub(super) fn read(sql: &SqlText) -> Ddl {
    let mut ddl = Ddl::default();
    for statement in &sql.statements {
        match Parser::parse_sql(&PostgreSqlDialect {}, &statement.text) {
            Ok(parsed) => parsed.into_iter().for_each(|statement| ddl.apply(statement)),
            Err(_) => {
                ddl.open = true;
                ddl.retyped |= !only_adds(&statement.text);
            }
        }
    }
    ddl
}

impl Ddl {
    fn apply(&mut self, statement: Statement) {
        match statement {
            Statement::CreateTable(create) => match catalog_name(&create.name) {
                Some(name) => drop(self.tables.insert(name, Table::of(create, &self.types))),
                None => self.open = true,
            },
            Statement::AlterTable(alter) => {
                match catalog_name(&alter.name).and_then(|name| self.tables.get_mut(&name)) {
                    Some(table) => {
                        alter.operations.into_iter().for_each(|operation| table.alter(operation, &self.types))
                    }
                    None => self.open = true,
                }
            }
            Statement::CreateType { name, representation } => {
                let made =
                    catalog_name(&name).map(|name| (name.clone(), declared::made(name, representation.as_ref())));
                self.types.extend(made);
            }
            Statement::CreateDomain(domain) => {
                let of = declared::read(&domain.data_type, &self.types);
                if let Some((name, of)) = catalog_name(&domain.name).zip(of) {
                    self.types.insert(name.clone(), DeclaredType::Domain { name, of: Box::new(of) });
                }
            }
            Statement::CreateIndex(_)
            | Statement::CreateSequence { .. }
            | Statement::CreateExtension(_)
            | Statement::CreateView(_)
            | Statement::Comment { .. } => {}
            other => {
                self.open = true;
                self.retyped |= !only_adds(&other.to_string());
            }
        }
    }
}

impl Table {
    fn of(create: CreateTable, types: &BTreeMap<String, DeclaredType>) -> Self {
        let open = create.query.is_some()
            || create.like.is_some()
            || create.clone.is_some()
            || create.inherits.is_some()
            || create.partition_of.is_some();
        let mut table = Self { columns: BTreeMap::new(), open, retyped: false };
        create.columns.into_iter().for_each(|column| table.add(column, types));
        create.constraints.iter().for_each(|constraint| table.constrain(constraint));
        table
    }

    fn add(&mut self, definition: ColumnDef, types: &BTreeMap<String, DeclaredType>) {
        // serial has a default, and a domain may have one.
        let filled = matches!(definition.data_type, DataType::Custom(..));
        let ty = declared::read(&definition.data_type, types);
        let mut column = Column { filled, ty, ..Column::default() };
        for option in definition.options {
            match option.option {
                ColumnOption::NotNull | ColumnOption::PrimaryKey(_) => column.required = true,
                ColumnOption::Default(_) | ColumnOption::Identity(_) => column.filled = true,
                ColumnOption::Generated { generation_expr, .. } => {
                    column.filled = true;
                    column.computed = generation_expr.is_some();
                }
                ColumnOption::Null
                | ColumnOption::Unique(_)
                | ColumnOption::ForeignKey(_)
                | ColumnOption::Check(_)
                | ColumnOption::Collation(_) => {}
                _ => self.open = true,
            }
        }
        self.columns.insert(fold(&definition.name), column);
    }

    fn constrain(&mut self, constraint: &TableConstraint) {
        let TableConstraint::PrimaryKey(key) = constraint else { return };
        for column in &key.columns {
            let Expr::Identifier(name) = &column.column.expr else { continue };
            if let Some(column) = self.columns.get_mut(&fold(name)) {
                column.required = true;
            }
        }
    }

    fn alter(&mut self, operation: AlterTableOperation, types: &BTreeMap<String, DeclaredType>) {
        match operation {
            AlterTableOperation::AddColumn { column_def, .. } => self.add(column_def, types),
            AlterTableOperation::AddConstraint { constraint, .. } => self.constrain(&constraint),
            _ => {
                self.open = true;
                self.retyped = true;
            }
        }
    }
}

/// Whether a statement leaves the columns of tables as they are, whatever else it does: it makes something, describes something,
/// or grants something.
fn only_adds(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["create", "comment", "grant", "revoke", "insert", "analyze"].iter().any(|word| first.eq_ignore_ascii_case(word))
}
