//! Receivers that events are sent to (RFC 8935).
//!
//! Each stream has one delivery under way at most, in the order of the feed: the next event goes out when the receiver
//! has taken the one before. What was taken is written down after each event, so that a server that ends in the
//! middle sends at most one event again, under the same `jti`. Where several servers share the database, a directory's
//! receivers are served by the one that has its lease, and by no other while it has.
//!
//! RFC 8935 section 2.4 lets a receiver refuse an event for good; then the event is skipped with a warning. Refusals
//! that speak of the stream as a whole (its key, issuer, audience, authorization), and everything that looks like an
//! outage, are tried again with growing pauses, because skipping would lose events that an admin can still rescue.

mod client;

use super::{issuer, own_call, poll, set};
use crate::app::App;
use crate::http::asked_to_stop;
use crate::neighbours;
use crate::trouble::Trouble;
use crate::work::Held;
use client::{Client, Reply};
use portreeve_directory::Refusal;
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::leases::{Halted, PUSH};
use portreeve_directory::streams::{self, Sealed, Stream};
use portreeve_store::Tx;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};

/// Events per read.
const BATCH: usize = 20;
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE_S: i64 = 1;
/// The longest pause between attempts, in seconds.
const LONGEST_PAUSE_S: i64 = 600;
/// A busy directory changes thousands of times a second; its receivers hear of it this often.
const BREATH: Duration = Duration::from_millis(100);
/// How long a stop of the server waits for deliveries under way.
const GRACE: Duration = Duration::from_secs(2);
/// How often receivers that had failed are looked at, and feeds that other servers may have written to.
const TICK: Duration = Duration::from_secs(1);

/// Sends events to all receivers until the server stops.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let client = match Client::new() {
        Ok(client) => Arc::new(client),
        Err(error) => {
            tracing::error!(%error, "security events are not pushed, because no HTTP client can be made");
            return;
        }
    };
    let mut news = app.news.subscribe();
    let mut rounds = Rounds::default();
    loop {
        news.mark_unchanged();
        let waiting = rounds.begin(&app, &client).await || !app.replica.is_sole();
        tokio::select! {
            () = asked_to_stop(&mut stop) => break,
            changed = news.changed() => if changed.is_err() { break },
            Some(done) = rounds.running.join_next_with_id() => rounds.ended(done),
            () = tokio::time::sleep(TICK), if waiting => {}
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => break,
            () = tokio::time::sleep(BREATH) => {}
        }
    }
    // They see the wish to stop themselves, between two events. A receiver that lets us wait gets its event again.
    let ended = async { while rounds.running.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

/// A stream by the ids of its directory and its own.
type Key = (String, String);

/// Who is being delivered to.
#[derive(Default)]
struct Rounds {
    /// Each says whether it came to its end.
    running: JoinSet<bool>,
    busy: HashMap<task::Id, Key>,
    /// Where the feed ended when the delivery to a stream was last begun: before it grows there is nothing to deliver.
    seen: HashMap<Key, i64>,
    trouble: Trouble,
}

impl Rounds {
    /// Begins a delivery for each stream that may have something to be told. Returns whether there is to be another
    /// round soon although nothing is new.
    async fn begin(&mut self, app: &Arc<App>, client: &Arc<Client>) -> bool {
        let waiting = self.start(app, client).await;
        match &waiting {
            Ok(_) if self.trouble.ends() => tracing::info!("security events are pushed again"),
            Err(error) if self.trouble.begins() => {
                tracing::warn!(%error, "security events are not pushed, because it cannot be read to whom; it is tried again every second");
            }
            Ok(_) | Err(_) => {}
        }
        waiting.unwrap_or(true)
    }

    /// Returns whether a failed delivery is waiting for its time.
    async fn start(&mut self, app: &Arc<App>, client: &Arc<Client>) -> Result<bool, Refusal> {
        let pushes = app.store.lookup(streams::pushes).await?;
        self.seen.retain(|(directory, id), _| {
            let same = |push: &Stream| push.directory_id == *directory && push.id == *id;
            pushes.iter().any(|(push, _)| same(push))
        });
        let now = app.clock.now();
        let mut waiting = false;
        for (stream, end) in pushes {
            let key = (stream.directory_id.clone(), stream.id.clone());
            let Some(held) = app.replica.take(&stream.directory_id, PUSH).await? else {
                self.seen.remove(&key);
                continue;
            };
            let failed = stream.failures > 0;
            waiting |= failed;
            let fresh = end > stream.position && self.seen.get(&key) != Some(&end);
            if self.busy.values().any(|busy| *busy == key)
                || is_later(stream.next_attempt_at, now)
                || !(failed || fresh)
            {
                continue;
            }
            self.seen.insert(key.clone(), end);
            let (app, client) = (app.clone(), client.clone());
            let task = self
                .running
                .spawn(async move { deliver(&app, &client, &held, &stream).await });
            self.busy.insert(task.id(), key);
        }
        Ok(waiting)
    }

    fn ended(&mut self, done: Result<(task::Id, bool), JoinError>) {
        let (id, finished) = done.unwrap_or_else(|error| {
            tracing::error!(%error, "a delivery of security events broke off");
            (error.id(), false)
        });
        if let Some(key) = self.busy.remove(&id)
            && !finished
        {
            self.seen.remove(&key);
        }
    }
}

/// Sends a stream's events until there are none, one fails, another server has to, or this one stops. `false`: there
/// may be others, although nothing new is in the feed.
async fn deliver(app: &Arc<App>, client: &Client, held: &Held, stream: &Stream) -> bool {
    let Err(error) = send_all(app, client, held, stream).await else {
        return true;
    };
    match error {
        Halted::Refused(Refusal::NotFound(..)) => return true,
        Halted::Lost(_) => tracing::info!(%error, stream = stream.id),
        Halted::Refused(_) => {
            tracing::warn!(%error, stream = stream.id, "security events could not be read, or a delivery not written down");
            tokio::time::sleep(TICK).await;
        }
    }
    false
}

async fn send_all(
    app: &Arc<App>,
    client: &Client,
    held: &Held,
    stream: &Stream,
) -> Result<(), Halted> {
    let stop = app.stop.clone();
    while let Some(batch) = next(app, held, stream).await? {
        for (jti, token) in &batch.tokens {
            if *stop.borrow() {
                return Ok(());
            }
            let reply = match authorization(app, stream, batch.authorization.as_ref()) {
                Ok(authorization) => {
                    let left = held.left();
                    if left.is_zero() {
                        return Err(Halted::Lost(PUSH));
                    }
                    // Nobody else may send while this does.
                    let send = client.send(&batch.endpoint, authorization, token);
                    match tokio::time::timeout(left, send).await {
                        Ok(reply) => reply,
                        Err(_) => return Err(Halted::Lost(PUSH)),
                    }
                }
                Err(sentence) => Reply::Failed(sentence, None),
            };
            if !note(app, held, &batch.directory, stream, jti, reply).await? {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn authorization(
    app: &App,
    stream: &Stream,
    sealed: Option<&Sealed>,
) -> Result<Option<http::HeaderValue>, String> {
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let value = app
        .security_events
        .vault
        .open(&stream.id, &sealed.0)
        .map_err(|error| error.to_string())?;
    super::authorization(&value)
        .map(Some)
        .map_err(|error| error.to_string())
}

/// What is to be sent next.
struct Batch {
    directory: Arc<Directory>,
    endpoint: String,
    authorization: Option<Sealed>,
    /// Signed, oldest first, by `jti`.
    tokens: Vec<(String, String)>,
}

/// The next events of a stream; `None` when there are none, or security events are turned off.
async fn next(app: &Arc<App>, held: &Held, stream: &Stream) -> Result<Option<Batch>, Halted> {
    let (directory, id) = (stream.directory_id.clone(), stream.id.clone());
    let issuer = issuer(app, &directory);
    let read = app.store.read(move |tx| {
        let directory = directories::by_id(tx, &directory)?;
        let stream = streams::by_id(tx, &directory.id, &id)?;
        if !directory.settings.security_events {
            return Ok(None);
        }
        let pending = streams::pending(tx, &directory, &stream, None, BATCH)?;
        let claims = pending
            .events
            .iter()
            .map(|event| {
                let claims = set::claims(tx, &directory, &issuer, &stream, event)?;
                Ok((event.id.clone(), claims))
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        let authorization = streams::authorization(tx, &directory.id, &id)?;
        let passed = pending.end.filter(|end| *end > stream.position);
        Ok::<_, Refusal>(Some((directory, stream, authorization, claims, passed)))
    });
    let Some((directory, stream, authorization, claims, passed)) = read.await? else {
        return Ok(None);
    };
    if claims.is_empty() {
        if passed.is_some() {
            let pass = move |tx: &mut Tx<'_>| streams::settle(tx, &directory, &stream.id, &[]);
            held.write(pass).await?;
        }
        return Ok(None);
    }
    let signer = &app.security_events.signer;
    let sign = |(jti, claims)| (jti, signer.sign(&claims));
    Ok(Some(Batch {
        directory: Arc::new(directory),
        endpoint: stream.endpoint.unwrap_or_default(),
        authorization,
        tokens: claims.into_iter().map(sign).collect(),
    }))
}

/// Writes down what came of one event; whether to go on with the next one.
async fn note(
    app: &App,
    held: &Held,
    directory: &Arc<Directory>,
    stream: &Stream,
    jti: &str,
    reply: Reply,
) -> Result<bool, Halted> {
    let call = own_call(app, directory.clone());
    let (id, jti) = (stream.id.clone(), jti.to_owned());
    match reply {
        Reply::Taken => {
            let write = held.write(move |tx| {
                streams::settle(tx, &call.directory, &id, std::slice::from_ref(&jti))?;
                streams::delivered(tx, &call.directory.id, &id, call.at)
            });
            write.await.map(|()| true)
        }
        Reply::Refused(said) => {
            tracing::warn!(
                stream = id,
                jti,
                said,
                "a receiver refused a security event; it is skipped"
            );
            let name = stream.endpoint.clone().unwrap_or_default();
            let write = held.write(move |tx| {
                streams::settle(tx, &call.directory, &id, std::slice::from_ref(&jti))?;
                poll::skipped(tx, &call, (&id, &name), &jti, &said)
            });
            write.await?;
            neighbours::tell_news(app);
            Ok(true)
        }
        Reply::Failed(said, retry_after) => {
            let write = held.write(move |tx| {
                let failures = streams::by_id(tx, &call.directory.id, &id)?.failures;
                let next = call.at + pause(failures, retry_after) * 1_000_000;
                streams::failed(tx, &call.directory.id, &id, &said, next)
            });
            write.await.map(|()| false)
        }
    }
}

/// Whether an attempt has to wait. A time beyond the longest pause is no appointment: the clock was set since it was made.
fn is_later(attempt_at: i64, now: i64) -> bool {
    (now + 1..=now.saturating_add(LONGEST_PAUSE_S * 1_000_000)).contains(&attempt_at)
}

/// Seconds until the next attempt after so many failures before this one: as the receiver wishes, within bounds.
fn pause(failures: i64, retry_after: Option<i64>) -> i64 {
    let doublings = u32::try_from(failures.clamp(0, 20)).unwrap_or(0);
    let own = FIRST_PAUSE_S.saturating_mul(1 << doublings);
    own.max(retry_after.unwrap_or(0))
        .clamp(FIRST_PAUSE_S, LONGEST_PAUSE_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_waits_for_its_time_unless_the_clock_was_set() {
        let now = 1_700_000_000_000_000;
        for (name, attempt_at, expect) in [
            ("never failed", 0, false),
            ("due for long", now - 3_600_000_000, false),
            ("due now", now, false),
            ("in a moment", now + 1, true),
            ("after the longest pause", now + 600_000_000, true),
            ("the clock was set back an hour", now + 3_601_000_000, false),
        ] {
            assert_eq!(is_later(attempt_at, now), expect, "{name}");
        }
    }

    #[test]
    fn pauses_grow_up_to_ten_minutes() {
        for (failures, retry_after, expect) in [
            (0, None, 1),
            (1, None, 2),
            (5, None, 32),
            (9, None, 512),
            (10, None, 600),
            (i64::MAX, None, 600),
            (0, Some(30), 30),
            (0, Some(-5), 1),
            (0, Some(86_400), 600),
            (6, Some(1), 64),
        ] {
            let got = pause(failures, retry_after);
            assert_eq!(got, expect, "{failures} {retry_after:?}");
        }
    }
}
