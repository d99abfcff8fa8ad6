//! Keeps what hosts are told: follows the changes of each team that has hosts, and works out anew whose access they concern.
//!
//! One server at a time does it for a team. It begins at once when something is committed, here or on another server that
//! says so, and looks every second besides. Where a change concerns many, they wait in a queue, so that whoever is
//! deactivated in the meantime is out no later. A certificate that says more than access does is revoked in the same
//! transaction. Stretches of the feed that change nothing are passed over without a write.

use super::replica::Held;
use super::retention::Time;
use crate::app::App;
use crate::ca::By;
use crate::hosts::document;
use crate::http::asked_to_stop;
use crate::neighbours;
use portreeve_access::Grant;
use portreeve_directory::Refusal;
use portreeve_directory::access::{self, Access};
use portreeve_directory::host_policies::{self, Asking, Behind, Chunk, Plan, Who};
use portreeve_directory::leases::{Halted, POLICIES};
use portreeve_store::Tx;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest that a change of another server goes unnoticed, and the beginning or end of a grant.
const TICK: Duration = Duration::from_secs(1);
/// A busy team changes thousands of times a second; it is looked at this often.
const BREATH: Duration = Duration::from_millis(20);
/// So many positions may be passed over before the place is written down: no more are read again after a start.
const PASSED: i64 = 5_000;

/// How far a team was followed, beyond what is written down.
#[derive(Debug, Clone, Copy, Default)]
struct Passed {
    position: i64,
    seen_at: i64,
    /// Everybody is to be looked at, because a clock was set.
    all: bool,
}

/// Follows all teams until the server stops.
pub(crate) async fn follow_policies(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut following = Following {
        app: app.clone(),
        stop: stop.clone(),
        passed: HashMap::new(),
        last: None,
    };
    let mut commits = app.news.subscribe();
    loop {
        commits.mark_unchanged();
        let has_hosts = following.round().await;
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(TICK) => {}
            // Where nobody has hosts, commits cost nothing.
            changed = commits.changed(), if has_hosts => if changed.is_err() { return },
        }
        tokio::time::sleep(BREATH).await;
    }
}

struct Following {
    app: Arc<App>,
    stop: watch::Receiver<bool>,
    /// By team.
    passed: HashMap<String, Passed>,
    last: Option<Time>,
}

impl Passed {
    /// What is behind, from there.
    fn of(self, behind: &Behind) -> Behind {
        Behind {
            position: match self.all {
                true => None,
                false => behind.position.map(|place| place.max(self.position)),
            },
            seen_at: behind.seen_at.max(self.seen_at),
            ..behind.clone()
        }
    }
}

/// Where a look has come to.
struct Step {
    position: i64,
    seen_at: i64,
    /// Whether that is written down.
    is_written: bool,
    /// Whether there is more to be looked at already.
    has_more: bool,
}

impl Step {
    /// What is behind after a look: everybody is looked at once and not with each look.
    fn after(&self, behind: Behind) -> Behind {
        Behind {
            position: Some(self.position),
            seen_at: self.seen_at,
            written: match self.is_written {
                true => Some(self.position),
                false => behind.written,
            },
            ..behind
        }
    }
}

impl Following {
    /// Follows every team to its end; whether any has hosts. A clock that was set is taken for right a second later, and then
    /// everybody is looked at, because what ends in time may have ended, or may not have yet.
    async fn round(&mut self) -> bool {
        let time = Time::here(&self.app);
        let was_set = self.last.as_ref().is_some_and(|last| !time.follows(last));
        self.last = Some(time);
        let all = match self.app.store.lookup(host_policies::behind).await {
            Ok(all) => all,
            Err(error) => {
                let error: Refusal = error;
                tracing::debug!(%error, "changes that concern hosts could not be read; it is tried again");
                return false;
            }
        };
        let has_hosts = !all.is_empty();
        for behind in all {
            if was_set {
                self.passed.entry(behind.team_id).or_default().all = true;
                continue;
            }
            let team_id = behind.team_id.clone();
            let followed = match self.follow(&behind).await {
                Ok(()) => self.keys(&behind).await,
                halted => halted,
            };
            match followed {
                Ok(()) => {}
                Err(Halted::Lost(_)) => {
                    tracing::info!(team_id, "another server follows what concerns hosts now");
                }
                Err(Halted::Refused(error)) => {
                    tracing::warn!(%error, team_id, "hosts were not told what has changed; it is tried again");
                }
            }
        }
        has_hosts
    }

    /// Follows one team.
    async fn follow(&mut self, behind: &Behind) -> Result<(), Halted> {
        let app = self.app.clone();
        let passed = self.passed.get(&behind.team_id).copied();
        let mut from = passed.unwrap_or_default().of(behind);
        let mut access = app.access(&behind.team_id).await?;
        if !is_behind(&from, &access, app.clock.now()) {
            return Ok(());
        }
        let Some(held) = app.replica.take(&behind.team_id, POLICIES).await? else {
            return Ok(());
        };
        while !*self.stop.borrow() {
            let Some(step) = step(&app, &held, &from, &access).await? else {
                // Another server has changed hosts or grants.
                app.estates.look_again();
                access = app.access(&behind.team_id).await?;
                continue;
            };
            let passed = Passed {
                position: step.position,
                seen_at: step.seen_at,
                all: false,
            };
            self.passed.insert(behind.team_id.clone(), passed);
            from = step.after(from);
            if !step.has_more {
                break;
            }
            access = app.access(&behind.team_id).await?;
        }
        Ok(())
    }

    /// Lets hosts hear that keys have changed.
    async fn keys(&self, behind: &Behind) -> Result<(), Halted> {
        if behind.common.is_empty() {
            return Ok(());
        }
        let ring = match self.app.keyring(&behind.team_id).await {
            Ok(ring) => ring,
            Err(error) => {
                tracing::debug!(%error, team_id = behind.team_id, "the keys of a team cannot be used");
                return Ok(());
            }
        };
        let hash = document::common(&ring);
        if hash != behind.common {
            document::set_common(&self.app, &behind.team_id, hash).await?;
        }
        Ok(())
    }
}

/// Takes one look and writes what comes of it; `None`: hosts and grants are to be read anew.
async fn step(
    app: &Arc<App>,
    held: &Held,
    from: &Behind,
    access: &Arc<Access>,
) -> Result<Option<Step>, Halted> {
    let now = app.clock.now();
    let (at, known) = (from.clone(), access.clone());
    let read = app.store.read(move |tx| {
        let Some(look) = host_policies::look(tx, &at, &known, now)? else {
            return Ok(None);
        };
        let people: Vec<Who> = look.people.keys().cloned().collect();
        let mut plans = plans(tx, &at.team_id, people, &known, now)?;
        plans.extend(host_policies::plan_hosts(
            tx,
            &at.team_id,
            &look.hosts,
            &known,
            now,
        )?);
        Ok::<_, Refusal>(Some((look, plans)))
    });
    let Some((look, mut plans)) = read.await? else {
        return Ok(None);
    };
    let (position, has_more) = (look.position, look.has_more);
    give_accounts(app, held, (&from.team_id, access), &mut plans, now).await?;
    let chunks = host_policies::chunks(look, plans, now);
    let passed = from.written.map(|written| position - written);
    let is_written =
        !chunks.iter().all(Chunk::is_idle) || passed.is_none_or(|passed| passed >= PASSED);
    if is_written {
        write(app, held, &from.team_id, chunks).await?;
    }
    Ok(Some(Step {
        position,
        seen_at: now,
        is_written,
        has_more,
    }))
}

/// What is to be written about some people.
fn plans(
    tx: &mut Tx<'_>,
    team_id: &str,
    people: Vec<Who>,
    access: &Access,
    now: i64,
) -> Result<Vec<(Who, Plan)>, Refusal> {
    let mut asking = Asking::default();
    let plan = |who: Who| {
        let plan = host_policies::plan(tx, team_id, &who, (access, &mut asking), now)?;
        Ok((who, plan))
    };
    people.into_iter().map(plan).collect()
}

/// Gives accounts to those who are to have one, and works out anew what is to be written about them.
async fn give_accounts(
    app: &App,
    held: &Held,
    (team_id, access): (&str, &Arc<Access>),
    plans: &mut Vec<(Who, Plan)>,
    now: i64,
) -> Result<(), Halted> {
    let needs = |(_, plan): &mut (Who, Plan)| plan.needs_account;
    // Once each, although they may be on many hosts.
    let needing: BTreeSet<Who> = plans.extract_if(.., needs).map(|(who, _)| who).collect();
    let needing: Vec<Who> = needing.into_iter().collect();
    if needing.is_empty() {
        return Ok(());
    }
    let (team, people) = (team_id.to_owned(), needing.clone());
    held.write(move |tx| host_policies::give_accounts(tx, &team, &people, now))
        .await?;
    let (team, access) = (team_id.to_owned(), access.clone());
    let read = app
        .store
        .read(move |tx| self::plans(tx, &team, needing.clone(), &access, now));
    let anew: Vec<(Who, Plan)> = read.await?;
    plans.extend(anew);
    Ok(())
}

/// Writes what comes of a look, a stretch at a time.
async fn write(app: &App, held: &Held, team_id: &str, chunks: Vec<Chunk>) -> Result<(), Halted> {
    let by = By::system(app);
    for chunk in chunks {
        let (team, by) = (team_id.to_owned(), by.clone());
        held.write(move |tx| host_policies::settle(tx, &by.cause(&team, None), &chunk))
            .await?;
        neighbours::tell_news(app);
    }
    Ok(())
}

/// Whether there is anything to be looked at.
fn is_behind(from: &Behind, access: &Access, now: i64) -> bool {
    let (seen, at) = (access::moment(from.seen_at), access::moment(now));
    let has_turned = |grant: &Grant| grant.phase(seen) != grant.phase(at);
    from.position.is_none_or(|position| position < from.end)
        || from.due_at.is_some_and(|due_at| due_at <= now)
        || from.has_new
        || access.grants.iter().any(has_turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Behind {
        Behind {
            team_id: "team".to_owned(),
            position: None,
            written: None,
            seen_at: 0,
            end: 300,
            due_at: None,
            common: String::new(),
            has_new: true,
        }
    }

    #[test]
    fn after_the_first_look_nobody_is_looked_at_because_it_was_the_first() {
        for (name, is_written, written) in
            [("written down", true, Some(300)), ("passed", false, None)]
        {
            let step = Step {
                position: 300,
                seen_at: 7,
                is_written,
                has_more: true,
            };
            let after = step.after(first());
            assert_eq!(
                (after.position, after.seen_at, after.written),
                (Some(300), 7, written),
                "{name}"
            );
        }
    }
}
