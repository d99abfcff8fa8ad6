//! Directories that are for visitors from now on: everybody who was in them before gets the words by which they are found.

use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::{Refusal, directories, visitor_hosts};
use portreeve_store::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long people may go unfound.
const PAUSE: Duration = Duration::from_secs(3);

/// Looks for words until the server stops.
pub(crate) async fn find_visitor_hosts(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = sweep(&app, &stop).await {
            tracing::warn!(%error, "not all people can be found by visitors yet; it is tried again");
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Two servers that do it at once do nothing twice, because the place up to which people were looked at moves in the same
/// transaction.
async fn sweep(app: &App, stop: &watch::Receiver<bool>) -> Result<(), Refusal> {
    let waiting: Vec<String> = app.store.lookup(visitor_hosts::sweeps).await?;
    for directory_id in waiting {
        let mut more = true;
        while more && !*stop.borrow() {
            let id = directory_id.clone();
            let write = app.store.write(Scope::of(&directory_id), move |tx| {
                let directory = directories::by_id(tx, &id)?;
                visitor_hosts::sweep(tx, &directory)
            });
            more = write.await?;
        }
    }
    Ok(())
}
