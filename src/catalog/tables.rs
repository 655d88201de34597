//! What a database's catalog says of the tables of a statement.

/// Tables that a statement reads or changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tables {
    /// The tables; empty without a database.
    pub tables: Vec<TableFacts>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableFacts {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Major version of the server that has it; 0 where that is not known.
    pub server: u32,
    /// Rows by the planner's statistics; -1 where the table was never analyzed.
    pub rows: f64,
    /// Pages of 8 KiB by the planner's statistics.
    pub pages: u64,
    /// Pages whose rows are all visible, by the planner's statistics.
    pub all_visible_pages: u64,
    /// Rows changed since it was analyzed last.
    pub modified_since_analyze: u64,
    /// When it was analyzed last, by hand or by autovacuum, as the server writes it; `None` when it never was.
    pub analyzed_at: Option<String>,
    /// When it was vacuumed last, by hand or by autovacuum; `None` when it never was.
    pub vacuumed_at: Option<String>,
    /// Dead rows that vacuum has yet to remove.
    pub dead_rows: u64,
    /// Whether row-level security is on.
    pub row_security: bool,
    /// Whether it holds for the role that asked: neither the owner nor a superuser passes by it.
    pub row_security_applies: bool,
    /// Whether its rows are in partitions.
    pub partitioned: bool,
    /// Schema and name of the partitioned table that it is a part of, at the top where partitions are partitioned themselves.
    pub partition_of: Option<(String, String)>,
    /// Schema and name of the table that it inherits from, at the top: no partitioned one, whose indexes its heirs would share.
    pub heir_of: Option<(String, String)>,
    /// Whether TimescaleDB keeps its rows in chunks, which get every index that it is given.
    pub hypertable: bool,
    /// Its columns in order.
    pub columns: Vec<ColumnFacts>,
    /// Its valid indexes, those of constraints among them.
    pub indexes: Vec<IndexFacts>,
    /// Its invalid indexes: no statement reads them, every write keeps them up, and their names are taken.
    pub invalid_indexes: Vec<IndexFacts>,
    /// Names of relations of its schema that begin as names of its indexes would: what is called so cannot be made.
    pub taken_names: Vec<String>,
    /// The operators of the plans' conditions that its columns have.
    pub operators: Vec<OperatorFacts>,
    /// Columns of its extended statistics, each as `pg_statistic_ext` has them.
    pub extended_statistics: Vec<Vec<String>>,
    /// Foreign keys that refer to it.
    pub referred_by: Vec<Referring>,
}

/// A foreign key, as the table that it refers to sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Referring {
    /// The constraint's name.
    pub constraint: String,
    /// Schema of the referring table.
    pub schema: String,
    /// The referring table.
    pub table: String,
    /// Whether the referring table's rows are in partitions.
    pub partitioned: bool,
    /// The referring columns in the constraint's order.
    pub columns: Vec<String>,
    /// A valid index that begins with the referring columns, in any order, and holds all rows; `None` where there is none.
    pub index: Option<String>,
}

/// An operator that a column of a table has, and the indexes that it can be looked up in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OperatorFacts {
    /// The column.
    pub column: String,
    /// The operator, such as `@>`.
    pub name: String,
    /// Schema of the operator.
    pub schema: String,
    /// Type of its right side, as `format_type` writes it.
    pub operand: String,
    /// Whether it is made for the column's own type, not for a kind of types such as `anyarray`.
    pub exact: bool,
    /// The function behind it, with its arguments: `enum_eq(anyenum,anyenum)`.
    pub function: String,
    /// Whether that is known to reveal nothing of its arguments: below a policy of row-level security only such a one is looked up.
    pub leakproof: bool,
    /// Valid indexes with the column whose operator class has it.
    pub indexes: Vec<String>,
    /// Method of an index that is no b-tree and has it, and the operator class; empty for the default one of the type.
    pub class: Option<(String, String)>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// Its type as `format_type` writes it, such as `timestamp with time zone`.
    pub type_name: String,
    /// What that is made of, where it is a domain; the same otherwise, without a length.
    pub base_type: String,
    /// Whether it is a range or a multirange.
    pub range: bool,
    /// Whether it is never NULL.
    pub not_null: bool,
    /// Distinct values by the planner's statistics: a number, or negative as a share of the rows; `None` without statistics.
    pub n_distinct: Option<f64>,
    /// Share of NULLs by the planner's statistics.
    pub null_share: Option<f64>,
    /// Bytes of a value on average.
    pub width: Option<f64>,
    /// Its most common values as text with the share of the rows that have them, by the planner's statistics, the most common first.
    /// Long values are left out.
    pub common: Vec<(String, f64)>,
    /// The lowest and the highest value of the planner's histogram.
    pub bounds: Option<(String, String)>,
    /// How far the order of its values is that of the rows in the table, -1 to 1.
    pub correlation: Option<f64>,
    /// Whether its values are in the order of their bytes, so that an ordinary b-tree finds a prefix.
    pub bytewise: bool,
}

/// One index of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexFacts {
    /// Its name.
    pub name: String,
    /// Access method, such as `btree`.
    pub method: String,
    /// Whether it is of a primary key.
    pub primary: bool,
    /// Whether it is unique.
    pub unique: bool,
    /// Key columns in order.
    pub keys: Vec<IndexKey>,
    /// Columns that it holds beside its key.
    pub include: Vec<String>,
    /// Rows that it holds, as `pg_get_expr` writes the condition; `None` holds all.
    pub predicate: Option<String>,
}

/// A key of an index.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexKey {
    /// Column's name, or the expression as `pg_get_indexdef` writes it.
    pub expression: String,
    /// Whether it is an expression.
    pub is_expression: bool,
    /// Whether it descends.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
    /// Its operator class, such as `text_pattern_ops`; `None` for its type's default.
    pub operator_class: Option<String>,
    /// Its collation, where that is another than the column's.
    pub collation: Option<String>,
}

impl Tables {
    /// The table of this name, in this schema where one is given.
    pub fn find(&self, schema: Option<&str>, name: &str) -> Option<&TableFacts> {
        self.tables.iter().find(|table| table.name == name && schema.is_none_or(|schema| schema == table.schema))
    }
}

impl ColumnFacts {
    /// What values of it are: of a domain what that is made of.
    pub fn base(&self) -> &str {
        if self.base_type.is_empty() { &self.type_name } else { &self.base_type }
    }
}

impl TableFacts {
    /// The foreign key of this name that refers to the table.
    pub fn referring(&self, constraint: &str) -> Option<&Referring> {
        self.referred_by.iter().find(|key| key.constraint == constraint)
    }

    /// The operator of this name that a column is compared by, with a value of this type where that is known; `None` where it
    /// is not known, or several come into question.
    pub fn operator(&self, column: &str, name: &str, operand: Option<&str>) -> Option<&OperatorFacts> {
        let known: Vec<_> =
            self.operators.iter().filter(|known| known.column == column && known.name == name).collect();
        let only = |of: &dyn Fn(&OperatorFacts) -> bool| {
            let mut found = known.iter().filter(|known| of(known));
            found.next().filter(|_| found.next().is_none()).copied()
        };
        let own = self.column(column).map(ColumnFacts::base).unwrap_or_default();
        // A varchar has the operators of text.
        let own = if own.starts_with("character varying") { "text" } else { own };
        only(&|known| operand.is_some_and(|operand| operand == known.operand))
            .or_else(|| only(&|known| known.operand == own))
            .or_else(|| only(&|known| known.exact))
            .or_else(|| only(&|_| true))
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| column.name == name)
    }
}
