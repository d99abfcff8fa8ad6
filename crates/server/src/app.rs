//! What every handler shares.

use crate::auth::Tokens;
use crate::config::Config;
use crate::contact::Contacts;
use crate::scim::{SecurityEvents, Strangers};
use crate::told::Told;
use portreeve_directory::cursor::Cursors;
use portreeve_directory::{Clock, Ids, Refusal};
use portreeve_store::{Scope, Store, Tx};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// A server's state. Handlers hold it in an `Arc`.
pub struct App {
    /// The database.
    pub(crate) store: Store,
    /// Where the time comes from.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub(crate) ids: Arc<Ids>,
    /// Signs cursors.
    pub(crate) cursors: Cursors,
    /// Keys of security events, and the requests that are carried out later.
    pub(crate) security_events: SecurityEvents,
    /// Tokens verified a moment ago.
    pub(crate) tokens: Tokens,
    /// When providers were last heard of.
    pub(crate) contacts: Contacts,
    /// Unknown attributes that were told already.
    pub(crate) told: Told,
    /// Requests without a valid token, which do not all become events.
    pub(crate) strangers: Strangers,
    /// Room for large bodies, which are held in memory while they are read and parsed.
    pub(crate) large_bodies: Arc<Semaphore>,
    /// Settings.
    pub(crate) config: Config,
    /// The address that is really listened on.
    pub(crate) listening: SocketAddr,
    /// Rises with every committed change, for those who wait for news.
    pub(crate) news: watch::Sender<u64>,
    /// Turns true when the server is to stop; whoever waits for news stops waiting then.
    pub(crate) stop: watch::Receiver<bool>,
}

impl App {
    /// Runs `work` in one durable transaction and tells those who wait for news.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        let out = self.store.write(scope, work).await?;
        self.news.send_modify(|count| *count += 1);
        Ok(out)
    }

    /// How clients reach this server, without a slash at the end.
    pub(crate) fn public_url(&self) -> String {
        self.config
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.listening))
    }
}
