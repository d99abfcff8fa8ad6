//! Leases: how the servers of one database share background work, so that each piece of it is with one at a time.
//!
//! A server that runs is a *replica*: a row whose beat it counts up every few seconds. Who sees the beat of another one
//! stand still for [`LIFE`] buries it, which ends all its leases at once; a replica that finds itself buried begins anew
//! under another id. However many leases a replica has, it renews them with one row.
//!
//! Only ages count, measured by each server on a clock of its own that cannot be set (a [`Watch`]); the time of day, of
//! which servers have different opinions, decides nothing. A replica counts the age of its last beat from before it was
//! sent, the others from after they have seen it, so it stops before they take over.
//!
//! All writes to a lease, and the work under it, happen in the scope of its owner ([`Lease::scope`]); [`bury`],
//! [`leave`] and [`alone`] in [`Scope::ALL`]. Therefore [`hold`] and what follows it in the same transaction are either
//! finished before another replica gets the lease, or refused.

use crate::Refusal;
use portreeve_store::{Scope, Tx, params, statements};
use std::collections::HashMap;
use std::time::Duration;

statements! {
    REGISTER = "INSERT INTO replicas (id, beat, started_at) VALUES ($1, 0, $2)";
    BEAT = "UPDATE replicas SET beat = beat + 1 WHERE id = $1 RETURNING beat";
    REPLICAS = "SELECT id, beat FROM replicas ORDER BY id";
    LIVES = "SELECT id FROM replicas WHERE id = $1";
    BURY = "DELETE FROM replicas WHERE id = $1 AND beat = $2 RETURNING id";
    LEAVE = "DELETE FROM replicas WHERE id = $1";
    ALONE = "DELETE FROM replicas";
    HOLDER = "SELECT holder FROM leases WHERE owner_id = $1 AND name = $2 AND holder IN (SELECT id FROM replicas)";
    ACQUIRE = "INSERT INTO leases (owner_id, name, holder, fence) VALUES ($1, $2, $3, 1) ON CONFLICT (owner_id, name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1 WHERE leases.holder = excluded.holder OR leases.holder NOT IN (SELECT id FROM replicas) RETURNING fence";
    SEIZE = "INSERT INTO leases (owner_id, name, holder, fence) VALUES ($1, $2, $3, 1) ON CONFLICT (owner_id, name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1 WHERE leases.holder <> excluded.holder";
    HOLD = "SELECT fence FROM leases WHERE owner_id = $1 AND name = $2 AND holder = $3 AND fence = $4 AND holder IN (SELECT id FROM replicas)";
    RELEASE = "UPDATE leases SET holder = '' WHERE owner_id = $1 AND name = $2 AND holder = $3 AND fence = $4";
    FORGET = "DELETE FROM leases WHERE owner_id = $1";
}

/// How long a replica lives after its last beat.
pub const LIFE: Duration = Duration::from_secs(15);

/// How many looks must find the beat of a replica unchanged before it is held to be dead: after a pause of the whole
/// machine everybody's last beat is old, and nobody dead.
const LOOKS: u32 = 3;

/// A server as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// UUID, new with each start.
    pub id: String,
    /// How often it has said that it lives.
    pub beat: i64,
}

/// Sending a directory's security events to their receivers.
pub const PUSH: &str = "push";

/// Removing what a team's log need not keep any more.
pub const RETENTION: &str = "retention";

/// Running the cycles of an application.
pub const PROVISIONING: &str = "provisioning";

/// Provisioning one object of an application at once. Nobody else begins a cycle of it in the meantime.
pub const ON_DEMAND: &str = "on_demand";

/// Keeping what a team's hosts are told.
pub const POLICIES: &str = "policies";

/// Sending a team's mails.
pub const MAIL: &str = "mail";

/// Telling a team's programs.
pub const WEBHOOKS: &str = "webhooks";

/// Following who can be found by the visitors of a team.
pub const VISITORS: &str = "visitors";

/// The right to do one piece of work, until it is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The team, directory or application whose work it is.
    pub owner_id: String,
    /// Which work.
    pub name: &'static str,
    /// The replica that has it.
    pub holder: String,
    /// Rises with each tenure, so that an earlier one is told from a later one of the same holder.
    pub fence: i64,
}

impl Lease {
    /// What the work may change, and where the lease itself is written.
    pub fn scope(&self) -> Scope {
        Scope::of(&self.owner_id)
    }
}

/// Why leased work was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Halted {
    /// The lease is not this replica's any more.
    #[error("the lease of \"{0}\" was lost: another server does this work now")]
    Lost(&'static str),
    /// The work itself was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<portreeve_store::Error> for Halted {
    fn from(error: portreeve_store::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Lets a replica live, under an id that none had before. `now` is for people (microseconds since 1970 UTC).
pub fn register(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), Refusal> {
    Ok(tx.exec(REGISTER, &params![id, now])?)
}

/// Says that a replica lives. `false`: it was buried, and all its leases are lost.
pub fn beat(tx: &mut Tx<'_>, id: &str) -> Result<bool, Refusal> {
    Ok(tx.query_one(BEAT, &params![id])?.is_some())
}

/// Whether a replica was not buried yet.
pub fn lives(tx: &mut Tx<'_>, id: &str) -> Result<bool, Refusal> {
    Ok(tx.query_one(LIVES, &params![id])?.is_some())
}

/// All replicas that were not buried.
pub fn replicas(tx: &mut Tx<'_>) -> Result<Vec<Replica>, Refusal> {
    tx.query(REPLICAS, &params![])?
        .into_iter()
        .map(|mut row| {
            Ok(Replica {
                id: row.take_text(0)?,
                beat: row.int(1)?,
            })
        })
        .collect()
}

/// Ends a replica that has not beaten since it was seen. `false`: it has, or it is gone already.
pub fn bury(tx: &mut Tx<'_>, seen: &Replica) -> Result<bool, Refusal> {
    let buried = tx.query_one(BURY, &params![&seen.id, seen.beat])?;
    Ok(buried.is_some())
}

/// Ends a replica that stops by itself; its leases are free at once.
pub fn leave(tx: &mut Tx<'_>, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(LEAVE, &params![id])?)
}

/// Ends all replicas, by a server that knows that it is the only one.
pub fn alone(tx: &mut Tx<'_>) -> Result<(), Refusal> {
    Ok(tx.exec(ALONE, &[])?)
}

/// The living replica that has a lease; `None` when it is free.
pub fn holder(tx: &mut Tx<'_>, owner_id: &str, name: &str) -> Result<Option<String>, Refusal> {
    tx.query_one(HOLDER, &params![owner_id, name])?
        .map(|mut row| Ok(row.take_text(0)?))
        .transpose()
}

/// Takes a lease for a replica that lives, if no other living one has it. An earlier tenure of its own ends.
pub fn acquire(
    tx: &mut Tx<'_>,
    owner_id: &str,
    name: &'static str,
    replica: &str,
) -> Result<Option<Lease>, Refusal> {
    if !lives(tx, replica)? {
        return Ok(None);
    }
    let Some(row) = tx.query_one(ACQUIRE, &params![owner_id, name, replica])? else {
        return Ok(None);
    };
    Ok(Some(Lease {
        owner_id: owner_id.to_owned(),
        name,
        holder: replica.to_owned(),
        fence: row.int(0)?,
    }))
}

/// Ends the tenure of another replica whose work rests at this moment, which the caller has seen in the same transaction:
/// whatever it begins from now on fails at its first transaction. The lease is `replica`'s, who takes it by [`acquire`]
/// when there is work to do.
pub fn seize(tx: &mut Tx<'_>, owner_id: &str, name: &str, replica: &str) -> Result<(), Refusal> {
    Ok(tx.exec(SEIZE, &params![owner_id, name, replica])?)
}

/// What every transaction of leased work does first: it fails unless the lease is still held, and nobody else gets the
/// lease before the transaction ends.
pub fn hold(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), Halted> {
    let row = params![&lease.owner_id, lease.name, &lease.holder, lease.fence];
    match tx.query_one(HOLD, &row)? {
        Some(_) => Ok(()),
        None => Err(Halted::Lost(lease.name)),
    }
}

/// Gives a lease back. One that is lost already is left alone.
pub fn release(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), Refusal> {
    let row = params![&lease.owner_id, lease.name, &lease.holder, lease.fence];
    Ok(tx.exec(RELEASE, &row)?)
}

/// Removes the leases of an owner that does not exist any more.
pub(crate) fn forget(tx: &mut Tx<'_>, owner_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET, &params![owner_id])?)
}

/// What one replica has seen of the others: who does not beat any more.
#[derive(Debug, Default)]
pub struct Watch(HashMap<String, Seen>);

#[derive(Debug)]
struct Seen {
    beat: i64,
    /// On the watcher's steady clock, when this beat was seen first.
    since: Duration,
    /// How often it was seen after that.
    again: u32,
}

impl Watch {
    /// Looks at the list of [`replicas`], read before `now` on a clock that cannot be set. Returns those whose beat has
    /// stood still for [`LIFE`].
    pub fn look(&mut self, listed: &[Replica], now: Duration) -> Vec<Replica> {
        let mut before = std::mem::take(&mut self.0);
        let mut still = Vec::new();
        for replica in listed {
            let seen = match before.remove(&replica.id) {
                Some(seen) if seen.beat == replica.beat => Seen {
                    again: seen.again.saturating_add(1),
                    ..seen
                },
                _ => Seen {
                    beat: replica.beat,
                    since: now,
                    again: 0,
                },
            };
            if seen.again >= LOOKS && now.saturating_sub(seen.since) >= LIFE {
                still.push(replica.clone());
            }
            self.0.insert(replica.id.clone(), seen);
        }
        still
    }

    /// Begins anew. Who could not reach the database itself has not seen that others did not.
    pub fn begin_anew(&mut self) {
        self.0.clear();
    }
}
