//! The command line: one file per command.

mod apply;
mod doctor;
mod enroll;
mod failure;
mod leave;
mod machine;
mod net;
mod output;
mod run;
mod status;
mod units;

use clap::{Parser, Subcommand};
use output::Format;
use portreeve_host::paths::Paths;
use portreeve_host::sshd::{Absent, Installed, Sshd};
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes this machine a host: the people whom its team grants access can log in, and leave with it.
#[derive(Debug, Parser)]
#[command(
    name = "portreeve-host",
    version,
    propagate_version = false,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Print a table for people, or json
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        global = true,
        value_name = "FORM",
        hide_possible_values = true
    )]
    output: Format,
    /// Folder below which all files are, such as that of an image
    #[arg(long, global = true, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

impl Global {
    fn paths(&self) -> Paths {
        Paths::new(&self.root)
    }

    /// The `sshd` that reads those files; there is none for files that are no machine's.
    fn sshd(&self) -> Box<dyn Sshd> {
        let paths = self.paths();
        match paths.is_live() {
            true => Box::new(Installed::new(&paths)),
            false => Box::new(Absent),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this machine a host
    Enroll(Box<enroll::Args>),
    /// Show how this host stands
    Status,
    /// Look for everything that is known to go wrong, and say what to do about it
    Doctor(doctor::Args),
    /// Put everything back as it was before, and say so to the server
    Leave(leave::Args),
    /// Run both halves, where no systemd does
    Run(run::Args),
    /// Run the half that applies what is signed: with root's rights, without network
    Apply(apply::Args),
    /// Run the half on the network: without rights
    Net(net::Args),
}

pub(crate) fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let done = match command {
        Command::Enroll(args) => enroll::run(&global, &args),
        Command::Status => status::run(&global),
        Command::Doctor(args) => doctor::run(&global, &args),
        Command::Leave(args) => leave::run(&global, &args),
        Command::Run(args) => run::run(&global, &args),
        Command::Apply(args) => apply::run(&global, &args),
        Command::Net(args) => net::run(&global, &args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}
