//! What was measured, and with what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Version of latclinic.
    pub version: String,
    /// Commit it was built from; null outside a checkout.
    pub commit: Option<String>,
}

/// The machine that ran the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system and its version.
    pub os: String,
    /// Kernel version.
    pub kernel: String,
    /// Processor's name.
    pub cpu: String,
    /// Logical processors.
    pub cores: u32,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
}

/// The server that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `server_version`, such as `15.18`.
    pub version: String,
    /// Whether it is latclinic's own.
    pub managed: bool,
    /// Settings that bear on speed, as `SHOW` prints them.
    pub settings: BTreeMap<String, String>,
}

/// The data that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// SHA-256 of everything that determines the rows.
    pub recipe: String,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Bytes of the scenario's tables with their indexes and TOAST.
    pub bytes: u64,
}

/// The fix between the phases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixInfo {
    /// One line for a person.
    pub title: String,
    /// SHA-256 of its up statements.
    pub up_sha256: String,
    /// SHA-256 of its down statements.
    pub down_sha256: String,
    /// Statements of the workload that are sent with other SQL in the phase after; empty without any.
    #[serde(default)]
    pub rewrites: Vec<RewriteInfo>,
}

/// A statement that is sent with other SQL in the phase after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewriteInfo {
    /// Its name.
    pub statement: String,
    /// SHA-256 of its SQL in the phase after.
    pub sha256: String,
}
