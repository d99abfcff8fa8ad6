//! Running a caller's closure so that nothing it does can harm its neighbours.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Tx};

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
