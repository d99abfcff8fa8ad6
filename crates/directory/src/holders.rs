//! Who holds a session, a token or a passkey, and what they may do at this moment.

use crate::events::Cause;
use crate::permissions::{Level, Permissions};
use crate::revocations::{self, Revoke};
use crate::service_accounts;
use crate::{
    Actor, Refusal, accounts, identities, owners, passkeys, remote_identities, resolve, sessions,
    suspensions, users,
};
use portreeve_store::{Row, Tx, params, statements};
use serde::{Deserialize, Serialize};

statements! {
    /// Ids are UUIDs: the holder alone says whose it is.
    DELETE_TOKENS = "DELETE FROM api_tokens WHERE team_id = $1 AND holder_id = $2";
    HAS = "SELECT EXISTS (SELECT 1 FROM sessions WHERE team_id = $1 AND holder_id = $2 AND ended_at IS NULL AND idle_at > $3 AND expires_at > $3), EXISTS (SELECT 1 FROM certificates WHERE team_id = $1 AND holder_id = $2 AND valid_before > $3 AND revoked_at IS NULL), EXISTS (SELECT 1 FROM identities WHERE team_id = $1 AND holder_id = $2 AND not_after > $3 AND revoked_at IS NULL)";
    USER = "SELECT u.status, u.level, u.resource, (SELECT 1 FROM suspensions s WHERE s.directory_id = u.directory_id AND s.user_id = u.id) FROM users u JOIN directories d ON d.id = u.directory_id WHERE u.directory_id = $2 AND u.id = $3 AND d.team_id = $1";
}

/// Who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Holder {
    /// A user of a directory.
    User {
        /// The directory.
        directory_id: String,
        /// The user.
        id: String,
    },
    /// A local owner of the team.
    Owner(String),
    /// A service account of the team.
    Service(String),
}

impl Holder {
    /// `user`, `owner` or `service`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Owner(_) => "owner",
            Self::Service(_) => "service",
        }
    }

    /// The id of user, owner or service account.
    pub fn id(&self) -> &str {
        match self {
            Self::User { id, .. } | Self::Owner(id) | Self::Service(id) => id,
        }
    }

    /// The directory of a user.
    pub fn directory_id(&self) -> Option<&str> {
        match self {
            Self::User { directory_id, .. } => Some(directory_id),
            Self::Owner(_) | Self::Service(_) => None,
        }
    }

    /// Who events name.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User { id, .. } => Actor::User(id.clone()),
            Self::Owner(id) => Actor::Owner(id.clone()),
            Self::Service(id) => Actor::Service(id.clone()),
        }
    }

    /// From the three columns that hold it.
    pub(crate) fn from_row(
        row: &mut Row,
        kind: usize,
        directory_id: usize,
        id: usize,
    ) -> Result<Self, Refusal> {
        let holder_id = row.take_text(id)?;
        Ok(match row.text(kind)? {
            "owner" => Self::Owner(holder_id),
            "service" => Self::Service(holder_id),
            _ => Self::User {
                directory_id: row.take_opt_text(directory_id)?.unwrap_or_default(),
                id: holder_id,
            },
        })
    }
}

/// What somebody is and may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// For people: display name, else user name.
    pub name: String,
    /// The level; a service account has none, only permissions.
    pub level: Option<Level>,
    /// What they may do.
    pub permissions: Permissions,
}

/// What a holder is and may do now; `None` when gone or suspended.
pub fn standing(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder: &Holder,
) -> Result<Option<Standing>, Refusal> {
    match holder {
        Holder::User { directory_id, id } => user(tx, team_id, directory_id, id),
        Holder::Owner(id) => match owners::by_id(tx, team_id, id) {
            Ok(owner) => Ok(Some(of_level(owner.name, Level::Owner))),
            Err(Refusal::NotFound(..)) => Ok(None),
            Err(error) => Err(error),
        },
        Holder::Service(id) => match service_accounts::by_id(tx, team_id, id) {
            Ok(account) if account.active => Ok(Some(Standing {
                name: account.name,
                level: None,
                permissions: account.permissions,
            })),
            Ok(_) | Err(Refusal::NotFound(..)) => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// What people call a holder; `None` when gone.
pub fn name(tx: &mut Tx<'_>, team_id: &str, holder: &Holder) -> Result<Option<String>, Refusal> {
    let found = match holder {
        Holder::User { directory_id, id } => {
            users::by_id(tx, directory_id, id).and_then(|user| user.name())
        }
        Holder::Owner(id) => owners::by_id(tx, team_id, id).map(|owner| owner.name),
        Holder::Service(id) => service_accounts::by_id(tx, team_id, id).map(|account| account.name),
    };
    match found {
        Ok(name) => Ok(Some(name)),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Ends what somebody has open who may not come in any more: sessions end and certificates are revoked, with an event each.
pub fn shut_out(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    holder_id: &str,
    why: &str,
) -> Result<(), Refusal> {
    // One question for all of it, because most people have nothing.
    let Some(has) = tx.query_one(HAS, &params![cause.team_id, holder_id, cause.at])? else {
        return Ok(());
    };
    if has.bool(0)? {
        sessions::cut(tx, cause, holder_id, why)?;
    }
    if has.bool(1)? {
        revocations::revoke(tx, cause, Revoke::Holder(holder_id), why)?;
    }
    if has.bool(2)? {
        identities::revoke_of_holder(tx, cause, holder_id, why)?;
    }
    Ok(())
}

/// Removes everything that lets somebody in who is gone: sessions (those that live end with an event each), API tokens
/// and passkeys; certificates are revoked, and the name of their account on hosts is free. What became of them is in the log.
pub fn forget(tx: &mut Tx<'_>, cause: &Cause<'_>, holder_id: &str) -> Result<(), Refusal> {
    sessions::forget_of_holder(tx, cause, holder_id)?;
    revocations::revoke(tx, cause, Revoke::Holder(holder_id), "removed")?;
    identities::revoke_of_holder(tx, cause, holder_id, "removed")?;
    tx.exec(DELETE_TOKENS, &params![cause.team_id, holder_id])?;
    remote_identities::forget(tx, cause.team_id, holder_id)?;
    accounts::forget(tx, cause.team_id, holder_id, cause.at)?;
    passkeys::delete_of_holder(tx, cause.team_id, holder_id)
}

/// As [`forget`], for a user, with what was decided here about them and the accounts by which they signed in.
pub(crate) fn forget_user(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    directory_id: &str,
    id: &str,
) -> Result<(), Refusal> {
    suspensions::forget(tx, directory_id, id)?;
    resolve::unlink(tx, directory_id, id)?;
    forget(tx, cause, id)
}

fn user(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory_id: &str,
    id: &str,
) -> Result<Option<Standing>, Refusal> {
    let Some(row) = tx.query_one(USER, &params![team_id, directory_id, id])? else {
        return Ok(None);
    };
    if row.text(0)? != "active" || row.opt_int(3)?.is_some() {
        return Ok(None);
    }
    let level = Level::parse(row.text(1)?).unwrap_or(Level::User);
    let resource: serde_json::Value = serde_json::from_str(row.text(2)?).unwrap_or_default();
    let name = ["displayName", "userName"]
        .iter()
        .find_map(|member| resource[member].as_str().filter(|name| !name.is_empty()));
    Ok(Some(of_level(name.unwrap_or_default().to_owned(), level)))
}

fn of_level(name: String, level: Level) -> Standing {
    Standing {
        name,
        level: Some(level),
        permissions: level.permissions(),
    }
}
