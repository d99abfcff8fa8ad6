//! What people who left have on hosts: an admin asks for its removal, and hosts say what they removed, or would.
//!
//! Nothing is removed of whoever has access, or was let in again since it was asked for; nor before the host knows that they
//! are shut out.

use crate::events::{self, Category, Cause, Outcome};
use crate::hosts::Host;
use crate::{Refusal, host_accounts};
use portreeve_store::{Row, Tx, params, statements};
use serde_json::json;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "host_id, holder_id, account, denied_at, is_dry_run, asked_by, asked_at, answered_at, paths, error"
    };
}

statements! {
    OF_HOLDER = concat!("SELECT ", columns!(), " FROM host_removals WHERE team_id = $1 AND holder_id = $2 ORDER BY host_id");
    ASK = "INSERT INTO host_removals (team_id, host_id, holder_id, account, denied_at, is_dry_run, asked_by, asked_at, answered_at, paths, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, '[]', NULL) \
        ON CONFLICT (team_id, host_id, holder_id) DO UPDATE SET account = excluded.account, denied_at = excluded.denied_at, is_dry_run = excluded.is_dry_run, asked_by = excluded.asked_by, asked_at = excluded.asked_at, answered_at = NULL, paths = '[]', error = NULL";
    /// The host has applied the policy that shuts them out, and they were not let in again.
    DUE = concat!("SELECT ", columns!(), " FROM host_removals r WHERE team_id = $1 AND host_id = $2 AND answered_at IS NULL AND EXISTS (         SELECT 1 FROM host_accounts a JOIN host_agents g ON g.team_id = a.team_id AND g.host_id = a.host_id AND g.applied_version >= a.version         WHERE a.team_id = r.team_id AND a.host_id = r.host_id AND a.holder_id = r.holder_id AND a.denied_at = r.denied_at) ORDER BY asked_at, holder_id LIMIT 100");
    ANSWER = concat!("UPDATE host_removals SET answered_at = $5, paths = $6, error = $7 WHERE team_id = $1 AND host_id = $2 AND holder_id = $3 AND is_dry_run = $4 AND answered_at IS NULL RETURNING ", columns!());
    /// A host that is gone has nothing to say.
    HOSTS = "SELECT h.id, h.name FROM hosts h WHERE h.team_id = $1 AND h.id IN (SELECT host_id FROM host_accounts WHERE team_id = $1 AND holder_id = $2 UNION SELECT host_id FROM host_removals WHERE team_id = $1 AND holder_id = $2) ORDER BY h.name_key";
    FORGET = "DELETE FROM host_removals WHERE team_id = $1 AND host_id = $2";
}

/// That something is to be removed, or was. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The host.
    pub host_id: String,
    /// The user or service account, which may be gone.
    pub holder_id: String,
    /// Their own account there.
    pub account: String,
    /// Since when they are shut out.
    pub denied_at: i64,
    /// Whether the host is only to say what it would remove.
    pub is_dry_run: bool,
    /// The name of whoever asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: i64,
    /// When the host said what came of it; `None`: it has not.
    pub answered_at: Option<i64>,
    /// What was removed, or would be.
    pub paths: Vec<String>,
    /// Why it was not.
    pub error: Option<String>,
}

/// What a host says that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The user or service account.
    pub holder_id: String,
    /// Whether nothing was removed because nothing was to be.
    pub is_dry_run: bool,
    /// Folders and files.
    pub paths: Vec<String>,
    /// Why it was not done.
    pub error: Option<String>,
}

impl Removal {
    /// Whether what they had is gone.
    pub fn is_done(&self) -> bool {
        !self.is_dry_run && self.answered_at.is_some() && self.error.is_none()
    }
}

/// Asks a host for it. What was asked for before counts no more.
pub fn ask(tx: &mut Tx<'_>, team_id: &str, wanted: &Removal) -> Result<(), Refusal> {
    let row = params![
        team_id,
        &wanted.host_id,
        &wanted.holder_id,
        &wanted.account,
        wanted.denied_at,
        wanted.is_dry_run,
        &wanted.asked_by,
        wanted.asked_at,
    ];
    Ok(tx.exec(ASK, &row)?)
}

/// What was asked for about somebody, by the hosts' ids.
pub fn of_holder(tx: &mut Tx<'_>, team_id: &str, holder_id: &str) -> Result<Vec<Removal>, Refusal> {
    let rows = tx.query(OF_HOLDER, &params![team_id, holder_id])?;
    rows.into_iter().map(from_row).collect()
}

/// The hosts on which somebody has an account, had one that is shut, or had one whose data is removed: ids and names, by name.
pub fn hosts(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let rows = tx.query(HOSTS, &params![team_id, holder_id])?.into_iter();
    rows.map(|mut row| Ok((row.take_text(0)?, row.take_text(1)?)))
        .collect()
}

/// What a host is to do now, the oldest first; more of it comes when that is answered.
pub fn due(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<Vec<Removal>, Refusal> {
    let rows = tx.query(DUE, &params![team_id, host_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Keeps what a host says, with an event each. Whose data is gone has no account there any more. What nobody has asked for,
/// or was answered before, is passed over.
pub fn answered(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    host: &Host,
    all: &[Answer],
) -> Result<(), Refusal> {
    for answer in all {
        let paths = json!(answer.paths).to_string();
        let row = params![
            cause.team_id,
            &host.id,
            &answer.holder_id,
            answer.is_dry_run,
            cause.at,
            &paths,
            answer.error.as_ref(),
        ];
        let Some(row) = tx.query_one(ANSWER, &row)? else {
            continue;
        };
        let removal = from_row(row)?;
        if removal.is_done() {
            host_accounts::remove(tx, cause.team_id, &host.id, &removal.holder_id)?;
        }
        record(tx, cause, host, &removal)?;
    }
    Ok(())
}

/// Forgets what was asked of a host, which is gone.
pub fn forget(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET, &params![team_id, host_id])?)
}

/// The event says what the host has done, on behalf of whoever asked.
fn record(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    host: &Host,
    removal: &Removal,
) -> Result<(), Refusal> {
    let facts = json!([
        {"attribute": "host", "new": host.name},
        {"attribute": "paths", "new": removal.paths},
        {"attribute": "asked_by", "new": removal.asked_by},
    ]);
    let facts = facts.to_string();
    let event = events::New {
        category: Category::Admin,
        action: match removal.is_dry_run {
            true => "list_data",
            false => "remove_data",
        },
        outcome: match &removal.error {
            None => Outcome::Ok,
            Some(error) => Outcome::Refused {
                reason: "removal_failed",
                detail: error,
            },
        },
        object_kind: Some("User"),
        object_id: Some(&removal.holder_id),
        object_name: Some(&removal.account),
        version: None,
        changes: Some(&facts),
    };
    events::record_of(tx, cause, &event)
}

fn from_row(mut row: Row) -> Result<Removal, Refusal> {
    Ok(Removal {
        denied_at: row.int(3)?,
        is_dry_run: row.bool(4)?,
        asked_at: row.int(6)?,
        answered_at: row.opt_int(7)?,
        // Only we write it.
        paths: serde_json::from_str(row.text(8)?).unwrap_or_default(),
        host_id: row.take_text(0)?,
        holder_id: row.take_text(1)?,
        account: row.take_text(2)?,
        asked_by: row.take_text(5)?,
        error: row.take_opt_text(9)?,
    })
}
