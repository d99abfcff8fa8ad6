//! `portreeve-host net`.

use super::Global;
use super::failure::Failure;
use super::machine::Machine;
use super::run::Follow;
use portreeve_host::net::{self, Socket};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    follow: Follow,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    args.follow.begin()?;
    let paths = global.paths();
    let half = Socket::new(paths.apply_socket());
    net::run(&paths, &half, &Machine::new()).map_err(Failure::from)
}
