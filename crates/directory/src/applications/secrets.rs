//! Secrets of an application's definition, encrypted by the caller. Only their bytes are kept here.

use crate::Refusal;
use crate::streams::Sealed;
use portreeve_store::{Tx, params, statements};

statements! {
    PUT = "INSERT INTO application_secrets (application_id, name, sealed) VALUES ($1, $2, $3) ON CONFLICT (application_id, name) DO UPDATE SET sealed = excluded.sealed";
    ALL_OF = "SELECT name, sealed FROM application_secrets WHERE application_id = $1 ORDER BY name";
    REMOVE = "DELETE FROM application_secrets WHERE application_id = $1 AND name = $2";
}

/// Keeps a secret under a name, in place of an earlier one.
pub fn put(
    tx: &mut Tx<'_>,
    application_id: &str,
    name: &str,
    sealed: &Sealed,
) -> Result<(), Refusal> {
    Ok(tx.exec(PUT, &params![application_id, name, &sealed.0])?)
}

/// The secrets of an application by name.
pub fn all(tx: &mut Tx<'_>, application_id: &str) -> Result<Vec<(String, Sealed)>, Refusal> {
    tx.query(ALL_OF, &params![application_id])?
        .into_iter()
        .map(|mut row| Ok((row.take_text(0)?, Sealed(row.bytes(1)?.to_vec()))))
        .collect()
}

/// Forgets a secret.
pub fn remove(tx: &mut Tx<'_>, application_id: &str, name: &str) -> Result<(), Refusal> {
    Ok(tx.exec(REMOVE, &params![application_id, name])?)
}
