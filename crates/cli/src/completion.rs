//! `portreeve completion`.

use crate::failure::Failure;
use crate::{Cli, output};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "For bash: portreeve completion bash > ~/.local/share/bash-completion/completions/portreeve"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "portreeve", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
