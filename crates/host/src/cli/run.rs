//! `portreeve-host run`: both halves as two processes.

use super::Global;
use super::failure::Failure;
use super::output::say;
use portreeve_host::config::Config;
use portreeve_host::paths::Paths;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// How long a half that has ended stays away.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What a half is told that runs below `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Follow {
    /// End when the process that started this one ends
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Follow {
    pub(crate) fn begin(&self) -> Result<(), Failure> {
        match self.with_parent {
            true => set_parent_process_death_signal(Some(Signal::TERM)).map_err(Failure::plain),
            false => Ok(()),
        }
    }
}

pub(crate) fn run(global: &Global, _args: &Args) -> Result<(), Failure> {
    let paths = global.paths();
    let config = Config::load(&paths)?;
    say(
        global.output,
        &format!(
            "running as the host {}; end it with Ctrl-C",
            config.host.name
        ),
    );
    while let Some(enrolled) = written(&paths) {
        let mut halves = [Half::start(global, "apply")?, Half::start(global, "net")?];
        // Whoever enrolls this machine anew has both halves begin anew.
        while written(&paths) == Some(enrolled) {
            for half in &mut halves {
                half.keep(global)?;
            }
            sleep(AGAIN);
        }
        for half in halves {
            half.end();
        }
    }
    say(global.output, "this machine is no host any more");
    Ok(())
}

/// When this machine was enrolled; `None`: it has left.
fn written(paths: &Paths) -> Option<SystemTime> {
    fs::metadata(paths.config()).ok()?.modified().ok()
}

struct Half {
    name: &'static str,
    child: Child,
}

impl Half {
    fn start(global: &Global, name: &'static str) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::plain)?;
        let mut command = Command::new(program);
        command
            .args([name, "--with-parent", "--root"])
            .arg(&global.root)
            .stdin(Stdio::null());
        if name == "net" {
            // The half on the network is whoever owns its folder: an admin may give that to a user without rights.
            let owner = fs::metadata(global.paths().net_state()).map_err(Failure::plain)?;
            if rustix::process::geteuid().is_root() && owner.uid() != 0 {
                command.uid(owner.uid()).gid(owner.gid());
            }
        }
        let failed = |error| Failure::plain(format!("the half {name} cannot be started: {error}"));
        let child = command.spawn().map_err(failed)?;
        Ok(Self { name, child })
    }

    /// Starts it again if it has ended.
    fn keep(&mut self, global: &Global) -> Result<(), Failure> {
        if let Some(status) = self.child.try_wait().map_err(Failure::plain)? {
            let text = format!("warning: the half {} has ended: {status}", self.name);
            // Where it cannot be said, as on a full disk, it is started all the same.
            let _ = writeln!(io::stderr(), "{text}");
            *self = Self::start(global, self.name)?;
        }
        Ok(())
    }

    fn end(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
