//! Changes that are made once although their request is sent again.

use portreeve_directory::Refusal;
use portreeve_directory::idempotency::Claim;
use portreeve_store::{self as store, Tx};
use std::future::Future;
use std::time::Duration;

tokio::task_local! {
    /// The key of the request that is being carried out.
    static CLAIM: Claim;
}

/// Carries out a request that has claimed a key: [`change`](super::change) confirms the claim.
pub(crate) async fn once<F: Future>(claim: Claim, work: F) -> F::Output {
    CLAIM.scope(claim, work).await
}

/// The claim of the request that is being carried out, if it has one.
pub(super) fn claim() -> Option<Claim> {
    CLAIM.try_with(Claim::clone).ok()
}

/// Confirms the claim in the transaction of the change, or undoes the change.
pub(crate) fn confirm(tx: &mut Tx<'_>, claim: Option<&Claim>) -> Result<(), Refusal> {
    match claim {
        Some(claim) if !claim.confirm(tx)? => Err(Refusal::Store(store::Error::Busy {
            waited: Duration::ZERO,
        })),
        _ => Ok(()),
    }
}
