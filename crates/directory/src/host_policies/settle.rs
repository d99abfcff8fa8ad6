//! Writing down what has become of people's access, a stretch at a time.

use super::follow::{Look, Who};
use super::plan::Plan;
use super::{asking, forget_hosts, queue, raise};
use crate::Refusal;
use crate::events::Cause;
use crate::holders::Holder;
use crate::host_accounts::{self, Change};
use crate::revocations::{self, Revoke};
use portreeve_store::{Tx, params, statements};
use std::collections::{BTreeSet, HashMap};

statements! {
    MOVE = "UPDATE host_policy_feed SET position = $2, seen_at = $3 WHERE team_id = $1";
}

/// Rows that one transaction writes at most.
const ROWS: usize = 500;
/// After so long whoever lost something is looked at once more (microseconds): a certificate may be issued by what was
/// known a moment before.
const ONCE_MORE: i64 = 3_000_000;

/// What one transaction writes.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// Serial numbers of certificates, with the directory of those whose they are.
    revoke: Vec<(Option<String>, i64)>,
    /// In the order in which they are written.
    changes: Vec<(Holder, Change)>,
    raise: BTreeSet<String>,
    gone: BTreeSet<String>,
    wait: Vec<(Who, i64)>,
    take: Vec<Who>,
    /// Hosts that may hear their first version.
    ready: Vec<String>,
    /// Where the next look begins, and the time of this one; with the last chunk.
    done: Option<(i64, i64)>,
}

impl Chunk {
    /// Whether it does nothing but move the place of the follower.
    pub fn is_idle(&self) -> bool {
        let Self {
            revoke,
            changes,
            raise,
            gone,
            wait,
            take,
            ready,
            done: _,
        } = self;
        revoke.is_empty()
            && changes.is_empty()
            && raise.is_empty()
            && gone.is_empty()
            && wait.is_empty()
            && take.is_empty()
            && ready.is_empty()
    }
}

/// What is to be written after a look, in the order of the transactions: whoever loses access comes first. The place of the
/// follower moves with the last one, so that a look is taken again that was not finished.
pub fn chunks(look: Look, plans: Vec<(Who, Plan)>, now: i64) -> Vec<Chunk> {
    let mut last = Chunk {
        ready: look.new,
        gone: look.gone,
        wait: look.later.into_iter().map(|who| (who, now)).collect(),
        take: look.waited,
        done: Some((look.position, now)),
        ..Chunk::default()
    };
    let mut first = Chunk {
        raise: look.renamed,
        ..Chunk::default()
    };
    let mut changes = Vec::new();
    for (who, plan) in plans {
        // What a host has brought somebody is no loss: whoever has a certificate is looked at by themselves.
        let again = look.people.get(&who);
        if again.is_some_and(|again| !plan.is_empty() || (*again && plan.may_have_had_access)) {
            last.wait.push((who, now + ONCE_MORE));
        }
        let holder = plan.holder;
        let directory_id = holder.directory_id().map(str::to_owned);
        let revoke = plan.revoke.into_iter();
        first
            .revoke
            .extend(revoke.map(|serial| (directory_id.clone(), serial)));
        changes.extend(
            plan.changes
                .into_iter()
                .map(|change| (holder.clone(), change)),
        );
    }
    pile(first, changes, last)
}

/// Puts what is to be written into transactions of a bounded size.
fn pile(first: Chunk, mut changes: Vec<(Holder, Change)>, mut last: Chunk) -> Vec<Chunk> {
    // Those of one host together, so that it gets one version and not many, and the database writes few pages.
    let place = |change: &Change| {
        (
            matches!(change, Change::Put(_)),
            change.host_id().to_owned(),
        )
    };
    changes.sort_by_cached_key(|(_, change)| place(change));
    let mut chunks = vec![first];
    let mut rest = changes.into_iter().peekable();
    while rest.peek().is_some() {
        let stretch = rest.by_ref().take(ROWS).collect();
        match chunks.last_mut().filter(|chunk| chunk.changes.is_empty()) {
            Some(chunk) => chunk.changes = stretch,
            None => chunks.push(Chunk {
                changes: stretch,
                ..Chunk::default()
            }),
        }
    }
    let waits = last.wait.len();
    while last.wait.len() > ROWS {
        let wait = last.wait.split_off(last.wait.len() - ROWS);
        chunks.push(Chunk {
            wait,
            ..Chunk::default()
        });
    }
    match chunks.last_mut().filter(|_| waits <= ROWS) {
        Some(chunk) => {
            last.revoke = std::mem::take(&mut chunk.revoke);
            last.changes = std::mem::take(&mut chunk.changes);
            last.raise = std::mem::take(&mut chunk.raise);
            *chunk = last;
        }
        None => chunks.push(last),
    }
    chunks
}

/// Writes one of them.
pub fn settle(tx: &mut Tx<'_>, cause: &Cause<'_>, chunk: &Chunk) -> Result<(), Refusal> {
    let team_id = cause.team_id;
    for (directory_id, serial) in &chunk.revoke {
        let cause = Cause {
            directory_id: directory_id.as_deref(),
            ..*cause
        };
        match revocations::revoke(tx, &cause, Revoke::Serial(*serial), "access_ended") {
            // It has run out and is forgotten in the meantime.
            Err(Refusal::NotFound(..)) => {}
            revoked => drop(revoked?),
        }
    }
    let changed = chunk.changes.iter().map(|(_, change)| change.host_id());
    let hosts: BTreeSet<&str> = changed
        .chain(chunk.raise.iter().map(String::as_str))
        .collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    let versions: HashMap<String, i64> = raise(tx, team_id, &hosts)?.into_iter().collect();
    for (holder, change) in &chunk.changes {
        // Whoever has never asked knows with the first document.
        let version = versions.get(change.host_id()).copied().unwrap_or(0);
        host_accounts::write(tx, team_id, holder, change, (version, cause.at))?;
    }
    forget_hosts(tx, team_id, &chunk.gone)?;
    // Who waits once more was perhaps waiting before.
    for who in &chunk.take {
        queue::take(tx, team_id, who)?;
    }
    for (who, due_at) in &chunk.wait {
        queue::put(tx, team_id, who, *due_at)?;
    }
    asking::ready(tx, team_id, &chunk.ready)?;
    match chunk.done {
        Some((position, seen_at)) => Ok(tx.exec(MOVE, &params![team_id, position, seen_at])?),
        None => Ok(()),
    }
}
