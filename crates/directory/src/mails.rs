//! Mails that are still to be sent: each is written in the transaction of what it tells of, so that none is lost and
//! none tells of what did not happen. Whoever sends them has the lease [`MAIL`](crate::leases::MAIL) of the team.

use crate::Refusal;
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::Serialize;

statements! {
    INSERT = "INSERT INTO mails (team_id, id, recipient, subject, body, attempts, next_attempt_at, created_at) VALUES ($1, $2, $3, $4, $5, 0, 0, $6)";
    TEAMS = "SELECT DISTINCT team_id FROM mails ORDER BY team_id";
    DUE = "SELECT id, recipient, subject, body, attempts, next_attempt_at, last_error, created_at FROM mails WHERE team_id = $1 AND (next_attempt_at <= $2 OR next_attempt_at > $3) ORDER BY id LIMIT $4";
    DELETE = "DELETE FROM mails WHERE team_id = $1 AND id = $2";
    FAILED = "UPDATE mails SET attempts = attempts + 1, next_attempt_at = $3, last_error = $4 WHERE team_id = $1 AND id = $2";
    WAITING = "SELECT COUNT(*), MIN(created_at), (SELECT last_error FROM mails WHERE team_id = $1 AND last_error IS NOT NULL ORDER BY id DESC LIMIT 1) FROM mails WHERE team_id = $1";
}

/// A mail that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// UUID; the same for every attempt, so that a receiver can tell a repetition from another mail.
    pub id: String,
    /// The address.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Plain text.
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

/// What a new mail says.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// UUID, made by the caller.
    pub id: &'a str,
    /// The address.
    pub recipient: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Plain text.
    pub body: &'a str,
}

/// How much is still to be sent, since when, and why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Waiting {
    /// How many wait.
    pub waiting: i64,
    /// Since when the oldest does (microseconds since 1970 UTC).
    pub oldest_at: Option<i64>,
    /// Why the newest of those that were tried could not be sent.
    pub last_error: Option<String>,
}

impl Waiting {
    pub(crate) fn read(mut row: Row) -> Result<Self, Refusal> {
        Ok(Self {
            waiting: row.int(0)?,
            oldest_at: row.opt_int(1)?,
            last_error: row.take_opt_text(2)?,
        })
    }
}

/// Has a mail sent once this transaction is committed.
pub fn add(tx: &mut Tx<'_>, team_id: &str, new: &New<'_>, now: i64) -> Result<(), Refusal> {
    let row = params![team_id, new.id, new.recipient, new.subject, new.body, now];
    Ok(tx.exec(INSERT, &row)?)
}

/// The teams that have mails to be sent.
pub fn teams(tx: &mut Tx<'_>) -> Result<Vec<String>, Refusal> {
    tx.query(TEAMS, &params![])?
        .into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// The oldest mails of a team whose time has come. No attempt is put off beyond `latest`; one that is was when the clock
/// was wrong, and is due.
pub fn due(
    tx: &mut Tx<'_>,
    team_id: &str,
    (now, latest): (i64, i64),
    limit: i64,
) -> Result<Vec<Mail>, Refusal> {
    tx.query(DUE, &params![team_id, now, latest, limit])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// A mail was sent, or never will be.
pub fn done(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE, &params![team_id, id])?)
}

/// Remembers that a mail could not be sent, why, and when to try again.
pub fn failed(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    error: &str,
    next_attempt_at: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(FAILED, &params![team_id, id, next_attempt_at, error])?)
}

/// The mails of a team that are still to be sent.
pub fn waiting(tx: &mut Tx<'_>, team_id: &str) -> Result<Waiting, Refusal> {
    let row = tx.query_one(WAITING, &params![team_id])?;
    row.map_or_else(|| Ok(Waiting::default()), Waiting::read)
}

fn from_row(mut row: Row) -> Result<Mail, Refusal> {
    Ok(Mail {
        attempts: row.int(4)?,
        next_attempt_at: row.int(5)?,
        created_at: row.int(7)?,
        last_error: row.take_opt_text(6)?,
        id: row.take_text(0)?,
        recipient: row.take_text(1)?,
        subject: row.take_text(2)?,
        body: row.take_text(3)?,
    })
}
