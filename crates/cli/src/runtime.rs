//! Runtimes and signals.

use crate::failure::Failure;
use std::future::Future;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a command that talks to a server: one thread is enough.
pub(crate) fn client<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    built(&mut Builder::new_current_thread())?.block_on(work)
}

/// A runtime for a server, with a worker per core.
pub(crate) fn server() -> Result<Runtime, Failure> {
    built(&mut Builder::new_multi_thread())
}

fn built(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::plain(format!("the program cannot start its threads: {error}")))
}

/// What asks a server to end: SIGTERM from a service manager, SIGINT from Ctrl-C.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on these signals do not end the process by themselves.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let catch = |kind| {
            signal(kind)
                .map_err(|error| Failure::plain(format!("signals cannot be caught: {error}")))
        };
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Stops a server well; a second signal means that somebody does not want to wait.
pub(crate) async fn stop(
    server: portreeve_server::Running,
    mut signals: Signals,
) -> Result<(), Failure> {
    tokio::select! {
        () = server.stop() => Ok(()),
        () = signals.next() => Err(Failure::plain("stopped at once, without waiting for requests under way")),
    }
}
