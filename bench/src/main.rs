//! Measures a running server against the limits of the machine, in the same run.
//!
//! Figures of one machine say little about another, and on a shared one they vary two- or threefold. So every
//! figure of the server stands beside one of a bare axum handler in the same run, driven by the same generator,
//! that only parses the same request and answers the same bytes. `bench/README.md` says how to read the table.

mod bare;
mod certificates;
mod client;
mod console;
mod cycle;
mod database;
mod engine;
mod floor;
mod hosts;
mod limits;
mod load;
mod machine;
mod relay;
mod report;
mod requests;
mod scenario;
mod server;
mod visitors;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

/// Measures `portreeve serve` on this machine.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Args)]
struct Run {
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Numbers of stored users to measure at, ascending
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "1000,100000"
    )]
    users: Vec<u64>,
    /// Measure at 1,000,000 users too; filling takes minutes
    #[arg(long)]
    million: bool,
    /// Numbers of members a group has when one is added or removed
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "10,1000,100000"
    )]
    members: Vec<u64>,
    /// Database of the server
    #[arg(long, value_enum, default_value_t = database::Kind::Sqlite)]
    database: database::Kind,
    /// Connections, each with one request under way
    #[arg(long, value_name = "N", default_value_t = 32)]
    connections: usize,
    /// Seconds per measurement
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u64,
    /// Folder on the disk to measure; the database goes into a temporary folder in it [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for results.json and results.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Bring a whole company to an empty server, as an initial cycle does, and say where the time goes
    Cycle(cycle::Cycle),
    /// Have the provisioning engine bring a company from tables to an empty server, then a hundred changes, then none
    Engine(engine::Engine),
    /// Look at every page of the console with a large directory and a long log
    Console(console::Console),
    /// Ask for SSH certificates over HTTPS on kept connections, beside signing alone
    Certificates(certificates::Certificates),
    /// Have hosts wait for their policies, and see how soon they have them
    Hosts(hosts::Hosts),
    /// Search a large directory of visitor hosts as a tablet at the door does, letter by letter
    Visitors(visitors::Visitors),
    /// Serve the bare handlers that the server is compared with; the benchmark starts this by itself
    #[command(hide = true)]
    Bare {
        /// The answers to give, as JSON
        answers: PathBuf,
    },
    /// Serve the bare handlers over SQLite; the benchmark starts this by itself
    #[command(hide = true)]
    Floor {
        /// The answers to give people by, as JSON
        answers: PathBuf,
        /// Where to make the database
        database: PathBuf,
        /// How many people to fill it with
        users: u64,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match arguments.command {
        Some(Command::Bare { answers }) => runtime.block_on(bare::serve(&answers)),
        Some(Command::Floor {
            answers,
            database,
            users,
        }) => runtime.block_on(floor::serve(&answers, &database, users)),
        Some(Command::Cycle(cycle)) => runtime.block_on(cycle::run(&cycle)),
        Some(Command::Engine(engine)) => runtime.block_on(engine::run(&engine)),
        Some(Command::Console(console)) => runtime.block_on(console::run(&console)),
        Some(Command::Certificates(certificates)) => {
            runtime.block_on(certificates::run(&certificates))
        }
        Some(Command::Hosts(hosts)) => runtime.block_on(hosts::run(&hosts)),
        Some(Command::Visitors(visitors)) => runtime.block_on(visitors::run(&visitors)),
        None => runtime.block_on(run(arguments.run)),
    }
}

async fn run(run: Run) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let portreeve = run.portreeve.unwrap_or_else(|| beside.join("portreeve"));
    let data = run.data.unwrap_or_else(|| beside.to_owned());
    let mut users = run.users;
    users.extend(run.million.then_some(1_000_000));
    let plan = scenario::Plan {
        portreeve,
        folder: tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(&data)?,
        database: run.database,
        users,
        members: run.members,
        connections: run.connections.max(1),
        time: Duration::from_secs(run.seconds.max(1)),
    };
    let report = scenario::run(&plan).await?;
    report.save(&run.out)?;
    report.print()
}
