//! Tokens of others that are good for once, by hash, for as long as they would be accepted.

use crate::Refusal;
use portreeve_store::{Tx, params, statements};

statements! {
    USE = "INSERT INTO used_tokens (team_id, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT (team_id, hash) DO NOTHING RETURNING expires_at";
    PRUNE = "DELETE FROM used_tokens WHERE expires_at < $1";
}

/// Uses a token up. `false`: it was used before. `expires_at` (microseconds since 1970 UTC) is when nobody would accept it
/// any more.
pub fn use_up(
    tx: &mut Tx<'_>,
    team_id: &str,
    hash: &[u8; 32],
    expires_at: i64,
) -> Result<bool, Refusal> {
    let row = tx.query_one(USE, &params![team_id, hash, expires_at])?;
    Ok(row.is_some())
}

/// Forgets tokens that nobody would accept any more.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}
