//! What all servers of one database must agree on.

use crate::Refusal;
use portreeve_store::{Tx, params, statements};

statements! {
    FIND = "SELECT value FROM installation WHERE name = $1";
    FIRST = "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    REPLACE = "UPDATE installation SET value = $2 WHERE name = $1";
}

const MASTER_KEY: &str = "master_key";

/// The fingerprint of the master key that the database is used with; `None` before the first server has used it.
pub fn master_key(tx: &mut Tx<'_>) -> Result<Option<String>, Refusal> {
    tx.query_one(FIND, &params![MASTER_KEY])?
        .map(|mut row| Ok(row.take_text(0)?))
        .transpose()
}

/// Says that the database is used with this master key, unless it is with another one already. Returns the fingerprint
/// of the one it is used with.
pub fn agree(tx: &mut Tx<'_>, fingerprint: &str) -> Result<String, Refusal> {
    tx.exec(FIRST, &params![MASTER_KEY, fingerprint])?;
    Ok(master_key(tx)?.unwrap_or_default())
}

/// Says that the database is used with this master key from now on.
pub fn replace_master_key(tx: &mut Tx<'_>, fingerprint: &str) -> Result<(), Refusal> {
    tx.exec(FIRST, &params![MASTER_KEY, fingerprint])?;
    Ok(tx.exec(REPLACE, &params![MASTER_KEY, fingerprint])?)
}
