//! `portreeve ssh`: logs in to hosts with short-lived certificates, by the OpenSSH that is there.
//!
//! The key of a certificate is with the person's agent and nowhere else, or in a file where there is no agent. Plain `ssh`
//! uses it after [`setup`]: OpenSSH asks [`matches`] whether a host is one of Portreeve's and connects through [`proxy`].

mod agent;
mod certify;
mod connect;
mod files;
mod hosts;
mod key;
mod matches;
pub(crate) mod pair;
mod place;
mod proxy;
mod refresh;
mod setup;
mod status;

use crate::Global;
use crate::failure::{Code, Failure};
use crate::login;
use clap::Subcommand;
use place::Place;
use std::ffi::OsString;
use std::io;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get a certificate, signing in where nobody is signed in
    Login(login::Args),
    /// Let plain ssh use the certificate
    #[command(
        after_help = "Puts one Include line at the top of ~/.ssh/config. Hosts that are not yours, and all hosts while the server is away, are reached as before."
    )]
    Setup {
        /// Take the line out again
        #[arg(long)]
        undo: bool,
    },
    /// List the hosts that you may log in to
    Hosts,
    /// Show the certificate that is there
    Status,
    /// Forget key and certificate, and sign out
    Logout,
    /// Ask whether a host is one of yours; OpenSSH does
    #[command(hide = true)]
    Match {
        /// The host
        host: String,
    },
    /// Connect standard input and output with a host; OpenSSH does
    #[command(hide = true)]
    Proxy(proxy::Args),
    /// Ask for hosts and certificate again
    #[command(hide = true)]
    Refresh,
    /// Log in to a host, with what ssh takes after it: portreeve ssh web-1 uptime
    #[command(external_subcommand)]
    Host(Vec<OsString>),
}

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Login(args) => status::login(global, &args),
        Command::Setup { undo } => setup::run(global, undo),
        Command::Hosts => status::hosts(global),
        Command::Status => status::status(global),
        Command::Logout => status::logout(global),
        Command::Match { host } => matches::run(global, &host),
        Command::Proxy(args) => proxy::run(global, &args),
        Command::Refresh => refresh::run(global),
        Command::Host(words) => connect::run(global, &words),
    }
}

/// Forgets the certificate of a context whose session ends.
pub(crate) fn forget(global: &Global) -> Result<(), Failure> {
    status::forget(&Place::of(global)?).map(drop)
}

/// Names as one says them.
fn names(names: &[String]) -> String {
    match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.join(", "),
    }
}

fn too_late(place: &Place) -> Failure {
    Failure::new(
        Code::Unreachable,
        format!("the server at {} takes too long to answer", place.url),
    )
}

fn no_ssh(error: &io::Error) -> Failure {
    let failure = Failure::plain(format!("ssh cannot be run: {error}"));
    match error.kind() {
        io::ErrorKind::NotFound => failure.hint("install OpenSSH's client"),
        _ => failure,
    }
}
