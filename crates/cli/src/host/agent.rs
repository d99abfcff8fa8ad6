//! `portreeve host enroll`, `status`, `doctor`, `leave` and `run`: what the agent of this machine does, in its own words.

use crate::failure::Failure;
use crate::output::Format;
use clap::{Args, Subcommand, ValueEnum};
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process;

/// The agent's program.
const PROGRAM: &str = "portreeve-host";

/// What is done on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make this machine a host (runs portreeve-host)
    Enroll(Words),
    /// Show how this machine is managed (runs portreeve-host)
    Status(Words),
    /// Look for what is wrong with how this machine is managed (runs portreeve-host)
    Doctor(Words),
    /// Have this machine managed no more (runs portreeve-host)
    Leave(Words),
    /// Run the agent of this machine (runs portreeve-host)
    Run(Words),
}

/// What the agent is given, as it was written. Its own help says what there is.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Words {
    /// What portreeve-host takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Goes on as the agent's program, with the same words, and the form of output that was asked for before them.
pub(crate) fn go_on(format: Format, command: &Command) -> Result<(), Failure> {
    let (word, Words { words }) = match command {
        Command::Enroll(words) => ("enroll", words),
        Command::Status(words) => ("status", words),
        Command::Doctor(words) => ("doctor", words),
        Command::Leave(words) => ("leave", words),
        Command::Run(words) => ("run", words),
    };
    let program = program();
    let mut agent = process::Command::new(&program);
    agent.arg(word).args(words);
    if let Some(form) = format
        .to_possible_value()
        .filter(|_| format != Format::Table)
    {
        agent.args(["-o", form.get_name()]);
    }
    let error = agent.exec();
    Err(match error.kind() {
        io::ErrorKind::NotFound => Failure::plain(format!(
            "{PROGRAM} is not here, neither beside this program nor in PATH"
        ))
        .hint("install the package portreeve-host on the machine that is to be managed, and run this there"),
        _ => Failure::plain(format!("{} cannot be run: {error}", program.display())),
    })
}

/// The one beside this program, else whichever is found in `PATH`.
fn program() -> PathBuf {
    let beside = env::current_exe().ok();
    let beside = beside.and_then(|own| Some(own.parent()?.join(PROGRAM)));
    match beside.filter(|path| path.is_file()) {
        Some(path) => path,
        None => PathBuf::from(PROGRAM),
    }
}
