//! The provisioning engine at work: `portreeve app run` brings a company from tables to a server, then what has changed
//! in them, then nothing.
//!
//! Beside it stands the client of [`crate::cycle`], which brings the same company to a server of its own in the same run.
//! It has everything in memory, keeps nothing and compares nothing, so no engine can be faster.

mod tables;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde::Serialize;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::cycle::{self, Company};
use crate::machine::{Machine, processor_seconds, resident_mib};
use crate::relay::Relay;
use crate::report;
use crate::scenario::{say, walk};
use crate::server::Server;
use tables::{CHANGES, JOINED};

/// What to bring, and where it goes.
#[derive(Args)]
pub(crate) struct Engine {
    #[command(flatten)]
    company: Company,
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Folder on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for engine.json and engine.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

/// One run of `portreeve app run`.
#[derive(Debug, Serialize)]
struct Cycle {
    name: &'static str,
    /// From the start of the process to its end.
    seconds: f64,
    /// Objects that were to be brought, in a cycle of which that is asked.
    objects: Option<u64>,
    /// As they passed a relay; not counted in the initial cycle.
    requests: Option<usize>,
    engine_cpu: f64,
    server_cpu: f64,
    engine_most_mib: u64,
    wanted: &'static str,
}

#[derive(Debug, Serialize)]
struct Outcome {
    machine: Machine,
    #[serde(flatten)]
    company: Company,
    /// Seconds of the client that the initial cycle stands beside.
    client_seconds: f64,
    cycles: Vec<Cycle>,
}

pub(crate) async fn run(engine: &Engine) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let program = engine
        .portreeve
        .clone()
        .unwrap_or_else(|| beside.join("portreeve"));
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(engine.data.as_deref().unwrap_or(beside))?;
    say("the same company from a client that has it in memory")?;
    let data = folder.path().join("client");
    std::fs::create_dir(&data)?;
    let client_seconds = cycle::seconds(&program, &data, engine.company).await?;
    let place = Place::new(engine.company, program, folder.path()).await?;
    let outcome = Outcome {
        machine: Machine::describe()?,
        company: engine.company,
        client_seconds,
        cycles: place.cycles().await?,
    };
    outcome.save(&engine.out)?;
    Ok(std::io::stdout().write_all(outcome.markdown()?.as_bytes())?)
}

/// A server, and the folder with the tables and the definition that `portreeve app run` is given.
struct Place {
    company: Company,
    program: PathBuf,
    data: PathBuf,
    server: Server,
    folder: PathBuf,
}

impl Place {
    async fn new(company: Company, program: PathBuf, folder: &Path) -> Result<Self> {
        let (data, folder) = (folder.join("server"), folder.join("company"));
        std::fs::create_dir(&data)?;
        std::fs::create_dir(&folder)?;
        let server = Server::portreeve(&program, &data, None).await?;
        tables::write(&folder, company, false)?;
        let authorization = server.target.authorization.as_ref();
        let authorization = authorization.context("the server was made without a token")?;
        let token = authorization.to_str()?.trim_start_matches("Bearer ");
        std::fs::write(folder.join("token"), token)?;
        Ok(Self {
            company,
            program,
            data,
            server,
            folder,
        })
    }

    async fn cycles(mut self) -> Result<Vec<Cycle>> {
        say("an initial cycle")?;
        let address = self.server.target.address;
        self.define(address)?;
        let mut initial = self.cycle("initial", "1500 per second, 200 MiB").await?;
        initial.objects = Some(self.company.users + self.company.groups);
        walk(&self.server.target, self.company.users).await?;

        // At another address the target would be another one, so the relay takes the server's.
        self.server = self.server.moved(&self.program, &self.data).await?;
        let relay = Relay::between(address, self.server.target.address).await?;
        say(&format!("a cycle with {CHANGES} changes"))?;
        tables::write(&self.folder, self.company, true)?;
        let mut changed = self.cycle("100 changes", "2 s, 400 requests").await?;
        changed.requests = Some(relay.requests().len());
        walk(&self.server.target, self.company.users + JOINED).await?;

        say("a cycle without changes")?;
        let mut empty = self.cycle("no change", "0 requests").await?;
        empty.requests = Some(relay.requests().len());
        Ok(vec![initial, changed, empty])
    }

    /// Writes the definition, with the address that requests are to go to.
    fn define(&self, address: SocketAddr) -> Result<()> {
        let definition = format!(
            "name = \"Benchmark\"\n\
             template = \"portreeve\"\n\n\
             [source]\n\
             type = \"csv\"\n\
             users = \"users.csv\"\n\
             groups = \"groups.csv\"\n\
             memberships = \"memberships.csv\"\n\
             key = \"objectId\"\n\n\
             [target]\n\
             url = \"http://{address}{}\"\n\
             authentication = {{ type = \"bearer\", token = {{ file = \"token\" }} }}\n\
             allow_private_addresses = true\n\
             parallel_requests = {}\n",
            self.server.target.base, self.company.connections
        );
        Ok(std::fs::write(self.definition(), definition)?)
    }

    fn definition(&self) -> PathBuf {
        self.folder.join("benchmark.toml")
    }

    /// Runs one cycle in a process of its own.
    async fn cycle(&self, name: &'static str, wanted: &'static str) -> Result<Cycle> {
        let said = self.folder.join("said");
        let server = self.server.process()?;
        let server_before = processor_seconds(server)?;
        let begun = Instant::now();
        let mut child = Command::new(&self.program)
            .args(["app", "run", "-o", "json"])
            .arg(self.definition())
            .stdin(Stdio::null())
            .stdout(File::create(&said)?)
            .stderr(File::create(said.with_extension("log"))?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let (engine_cpu, engine_most_mib) = watch(&child).await?;
        let status = child.wait().await?;
        let seconds = begun.elapsed().as_secs_f64();
        if !status.success() {
            bail!(
                "portreeve app run failed: {}\n{}",
                std::fs::read_to_string(&said)?,
                std::fs::read_to_string(said.with_extension("log"))?
            );
        }
        Ok(Cycle {
            name,
            seconds,
            objects: None,
            requests: None,
            engine_cpu,
            server_cpu: processor_seconds(server)? - server_before,
            engine_most_mib,
            wanted,
        })
    }
}

/// Waits for the end of a process that nobody has waited for yet: its processor time, and the most memory it had.
async fn watch(child: &Child) -> Result<(f64, u64)> {
    let process = child.id().context("the process has ended")?;
    let mut most = 0;
    // An ended process keeps its times until it is waited for, and has no memory any more.
    while let Ok((_, most_so_far)) = resident_mib(process) {
        most = most_so_far;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    ensure!(most > 0, "the process ended before it was looked at");
    Ok((processor_seconds(process)?, most))
}

impl Outcome {
    fn save(&self, folder: &Path) -> Result<()> {
        report::save(folder, "engine", self, &self.markdown()?)
    }

    fn markdown(&self) -> Result<String> {
        let Company {
            users,
            groups,
            memberships,
            connections,
        } = self.company;
        let mut text = format!(
            "{}\nThe engine: {users} users, {groups} groups, {memberships} memberships; {connections} requests at a time.\n\n",
            self.machine
        );
        writeln!(
            text,
            "| cycle | seconds | objects per second | share | requests | engine CPU, s | server CPU, s | engine most MiB | wanted |\n|---|---:|---:|---:|---:|---:|---:|---:|---|"
        )?;
        for cycle in &self.cycles {
            let (rate, share) = cycle.objects.map_or_else(Default::default, |objects| {
                let share = 100.0 * self.client_seconds / cycle.seconds;
                let rate = objects as f64 / cycle.seconds;
                (format!("{rate:.0}"), format!("{share:.0} %"))
            });
            let requests = cycle.requests.map_or_else(String::new, |it| it.to_string());
            writeln!(
                text,
                "| {} | {:.2} | {rate} | {share} | {requests} | {:.2} | {:.2} | {} | {} |",
                cycle.name,
                cycle.seconds,
                cycle.engine_cpu,
                cycle.server_cpu,
                cycle.engine_most_mib,
                cycle.wanted
            )?;
        }
        writeln!(
            text,
            "\nThe same company from a client that has it in memory: {:.1} s.",
            self.client_seconds
        )?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_stands_beside_the_client() {
        let cycle = |name, objects, requests| Cycle {
            name,
            seconds: 4.0,
            objects,
            requests,
            engine_cpu: 1.0,
            server_cpu: 2.0,
            engine_most_mib: 90,
            wanted: "more",
        };
        let outcome = Outcome {
            machine: Machine {
                processor: "Abacus".into(),
                cores: 2,
                kernel: "6.1".into(),
                memory_gib: 24,
            },
            company: Company {
                users: 5_000,
                groups: 1_000,
                memberships: 7_000,
                connections: 16,
            },
            client_seconds: 1.0,
            cycles: vec![
                cycle("initial", Some(6_000), None),
                cycle("no change", None, Some(0)),
            ],
        };
        let text = outcome.markdown().unwrap();
        for line in [
            "| initial | 4.00 | 1500 | 25 % |  | 1.00 | 2.00 | 90 | more |",
            "| no change | 4.00 |  |  | 0 | 1.00 | 2.00 | 90 | more |",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
