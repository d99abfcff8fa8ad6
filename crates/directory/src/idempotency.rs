//! Requests that are carried out once although they are sent again: what was asked with which key, and the answer.
//!
//! A request claims its key before it is carried out, and confirms the claim in the transaction of its change. So of two
//! with one key only one can commit, whatever stops the server in between.

use crate::Refusal;
use portreeve_store::{Tx, params, statements};

statements! {
    CLAIM = "INSERT INTO idempotency (team_id, id, fingerprint, status, body, created_at) VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (team_id, id) DO NOTHING RETURNING id";
    BY_ID = "SELECT fingerprint, status, body, created_at FROM idempotency WHERE team_id = $1 AND id = $2";
    TAKE_OVER = "UPDATE idempotency SET fingerprint = $3, status = 0, body = $4, created_at = $5 WHERE team_id = $1 AND id = $2 AND created_at = $6 RETURNING id";
    CONFIRM = "UPDATE idempotency SET status = 1 WHERE team_id = $1 AND id = $2 AND created_at = $3 AND status < 2 RETURNING id";
    ANSWER = "UPDATE idempotency SET status = $4, body = $5 WHERE team_id = $1 AND id = $2 AND created_at = $3";
    RELEASE = "DELETE FROM idempotency WHERE team_id = $1 AND id = $2 AND created_at = $3 AND status = 0";
    PRUNE = "DELETE FROM idempotency WHERE created_at < $1";
}

/// How long a key is remembered (microseconds): a day.
pub const KEPT: i64 = 24 * 3600 * 1_000_000;
/// After how long a claim that nobody has confirmed is free for the next (microseconds): whoever had it is gone, and would
/// be refused if not.
const ABANDONED: i64 = 60 * 1_000_000;

/// Nothing is changed yet.
const UNDER_WAY: i64 = 0;
/// It is changed, and the answer is not written down.
const CHANGED: i64 = 1;

/// A key that a request has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    team_id: String,
    id: String,
    at: i64,
}

/// What there is about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nobody had it. It is to be carried out.
    Claimed(Claim),
    /// It was carried out, with this status and answer.
    Answered(u16, Vec<u8>),
    /// It was carried out, and the answer is lost.
    Lost,
    /// Somebody is at it.
    UnderWay,
    /// The key was used for something else.
    Different,
}

/// Takes a key for a request. `id` says who asks for what with which key, `fingerprint` what the request says.
pub fn claim(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    fingerprint: &[u8],
    now: i64,
) -> Result<Found, Refusal> {
    let claim = Claim {
        team_id: team_id.to_owned(),
        id: id.to_owned(),
        at: now,
    };
    let nothing: &[u8] = &[];
    let new = params![team_id, id, fingerprint, nothing, now];
    if tx.query_one(CLAIM, &new)?.is_some() {
        return Ok(Found::Claimed(claim));
    }
    let Some(row) = tx.query_one(BY_ID, &params![team_id, id])? else {
        return Ok(Found::UnderWay);
    };
    let (status, at) = (row.int(1)?, row.int(3)?);
    let is_free = at < now - KEPT || (status == UNDER_WAY && at < now - ABANDONED);
    if is_free {
        let taken = params![team_id, id, fingerprint, nothing, now, at];
        let taken = tx.query_one(TAKE_OVER, &taken)?;
        return Ok(taken.map_or(Found::UnderWay, |_| Found::Claimed(claim)));
    }
    if row.bytes(0)? != fingerprint {
        return Ok(Found::Different);
    }
    Ok(match status {
        UNDER_WAY => Found::UnderWay,
        CHANGED => Found::Lost,
        status => Found::Answered(
            u16::try_from(status).unwrap_or_default(),
            row.bytes(2)?.to_vec(),
        ),
    })
}

impl Claim {
    /// Confirms the claim in the transaction of the change. False when somebody else has taken the key meanwhile: then
    /// nothing may be changed.
    pub fn confirm(&self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let confirmed = tx.query_one(CONFIRM, &params![&self.team_id, &self.id, self.at])?;
        Ok(confirmed.is_some())
    }

    /// Keeps the answer to what was carried out.
    pub fn answer(&self, tx: &mut Tx<'_>, status: u16, body: &[u8]) -> Result<(), Refusal> {
        let status = i64::from(status);
        let answer = params![&self.team_id, &self.id, self.at, status, body];
        Ok(tx.exec(ANSWER, &answer)?)
    }

    /// Gives the key back, because nothing was changed.
    pub fn release(&self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(tx.exec(RELEASE, &params![&self.team_id, &self.id, self.at])?)
    }
}

/// Forgets keys that are older than they are remembered.
pub fn prune(tx: &mut Tx<'_>, now: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![now - KEPT])?)
}
