//! An initial cycle: one client that brings a whole company, as Entra does, and what the server is like afterwards.
//!
//! Each user is looked up and created, each group looked up and created without members, then the members are added in
//! batches. The answer says how long each of these took and how busy the server was meanwhile, and goes on to measure
//! lookups and a walk by cursor on what is stored then.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::database::{Database, Kind};
use crate::load::{Amount, Measured, run as generate};
use crate::machine::{Machine, processor_seconds, resident_mib};
use crate::report;
use crate::requests;
use crate::scenario::{say, scatter, walk};
use crate::server::Server;

/// Members per request.
const BATCH: u64 = 100;

/// How large the company is, and how many bring it.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub(crate) struct Company {
    /// People
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) users: u64,
    /// Groups
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) groups: u64,
    /// Memberships, spread evenly over the groups
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    pub(crate) memberships: u64,
    /// Connections, each with one request under way
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) connections: usize,
}

/// What to bring, and where it goes.
#[derive(Args)]
pub(crate) struct Cycle {
    #[command(flatten)]
    company: Company,
    /// Leave out the look-up before each creation, which is half of what a client of Entra's kind asks
    #[arg(long)]
    no_lookups: bool,
    /// Database of the server
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    database: Kind,
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Folder on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for cycle.json and cycle.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

/// One part of the cycle.
#[derive(Serialize)]
struct Phase {
    name: &'static str,
    seconds: f64,
    measured: Measured,
    /// Processor time of the server and, where there is one, of its database.
    server_cpu: f64,
    database_cpu: f64,
}

#[derive(Serialize)]
struct Outcome {
    machine: Machine,
    database: Kind,
    #[serde(flatten)]
    company: Company,
    phases: Vec<Phase>,
    total_seconds: f64,
    database_mib: u64,
    memory_mib: u64,
    most_memory_mib: u64,
    lookup: Measured,
    /// The last page of 1,000 users, got by cursor, in milliseconds, and the walk that led there in seconds.
    last_page_ms: f64,
    walk_seconds: f64,
}

pub(crate) async fn run(cycle: &Cycle) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let program = cycle
        .portreeve
        .clone()
        .unwrap_or_else(|| beside.join("portreeve"));
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(cycle.data.as_deref().unwrap_or(beside))?;
    let database = Database::start(cycle.database);
    let data = folder.path().join("portreeve");
    std::fs::create_dir(&data)?;
    let server = Server::portreeve(&program, &data, database.fresh().as_deref()).await?;
    let mut arrival = Arrival::new(cycle.company, server, database)?;
    let total_seconds = arrival.bring(!cycle.no_lookups).await?;
    let outcome = arrival.look(&data, cycle.database, total_seconds).await?;
    outcome.save(&cycle.out)?;
    Ok(std::io::stdout().write_all(outcome.markdown()?.as_bytes())?)
}

/// How many seconds it takes to bring a company, with all look-ups, to a fresh server with an embedded database.
pub(crate) async fn seconds(program: &Path, data: &Path, company: Company) -> Result<f64> {
    let server = Server::portreeve(program, data, None).await?;
    let database = Database::start(Kind::Sqlite);
    Arrival::new(company, server, database)?.bring(true).await
}

/// A server with a company in it.
pub(crate) struct Filled {
    pub(crate) server: Server,
    /// Ends with this value.
    pub(crate) _database: Database,
    /// The ids of the people, by number.
    pub(crate) people: Vec<Arc<str>>,
    /// How many requests changed something.
    pub(crate) changes: u64,
}

/// Brings a company, without look-ups, to a fresh server with a database of this kind.
pub(crate) async fn fill(
    program: &Path,
    data: &Path,
    company: Company,
    kind: Kind,
) -> Result<Filled> {
    let database = Database::start(kind);
    let server = Server::portreeve(program, data, database.fresh().as_deref()).await?;
    let mut arrival = Arrival::new(company, server, database)?;
    arrival.bring(false).await?;
    Ok(Filled {
        changes: arrival
            .phases
            .iter()
            .map(|phase| phase.measured.requests)
            .sum(),
        server: arrival.server,
        _database: arrival.database,
        people: arrival.people,
    })
}

struct Arrival {
    company: Company,
    server: Server,
    database: Database,
    /// The ids of the users, once they are created.
    people: Vec<Arc<str>>,
    phases: Vec<Phase>,
}

impl Arrival {
    fn new(company: Company, server: Server, database: Database) -> Result<Self> {
        ensure!(
            company.users > 0 && company.groups > 0,
            "there must be people and groups"
        );
        Ok(Self {
            company,
            server,
            database,
            people: Vec::new(),
            phases: Vec::new(),
        })
    }

    /// Brings everybody, and says how many seconds that took.
    async fn bring(&mut self, lookups: bool) -> Result<f64> {
        let Company { users, groups, .. } = self.company;
        let begun = Instant::now();
        if lookups {
            let lookup = |number| requests::missing(requests::find_by_user_name(number));
            self.phase("look-up of each user", users, lookup).await?;
        }
        self.people = self
            .make("creation of users", users, requests::create)
            .await?;
        if lookups {
            let lookup = |number| requests::missing(requests::find_group(&group_name(number)));
            self.phase("look-up of each group", groups, lookup).await?;
        }
        let create = |number| requests::create_group(&group_name(number));
        let groups = self.make("creation of groups", groups, create).await?;
        self.join(groups).await?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Adds the members: batch `n` goes to group `n % groups`, so that no two connections fill one group at once.
    async fn join(&mut self, groups: Vec<Arc<str>>) -> Result<()> {
        let users = self.people.clone();
        let each = self.company.memberships / self.company.groups;
        let batches = each.div_ceil(BATCH);
        let count = groups.len() as u64;
        let add = move |number: u64| {
            let (group, batch) = (number % count, number / count);
            let size = BATCH.min(each - batch * BATCH);
            let members: Vec<Arc<str>> = (0..size)
                .map(|place| group * each + batch * BATCH + place)
                .map(|member| Arc::clone(&users[index(member % users.len() as u64)]))
                .collect();
            requests::add_members(&groups[index(group)], &members)
        };
        self.phase("adding of members, 100 a request", batches * count, add)
            .await
    }

    async fn look(&mut self, data: &Path, database: Kind, total_seconds: f64) -> Result<Outcome> {
        say("looking at what is stored")?;
        let users = self.company.users;
        let lookup = generate(
            &self.server.target,
            32,
            Amount::Time(Duration::from_secs(5)),
            move |number| requests::find_by_user_name(scatter(number, users)),
            |_, _| Ok(()),
        )
        .await?;
        let walked = walk(&self.server.target, users).await?;
        let (memory_mib, most_memory_mib) = resident_mib(self.server.process()?)?;
        Ok(Outcome {
            machine: Machine::describe()?,
            database,
            company: self.company,
            phases: std::mem::take(&mut self.phases),
            total_seconds,
            database_mib: self.database.size(data)? / (1024 * 1024),
            memory_mib,
            most_memory_mib,
            lookup,
            last_page_ms: walked.last_page.as_secs_f64() * 1000.0,
            walk_seconds: walked.seconds,
        })
    }

    /// Creates `count` resources and gives their ids by number.
    async fn make(
        &mut self,
        name: &'static str,
        count: u64,
        make: impl Fn(u64) -> crate::client::Exchange + Send + Sync + 'static,
    ) -> Result<Vec<Arc<str>>> {
        let ids = Arc::new(Mutex::new(vec![Arc::<str>::from(""); index(count)]));
        let made = Arc::clone(&ids);
        let note = move |number: u64, body: &Bytes| {
            let id = serde_json::from_slice::<Identified>(body)?.id;
            made.lock().unwrap_or_else(PoisonError::into_inner)[index(number)] = id.into();
            Ok(())
        };
        self.noted_phase(name, count, make, note).await?;
        let ids = std::mem::take(&mut *ids.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(ids)
    }

    async fn phase(
        &mut self,
        name: &'static str,
        count: u64,
        make: impl Fn(u64) -> crate::client::Exchange + Send + Sync + 'static,
    ) -> Result<()> {
        self.noted_phase(name, count, make, |_, _| Ok(())).await
    }

    async fn noted_phase(
        &mut self,
        name: &'static str,
        count: u64,
        make: impl Fn(u64) -> crate::client::Exchange + Send + Sync + 'static,
        note: impl Fn(u64, &Bytes) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        say(&format!("{name}: {count}"))?;
        let (server, database) = self.processor()?;
        let amount = Amount::Requests(count);
        let begun = Instant::now();
        let measured = generate(
            &self.server.target,
            self.company.connections,
            amount,
            make,
            note,
        )
        .await?;
        let seconds = begun.elapsed().as_secs_f64();
        let (server_now, database_now) = self.processor()?;
        self.phases.push(Phase {
            name,
            seconds,
            measured,
            server_cpu: server_now - server,
            database_cpu: database_now - database,
        });
        Ok(())
    }

    fn processor(&self) -> Result<(f64, f64)> {
        Ok((
            processor_seconds(self.server.process()?)?,
            self.database.processor_seconds()?,
        ))
    }
}

impl Outcome {
    fn save(&self, folder: &Path) -> Result<()> {
        let name = format!("cycle-{}-{}", self.database.name(), self.company.users);
        report::save(folder, &name, self, &self.markdown()?)
    }

    fn markdown(&self) -> Result<String> {
        let Company {
            users,
            groups,
            memberships,
            connections,
        } = self.company;
        let mut text = format!(
            "{}\n{}: {users} users, {groups} groups, {memberships} memberships; {connections} connections.\n\n",
            self.machine,
            self.database.name(),
        );
        writeln!(
            text,
            "| part | seconds | per second | p50 ms | p99 ms | server CPU, s | database CPU, s |\n|---|---:|---:|---:|---:|---:|---:|"
        )?;
        for phase in &self.phases {
            let Measured {
                per_second,
                p50_ms,
                p99_ms,
                ..
            } = &phase.measured;
            writeln!(
                text,
                "| {} | {:.1} | {per_second:.0} | {p50_ms:.1} | {p99_ms:.1} | {:.1} | {:.1} |",
                phase.name, phase.seconds, phase.server_cpu, phase.database_cpu
            )?;
        }
        writeln!(text, "| all | {:.1} | | | | | |\n", self.total_seconds)?;
        writeln!(
            text,
            "| database MiB | server memory MiB | most MiB | lookups per second | their p99 ms | last page of 1,000 by cursor, ms | walk, s |\n|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.1} | {:.1} | {:.1} |",
            self.database_mib,
            self.memory_mib,
            self.most_memory_mib,
            self.lookup.per_second,
            self.lookup.p99_ms,
            self.last_page_ms,
            self.walk_seconds
        )?;
        Ok(text)
    }
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

fn group_name(number: u64) -> String {
    format!("Group {number}")
}

pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
