//! What the figures were measured on, read from `/proc`.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) memory_gib: u64,
}

impl Machine {
    pub(crate) fn describe() -> Result<Self> {
        let memory_kib = field(Path::new("/proc/meminfo"), "MemTotal")?;
        Ok(Self {
            processor: field(Path::new("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|_| std::env::consts::ARCH.to_string()),
            cores: std::thread::available_parallelism()?.get(),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_string(),
            memory_gib: kib(&memory_kib)? / (1024 * 1024),
        })
    }
}

/// Memory of a process in MiB: now, and the most so far.
pub(crate) fn resident_mib(process: u32) -> Result<(u64, u64)> {
    let status = format!("/proc/{process}/status");
    let now = field(Path::new(&status), "VmRSS")?;
    let most = field(Path::new(&status), "VmHWM")?;
    Ok((kib(&now)? / 1024, kib(&most)? / 1024))
}

fn field(file: &Path, name: &str) -> Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_string())
        .with_context(|| format!("{} has no {name}", file.display()))
}

fn kib(value: &str) -> Result<u64> {
    let number = value.strip_suffix("kB").unwrap_or(value).trim();
    number
        .parse()
        .with_context(|| format!("{value} is no size"))
}
