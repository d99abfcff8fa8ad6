//! What hosts have said of people who were shut out: that it is done, and what they have left there.

use crate::Refusal;
use portreeve_store::{Row, Tx, params, statements};
use std::collections::{HashMap, HashSet};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "host_id, holder_id, since_at, reported_at, sessions_ended, processes, has_home, has_crontab, has_keys, had_sudo"
    };
}

statements! {
    OF_HOST = concat!("SELECT ", columns!(), " FROM host_denials WHERE team_id = $1 AND host_id = $2");
    OF_HOLDER = concat!("SELECT ", columns!(), " FROM host_denials WHERE team_id = $1 AND holder_id = $2");
    /// Who has had an account there.
    DENIED = "SELECT holder_id FROM host_accounts WHERE team_id = $1 AND host_id = $2 AND denied_at IS NOT NULL";
    KEEP = concat!("INSERT INTO host_denials (team_id, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (team_id, host_id, holder_id) DO UPDATE SET since_at = excluded.since_at, reported_at = excluded.reported_at, sessions_ended = excluded.sessions_ended, processes = excluded.processes, has_home = excluded.has_home, has_crontab = excluded.has_crontab, has_keys = excluded.has_keys, had_sudo = excluded.had_sudo");
    FORGET = "DELETE FROM host_denials WHERE team_id = $1 AND host_id = $2";
}

/// What a host says of somebody whom it lets in no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The host.
    pub host_id: String,
    /// The user or service account.
    pub holder_id: String,
    /// Since when (microseconds since 1970 UTC).
    pub since_at: i64,
    /// When the host said so last, in other words than before (microseconds since 1970 UTC).
    pub reported_at: i64,
    /// How many sessions were ended then.
    pub sessions_ended: i64,
    /// How many processes of theirs run.
    pub processes: i64,
    /// Whether their home directory is there.
    pub has_home: bool,
    /// Whether they have a crontab.
    pub has_crontab: bool,
    /// Whether their home has SSH keys that are authorized.
    pub has_keys: bool,
    /// Whether they could use `sudo`, and so may have left anything anywhere.
    pub had_sudo: bool,
}

/// Keeps what a host says. Of people who never had an account there it has nothing to say, and neither of those who have one
/// now. What of it is new.
pub fn keep<'s>(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    said: &'s [Denial],
) -> Result<Vec<&'s Denial>, Refusal> {
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let denied: HashSet<String> = tx
        .query(DENIED, &params![team_id, host_id])?
        .into_iter()
        .map(|mut row| row.take_text(0))
        .collect::<Result<_, _>>()?;
    let mut known: HashMap<String, Denial> = HashMap::new();
    for row in tx.query(OF_HOST, &params![team_id, host_id])? {
        let denial = from_row(row)?;
        known.insert(denial.holder_id.clone(), denial);
    }
    let mut new = Vec::new();
    for one in said {
        let is_same = known.get(&one.holder_id).is_some_and(|before| {
            let again = Denial {
                reported_at: before.reported_at,
                ..one.clone()
            };
            again == *before
        });
        if is_same || !denied.contains(&one.holder_id) {
            continue;
        }
        let row = params![
            team_id,
            host_id,
            &one.holder_id,
            one.since_at,
            one.reported_at,
            one.sessions_ended,
            one.processes,
            one.has_home,
            one.has_crontab,
            one.has_keys,
            one.had_sudo,
        ];
        tx.exec(KEEP, &row)?;
        new.push(one);
    }
    Ok(new)
}

/// What all hosts have said of somebody.
pub fn of_holder(tx: &mut Tx<'_>, team_id: &str, holder_id: &str) -> Result<Vec<Denial>, Refusal> {
    let rows = tx.query(OF_HOLDER, &params![team_id, holder_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Forgets what a host has said, which is gone.
pub fn forget(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET, &params![team_id, host_id])?)
}

fn from_row(mut row: Row) -> Result<Denial, Refusal> {
    Ok(Denial {
        since_at: row.int(2)?,
        reported_at: row.int(3)?,
        sessions_ended: row.int(4)?,
        processes: row.int(5)?,
        has_home: row.bool(6)?,
        has_crontab: row.bool(7)?,
        has_keys: row.bool(8)?,
        had_sudo: row.bool(9)?,
        host_id: row.take_text(0)?,
        holder_id: row.take_text(1)?,
    })
}
