//! Users: people as a provider describes them, with the status and level that Portreeve keeps beside.

mod keys;
mod plan;
mod write;

pub use plan::{Change, Planned, plan_patch};
pub use write::{
    NewUser, REPORTS_AT_ONCE, create, delete, discard, patch, release_reports, replace, write,
};

use crate::{Refusal, What};
use portreeve_scim::Resource;
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// The user at a version as it will be: the resource, and what else is said to be different. SQLite writes every index anew
/// that a statement names a column of, whether its value is another one or not.
macro_rules! update {
    ($more:literal) => {
        concat!(
            "UPDATE users SET version = version + 1, updated_at = $4, resource = $5",
            $more,
            " WHERE directory_id = $1 AND id = $2 AND version = $3"
        )
    };
    (standing) => {
        update!(", status = $6, level = $7")
    };
    (keys) => {
        update!(", status = $6, level = $7, user_name_key = $8, external_id = $9, display_name_key = $10, manager_id = $11")
    };
}

statements! {
    BY_ID = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND id = $2";
    INSERT = "INSERT INTO users (directory_id, id, user_name_key, external_id, display_name_key, manager_id, status, level, version, created_at, updated_at, resource) VALUES ($1, $2, $3, $4, $5, $6, $7, 'user', 1, $8, $8, $9)";
    /// Nothing that an index has is different.
    UPDATE_RESOURCE = update!("");
    /// Status or level are, too.
    UPDATE_STANDING = update!(standing);
    /// Anything may be.
    UPDATE_KEYS = update!(keys);
    /// As `UPDATE_RESOURCE`; says whether there was that version, as the next two.
    UPDATE_RESOURCE_IF = concat!(update!(""), " RETURNING version");
    UPDATE_STANDING_IF = concat!(update!(standing), " RETURNING version");
    UPDATE_KEYS_IF = concat!(update!(keys), " RETURNING version");
    /// As `UPDATE_KEYS_IF`, and who else has the new `externalId`.
    UPDATE_KEYS_IF_AND_SEE = concat!(update!(keys), " RETURNING version, (SELECT o.id FROM users o WHERE o.directory_id = $1 AND o.external_id = $9 AND o.id <> $2 LIMIT 1)");
    DELETE = "DELETE FROM users WHERE directory_id = $1 AND id = $2";
    SAME_EXTERNAL_ID = "SELECT id FROM users WHERE directory_id = $1 AND external_id = $2 AND id <> $3 LIMIT 1";
    ACTIVE_SENT = "UPDATE directories SET active_sent_at = $2 WHERE id = $1 AND active_sent_at IS NULL";
    NEVER_SENT = "SELECT 1 FROM directories d WHERE d.id = $1 AND d.active_sent_at IS NULL AND EXISTS (SELECT 1 FROM users WHERE directory_id = $1)";
    REPORTS = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND manager_id = $2 ORDER BY id LIMIT $3";
    HAS_REPORTS = "SELECT 1 FROM users WHERE directory_id = $1 AND manager_id = $2 LIMIT 1";
    ADD_EMAIL = "INSERT INTO user_emails (directory_id, value_key, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DROP_EMAIL = "DELETE FROM user_emails WHERE directory_id = $1 AND value_key = $2 AND user_id = $3";
}

/// Whether a user may do what the groups allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Yes.
    Active,
    /// Deactivated at the source: kept, with memberships that do not count.
    Suspended,
    /// As `Suspended`, and not shown to visitors.
    Hidden,
}

impl Status {
    /// The name in the database and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Hidden => "hidden",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "active" => Self::Active,
            "hidden" => Self::Hidden,
            _ => Self::Suspended,
        }
    }
}

/// A user as stored, with what is derived from memberships.
#[derive(Debug, Clone)]
pub struct User {
    /// UUID; never reused.
    pub id: String,
    /// Whether the user may do what the groups allow.
    pub status: Status,
    /// Permission level: `owner`, `admin`, `auditor`, `user`.
    pub level: String,
    /// Rises with every change.
    pub version: i64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
    /// The resource as canonical JSON text, without `id`, `meta` and `groups`.
    pub resource: String,
    /// The groups, where they were asked for.
    pub groups: Vec<InGroup>,
}

/// A group that a user is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InGroup {
    /// Id of the group.
    pub id: String,
    /// Its name.
    pub display: String,
    /// Whether the user is a member itself, and not only through a nested group.
    pub direct: bool,
}

/// What `If-Match` asks for (RFC 7644 section 3.14).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// That the resource exists.
    Exists,
    /// That the resource is at one of these versions.
    Version(Vec<i64>),
}

impl Precondition {
    /// Refuses when the resource is at another version.
    pub fn check(&self, what: What, found: i64) -> Result<(), Refusal> {
        match self {
            Self::Version(wanted) if !wanted.contains(&found) => {
                Err(Refusal::Changed { what, found })
            }
            _ => Ok(()),
        }
    }
}

/// What a write did.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// The resource afterwards.
    pub now: T,
    /// Whether anything is different from before.
    pub changed: bool,
}

/// The user with that id, without groups.
pub fn by_id(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<User, Refusal> {
    let row = tx.query_one(BY_ID, &params![directory_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::User, id.to_owned()))
        .and_then(from_row)
}

/// Whether users have that id as their manager. After a deletion it means that there were more than
/// [`release_reports`] takes at once.
pub fn has_reports(tx: &mut Tx<'_>, directory_id: &str, manager: &str) -> Result<bool, Refusal> {
    let found = tx.query_one(HAS_REPORTS, &params![directory_id, manager])?;
    Ok(found.is_some())
}

/// Whether the provider has made users and never sent `active`, so that it cannot deactivate anybody.
pub fn active_is_never_sent(tx: &mut Tx<'_>, directory_id: &str) -> Result<bool, Refusal> {
    Ok(tx.query_one(NEVER_SENT, &params![directory_id])?.is_some())
}

/// Reads a row of the columns `id, status, level, version, created_at, updated_at, resource`.
pub(crate) fn from_row(mut row: Row) -> Result<User, Refusal> {
    Ok(User {
        status: Status::parse(row.text(1)?),
        version: row.int(3)?,
        created_at: row.int(4)?,
        updated_at: row.int(5)?,
        id: row.take_text(0)?,
        level: row.take_text(2)?,
        resource: row.take_text(6)?,
        groups: Vec::new(),
    })
}

impl User {
    /// The stored resource as a checked value.
    pub fn parsed(&self) -> Result<Resource, Refusal> {
        Ok(Resource::from_stored(stored_map(&self.resource)?))
    }

    /// The name for people: `displayName`, else `userName`.
    pub fn name(&self) -> Result<String, Refusal> {
        let resource = self.parsed()?;
        let name = resource.display_name().filter(|name| !name.is_empty());
        Ok(name.or(resource.user_name()).unwrap_or_default().to_owned())
    }
}

/// Reads a stored resource. It was written by this program, so failure means a damaged database.
pub(crate) fn stored_map(text: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        Refusal::Store(portreeve_store::Error::Failed(format!(
            "a stored resource is not JSON: {error}; restore the database from a backup"
        )))
    })
}
