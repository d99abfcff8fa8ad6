//! Retention: what need not be kept any more goes, a little at a time, so that nobody waits for it.
//!
//! A clock that is wrong must not cost the log: the time is that of the database, and nothing is removed while it does
//! not go on as the steady clock of the machine does. It may stand at a new time afterwards, which is then taken for
//! right.

use super::replica::Held;
use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::applications::{self, cycles, records};
use portreeve_directory::events::{self, Log};
use portreeve_directory::leases::{Halted, RETENTION};
use portreeve_directory::{
    Refusal, certificates, enrolments, grants, host_sessions, idempotency, identities, outcomes,
    revocations, sessions, sign_ins, teams, used_tokens, visits,
};
use portreeve_store::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Rows per transaction.
const BATCH: u16 = 1000;
/// Between two transactions, for others to come in.
const PAUSE: Duration = Duration::from_millis(50);
/// How far the time of day may stray from the steady clock between two rounds, in microseconds.
const DRIFT_US: u64 = 60_000_000;
const DAY_US: i64 = 24 * 3_600_000_000;

/// Removes what is older than the settings say, until the server stops.
pub(crate) async fn prune(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut last: Option<Time> = None;
    loop {
        let time = Time::of(&app).await;
        if let (Some(last), Some(time)) = (&last, &time) {
            if time.follows(last) {
                remove(&app, &stop, time.day).await;
            } else {
                tracing::warn!("a clock was set; nothing is removed from the log this time");
            }
        }
        last = time;
        tokio::select! {
            () = tokio::time::sleep(app.config.pace.retention) => {}
            () = asked_to_stop(&mut stop) => return,
        }
    }
}

async fn remove(app: &Arc<App>, stop: &watch::Receiver<bool>, now: i64) {
    match round(app, stop, now).await {
        Ok(()) => {}
        Err(Halted::Lost(_)) => tracing::info!("another server looks after the log now"),
        Err(error) => tracing::warn!(%error, "what need not be kept was not removed"),
    }
}

/// A moment on both clocks.
pub(super) struct Time {
    /// Microseconds since 1970 UTC.
    day: i64,
    steady: Duration,
}

impl Time {
    /// Now; `None` when the database does not say what time it is.
    pub(super) async fn of(app: &App) -> Option<Self> {
        let steady = app.clock.steady();
        let day = app.store.now(app.clock.now()).await;
        Some(Self {
            day: day.ok()?,
            steady,
        })
    }

    /// Now, by the clocks of this machine.
    pub(super) fn here(app: &App) -> Self {
        Self {
            steady: app.clock.steady(),
            day: app.clock.now(),
        }
    }

    /// The time of day (microseconds since 1970 UTC).
    pub(super) fn day(&self) -> i64 {
        self.day
    }

    /// Whether as much time has passed on the one clock as on the other.
    pub(super) fn follows(&self, before: &Self) -> bool {
        let passed = self.steady.saturating_sub(before.steady);
        let due = before.day.saturating_add(micros(passed));
        self.day.abs_diff(due) <= DRIFT_US
    }
}

async fn round(app: &Arc<App>, stop: &watch::Receiver<bool>, now: i64) -> Result<(), Halted> {
    let kept = app.config.retention;
    for team in app.store.lookup(teams::list).await? {
        let Some(held) = app.replica.take(&team.id, RETENTION).await? else {
            continue;
        };
        for (log, kept) in [(Log::Audit, kept.audit), (Log::Requests, kept.requests)] {
            if let Some(kept) = kept {
                prune_log(&held, stop, &team.id, log, (now - micros(kept), now)).await?;
            }
        }
        if let Some(kept) = kept.audit {
            prune_certificates(app, stop, &team.id, now - micros(kept)).await?;
        }
    }
    if let Some(kept) = kept.provisioning {
        prune_provisioning(app, stop, now - micros(kept)).await?;
    }
    if let Some(kept) = kept.visits {
        anonymise_visits(app, stop, now - micros(kept)).await?;
    }
    forget_passed(app, now).await?;
    Ok(expire_outcomes(app, stop, now).await?)
}

/// Forgets what nobody can use any more: sign-ins under way, sessions, tokens that were used or have ended, what hosts told of
/// sessions, identity certificates, keys of requests that are sent again. For a while it can still be seen what became of
/// them.
async fn forget_passed(app: &App, now: i64) -> Result<(), Refusal> {
    let write = app.store.write(Scope::ALL, move |tx| {
        sign_ins::prune(tx, now - DAY_US)?;
        sessions::prune(tx, now - 30 * DAY_US)?;
        grants::prune(tx, now - 90 * DAY_US)?;
        used_tokens::prune(tx, now)?;
        enrolments::prune(tx, now - 90 * DAY_US)?;
        host_sessions::prune(tx, now - 90 * DAY_US)?;
        identities::prune(tx, now - 30 * DAY_US)?;
        revocations::prune(tx, now - DAY_US)?;
        idempotency::prune(tx, now)
    });
    write.await
}

/// Removes certificates that ran out so long ago. What became of them is in no log any more, either.
async fn prune_certificates(
    app: &App,
    stop: &watch::Receiver<bool>,
    team_id: &str,
    older_than: i64,
) -> Result<(), Refusal> {
    let mut more = true;
    while more && !*stop.borrow() {
        let id = team_id.to_owned();
        let write = app.store.write(Scope::of(team_id), move |tx| {
            certificates::prune(tx, &id, older_than, BATCH.into())
        });
        more = write.await? >= BATCH.into();
        if more {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Removes cycles and the entries of their logs. No lease is needed: only what is old is touched.
async fn prune_provisioning(
    app: &App,
    stop: &watch::Receiver<bool>,
    older_than: i64,
) -> Result<(), Refusal> {
    let all: Vec<String> = app.store.lookup(applications::ids).await?;
    for application in all {
        let mut more = true;
        while more && !*stop.borrow() {
            let id = application.clone();
            let write = app.store.write(Scope::of(&application), move |tx| {
                let entries = records::prune(tx, &id, older_than, BATCH.into())?;
                let cycles = cycles::prune(tx, &id, older_than, BATCH.into())?;
                Ok::<_, Refusal>(entries.max(cycles))
            });
            more = write.await? >= BATCH.into();
            if more {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

/// Forgets who came so long ago. No lease is needed: only what is old is touched.
async fn anonymise_visits(
    app: &App,
    stop: &watch::Receiver<bool>,
    before: i64,
) -> Result<(), Refusal> {
    let mut more = true;
    while more && !*stop.borrow() {
        let write = app.store.write(Scope::ALL, move |tx| {
            visits::anonymise(tx, before, BATCH.into())
        });
        more = write.await? >= BATCH.into();
        if more {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

async fn prune_log(
    held: &Held,
    stop: &watch::Receiver<bool>,
    team_id: &str,
    log: Log,
    (older_than, now): (i64, i64),
) -> Result<(), Halted> {
    let mut total = 0;
    while !*stop.borrow() {
        let team = team_id.to_owned();
        let count = held
            .write(move |tx| events::prune(tx, &team, log, older_than, now, BATCH.into()))
            .await?;
        if count == 0 {
            break;
        }
        total += count;
        tokio::time::sleep(PAUSE).await;
    }
    if total > 0 {
        tracing::info!(events = total, ?log, "removed what the log need not keep");
    }
    Ok(())
}

/// No lease is needed: it does not matter who removes what nobody can read.
async fn expire_outcomes(app: &App, stop: &watch::Receiver<bool>, now: i64) -> Result<(), Refusal> {
    let expired = move |tx: &mut portreeve_store::Tx<'_>| outcomes::expired(tx, now);
    for directory in app.store.lookup(expired).await? {
        while !*stop.borrow() {
            let id = directory.clone();
            let write = app.store.write(Scope::of(&directory), move |tx| {
                outcomes::expire(tx, &id, now, BATCH.into())
            });
            let count: Result<usize, Refusal> = write.await;
            if count? < BATCH.into() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_trusted_while_it_goes_on_as_the_steady_clock_does() {
        let start = 1_700_000_000_000_000;
        let minutes = |minutes: i64| minutes * 60_000_000;
        let before = Time {
            day: start,
            steady: Duration::from_secs(5),
        };
        for (name, day, expect) in [
            ("on time", start + minutes(10), true),
            ("adjusted a little", start + minutes(10) + 59_000_000, true),
            ("set an hour back", start + minutes(10 - 60), false),
            ("set a year ahead", start + minutes(10 + 525_600), false),
            ("standing still", start, false),
            ("nonsense", i64::MIN, false),
        ] {
            let now = Time {
                day,
                steady: Duration::from_secs(605),
            };
            assert_eq!(now.follows(&before), expect, "{name}");
        }
    }
}
