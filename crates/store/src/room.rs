//! Waiting for one's turn, with a limit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Result};

/// Takes one place. A full room makes the caller wait, for at most `limit`; a closed one turns it away.
pub(crate) async fn enter(room: &Arc<Semaphore>, limit: Duration) -> Result<OwnedSemaphorePermit> {
    // The common case spares the timer.
    if let Ok(place) = Arc::clone(room).try_acquire_owned() {
        return Ok(place);
    }
    match tokio::time::timeout(limit, Arc::clone(room).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) => Err(Error::Closed),
        Err(_) => Err(Error::Busy { waited: limit }),
    }
}
