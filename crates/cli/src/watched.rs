//! Long work on a database, which shows how far it has come and ends in good order when somebody asks for it.

use crate::failure::{Code, Failure};
use crate::output::Format;
use crate::progress::{Reached, Shown, Unit};
use crate::runtime::{self, Signals};
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shows how far work has come, and knows whether it is to go on.
pub(crate) struct Watched {
    cancelled: AtomicBool,
    shown: Mutex<Shown>,
}

impl Watched {
    /// Tells of progress and hears whether to go on.
    pub(crate) fn at(
        &self,
        name: &'static str,
        unit: Unit,
        done: u64,
        total: Option<u64>,
    ) -> ControlFlow<()> {
        let failed = 0;
        self.lock().at(
            name,
            Reached {
                unit,
                done,
                total,
                failed,
            },
        );
        match self.cancelled.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs work that shows its progress. A signal asks it to end; it then undoes what it did and fails.
pub(crate) fn run<F, T>(format: Format, work: impl FnOnce(Arc<Watched>) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let watched = Arc::new(Watched {
        cancelled: AtomicBool::new(false),
        shown: Mutex::new(Shown::new(format)),
    });
    let mut done = Err(cancelled());
    runtime::client(async {
        let mut signals = Signals::catch()?;
        let mut work = std::pin::pin!(work(Arc::clone(&watched)));
        done = tokio::select! {
            done = &mut work => done,
            () = signals.next() => {
                watched.cancelled.store(true, Ordering::Relaxed);
                work.await
            }
        };
        Ok(())
    })?;
    watched.lock().end(done.is_ok());
    done
}

/// As [`run`], for work that blocks.
pub(crate) fn run_blocking<T: Send + 'static>(
    format: Format,
    work: impl FnOnce(Arc<Watched>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    run(format, |watched| async {
        tokio::task::spawn_blocking(move || work(watched))
            .await
            .unwrap_or_else(|panic| Err(Failure::plain(panic)))
    })
}

/// What is said when somebody asked for the end.
pub(crate) fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "cancelled; nothing was changed")
}
