//! Noticing that files have changed.
//!
//! The files' size, time and identity are looked at once a second. That costs nothing that could be measured, and unlike
//! notices of the operating system it works on network drives, for files that are replaced by renaming, and for files
//! that are not there for a while.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::guard::Stamps;
use crate::target::Surroundings;

const LOOK: Duration = Duration::from_secs(1);

/// Waits for changes of files since it was made.
#[derive(Debug)]
pub struct Watch {
    paths: Vec<PathBuf>,
    seen: Option<Stamps>,
    surroundings: Arc<dyn Surroundings>,
}

impl Watch {
    /// Watches files from now on, whether they are there or not.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, surroundings: Arc<dyn Surroundings>) -> Self {
        Self {
            seen: Stamps::take(&paths).ok(),
            paths,
            surroundings,
        }
    }

    /// Returns when a file has changed and all have then been left alone for a second, so that a set of files written
    /// one after another is noticed once.
    pub async fn changed(&mut self) {
        loop {
            let before = Stamps::take(&self.paths).ok();
            if before.is_some() && before != self.seen {
                self.surroundings.pause(LOOK).await;
                if Stamps::take(&self.paths).ok() == before {
                    self.seen = before;
                    return;
                }
            } else {
                self.surroundings.pause(LOOK).await;
            }
        }
    }
}
