//! Passkeys, by which owners sign in without an identity provider. Whether an authenticator's answer is right is
//! WebAuthn's matter; here is what is kept of each passkey.

use crate::holders::Holder;
use crate::{Refusal, What, names};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_store::{Row, Tx, params, statements};
use uuid::Uuid;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "id, holder_kind, directory_id, holder_id, name, backup_eligible, created_at, last_used_at"
    };
}

statements! {
    INSERT = "INSERT INTO passkeys (team_id, id, holder_kind, directory_id, holder_id, name, public_key, counter, backup_eligible, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_ID = concat!("SELECT ", columns!(), ", public_key, counter FROM passkeys WHERE team_id = $1 AND id = $2");
    OF_HOLDER = concat!("SELECT ", columns!(), " FROM passkeys WHERE team_id = $1 AND holder_id = $2 ORDER BY created_at, id");
    USED = "UPDATE passkeys SET counter = $4, last_used_at = $5 WHERE team_id = $1 AND id = $2 AND counter = $3 RETURNING id";
    DELETE = "DELETE FROM passkeys WHERE team_id = $1 AND id = $2";
    DELETE_OF_HOLDER = "DELETE FROM passkeys WHERE team_id = $1 AND holder_id = $2";
}

/// The most passkeys that one holder has.
pub const MOST: usize = 20;

/// The most characters of a name.
const NAME: usize = 64;

const ID_BYTES: usize = 16;

/// A passkey as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The credential's id, in base64url.
    pub id: String,
    /// Whom it signs in.
    pub holder: Holder,
    /// What its holder calls it.
    pub name: String,
    /// Whether it may be copied to other devices of its holder.
    pub backup_eligible: bool,
    /// Microseconds since 1970 UTC, as the following one.
    pub created_at: i64,
    /// When somebody last signed in with it.
    pub last_used_at: Option<i64>,
}

impl Passkey {
    /// The credential's id as the authenticator knows it.
    pub fn credential_id(&self) -> Vec<u8> {
        // It was made by `id_of`.
        URL_SAFE_NO_PAD.decode(&self.id).unwrap_or_default()
    }
}

/// A passkey with what its signatures are checked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What may be shown of it.
    pub passkey: Passkey,
    /// A COSE key.
    pub public_key: Vec<u8>,
    /// How often it had signed when it was last used.
    pub counter: u32,
}

/// A passkey to be kept, after its registration was verified.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// The credential's id.
    pub credential_id: &'a [u8],
    /// Whom it signs in.
    pub holder: &'a Holder,
    /// What its holder calls it.
    pub name: &'a str,
    /// A COSE key.
    pub public_key: &'a [u8],
    /// How often it has signed.
    pub counter: u32,
    /// Whether it may be copied to other devices of its holder.
    pub backup_eligible: bool,
}

/// What an authenticator keeps to name a holder: team and holder, which tells strangers nothing.
pub fn user_handle(team_id: &str, holder_id: &str) -> [u8; 2 * ID_BYTES] {
    let uuid = |text| Uuid::parse_str(text).unwrap_or_default();
    let mut handle = [0; 2 * ID_BYTES];
    let (team, holder) = handle.split_at_mut(ID_BYTES);
    team.copy_from_slice(uuid(team_id).as_bytes());
    holder.copy_from_slice(uuid(holder_id).as_bytes());
    handle
}

/// The team that a user handle names; `None` where it is none of ours.
pub fn team_of(user_handle: &[u8]) -> Option<String> {
    let (team, holder) = user_handle.split_at_checked(ID_BYTES)?;
    let team = Uuid::from_slice(team).ok()?;
    (holder.len() == ID_BYTES).then(|| team.to_string())
}

/// The text by which a credential is found.
pub fn id_of(credential_id: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(credential_id)
}

/// Keeps a passkey.
pub fn add(tx: &mut Tx<'_>, team_id: &str, new: &New<'_>, now: i64) -> Result<Passkey, Refusal> {
    let name = names::checked("a passkey", new.name, NAME)?;
    let id = id_of(new.credential_id);
    if by_id(tx, team_id, &id)?.is_some() {
        return Err(Refusal::Conflict {
            what: What::Passkey,
            attribute: "id",
        });
    }
    if of_holder(tx, team_id, new.holder.id())?.len() >= MOST {
        return Err(Refusal::Invalid {
            attribute: "passkey",
            reason: format!("nobody has more than {MOST} passkeys; remove one first"),
        });
    }
    tx.exec(
        INSERT,
        &params![
            team_id,
            &id,
            new.holder.kind(),
            new.holder.directory_id(),
            new.holder.id(),
            name,
            new.public_key,
            i64::from(new.counter),
            new.backup_eligible,
            now
        ],
    )?;
    Ok(Passkey {
        id,
        holder: new.holder.clone(),
        name: name.to_owned(),
        backup_eligible: new.backup_eligible,
        created_at: now,
        last_used_at: None,
    })
}

/// The passkey with that id, and what its signatures are checked by.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Option<Kept>, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![team_id, id])? else {
        return Ok(None);
    };
    Ok(Some(Kept {
        public_key: row.bytes(8)?.to_vec(),
        counter: u32::try_from(row.int(9)?).unwrap_or(u32::MAX),
        passkey: from_row(row)?,
    }))
}

/// The passkeys of one holder, the first one first.
pub fn of_holder(tx: &mut Tx<'_>, team_id: &str, holder_id: &str) -> Result<Vec<Passkey>, Refusal> {
    tx.query(OF_HOLDER, &params![team_id, holder_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Remembers a verified use of a passkey, unless it was used or removed since it was read. Whether it was remembered: of
/// two that were signed at the same count, one is a copy's.
pub fn used(
    tx: &mut Tx<'_>,
    team_id: &str,
    kept: &Kept,
    counter: u32,
    now: i64,
) -> Result<bool, Refusal> {
    let (before, after) = (i64::from(kept.counter), i64::from(counter));
    let row = params![team_id, &kept.passkey.id, before, after, now];
    Ok(tx.query_one(USED, &row)?.is_some())
}

/// Removes a passkey of a holder; what it was.
pub fn delete(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    id: &str,
) -> Result<Passkey, Refusal> {
    let kept = by_id(tx, team_id, id)?.filter(|kept| kept.passkey.holder.id() == holder_id);
    let kept = kept.ok_or_else(|| Refusal::NotFound(What::Passkey, id.to_owned()))?;
    tx.exec(DELETE, &params![team_id, id])?;
    Ok(kept.passkey)
}

/// Removes all passkeys of a holder.
pub fn delete_of_holder(tx: &mut Tx<'_>, team_id: &str, holder_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE_OF_HOLDER, &params![team_id, holder_id])?)
}

fn from_row(mut row: Row) -> Result<Passkey, Refusal> {
    Ok(Passkey {
        holder: Holder::from_row(&mut row, 1, 2, 3)?,
        backup_eligible: row.bool(5)?,
        created_at: row.int(6)?,
        last_used_at: row.opt_int(7)?,
        id: row.take_text(0)?,
        name: row.take_text(4)?,
    })
}
