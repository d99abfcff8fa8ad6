//! `portreeve app`: applications that people and groups are provisioned into.
//!
//! An application is named in one of two ways. The file of its definition (`smallstep.toml`) runs in this process and
//! keeps its state in a folder beside the file, without any server. A name or an id is that of an application inside a
//! server, which is reached through its API. Both print the same objects.

mod check;
mod define;
mod details;
mod dry_run;
mod file;
mod job;
mod logs;
mod on_demand;
mod run;
mod shapes;
mod starter;

pub(crate) use file::File;

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::runtime;
use clap::{Args, Subcommand};
use portreeve_provisioning::application::Template;
use std::path::PathBuf;

/// Where to look when an application was not found.
const APPLICATIONS: &str = "portreeve app list shows the applications there are";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a definition file to begin with, or make an application on the server from one
    Create(define::Create),
    /// List the applications of the server
    List {
        /// Only of this team
        #[arg(long, value_name = "NAME")]
        team: Option<String>,
    },
    /// Show an application: its definition without secrets
    #[command(visible_alias = "show")]
    Get(Which),
    /// Give an application of the server another definition
    Update(define::Update),
    /// Remove an application with its links; nothing is changed at the target
    Delete {
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Reach source and target without changing anything
    Test(Which),
    /// Look for mistakes in the mappings, also by what the target says of itself
    Lint {
        #[command(flatten)]
        which: Which,
        /// Do not ask the target
        #[arg(long)]
        offline: bool,
    },
    /// Run a cycle now, and say what came of it
    Run(run::Run),
    /// Say what a whole cycle would do, without changing anything
    DryRun(dry_run::DryRun),
    /// Provision one person, or a group with a few members, now and show every step
    OnDemand(on_demand::OnDemand),
    /// Show how the job is: its last cycle, what failed, when it runs again
    Status(Which),
    /// Show what was done for whom, and why something was not
    Logs(logs::Logs),
    /// Let no further cycle begin; one that is under way stops where it can go on
    Pause(Which),
    /// Let the job go on where it stood, out of quarantine
    Start(Which),
    /// Have the next cycle begin anew
    Restart {
        #[command(flatten)]
        which: Which,
        /// What to begin anew, in Entra's words: Watermark, Escrows, QuarantineState, ConnectorDataStore, Full, ForceDeletes;
        /// several with commas [default: Watermark, Escrows, QuarantineState]
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<String>,
    },
    /// Print the definition without secrets, as TOML (or with -o json)
    Export {
        #[command(flatten)]
        which: Which,
        /// Write the mappings out in place of a template or a file
        #[arg(long)]
        mappings: bool,
    },
    /// Take over the mappings of a configuration that was exported from Microsoft Entra ID
    Import(define::Import),
}

/// Which application.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Definition file such as smallstep.toml, or name or id of an application of the server
    #[arg(value_name = "FILE|NAME")]
    app: String,
}

/// Where an application lives.
enum Place {
    /// In a file, and it runs in this process.
    File(PathBuf),
    /// In a server, under this name or id.
    Server(Api, String),
}

impl Which {
    /// A definition file has one of the two endings of its formats; everything else is a name.
    fn file(&self) -> Option<PathBuf> {
        let path = PathBuf::from(&self.app);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_file = ending.is_some_and(|ending| {
            ending.eq_ignore_ascii_case("toml") || ending.eq_ignore_ascii_case("json")
        });
        is_file.then_some(path)
    }

    fn place(&self, global: &Global) -> Result<Place, Failure> {
        match self.file() {
            Some(path) => Ok(Place::File(path)),
            None => Ok(Place::Server(Api::open(global)?, self.app.clone())),
        }
    }
}

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let is_work = matches!(command, Command::Run(_) | Command::DryRun(_));
    let done = answer(global, command);
    let done = match is_work {
        true => runtime::server()?.block_on(done),
        false => runtime::client(done),
    };
    done.map_err(|failure| failure.hint_if_missing(APPLICATIONS))
}

async fn answer(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(args) => define::create(global, &args).await,
        Command::List { team } => define::list(global, team.as_deref()).await,
        Command::Get(which) => define::get(global, &which).await,
        Command::Update(args) => define::update(global, &args).await,
        Command::Delete { which, yes } => define::delete(global, &which, yes).await,
        Command::Test(which) => check::test(global, &which).await,
        Command::Lint { which, offline } => check::lint(global, &which, offline).await,
        Command::Run(args) => run::run(global, &args).await,
        Command::DryRun(args) => dry_run::run(global, &args).await,
        Command::OnDemand(args) => on_demand::run(global, &args).await,
        Command::Status(which) => job::status(global, &which).await,
        Command::Logs(args) => logs::run(global, &args).await,
        Command::Pause(which) => job::pause(global, &which).await,
        Command::Start(which) => job::start(global, &which).await,
        Command::Restart { which, scope } => job::restart(global, &which, &scope).await,
        Command::Export { which, mappings } => define::export(global, &which, mappings).await,
        Command::Import(args) => define::import(global, &args).await,
    }
}

/// The template of that name, for the command line.
fn template(name: &str) -> Result<Template, String> {
    name.parse()
}
