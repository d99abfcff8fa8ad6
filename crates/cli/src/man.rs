//! `portreeve man`.

use crate::Cli;
use crate::failure::Failure;
use clap::CommandFactory;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "To read them: man -M DIR portreeve, with the pages in DIR/man1")]
pub(crate) struct Args {
    /// Folder for the pages, made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let folder = args.folder.as_path();
    let failed = |error: std::io::Error| {
        Failure::plain(format!("{} cannot be written: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    // The builtin `help` would have a page for each command once more.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, folder).map_err(failed)
}
