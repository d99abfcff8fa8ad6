//! What every handler shares.

use crate::api::Answers;
use crate::applications::Applications;
use crate::auth::Tokens;
use crate::ca::Authorities;
use crate::config::Config;
use crate::contact::Contacts;
use crate::estates::Estates;
use crate::feeds::Feeds;
use crate::hosts::waiting::Waiting;
use crate::limits::Limits;
use crate::neighbours;
use crate::requests::Requests;
use crate::scim::{SecurityEvents, Strangers};
use crate::sso::providers::Providers;
use crate::step::Step;
use crate::told::Told;
use crate::work::{Jobs, Replica, WebhookKey};
use portreeve_directory::cursor::Cursors;
use portreeve_directory::{Clock, Ids, Refusal};
use portreeve_mail::Mailer;
use portreeve_store::{self as store, Scope, Store, Tx};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// A server's state. Handlers hold it in an `Arc`.
pub struct App {
    /// The database.
    pub(crate) store: Store,
    /// This server among the others on the database, and its share of the background work.
    pub(crate) replica: Arc<Replica>,
    /// Where the time comes from.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub(crate) ids: Arc<Ids>,
    /// Signs cursors.
    pub(crate) cursors: Cursors,
    /// Keys of security events, and the requests that are carried out later.
    pub(crate) security_events: SecurityEvents,
    /// How applications' secrets are kept.
    pub(crate) applications: Applications,
    /// Answers of the API that are kept for those who ask again.
    pub(crate) answers: Answers,
    /// The certificate authorities of the teams.
    pub(crate) ca: Authorities,
    /// The jobs of applications, as far as others have to do with them.
    pub(crate) jobs: Jobs,
    /// The identity providers that people sign in with.
    pub(crate) providers: Providers,
    /// What there is for the API that the `step` client speaks.
    pub(crate) step: Step,
    /// Who sends mails; nobody where no mail server is known.
    pub(crate) mailer: Option<Mailer>,
    /// Signs what programs are told.
    pub(crate) webhook_key: WebhookKey,
    /// Tokens verified a moment ago.
    pub(crate) tokens: Tokens,
    /// Hosts and grants read a moment ago.
    pub(crate) estates: Estates,
    /// When providers were last heard of.
    pub(crate) contacts: Contacts,
    /// Unknown attributes that were told already.
    pub(crate) told: Told,
    /// Requests without a valid token, which do not all become events.
    pub(crate) strangers: Strangers,
    /// Room for large bodies, which are held in memory while they are read and parsed.
    pub(crate) large_bodies: Arc<Semaphore>,
    /// What providers asked lately.
    pub(crate) requests: Arc<Requests>,
    /// How much may be asked of the server, and how much is being asked.
    pub(crate) limits: Arc<Limits>,
    /// Settings.
    pub(crate) config: Config,
    /// The address that is really listened on.
    pub(crate) listening: SocketAddr,
    /// Where `GET /metrics` is; `None`: nowhere.
    pub(crate) measuring: Option<SocketAddr>,
    /// Rises with every committed change, for those who wait for news.
    pub(crate) news: watch::Sender<u64>,
    /// Who waits at the end of which feed.
    pub(crate) feeds: Feeds,
    /// Hosts that wait for another policy.
    pub(crate) waiting: Waiting,
    /// Turns true when the server is to stop; whoever waits for news stops waiting then.
    pub(crate) stop: watch::Receiver<bool>,
}

impl App {
    /// Runs `work` in one durable transaction and tells those who wait for news. When too many wait for theirs it is
    /// refused at once: one that waits too takes memory and is answered late.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Refusal> {
        if self.limits.too_many_wait_to_write(&self.store.stats()) {
            let waited = Duration::ZERO;
            return Err(Refusal::Store(store::Error::Busy { waited }));
        }
        let out = self.store.write(scope, work).await?;
        neighbours::tell_news(self);
        Ok(out)
    }

    /// Lets those who wait for news on this server look again.
    pub(crate) fn look_again(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    /// How clients reach this server, without a slash at the end.
    pub(crate) fn public_url(&self) -> String {
        self.config
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.listening))
    }
}
