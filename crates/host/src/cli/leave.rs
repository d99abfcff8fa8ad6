//! `portreeve-host leave`.

use super::Global;
use super::failure::{Code, Failure};
use super::output::{say, show};
use super::units;
use portreeve_host::apply::{self, Half};
use portreeve_host::leave::leave;
use portreeve_host::net::{Identity, Server};
use portreeve_host::setup::PutBack;
use portreeve_host::undo::Restored;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Say nothing to the server, which may be gone
    #[arg(long)]
    local: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let paths = global.paths();
    if paths.is_live() && !rustix::process::geteuid().is_root() {
        return Err(
            Failure::new(Code::Forbidden, "only root can have this machine leave")
                .hint("run it with sudo"),
        );
    }
    if !args.local {
        let told = Identity::load(&paths)
            .and_then(Server::with_identity)
            .and_then(|server| server.leave());
        match told.map_err(Failure::from) {
            // The server knows it already.
            Err(failure) if failure.code() == Code::NotSignedIn => failure.print(),
            Err(failure) => {
                return Err(failure
                    .hint("to leave without telling the server: portreeve-host leave --local"));
            }
            Ok(()) => {}
        }
    }
    units::stop(&paths)?;
    let mut half = Half::new(paths.clone(), apply::Machine::below(&paths));
    let put_back = leave(&paths, &mut half, &*global.sshd()).map_err(Failure::plain)?;
    show(global.output, &put_back, &rows(&put_back))?;
    say(
        global.output,
        "this machine is no host any more; what people have in their homes is still there",
    );
    Ok(())
}

fn rows(all: &[PutBack]) -> Vec<Vec<String>> {
    let said = |outcome| match outcome {
        Restored::Same => "as it was before",
        Restored::Removed => "removed",
        Restored::LinesTaken => "our lines removed; somebody else had changed it since",
    };
    let row = |one: &PutBack| vec![one.path.clone(), said(one.outcome).to_owned()];
    all.iter().map(row).collect()
}
