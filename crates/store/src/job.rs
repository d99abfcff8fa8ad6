//! Running a caller's closure so that nothing it does can harm its neighbours.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{Error, Result, Tx};

/// A request to write whose types the thread that serves it need not know.
pub(crate) trait Job: Send {
    /// Runs the closure. `false`: what it did has to be undone. It may be run again, and then only that counts.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Notes that a statement which the closure had left behind was refused afterwards.
    fn refuse(&mut self, error: Error);
    /// Answers. An error is the end of the whole group: a refusal too may rest on rows of a neighbour that are gone now.
    fn finish(self: Box<Self>, end: Result<()>);
}

struct Request<W, R, E> {
    work: W,
    outcome: Option<Result<R, E>>,
    answer: oneshot::Sender<Result<R, E>>,
    place: OwnedSemaphorePermit,
}

/// A request that holds `place` until it is answered, and where its answer will be.
pub(crate) fn request<R, E>(
    work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    place: OwnedSemaphorePermit,
) -> (Box<dyn Job>, oneshot::Receiver<Result<R, E>>)
where
    R: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let request = Request {
        work,
        outcome: None,
        answer,
        place,
    };
    (Box::new(request), answered)
}

impl<W, R, E> Job for Request<W, R, E>
where
    W: Fn(&mut Tx<'_>) -> Result<R, E> + Send,
    R: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.outcome.insert(attempt(tx, &self.work)).is_ok()
    }

    fn refuse(&mut self, error: Error) {
        self.outcome = Some(Err(error.into()));
    }

    fn finish(self: Box<Self>, end: Result<()>) {
        let Self {
            work,
            outcome,
            answer,
            place,
        } = *self;
        // Whoever has the answer may rely on the rest being gone.
        drop((work, place));
        let outcome = match end {
            Ok(()) => outcome.unwrap_or_else(|| Err(Error::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // A requester that has gone does not want the answer.
        let _ = answer.send(outcome);
    }
}

/// Runs `work`. A panic becomes an error, and so does a statement error that the closure swallowed.
pub(crate) fn attempt<R, E: From<Error>>(
    tx: &mut Tx<'_>,
    work: &impl Fn(&mut Tx<'_>) -> Result<R, E>,
) -> Result<R, E> {
    // Unwind safety: the transaction is rolled back after a panic, and the closure's own captures are dropped.
    match catch_unwind(AssertUnwindSafe(|| work(tx))) {
        Err(panic) => {
            let message = panic_message(panic.as_ref());
            tracing::error!(message, "a transaction panicked and was rolled back");
            Err(Error::Failed(format!(
                "the transaction panicked and was rolled back: {message}"
            ))
            .into())
        }
        Ok(outcome) => match (outcome, tx.failure()) {
            (Ok(_), Some(error)) => Err(error.clone().into()),
            (outcome, _) => outcome,
        },
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
