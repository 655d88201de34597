//! What a request consists of, for messages: an error names a field, and whoever took the request says how it is called there.

use std::fmt;

macro_rules! fields {
    ($($field:ident $name:literal,)*) => {
        /// A field of a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say what they are")]
        pub enum Field {
            $($field,)*
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$field,)*];

            /// Its name, as a scenario file would write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }
    };
}

fields! {
    Aa "aa",
    Arrivals "arrivals",
    Block "block",
    Clients "clients",
    DataDir "data_dir",
    Duration "duration",
    FindCapacity "find_capacity",
    Gate "gate",
    LatencyLimit "latency_limit",
    Output "output",
    PgBin "pg_bin",
    Pool "pool",
    PoolWaitTimeout "pool_wait_timeout",
    Rate "rate",
    RecordedWayBack "recorded_way_back",
    Replace "replace",
    Reports "reports",
    Rollback "rollback",
    Rows "rows",
    ThinkTime "think_time",
    Threshold "threshold",
}

/// As it stands in a message: `` `pool_wait_timeout` ``.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name())
    }
}
