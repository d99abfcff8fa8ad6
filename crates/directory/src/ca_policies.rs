//! What an admin of a team has decided about its certificates, as JSON that whoever issues them understands.

use crate::Refusal;
use portreeve_store::{Tx, params, statements};

statements! {
    READ = "SELECT settings FROM ca_policies WHERE team_id = $1";
    WRITE = "INSERT INTO ca_policies (team_id, settings, updated_at) VALUES ($1, $2, $3) ON CONFLICT (team_id) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at";
}

/// The settings of a team; `None`: the defaults.
pub fn read(tx: &mut Tx<'_>, team_id: &str) -> Result<Option<String>, Refusal> {
    let row = tx.query_one(READ, &params![team_id])?;
    row.map(|mut row| Ok(row.take_text(0)?)).transpose()
}

/// Writes the settings of a team.
pub fn write(tx: &mut Tx<'_>, team_id: &str, settings: &str, now: i64) -> Result<(), Refusal> {
    Ok(tx.exec(WRITE, &params![team_id, settings, now])?)
}
