//! The program `portreeve`: one file per noun. `serve` and `demo` run a server in this process, everything else talks
//! to one through its admin API.

mod account;
mod api_token;
mod app;
mod backup;
mod body;
mod ca;
mod certificate;
mod client;
mod completion;
mod config;
mod confirm;
mod connection;
mod context;
mod contexts;
mod database;
mod demo;
mod directory;
mod environment;
mod event;
mod exit_codes;
mod explain;
mod failure;
mod grant;
mod group;
mod host;
mod live;
mod login;
mod logout;
mod machine;
mod man;
mod mapping;
mod migrate;
mod output;
mod owner;
mod postgres;
mod progress;
mod restore;
mod runtime;
mod scope;
mod serve;
mod service_account;
mod session;
mod settings;
mod ssh;
mod stream;
mod team;
mod time;
mod token;
mod user;
mod version;
mod visit;
mod visit_device;
mod visit_location;
mod visitor_host;
mod watched;
mod whoami;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::CompleteEnv;
use failure::Failure;
use output::Format;
use std::path::PathBuf;
use std::process::ExitCode;

/// Taken because a profile showed a tenth of a look-up in the C library's allocator. It holds some 40 MiB more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps the roll of a company's people: identity providers push people and groups in over SCIM 2.0.
#[derive(Debug, Parser)]
#[command(
    name = "portreeve",
    version,
    propagate_version = false,
    max_term_width = 100
)]
#[command(after_help = "Try it: portreeve demo")]
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
    /// Print a table for people, or json (the object of the API), yaml, csv, or name (one per line)
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
    /// Data folder of the server on this machine [env: PORTREEVE_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address of a server elsewhere, with an API token in PORTREEVE_TOKEN [env: PORTREEVE_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "data")]
    url: Option<String>,
    /// Server that you have signed in to, by its name [env: PORTREEVE_CONTEXT]
    #[arg(long, global = true, value_name = "NAME", conflicts_with_all = ["data", "url"], add = live::contexts())]
    context: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Args),
    /// Run a server with a sample company that is provisioned before your eyes
    Demo(demo::Args),
    /// Sign in at a server elsewhere
    Login(login::Args),
    /// Sign out again
    Logout,
    /// Show who you are and what you may do
    Whoami,
    /// Servers that you work with, by name
    #[command(subcommand)]
    Context(context::Command),
    /// Sources of people: one per identity provider
    #[command(subcommand)]
    Directory(directory::Command),
    /// Secret tokens with which a provider reaches its directory
    #[command(subcommand)]
    Token(token::Command),
    /// People
    #[command(subcommand)]
    User(user::Command),
    /// Sets of people
    #[command(subcommand)]
    Group(group::Command),
    /// Teams, each with people and directories of its own
    #[command(subcommand)]
    Team(team::Command),
    /// How the people of a directory sign in
    #[command(subcommand)]
    Connection(connection::Command),
    /// Who is signed in
    #[command(subcommand)]
    Session(session::Command),
    /// Machines that act by themselves, which no provider sends
    #[command(subcommand)]
    ServiceAccount(service_account::Command),
    /// Machines that people log in to
    #[command(subcommand)]
    Host(host::Command),
    /// Who may log in to which hosts
    #[command(subcommand)]
    Grant(grant::Command),
    /// Accounts of people on hosts: their names and numbers
    #[command(subcommand)]
    Account(account::Command),
    /// Explain whether somebody may log in to a host, and why
    Explain(explain::Args),
    /// The certificate authority: keys, policy, and what is revoked
    #[command(subcommand)]
    Ca(ca::Command),
    /// SSH certificates: who has which, and revoking them
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// People whom visitors come to see
    #[command(subcommand)]
    VisitorHost(visitor_host::Command),
    /// Where visitors are received
    #[command(subcommand)]
    VisitLocation(visit_location::Command),
    /// Tablets at the doors of locations
    #[command(subcommand)]
    VisitDevice(visit_device::Command),
    /// Who came to see whom, and who is in the house
    #[command(subcommand)]
    Visit(visit::Command),
    /// Tokens for programs that use the admin API
    #[command(subcommand)]
    ApiToken(api_token::Command),
    /// Local owners, who are in no directory: the way in on the first day, and on the day no provider answers
    #[command(subcommand)]
    Owner(owner::Command),
    /// What happened: every change and every refusal
    #[command(subcommand)]
    Event(event::Command),
    /// Receivers of security events, which are told of every change
    #[command(subcommand)]
    Stream(stream::Command),
    /// Copy the database into a file, also while the server runs
    Backup(backup::Args),
    /// Put a backup in the place of the database
    Restore(restore::Args),
    /// Copy everything from one database into another, such as from SQLite to PostgreSQL
    Migrate(migrate::Args),
    /// Applications that people and groups are provisioned into
    #[command(subcommand)]
    App(app::Command),
    /// Attribute mappings and expressions, tried out without a server
    #[command(subcommand)]
    Mapping(mapping::Command),
    /// Settings of the server
    #[command(subcommand)]
    Config(config::Command),
    /// Log in to hosts with a certificate
    #[command(
        subcommand,
        after_help = "Log in: portreeve ssh HOST, and what ssh takes after it, such as: portreeve ssh web-1 uptime"
    )]
    Ssh(ssh::Command),
    /// Print completions for a shell
    Completion(completion::Args),
    /// Write the manual pages into a folder
    Man(man::Args),
    /// Show what exit codes mean
    #[command(long_about = exit_codes::help())]
    ExitCodes,
    /// Print the version of this program
    Version,
}

fn main() -> ExitCode {
    // A shell that asks for completions gets them and nothing else.
    CompleteEnv::with_factory(Cli::command)
        .var(completion::VARIABLE)
        .complete();
    let Cli { global, command } = Cli::parse();
    match run(&global, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(global, &args),
        Command::Demo(args) => demo::run(global, &args),
        Command::Login(args) => login::run(global, &args),
        Command::Logout => logout::run(global),
        Command::Whoami => runtime::client(whoami::run(global)),
        Command::Context(command) => context::run(global, command),
        Command::Directory(command) => runtime::client(directory::run(global, command)),
        Command::Token(command) => runtime::client(token::run(global, command)),
        Command::User(command) => runtime::client(user::run(global, command)),
        Command::Group(command) => runtime::client(group::run(global, command)),
        Command::Team(command) => runtime::client(team::run(global, command)),
        Command::Connection(command) => runtime::client(connection::run(global, command)),
        Command::Session(command) => runtime::client(session::run(global, command)),
        Command::ServiceAccount(command) => runtime::client(service_account::run(global, command)),
        Command::Host(command) => runtime::client(host::run(global, command)),
        Command::Grant(command) => runtime::client(grant::run(global, command)),
        Command::Account(command) => runtime::client(account::run(global, command)),
        Command::Explain(args) => runtime::client(explain::run(global, args)),
        Command::Ca(command) => runtime::client(ca::run(global, command)),
        Command::Certificate(command) => runtime::client(certificate::run(global, command)),
        Command::VisitorHost(command) => runtime::client(visitor_host::run(global, command)),
        Command::VisitLocation(command) => runtime::client(visit_location::run(global, command)),
        Command::VisitDevice(command) => runtime::client(visit_device::run(global, command)),
        Command::Visit(command) => runtime::client(visit::run(global, command)),
        Command::ApiToken(command) => runtime::client(api_token::run(global, command)),
        Command::Owner(command) => runtime::client(owner::run(global, command)),
        Command::Event(command) => runtime::client(event::run(global, command)),
        Command::Stream(command) => runtime::client(stream::run(global, command)),
        Command::App(command) => app::run(global, command),
        Command::Backup(args) => backup::run(global, args),
        Command::Restore(args) => restore::run(global, args),
        Command::Migrate(args) => migrate::run(global, &args),
        Command::Mapping(command) => mapping::run(global, command),
        Command::Config(command) => config::run(global, command),
        Command::Ssh(command) => ssh::run(global, command),
        Command::Completion(args) => completion::run(&args),
        Command::Man(args) => man::run(&args),
        Command::ExitCodes => exit_codes::run(global),
        Command::Version => version::run(global),
    }
}
