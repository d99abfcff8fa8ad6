//! What the figures were measured on, read from `/proc`.

use std::fmt;
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

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            processor,
            cores,
            kernel,
            memory_gib,
        } = self;
        write!(
            f,
            "Machine: {processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}."
        )
    }
}

/// Seconds of processor time that a process and its ended children have used.
pub(crate) fn processor_seconds(process: u32) -> Result<f64> {
    let stat = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&stat).with_context(|| format!("cannot read {stat}"))?;
    // The second field is a name in parentheses, which may hold anything; after it the 12th to 15th are ticks.
    let (_, rest) = text.rsplit_once(')').context("no name in it")?;
    let ticks: u64 = rest
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|ticks| ticks.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

/// The same of a process and all that it started.
pub(crate) fn family_seconds(process: u32) -> Result<f64> {
    let mut seconds = processor_seconds(process)?;
    let children = format!("/proc/{process}/task/{process}/children");
    for child in std::fs::read_to_string(&children)
        .with_context(|| format!("cannot read {children}"))?
        .split_whitespace()
    {
        // One that has just ended is counted with its parent from now on.
        seconds += child
            .parse()
            .map_or(0.0, |child| family_seconds(child).unwrap_or_default());
    }
    Ok(seconds)
}

/// What Linux counts in for programs, whatever its own clock is (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

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
