//! People who wait for their access to be worked out anew. Whoever waits already does not wait twice.

use super::follow::Who;
use crate::Refusal;
use portreeve_store::{Tx, params, statements};

statements! {
    DUE = "SELECT directory_id, holder_id FROM host_policy_queue WHERE team_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3";
    PUT = "INSERT INTO host_policy_queue (team_id, holder_id, directory_id, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT (team_id, holder_id) DO UPDATE SET due_at = CASE WHEN host_policy_queue.due_at < excluded.due_at THEN host_policy_queue.due_at ELSE excluded.due_at END";
    TAKE = "DELETE FROM host_policy_queue WHERE team_id = $1 AND holder_id = $2";
}

/// The first so many who are due at a time.
pub(super) fn due(
    tx: &mut Tx<'_>,
    team_id: &str,
    now: i64,
    limit: usize,
) -> Result<Vec<Who>, Refusal> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.query(DUE, &params![team_id, now, limit])?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, row.take_text(1)?)))
        .collect()
}

/// Has somebody wait until a time, or as long as they do already where that is shorter.
pub(super) fn put(
    tx: &mut Tx<'_>,
    team_id: &str,
    (directory_id, id): &Who,
    due_at: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(PUT, &params![team_id, id, directory_id, due_at])?)
}

/// Somebody waits no more.
pub(super) fn take(tx: &mut Tx<'_>, team_id: &str, (_, id): &Who) -> Result<(), Refusal> {
    Ok(tx.exec(TAKE, &params![team_id, id])?)
}
