//! X.509 certificates that people, hosts and programs were given: by them they are known to the API that the `step` client
//! speaks, and to whoever trusts our root.

use crate::certificates::Whose;
use crate::events::{self, Category, Cause, Outcome};
use crate::holders::Holder;
use crate::{Refusal, What};
use portreeve_store::{Row, Tx, params, statements};
use serde_json::json;

statements! {
    INSERT = "INSERT INTO identities (team_id, serial, subject, holder_kind, directory_id, holder_id, provisioner, issued_at, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    BY_SERIAL = "SELECT serial, subject, holder_kind, directory_id, holder_id, provisioner, issued_at, not_after, revoked_at FROM identities WHERE team_id = $1 AND serial = $2";
    REVOKED = "SELECT serial, revoked_at FROM identities WHERE team_id = $1 AND revoked_at IS NOT NULL AND not_after > $2 ORDER BY revoked_at, serial";
    REVOKE = "UPDATE identities SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND serial = $2 AND revoked_at IS NULL RETURNING subject";
    REVOKE_OF_HOLDER = "UPDATE identities SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND holder_id = $2 AND revoked_at IS NULL AND not_after > $3 RETURNING serial, subject";
    REVOKE_OF_DIRECTORY = "UPDATE identities SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND directory_id = $2 AND revoked_at IS NULL AND not_after > $3 RETURNING serial, subject";
    PRUNE = "DELETE FROM identities WHERE not_after < $1";
}

/// A certificate as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Hexadecimal, in lower case.
    pub serial: String,
    /// Its common name.
    pub subject: String,
    /// Whose it is.
    pub whose: Whose,
    /// How it was asked for.
    pub provisioner: Option<String>,
    /// Microseconds since 1970 UTC, as the following ones.
    pub issued_at: i64,
    /// The end, not included.
    pub not_after: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// Writes a certificate down, with its event. It is given to nobody before.
pub fn record(tx: &mut Tx<'_>, cause: &Cause<'_>, new: &Identity) -> Result<(), Refusal> {
    let row = params![
        cause.team_id,
        &new.serial,
        &new.subject,
        new.whose.kind(),
        new.whose.directory_id(),
        new.whose.id(),
        new.provisioner.as_ref(),
        new.issued_at,
        new.not_after,
    ];
    tx.exec(INSERT, &row)?;
    let changes = json!([
        {"attribute": "holder", "new": new.whose.id()},
        {"attribute": "provisioner", "new": new.provisioner},
    ]);
    tell(
        tx,
        cause,
        "issue",
        (&new.serial, &new.subject),
        &changes.to_string(),
    )
}

/// The certificate with that serial number; `None`: it is none of ours, or has run out long ago.
pub fn by_serial(
    tx: &mut Tx<'_>,
    team_id: &str,
    serial: &str,
) -> Result<Option<Identity>, Refusal> {
    let row = tx.query_one(BY_SERIAL, &params![team_id, serial])?;
    row.map(from_row).transpose()
}

/// Revokes a certificate, with its event. `false`: it was revoked before.
pub fn revoke(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    serial: &str,
    why: &str,
) -> Result<bool, Refusal> {
    let row = params![cause.team_id, serial, cause.at, why];
    let Some(mut row) = tx.query_one(REVOKE, &row)? else {
        let missing = || Refusal::NotFound(What::Certificate, serial.to_owned());
        by_serial(tx, cause.team_id, serial)?.ok_or_else(missing)?;
        return Ok(false);
    };
    tell_revoked(tx, cause, (serial, &row.take_text(0)?), why)?;
    Ok(true)
}

/// Revokes all that somebody has, by the holder's id, each with its event.
pub fn revoke_of_holder(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    holder_id: &str,
    why: &str,
) -> Result<(), Refusal> {
    revoke_all(tx, cause, (REVOKE_OF_HOLDER, holder_id), why)
}

/// Revokes all that the people of a directory have, each with its event.
pub fn revoke_of_directory(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    directory_id: &str,
    why: &str,
) -> Result<(), Refusal> {
    revoke_all(tx, cause, (REVOKE_OF_DIRECTORY, directory_id), why)
}

fn revoke_all(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    (statement, of): (&str, &str),
    why: &str,
) -> Result<(), Refusal> {
    for mut row in tx.query(statement, &params![cause.team_id, of, cause.at, why])? {
        tell_revoked(tx, cause, (&row.take_text(0)?, &row.take_text(1)?), why)?;
    }
    Ok(())
}

fn tell_revoked(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    which: (&str, &str),
    why: &str,
) -> Result<(), Refusal> {
    let changes = json!([{"attribute": "reason", "new": why}]).to_string();
    tell(tx, cause, "revoke", which, &changes)
}

/// What is revoked and has not run out: serial numbers, and since when (microseconds since 1970 UTC).
pub fn revoked(tx: &mut Tx<'_>, team_id: &str, now: i64) -> Result<Vec<(String, i64)>, Refusal> {
    let rows = tx.query(REVOKED, &params![team_id, now])?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, row.int(1)?)))
        .collect()
}

/// Forgets what ran out before that time.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}

fn tell(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    action: &str,
    (serial, subject): (&str, &str),
    changes: &str,
) -> Result<(), Refusal> {
    let event = events::New {
        category: Category::SshCert,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("Identity"),
        object_id: Some(serial),
        object_name: Some(subject),
        version: None,
        changes: Some(changes),
    };
    events::record_of(tx, cause, &event)
}

fn from_row(mut row: Row) -> Result<Identity, Refusal> {
    Ok(Identity {
        whose: match row.opt_text(2)? {
            None => Whose::Nobody,
            Some("host") => Whose::Host(row.take_text(4)?),
            Some(_) => Whose::Holder(Holder::from_row(&mut row, 2, 3, 4)?),
        },
        issued_at: row.int(6)?,
        not_after: row.int(7)?,
        revoked_at: row.opt_int(8)?,
        serial: row.take_text(0)?,
        subject: row.take_text(1)?,
        provisioner: row.take_opt_text(5)?,
    })
}
