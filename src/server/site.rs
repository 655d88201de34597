//! Where a server works, with which binaries, as whom.

use crate::server::{
    account::Account,
    binaries::Installation,
    folder::{Cluster, Folder},
};

/// Where a server works, with which binaries, as whom.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub(super) folder: &'a Folder,
    pub(super) cluster: Cluster,
    pub(super) installation: Installation,
    pub(super) account: Account,
}
