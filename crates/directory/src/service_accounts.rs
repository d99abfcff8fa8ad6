//! Service accounts: machine identities that a team makes itself. They are never provisioned, do not sign in, and have API
//! tokens of their own.

use crate::permissions::Permissions;
use crate::{Refusal, What, names};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};

statements! {
    INSERT = "INSERT INTO service_accounts (team_id, id, name, name_key, permissions, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'active', $6, $6)";
    BY_ID = "SELECT id, name, permissions, status, created_at, updated_at FROM service_accounts WHERE team_id = $1 AND id = $2";
    BY_NAME = "SELECT id, name, permissions, status, created_at, updated_at FROM service_accounts WHERE team_id = $1 AND name_key = $2";
    LIST = "SELECT id, name, permissions, status, created_at, updated_at FROM service_accounts WHERE team_id = $1 ORDER BY name_key";
    UPDATE = "UPDATE service_accounts SET name = $3, name_key = $4, permissions = $5, status = $6, updated_at = $7 WHERE team_id = $1 AND id = $2";
    DELETE = "DELETE FROM service_accounts WHERE team_id = $1 AND id = $2";
    DELETE_TOKENS = "DELETE FROM api_tokens WHERE team_id = $1 AND holder_kind = 'service' AND holder_id = $2";
}

/// A machine identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// UUID.
    pub id: String,
    /// What people call it; unique in the team.
    pub name: String,
    /// The most that its tokens may do.
    pub permissions: Permissions,
    /// Whether its tokens work.
    pub active: bool,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
}

/// Makes a service account.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    name: &str,
    permissions: Permissions,
    now: i64,
) -> Result<ServiceAccount, Refusal> {
    let name = names::checked("a service account", name, 100)?;
    let (key, may) = (fold(name), permissions.to_text());
    tx.exec(
        INSERT,
        &params![team_id, id, name, key.as_ref(), may.as_str(), now],
    )?;
    Ok(ServiceAccount {
        id: id.to_owned(),
        name: name.to_owned(),
        permissions,
        active: true,
        created_at: now,
        updated_at: now,
    })
}

/// The service account with that id.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<ServiceAccount, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::ServiceAccount, id.to_owned()))
        .and_then(from_row)
}

/// The service account with that id or name.
pub fn find(tx: &mut Tx<'_>, team_id: &str, wanted: &str) -> Result<ServiceAccount, Refusal> {
    match by_id(tx, team_id, wanted) {
        Err(Refusal::NotFound(..)) => {
            let row = tx.query_one(BY_NAME, &params![team_id, fold(wanted).as_ref()])?;
            row.ok_or_else(|| Refusal::NotFound(What::ServiceAccount, wanted.to_owned()))
                .and_then(from_row)
        }
        found => found,
    }
}

/// The service accounts of a team by name.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<ServiceAccount>, Refusal> {
    tx.query(LIST, &params![team_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Writes name, permissions and whether it is active.
pub fn update(
    tx: &mut Tx<'_>,
    team_id: &str,
    account: &ServiceAccount,
    now: i64,
) -> Result<(), Refusal> {
    let name = names::checked("a service account", &account.name, 100)?;
    let status = if account.active {
        "active"
    } else {
        "suspended"
    };
    let (key, may) = (fold(name), account.permissions.to_text());
    let id = &account.id;
    Ok(tx.exec(
        UPDATE,
        &params![team_id, id, name, key.as_ref(), may.as_str(), status, now],
    )?)
}

/// Removes a service account with its tokens.
pub fn delete(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<(), Refusal> {
    tx.exec(DELETE_TOKENS, &params![team_id, id])?;
    Ok(tx.exec(DELETE, &params![team_id, id])?)
}

fn from_row(mut row: Row) -> Result<ServiceAccount, Refusal> {
    Ok(ServiceAccount {
        permissions: Permissions::from_text(row.text(2)?),
        active: row.text(3)? == "active",
        created_at: row.int(4)?,
        updated_at: row.int(5)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
}
