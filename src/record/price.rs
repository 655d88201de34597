//! What a fix costs, as `record.json` keeps it.

use serde::{Deserialize, Serialize};

/// What one application of a fix cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// Sum of its statements' times in seconds, without the ledger's own.
    pub build_s: f64,
    /// Bytes of the schema's relations after minus before; `None` where they could not be asked for.
    pub size_bytes: Option<i64>,
    /// Locks on relations that its session was seen to hold.
    pub locks: Vec<LockHeld>,
    /// Longest time in milliseconds that a session was seen to wait for one of them; `None` where none did.
    pub longest_wait_ms: Option<f64>,
    /// Longest time of a statement that reads, sent all the while by another session; `None` where none was sent.
    pub reader_longest_ms: Option<f64>,
    /// Longest time of a statement that writes; as above.
    pub writer_longest_ms: Option<f64>,
    /// What could not be watched, and why.
    pub notes: Vec<String>,
}

/// What writing to a table cost in one probe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteProbe {
    /// The table.
    pub table: String,
    /// Inserting a row; `None` where it was not measured, and a note says why. So for the others.
    pub insert: Option<WriteCost>,
    /// Updating a row.
    pub update: Option<WriteCost>,
    /// Deleting a row.
    pub delete: Option<WriteCost>,
    /// Share of the updates that were heap-only (HOT), 0 to 1.
    pub hot_ratio: Option<f64>,
    /// What was not measured, and why.
    pub notes: Vec<String>,
}

/// What a write of one row cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WriteCost {
    /// Execution time on the server in milliseconds, triggers included, without planning, commit and the way to the server: the
    /// mean of the middle half of the rows; for updates the mean of that over the columns.
    pub ms: f64,
    /// Bytes of WAL; taken likewise.
    pub wal_bytes: Option<f64>,
    /// Rows behind it.
    pub rows: u32,
}

/// What a fix costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// How often it was applied while it was watched; 0 where it needs no statements.
    pub builds: u32,
    /// Sum of its statements' times in seconds, the median over the builds; null without any.
    pub build_s: Option<f64>,
    /// Bytes of the schema's relations after minus before, the median over the builds; null where it is not known.
    pub size_bytes: Option<i64>,
    /// Locks on relations that its session was seen to hold, over all builds.
    pub locks: Vec<LockHeld>,
    /// Longest time that a session was seen to wait for one of them; null where none did.
    pub longest_wait_ms: Option<f64>,
    /// Longest time of a statement that reads while it was applied.
    pub reader_longest_ms: Option<f64>,
    /// Longest time of a statement that writes while it was applied.
    pub writer_longest_ms: Option<f64>,
    /// Each operation on each table that was probed.
    pub writes: Vec<WritePrice>,
    /// How many reads a write pay for it; null where reads are not faster or no write is slower.
    pub break_even: Option<BreakEven>,
    /// Why there is no break-even, in words; null where there is one.
    pub no_break_even: Option<String>,
    /// What was not measured, and why.
    pub notes: Vec<String>,
}

/// A lock that was held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockHeld {
    /// The table or index.
    pub relation: String,
    /// Its mode as `pg_locks` names it: `ShareUpdateExclusiveLock`.
    pub mode: String,
}

/// What writing a row costs before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WritePrice {
    /// The table.
    pub table: String,
    /// What is done with the row.
    pub operation: Operation,
    /// Rounds with a figure on both sides.
    pub rounds: u32,
    /// Execution time before the fix in milliseconds, the median over the rounds; null where it was not measured.
    pub before_ms: Option<f64>,
    /// Time after the fix; as above.
    pub after_ms: Option<f64>,
    /// Geometric mean of the rounds' ratios, after to before; null without a round.
    pub ratio: Option<f64>,
    /// Lower end of the ratio's interval; null with fewer than two rounds.
    pub ci_low: Option<f64>,
    /// Upper end of the ratio's interval; null as above.
    pub ci_high: Option<f64>,
    /// Confidence of the interval, 0 to 1, by Holm's procedure over all writes; null without one.
    pub confidence: Option<f64>,
    /// What it says.
    pub verdict: WriteVerdict,
    /// Bytes of WAL of a row before the fix, the median over the rounds; null where it was not measured.
    pub wal_bytes_before: Option<f64>,
    /// Bytes of WAL of a row after the fix; as above.
    pub wal_bytes_after: Option<f64>,
    /// Share of updates that were heap-only before the fix, the median over the rounds; null for other operations.
    pub hot_ratio_before: Option<f64>,
    /// Share of updates that were heap-only after the fix; as above.
    pub hot_ratio_after: Option<f64>,
}

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It is inserted.
    Insert,
    /// A column of it is set to another value.
    Update,
    /// It is deleted.
    Delete,
}

/// What the rounds say of a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteVerdict {
    /// Faster beyond the tolerance, with confidence.
    Improved,
    /// Slower beyond the tolerance, with confidence.
    Regressed,
    /// The same within the tolerance, with confidence.
    Equivalent,
    /// The rounds do not decide.
    #[default]
    Inconclusive,
}

/// How many reads pay for a write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BreakEven {
    /// The table that is written to.
    pub table: String,
    /// The write that costs the most more.
    pub operation: Operation,
    /// What the fix adds to its execution time on the server, in milliseconds.
    pub extra_write_ms: f64,
    /// What the fix takes from the mean service time of an operation under the load, in milliseconds.
    pub saved_read_ms: f64,
    /// `extra_write_ms / saved_read_ms`: with more reads for each write than this the fix saves time.
    pub reads_per_write: f64,
}

impl Operation {
    /// All of them, in the order of a row's life.
    pub const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    /// `insert`, `update` or `delete`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl WriteProbe {
    /// What it says of an operation.
    pub fn cost(&self, operation: Operation) -> Option<WriteCost> {
        match operation {
            Operation::Insert => self.insert,
            Operation::Update => self.update,
            Operation::Delete => self.delete,
        }
    }
}
