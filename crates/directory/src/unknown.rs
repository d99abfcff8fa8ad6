//! Attributes that a provider sends and no schema of the directory knows: ignored, and named once per directory.

use crate::Refusal;
use portreeve_store::{Tx, params, statements};

statements! {
    INSERT = "INSERT INTO unknown_attributes (directory_id, name, first_seen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING name";
    LIST = "SELECT name FROM unknown_attributes WHERE directory_id = $1 ORDER BY name";
    COUNT = "SELECT count(*) FROM unknown_attributes WHERE directory_id = $1";
}

/// How many names are remembered per directory; a client that sends random names fills nothing.
pub const LIMIT: i64 = 200;

/// Remembers the names that a change came with, in the transaction of that change. Those that were new are returned,
/// to be told once it is committed. What exceeds [`LIMIT`] is not remembered, and therefore not new.
pub fn note_all(
    tx: &mut Tx<'_>,
    directory_id: &str,
    names: &[String],
    now: i64,
) -> Result<Vec<String>, Refusal> {
    let mut new = Vec::new();
    if names.is_empty() {
        return Ok(new);
    }
    let mut known = tx
        .query_one(COUNT, &params![directory_id])?
        .map_or(Ok(0), |row| row.int(0))?;
    for name in names {
        if known >= LIMIT {
            break;
        }
        if tx
            .query_one(INSERT, &params![directory_id, name, now])?
            .is_some()
        {
            known += 1;
            new.push(name.clone());
        }
    }
    Ok(new)
}

/// The names seen so far.
pub fn list(tx: &mut Tx<'_>, directory_id: &str) -> Result<Vec<String>, Refusal> {
    tx.query(LIST, &params![directory_id])?
        .into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}
