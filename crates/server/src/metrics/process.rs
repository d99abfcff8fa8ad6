//! What the operating system says of this process, under the names that all clients of Prometheus use. Where it says nothing,
//! nothing is told.

use super::tell;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::fs;

/// This process.
#[derive(Debug)]
pub(super) struct Process {
    /// When the server started, in seconds since 1970 UTC.
    since: f64,
}

impl Process {
    /// `at` is when the server started (microseconds since 1970 UTC).
    pub(super) fn since(at: i64) -> Self {
        Self {
            since: at as f64 / 1e6,
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        tell(
            &mut encoder,
            "process_start_time_seconds",
            "When the server started, since 1970 UTC",
            &ConstGauge::new(self.since),
        )?;
        if let Some(seconds) = processor_seconds() {
            tell(
                &mut encoder,
                "process_cpu_seconds",
                "Processor time, of the system for it too",
                &ConstCounter::new(seconds),
            )?;
        }
        if let Some(bytes) = resident_bytes() {
            tell(
                &mut encoder,
                "process_resident_memory_bytes",
                "Memory that is resident",
                &ConstGauge::new(bytes),
            )?;
        }
        if let Some(count) = open_files() {
            tell(
                &mut encoder,
                "process_open_fds",
                "File descriptors that are open",
                &ConstGauge::new(count),
            )?;
        }
        Ok(())
    }
}

/// Fields 14 and 15 of proc_pid_stat(5). The name of the program, in parentheses, may have blanks.
fn processor_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_ascii_whitespace().skip(11);
    let of_user: f64 = ticks.next()?.parse().ok()?;
    let of_system: f64 = ticks.next()?.parse().ok()?;
    Some((of_user + of_system) / rustix::param::clock_ticks_per_second() as f64)
}

/// Field 2 of proc_pid_statm(5).
fn resident_bytes() -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}

fn open_files() -> Option<f64> {
    // One of them is that of the folder.
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(count.saturating_sub(1) as f64)
}
