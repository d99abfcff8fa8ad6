//! SSH certificates over HTTPS: how many a second, and how long one takes, beside signing alone with the same library.
//!
//! Every certificate is asked for as the `step` client does, with a key and a token of its own, over connections that are
//! kept; the server checks the token, decides, writes down and signs. A row is for tokens of a provisioner, which vouch for
//! names, and another one for ID tokens of people, whose access is worked out from their groups and the grants. The same
//! requests go to `step-ca`, where its program is given.

mod provider;
mod raw;
mod requests;
mod step_ca;
pub(crate) mod town;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use crate::client::{Exchange, Target};
use crate::load::{Amount, Measured, run as generate};
use crate::machine::{Machine, processor_seconds};
use crate::report;
use crate::scenario::{say, scatter};
use requests::{Provisioner, Signer};
use step_ca::StepCa;
use town::Town;

/// Certificates a second that are wanted, and the milliseconds in which 99 of 100 are.
const ISSUES: f64 = 2_000.0;
const ISSUE: f64 = 20.0;
/// The milliseconds in which an answer about a host is wanted.
const CHECK: f64 = 5.0;

/// How much there is, and how much is asked for.
#[derive(Args)]
pub(crate) struct Certificates {
    #[command(flatten)]
    size: Size,
    /// Certificates of each kind
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    certificates: u64,
    /// Connections, each with one request under way
    #[arg(long, value_name = "N", default_value_t = 16)]
    connections: usize,
    /// Seconds for what is measured by time
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u64,
    /// Compare with this program `step-ca`
    #[arg(long, value_name = "FILE", requires = "step")]
    step_ca: Option<PathBuf>,
    /// The program `step`, which makes the keys of `step-ca`
    #[arg(long, value_name = "FILE")]
    step: Option<PathBuf>,
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Folder on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for certificates.json and certificates.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

/// How much there is in the team.
#[derive(Debug, Clone, Copy, Args, Serialize)]
struct Size {
    /// People, each in ten groups. What hosts are told of them is worked out first, which takes its time
    #[arg(long, value_name = "N", default_value_t = 100)]
    people: u64,
    /// Hosts
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    hosts: u64,
    /// Grants, each to a group of its own
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    grants: u64,
}

/// What a kind of request came to.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    measured: Measured,
    /// Microseconds of processor time of the server for one.
    server_us: f64,
    wanted: Option<Wanted>,
}

/// What the project holds itself to.
#[derive(Debug, Clone, Copy, Serialize)]
struct Wanted {
    per_second: Option<f64>,
    p99_ms: f64,
}

#[derive(Debug, Serialize)]
struct Outcome {
    machine: Machine,
    size: Size,
    connections: usize,
    /// Certificates signed a second, by one core and by all.
    raw: (f64, f64),
    issues: Vec<Figure>,
    checks: Vec<Figure>,
}

pub(crate) async fn run(certificates: &Certificates) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let program = certificates.portreeve.clone();
    let program = program.unwrap_or_else(|| beside.join("portreeve"));
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(certificates.data.as_deref().unwrap_or(beside))?;
    let machine = Machine::describe()?;
    say("signing alone")?;
    let time = Duration::from_secs(certificates.seconds.max(1));
    let raw = (raw::measure(1, time)?, raw::measure(machine.cores, time)?);
    let mut outcome = Outcome {
        machine,
        size: certificates.size,
        connections: certificates.connections,
        raw,
        issues: Vec::new(),
        checks: Vec::new(),
    };
    outcome
        .of_portreeve(certificates, &program, folder.path())
        .await?;
    if let (Some(step_ca), Some(step)) = (&certificates.step_ca, &certificates.step) {
        outcome
            .of_step_ca(certificates, step_ca, step, folder.path())
            .await?;
    }
    let text = outcome.markdown()?;
    report::save(&certificates.out, "certificates", &outcome, &text)?;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

impl Outcome {
    async fn of_portreeve(
        &mut self,
        certificates: &Certificates,
        program: &Path,
        folder: &Path,
    ) -> Result<()> {
        let town = Town::start(program, &folder.join("portreeve"), certificates.size).await?;
        let (process, target) = (town.process()?, &town.authority);
        let wanted = Wanted {
            per_second: Some(ISSUES),
            p99_ms: ISSUE,
        };
        let load = Load {
            target,
            process,
            connections: certificates.connections,
        };
        let count = certificates.certificates;
        let vouched = town.provisioner.requests(count)?;
        self.issues.push(
            load.issue("portreeve: tokens of a provisioner", vouched, Some(wanted))
                .await?,
        );
        let signed_in = town.provider.requests(count, certificates.size.people)?;
        self.issues.push(
            load.issue("portreeve: ID tokens of people", signed_in, Some(wanted))
                .await?,
        );
        let hosts = certificates.size.hosts;
        let time = Amount::Time(Duration::from_secs(certificates.seconds.max(1)));
        let check = move |number| requests::check_host(&town::host_name(scatter(number, hosts)));
        let wanted = Wanted {
            per_second: None,
            p99_ms: CHECK,
        };
        self.checks.push(
            load.figure("portreeve: check-host", time, check, Some(wanted))
                .await?,
        );
        Ok(())
    }

    async fn of_step_ca(
        &mut self,
        certificates: &Certificates,
        program: &Path,
        step: &Path,
        folder: &Path,
    ) -> Result<()> {
        let signer = Signer::new(Provisioner::NAME)?;
        let peer = StepCa::start(program, step, &folder.join("step-ca"), &signer).await?;
        let provisioner = Provisioner::new(signer, &peer.target);
        let load = Load {
            target: &peer.target,
            process: peer.process()?,
            connections: certificates.connections,
        };
        let requests = provisioner.requests(certificates.certificates)?;
        self.issues.push(
            load.issue("step-ca: tokens of a provisioner", requests, None)
                .await?,
        );
        Ok(())
    }

    fn markdown(&self) -> Result<String> {
        let Size {
            people,
            hosts,
            grants,
        } = self.size;
        let mut text = format!(
            "{}\n{people} people, {hosts} hosts, {grants} grants; {} connections; the generator runs on the same cores.\n\n",
            self.machine, self.connections
        );
        let (one, all) = self.raw;
        writeln!(
            text,
            "| signing alone, Ed25519 | per second |\n|---|---:|\n| one core | {one:.0} |\n| {} cores | {all:.0} |\n",
            self.machine.cores
        )?;
        writeln!(
            text,
            "| certificates | per second | p50 ms | p99 ms | most ms | share of signing alone | server CPU, µs each | wanted |\n|---|---:|---:|---:|---:|---:|---:|---|"
        )?;
        for figure in &self.issues {
            let share = format!("{:.1} %", 100.0 * figure.measured.per_second / all);
            figure.row(&mut text, Some(&share))?;
        }
        writeln!(
            text,
            "\n| question | per second | p50 ms | p99 ms | most ms | server CPU, µs each | wanted |\n|---|---:|---:|---:|---:|---:|---|"
        )?;
        for figure in &self.checks {
            figure.row(&mut text, None)?;
        }
        Ok(text)
    }
}

impl Figure {
    fn row(&self, text: &mut String, share: Option<&str>) -> Result<()> {
        let Measured {
            per_second,
            p50_ms,
            p99_ms,
            max_ms,
            ..
        } = &self.measured;
        let share = share.map(|share| format!(" {share} |")).unwrap_or_default();
        let wanted = self.wanted.map(|wanted| wanted.verdict(&self.measured));
        writeln!(
            text,
            "| {} | {per_second:.0} | {p50_ms:.1} | {p99_ms:.1} | {max_ms:.1} |{share} {:.0} | {} |",
            self.name,
            self.server_us,
            wanted.unwrap_or_default()
        )?;
        Ok(())
    }
}

impl Wanted {
    fn verdict(self, measured: &Measured) -> String {
        let enough = self
            .per_second
            .is_none_or(|wanted| measured.per_second >= wanted);
        let missed = if enough && measured.p99_ms <= self.p99_ms {
            ""
        } else {
            ", missed"
        };
        let rate = self
            .per_second
            .map(|wanted| format!("{wanted:.0} per second, "))
            .unwrap_or_default();
        format!("{rate}{:.0} ms{missed}", self.p99_ms)
    }
}

/// Who asks whom.
struct Load<'a> {
    target: &'a Target,
    /// Of the server.
    process: u32,
    connections: usize,
}

impl Load<'_> {
    /// Asks for a certificate with each of the bodies, after a first one that fills what a server in use has full.
    async fn issue(
        &self,
        name: &'static str,
        mut bodies: Vec<bytes::Bytes>,
        wanted: Option<Wanted>,
    ) -> Result<Figure> {
        let first = bodies.pop().context("no certificate is asked for")?;
        requests::first(self.target, first).await?;
        let amount = Amount::Requests(bodies.len() as u64);
        let bodies = Arc::new(bodies);
        let make = move |number| requests::sign(bodies[crate::cycle::index(number)].clone());
        self.figure(name, amount, make, wanted).await
    }

    async fn figure(
        &self,
        name: &'static str,
        amount: Amount,
        make: impl Fn(u64) -> Exchange + Send + Sync + 'static,
        wanted: Option<Wanted>,
    ) -> Result<Figure> {
        say(name)?;
        let before = processor_seconds(self.process)?;
        let measured = generate(self.target, self.connections, amount, make, |_, _| Ok(())).await?;
        let used = processor_seconds(self.process)? - before;
        Ok(Figure {
            name,
            server_us: used * 1e6 / measured.requests as f64,
            measured,
            wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_few_or_too_slow_is_said_to_be() {
        let measured = |per_second, p99_ms| Measured {
            requests: 9,
            per_second,
            p50_ms: 1.0,
            p99_ms,
            max_ms: 90.0,
        };
        let issue = Wanted {
            per_second: Some(2_000.0),
            p99_ms: 20.0,
        };
        let check = Wanted {
            per_second: None,
            p99_ms: 5.0,
        };
        for (name, wanted, measured, verdict) in [
            (
                "reached",
                issue,
                measured(2_000.0, 20.0),
                "2000 per second, 20 ms",
            ),
            (
                "too few",
                issue,
                measured(1_999.0, 20.0),
                "2000 per second, 20 ms, missed",
            ),
            (
                "too slow",
                issue,
                measured(2_000.0, 20.1),
                "2000 per second, 20 ms, missed",
            ),
            ("by time alone", check, measured(1.0, 4.9), "5 ms"),
        ] {
            assert_eq!(wanted.verdict(&measured), verdict, "{name}");
        }
    }
}
