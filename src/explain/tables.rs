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
    /// Whether its rows are in partitions.
    pub partitioned: bool,
    /// Schema and name of the partitioned table that it is a part of, at the top where partitions are partitioned themselves.
    pub partition_of: Option<(String, String)>,
    /// Its columns in order.
    pub columns: Vec<ColumnFacts>,
    /// Its valid indexes, those of constraints among them.
    pub indexes: Vec<IndexFacts>,
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

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// Its type as `format_type` writes it, such as `timestamp with time zone`.
    pub type_name: String,
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
}

impl Tables {
    /// The table of this name, in this schema where one is given.
    pub fn find(&self, schema: Option<&str>, name: &str) -> Option<&TableFacts> {
        self.tables.iter().find(|table| table.name == name && schema.is_none_or(|schema| schema == table.schema))
    }
}

impl TableFacts {
    /// The foreign key of this name that refers to the table.
    pub fn referring(&self, constraint: &str) -> Option<&Referring> {
        self.referred_by.iter().find(|key| key.constraint == constraint)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| column.name == name)
    }
}
