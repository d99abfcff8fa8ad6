//! `portreeve completion`.

use crate::failure::Failure;
use crate::output;
use clap::ValueEnum;
use clap_complete::env::Shells;

/// The variable with which a shell asks this program for completions.
pub(crate) const VARIABLE: &str = "PORTREEVE_COMPLETE";

#[derive(Debug, clap::Args)]
#[command(
    after_help = "For bash: portreeve completion bash > ~/.local/share/bash-completion/completions/portreeve\nNames of directories, users, groups and contexts are completed too, as long as the server answers quickly."
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.shell.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    let shells = Shells::builtins();
    let shell = shells
        .completer(name)
        .ok_or_else(|| Failure::usage(format!("there are no completions for {name}")))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "portreeve", "portreeve", "portreeve", &mut script)
        .map_err(Failure::plain)?;
    output::print(&String::from_utf8_lossy(&script))
}
