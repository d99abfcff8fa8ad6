//! Groups: sets of users and of other groups. A group never carries its members around; see [`crate::members`].

mod write;

pub use write::{
    change_members, create, delete, discard, patch, refresh_unique_names, replace, update,
};

use crate::{Refusal, What};
use portreeve_scim::Resource;
use portreeve_store::{Row, Tx, params, statements};

statements! {
    BY_ID = "SELECT id, display_name, version, created_at, updated_at, resource FROM groups WHERE directory_id = $1 AND id = $2 AND status = 'active'";
    KEPT = "SELECT id, display_name, version, created_at, updated_at, resource FROM groups WHERE directory_id = $1 AND display_name_key = $2 AND status = 'kept' ORDER BY id LIMIT 1";
    INSERT = "INSERT INTO groups (directory_id, id, display_name, display_name_key, unique_name_key, external_id, status, version, created_at, updated_at, resource) VALUES ($1, $2, $3, $4, $5, $6, 'active', 1, $7, $7, $8)";
    UPDATE = "UPDATE groups SET display_name = $4, display_name_key = $5, unique_name_key = $6, external_id = $7, status = $8, version = version + 1, updated_at = $9, resource = $10 WHERE directory_id = $1 AND id = $2 AND version = $3";
    DELETE = "DELETE FROM groups WHERE directory_id = $1 AND id = $2";
    UNIQUE_ON = "UPDATE groups SET unique_name_key = display_name_key WHERE directory_id = $1 AND status = 'active'";
    UNIQUE_OFF = "UPDATE groups SET unique_name_key = NULL WHERE directory_id = $1";
}

/// A group as stored, without its members.
#[derive(Debug, Clone)]
pub struct Group {
    /// UUID; never reused for another group.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// Rises with every change, those of members included.
    pub version: i64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
    /// The resource as canonical JSON text, without `id`, `meta` and `members`.
    pub resource: String,
}

/// The group with that id. A group that was deleted at the source and is kept here is not found.
pub fn by_id(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<Group, Refusal> {
    let row = tx.query_one(BY_ID, &params![directory_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Group, id.to_owned()))
        .and_then(from_row)
}

/// Reads a row of the columns `id, display_name, version, created_at, updated_at, resource`.
pub(crate) fn from_row(mut row: Row) -> Result<Group, Refusal> {
    Ok(Group {
        version: row.int(2)?,
        created_at: row.int(3)?,
        updated_at: row.int(4)?,
        id: row.take_text(0)?,
        display_name: row.take_text(1)?,
        resource: row.take_text(5)?,
    })
}

impl Group {
    /// The stored resource as a checked value.
    pub fn parsed(&self) -> Result<Resource, Refusal> {
        Ok(Resource::from_stored(crate::users::stored_map(
            &self.resource,
        )?))
    }
}
