//! Tablets at the door: each has a token, and sees and does what its location is for and nothing else.

use crate::bearer::{self, Kind, Presented};
use crate::visit_locations::{self, Location};
use crate::{Refusal, What, names};
use portreeve_store::{Row, Tx, params, statements};
use secrecy::SecretString;

statements! {
    INSERT = "INSERT INTO visit_devices (team_id, id, location_id, name, hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    BY_ID = "SELECT id, location_id, name, created_at, last_used_at, revoked_at, hash FROM visit_devices WHERE team_id = $1 AND id = $2";
    LIST = "SELECT id, location_id, name, created_at, last_used_at, revoked_at FROM visit_devices WHERE team_id = $1 AND location_id = $2 ORDER BY id";
    REVOKE = "UPDATE visit_devices SET revoked_at = $3 WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL";
    USED = "UPDATE visit_devices SET last_used_at = $3 WHERE team_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
}

/// A device as it may be shown: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// UUID.
    pub id: String,
    /// Where it stands.
    pub location_id: String,
    /// What people call it.
    pub name: String,
    /// Microseconds since 1970 UTC, as the following ones.
    pub created_at: i64,
    /// When it was last used, to the minute.
    pub last_used_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// Makes the token of a device. The secret is returned this once; only its hash is stored.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    (id, location): (&str, &Location),
    name: &str,
    now: i64,
) -> Result<(Device, SecretString), Refusal> {
    let name = names::checked("a device", name, 100)?;
    let (secret, hash) = bearer::make(Kind::Device, team_id, id)?;
    let row = params![team_id, id, &location.id, name, hash.as_ref(), now];
    tx.exec(INSERT, &row)?;
    let device = Device {
        id: id.to_owned(),
        location_id: location.id.clone(),
        name: name.to_owned(),
        created_at: now,
        last_used_at: None,
        revoked_at: None,
    };
    Ok((device, secret))
}

/// Whose secret it is that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A device's, with where it stands.
    Good(Device, Box<Location>),
    /// Of a device that was revoked.
    Revoked(Device),
    /// Nobody's.
    Unknown,
}

/// Whose secret it is that was presented.
pub fn verify(tx: &mut Tx<'_>, presented: &Presented) -> Result<Verdict, Refusal> {
    let (team_id, id) = (&presented.team_id, &presented.id);
    let Some(row) = tx.query_one(BY_ID, &params![team_id, id])? else {
        return Ok(Verdict::Unknown);
    };
    if !presented.is(row.bytes(6)?) {
        return Ok(Verdict::Unknown);
    }
    let device = from_row(row)?;
    if device.revoked_at.is_some() {
        return Ok(Verdict::Revoked(device));
    }
    let location = visit_locations::find(tx, team_id, &device.location_id)?;
    Ok(Verdict::Good(device, Box::new(location)))
}

/// Remembers that a device was used.
pub fn used(tx: &mut Tx<'_>, team_id: &str, id: &str, at: i64) -> Result<(), Refusal> {
    Ok(tx.exec(USED, &params![team_id, id, at])?)
}

/// One device.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Device, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Device, id.to_owned()))
        .and_then(from_row)
}

/// The devices of a location, oldest first, those included that were revoked.
pub fn list(tx: &mut Tx<'_>, team_id: &str, location_id: &str) -> Result<Vec<Device>, Refusal> {
    let rows = tx.query(LIST, &params![team_id, location_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Ends a token now. Revoking twice changes nothing.
pub fn revoke(tx: &mut Tx<'_>, team_id: &str, id: &str, now: i64) -> Result<Device, Refusal> {
    tx.exec(REVOKE, &params![team_id, id, now])?;
    by_id(tx, team_id, id)
}

fn from_row(mut row: Row) -> Result<Device, Refusal> {
    Ok(Device {
        created_at: row.int(3)?,
        last_used_at: row.opt_int(4)?,
        revoked_at: row.opt_int(5)?,
        id: row.take_text(0)?,
        location_id: row.take_text(1)?,
        name: row.take_text(2)?,
    })
}
