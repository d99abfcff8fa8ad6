//! What is still to be told to programs (webhooks): each is written in the transaction of what it tells of, so that none is
//! lost and none tells of what did not happen. Whoever sends them has the lease [`WEBHOOKS`](crate::leases::WEBHOOKS) of
//! the team.

use crate::Refusal;
use crate::mails::Waiting;
use portreeve_store::{Row, Tx, params, statements};

statements! {
    INSERT = "INSERT INTO webhooks (team_id, id, location_id, url, body, attempts, next_attempt_at, created_at) VALUES ($1, $2, $3, $4, $5, 0, 0, $6)";
    TEAMS = "SELECT DISTINCT team_id FROM webhooks ORDER BY team_id";
    DUE = "SELECT id, location_id, url, body, attempts, next_attempt_at, last_error, created_at FROM webhooks WHERE team_id = $1 AND (next_attempt_at <= $2 OR next_attempt_at > $3) ORDER BY id LIMIT $4";
    DELETE = "DELETE FROM webhooks WHERE team_id = $1 AND id = $2";
    FAILED = "UPDATE webhooks SET attempts = attempts + 1, next_attempt_at = $3, last_error = $4 WHERE team_id = $1 AND id = $2";
    WAITING = "SELECT COUNT(*), MIN(created_at), (SELECT last_error FROM webhooks WHERE team_id = $1 AND last_error IS NOT NULL ORDER BY id DESC LIMIT 1) FROM webhooks WHERE team_id = $1";
}

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// UUID; the same for every attempt, so that a receiver can tell a repetition from another message.
    pub id: String,
    /// The location whose program is told.
    pub location_id: String,
    /// Where to.
    pub url: String,
    /// JSON, the same bytes for every attempt.
    pub body: String,
    /// How often it could not be sent.
    pub attempts: i64,
    /// Not before this time (microseconds since 1970 UTC) is it tried again.
    pub next_attempt_at: i64,
    /// Why it could not be sent the last time.
    pub last_error: Option<String>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// Something new to be told.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// UUID, made by the caller.
    pub id: &'a str,
    /// The location whose program is told.
    pub location_id: &'a str,
    /// Where to.
    pub url: &'a str,
    /// JSON.
    pub body: &'a str,
}

/// Has a program told once this transaction is committed.
pub fn add(tx: &mut Tx<'_>, team_id: &str, new: &New<'_>, now: i64) -> Result<(), Refusal> {
    let row = params![team_id, new.id, new.location_id, new.url, new.body, now];
    Ok(tx.exec(INSERT, &row)?)
}

/// The teams that have something to be told.
pub fn teams(tx: &mut Tx<'_>) -> Result<Vec<String>, Refusal> {
    tx.query(TEAMS, &params![])?
        .into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// The oldest of a team whose time has come. No attempt is put off beyond `latest`; one that is was when the clock was
/// wrong, and is due.
pub fn due(
    tx: &mut Tx<'_>,
    team_id: &str,
    (now, latest): (i64, i64),
    limit: i64,
) -> Result<Vec<Webhook>, Refusal> {
    tx.query(DUE, &params![team_id, now, latest, limit])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// A program was told, or never will be.
pub fn done(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE, &params![team_id, id])?)
}

/// Remembers that a program could not be told, why, and when to try again.
pub fn failed(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    error: &str,
    next_attempt_at: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(FAILED, &params![team_id, id, next_attempt_at, error])?)
}

/// What programs of a team are still to be told.
pub fn waiting(tx: &mut Tx<'_>, team_id: &str) -> Result<Waiting, Refusal> {
    let row = tx.query_one(WAITING, &params![team_id])?;
    row.map_or_else(|| Ok(Waiting::default()), Waiting::read)
}

fn from_row(mut row: Row) -> Result<Webhook, Refusal> {
    Ok(Webhook {
        attempts: row.int(4)?,
        next_attempt_at: row.int(5)?,
        created_at: row.int(7)?,
        last_error: row.take_opt_text(6)?,
        id: row.take_text(0)?,
        location_id: row.take_text(1)?,
        url: row.take_text(2)?,
        body: row.take_text(3)?,
    })
}
