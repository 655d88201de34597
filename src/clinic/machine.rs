//! Facts about this machine and this program, for the records.

use sysinfo::System;

use crate::record::{Machine, Tool};

/// The machine that runs the load.
pub(super) fn machine() -> Machine {
    let system = System::new_with_specifics(
        sysinfo::RefreshKind::nothing()
            .with_cpu(sysinfo::CpuRefreshKind::nothing())
            .with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram()),
    )
    .ok();
    let known = |fact: Option<String>| fact.unwrap_or_else(|| "unknown".to_owned());
    Machine {
        os: known(System::long_os_version().ok()),
        kernel: known(System::kernel_version().ok()),
        cpu: known(system.as_ref().and_then(|system| Some(system.cpus().first()?.brand().trim().to_owned()))),
        cores: cores(),
        memory_bytes: system.as_ref().map_or(0, System::total_memory),
    }
}

/// Processors that this program may use.
pub(super) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

/// The program that measures.
pub(super) fn tool() -> Tool {
    Tool { version: env!("CARGO_PKG_VERSION").to_owned(), commit: option_env!("LATCLINIC_COMMIT").map(str::to_owned) }
}
