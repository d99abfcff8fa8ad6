//! Hosts that wait for their policies: what so many of them cost while nothing happens, and how soon all of them have what
//! concerns all.
//!
//! The agents are simulated, in this process: each has an identity of its own and a connection over TLS that is kept, asks
//! for its policy as the agent does, and tells that it has applied it. Verifying and applying is a host's own work, and is
//! not done here; the suite `hosts` of `make test` measures real agents on machines in namespaces.

mod agent;
mod fleet;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use crate::machine::{Machine, processor_seconds, resident_mib};
use crate::report;
use crate::scenario::say;
use fleet::Fleet;

/// Percent of one core that waiting agents may cost.
const IDLE: f64 = 10.0;
/// Seconds in which all have what concerns all.
const ALL: f64 = 30.0;
/// Seconds in which one host has what concerns it.
const ONE: f64 = 2.0;

/// How many there are, and what is done.
#[derive(Args)]
pub(crate) struct Hosts {
    /// Agents that are simulated
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    agents: u64,
    /// People who may log in to all of them
    #[arg(long, value_name = "N", default_value_t = 50)]
    people: u64,
    /// Seconds in which nothing happens
    #[arg(long, value_name = "N", default_value_t = 20)]
    seconds: u64,
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Folder on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for hosts.json and hosts.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct Outcome {
    machine: Machine,
    agents: u64,
    people: u64,
    /// Enrolments a second, with their certificates.
    enrolled_per_second: f64,
    /// Percent of one core while nothing happens.
    idle_percent: f64,
    /// Memory of the server with all of them waiting, in MiB.
    memory_mib: u64,
    changes: Vec<Change>,
}

/// How long a change took, from the answer to whoever made it.
#[derive(Debug, Serialize)]
struct Change {
    name: String,
    /// How many times that was measured, or by how many.
    count: usize,
    p50: f64,
    p99: f64,
    most: f64,
    /// Seconds of the server's processor.
    server: f64,
    wanted: f64,
}

impl Change {
    /// Of seconds, in any order.
    fn new(name: &str, mut seconds: Vec<f64>, server: f64, wanted: f64) -> Result<Self> {
        seconds.sort_by(f64::total_cmp);
        let at = |hundredth: usize| {
            let index = (seconds.len() * hundredth).div_ceil(100).max(1) - 1;
            seconds.get(index).copied().context("nothing was measured")
        };
        Ok(Self {
            name: name.to_owned(),
            count: seconds.len(),
            p50: at(50)?,
            p99: at(99)?,
            most: at(100)?,
            server,
            wanted,
        })
    }
}

pub(crate) async fn run(hosts: &Hosts) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let program = hosts.portreeve.clone();
    let program = program.unwrap_or_else(|| beside.join("portreeve"));
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(hosts.data.as_deref().unwrap_or(beside))?;
    let outcome = measure(hosts, &program, folder.path()).await?;
    let text = outcome.markdown()?;
    report::save(&hosts.out, "hosts", &outcome, &text)?;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

async fn measure(hosts: &Hosts, program: &Path, folder: &Path) -> Result<Outcome> {
    let mut fleet = Fleet::start(program, folder, hosts.people).await?;
    say(&format!("{} agents enrol", hosts.agents))?;
    let enrolled_per_second = fleet.enrol(hosts.agents).await?;
    say("they wait")?;
    fleet.settle().await?;
    let process = fleet.process()?;
    let before = processor_seconds(process)?;
    let time = Duration::from_secs(hosts.seconds.max(1));
    tokio::time::sleep(time).await;
    let idle_percent = (processor_seconds(process)? - before) / time.as_secs_f64() * 100.0;
    let (memory_mib, _) = resident_mib(process)?;
    say("somebody comes and goes everywhere")?;
    let everywhere = fleet.everywhere().await?;
    say("somebody comes and goes on one host")?;
    let somewhere = fleet.somewhere().await?;
    Ok(Outcome {
        machine: Machine::describe()?,
        agents: hosts.agents,
        people: hosts.people,
        enrolled_per_second,
        idle_percent,
        memory_mib,
        changes: vec![everywhere, somewhere],
    })
}

impl Outcome {
    fn markdown(&self) -> Result<String> {
        let mut text = format!("# Hosts\n\n{}\n", self.machine);
        writeln!(
            text,
            "{} agents; {} people who may log in everywhere.\n",
            self.agents, self.people
        )?;
        writeln!(text, "| what | | wanted |\n|---|---:|---:|")?;
        writeln!(
            text,
            "| enrolments a second | {:.0} | |",
            self.enrolled_per_second
        )?;
        writeln!(
            text,
            "| processor while all wait, of one core | {:.1} % | < {IDLE:.0} % |",
            self.idle_percent
        )?;
        writeln!(
            text,
            "| memory while all wait | {} MiB | |\n",
            self.memory_mib
        )?;
        writeln!(
            text,
            "| seconds from the answer | measured | p50 | p99 | all | server's processor | p99 wanted |\n|---|---:|---:|---:|---:|---:|---:|"
        )?;
        for change in &self.changes {
            let Change {
                name,
                count,
                p50,
                p99,
                most,
                server,
                wanted,
            } = change;
            writeln!(
                text,
                "| {name} | {count} | {p50:.2} | {p99:.2} | {most:.2} | {server:.1} | < {wanted:.0} |"
            )?;
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn of_a_hundred_the_last_but_one_is_p99() {
        for (name, seconds, expected) in [
            ("one", vec![7.0], (7.0, 7.0, 7.0)),
            (
                "a hundred",
                (1..=100).rev().map(f64::from).collect(),
                (50.0, 99.0, 100.0),
            ),
        ] {
            let change = Change::new(name, seconds, 0.0, 1.0).unwrap();
            assert_eq!((change.p50, change.p99, change.most), expected, "{name}");
        }
        assert!(Change::new("none", vec![], 0.0, 1.0).is_err());
    }
}
