//! Revoked certificates and keys, in the order in which they were revoked.
//!
//! An entry stands at the position of the event that tells of it. Positions rise in the order of commits, so whoever has a
//! list up to a position completes it with what comes after. What has run out by itself drops out.

use crate::events::{self, Category, Cause, Outcome};
use crate::{Refusal, What};
use portreeve_store::{Param, Tx, params, statements};
use serde_json::json;

statements! {
    INSERT = "INSERT INTO revocations (team_id, position, authority_id, serial, fingerprint, at, keep_until) VALUES ($1, (SELECT position FROM feeds WHERE team_id = $1), $2, $3, $4, $5, $6)";
    AFTER = "SELECT r.position, a.public, r.serial, r.fingerprint, r.at, r.keep_until FROM revocations r LEFT JOIN authorities a ON a.team_id = r.team_id AND a.id = r.authority_id WHERE r.team_id = $1 AND r.position > $2 ORDER BY r.position";
    KEY = "SELECT 1 FROM revocations WHERE team_id = $1 AND fingerprint = $2 LIMIT 1";
    BY_SERIAL = "UPDATE certificates SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND serial = $2 AND revoked_at IS NULL RETURNING serial, authority_id, key_id, valid_before";
    BY_FINGERPRINT = "UPDATE certificates SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND fingerprint = $2 AND valid_before > $3 AND revoked_at IS NULL RETURNING serial, authority_id, key_id, valid_before";
    BY_HOLDER = "UPDATE certificates SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND holder_id = $2 AND valid_before > $3 AND revoked_at IS NULL RETURNING serial, authority_id, key_id, valid_before";
    BY_DIRECTORY = "UPDATE certificates SET revoked_at = $3, revoked_why = $4 WHERE team_id = $1 AND valid_before > $3 AND directory_id = $2 AND revoked_at IS NULL RETURNING serial, authority_id, key_id, valid_before";
    EXISTS = "SELECT 1 FROM certificates WHERE team_id = $1 AND serial = $2";
    /// The last one of a team stays: its position is the version of the list, which must not go back.
    PRUNE = "DELETE FROM revocations WHERE keep_until < $1 AND position < (SELECT max(l.position) FROM revocations l WHERE l.team_id = revocations.team_id)";
}

/// What is to be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoke<'a> {
    /// One certificate.
    Serial(i64),
    /// A key (`SHA256:…`), with all certificates for it, and those that would come.
    Key(&'a str),
    /// All certificates of a person, a service account or a host, by id.
    Holder(&'a str),
    /// All certificates of the people of a directory.
    Directory(&'a str),
}

/// A certificate that was revoked just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial number.
    pub serial: i64,
    /// What the logs of servers show.
    pub key_id: String,
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// That of its event.
    pub position: i64,
    /// What is revoked.
    pub what: Entered,
    /// When (microseconds since 1970 UTC).
    pub at: i64,
    /// When it runs out by itself; `None`: never.
    pub keep_until: Option<i64>,
}

/// What an entry revokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// A certificate.
    Certificate {
        /// The key that signed it, in its form on the wire.
        authority: Vec<u8>,
        /// Its serial number.
        serial: i64,
    },
    /// A key, by its `SHA256:…`.
    Key(String),
    /// A certificate of an authority that nobody trusts any more.
    Nothing,
}

/// Revokes certificates that count, each with its event. What is revoked already stays as it is.
pub fn revoke(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    what: Revoke<'_>,
    why: &str,
) -> Result<Vec<Revoked>, Refusal> {
    let (sql, which): (_, Param<'_>) = match what {
        Revoke::Serial(serial) => (BY_SERIAL, serial.into()),
        Revoke::Key(fingerprint) => (BY_FINGERPRINT, fingerprint.into()),
        Revoke::Holder(id) => (BY_HOLDER, id.into()),
        Revoke::Directory(id) => (BY_DIRECTORY, id.into()),
    };
    let rows = tx.query(
        sql,
        &[cause.team_id.into(), which, cause.at.into(), why.into()],
    )?;
    if let (Revoke::Serial(serial), true) = (what, rows.is_empty()) {
        let found = tx.query_one(EXISTS, &params![cause.team_id, serial])?;
        found.ok_or_else(|| Refusal::NotFound(What::Certificate, serial.to_string()))?;
    }
    let mut revoked = Vec::with_capacity(rows.len());
    for mut row in rows {
        let one = Revoked {
            serial: row.int(0)?,
            key_id: row.take_text(2)?,
        };
        let (authority, until) = (row.take_text(1)?, row.int(3)?);
        told(tx, cause, &one, why)?;
        let entry = params![
            cause.team_id,
            &authority,
            one.serial,
            None::<&str>,
            cause.at,
            until
        ];
        tx.exec_at_commit(INSERT, &entry)?;
        revoked.push(one);
    }
    if let Revoke::Key(fingerprint) = what
        && !is_key_revoked(tx, cause.team_id, fingerprint)?
    {
        told_key(tx, cause, fingerprint, why)?;
        let none = (None::<&str>, None::<i64>);
        let entry = params![cause.team_id, none.0, none.1, fingerprint, cause.at, none.1];
        tx.exec_at_commit(INSERT, &entry)?;
    }
    Ok(revoked)
}

/// Whether a key may have no certificate any more.
pub fn is_key_revoked(tx: &mut Tx<'_>, team_id: &str, fingerprint: &str) -> Result<bool, Refusal> {
    Ok(tx.query_one(KEY, &params![team_id, fingerprint])?.is_some())
}

/// What was revoked after a position.
pub fn after(tx: &mut Tx<'_>, team_id: &str, position: i64) -> Result<Vec<Entry>, Refusal> {
    let rows = tx.query(AFTER, &params![team_id, position])?;
    rows.into_iter()
        .map(|mut row| {
            let authority = row.opt_bytes(1)?.map(<[u8]>::to_vec);
            Ok(Entry {
                position: row.int(0)?,
                at: row.int(4)?,
                keep_until: row.opt_int(5)?,
                what: match (row.take_opt_text(3)?, authority, row.opt_int(2)?) {
                    (Some(fingerprint), ..) => Entered::Key(fingerprint),
                    (None, Some(authority), Some(serial)) => {
                        Entered::Certificate { authority, serial }
                    }
                    _ => Entered::Nothing,
                },
            })
        })
        .collect()
}

/// Forgets entries that ran out before that time.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}

fn told(tx: &mut Tx<'_>, cause: &Cause<'_>, one: &Revoked, why: &str) -> Result<(), Refusal> {
    let id = one.serial.to_string();
    record(tx, cause, "Certificate", (&id, &one.key_id), why)
}

fn told_key(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    fingerprint: &str,
    why: &str,
) -> Result<(), Refusal> {
    record(tx, cause, "Key", (fingerprint, fingerprint), why)
}

fn record(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    kind: &str,
    (id, name): (&str, &str),
    why: &str,
) -> Result<(), Refusal> {
    let changes = json!([{"attribute": "revoked", "new": why}]).to_string();
    let event = events::New {
        category: Category::SshCert,
        action: "revoke",
        outcome: Outcome::Ok,
        object_kind: Some(kind),
        object_id: Some(id),
        object_name: Some(name),
        version: None,
        changes: Some(&changes),
    };
    events::record_of(tx, cause, &event)
}
