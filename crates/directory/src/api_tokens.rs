//! API tokens: they let a program do some of what their holder may do. Shown once, stored hashed, with an end.

use crate::bearer::{self, Kind, Presented};
use crate::holders::Holder;
use crate::permissions::Permissions;
use crate::tokens::Denied;
use crate::{Refusal, What, names};
use portreeve_store::{Row, Tx, params, statements};
use secrecy::SecretString;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "id, name, holder_kind, directory_id, holder_id, permissions, created_at, expires_at, revoked_at, last_used_at"
    };
}

statements! {
    INSERT = "INSERT INTO api_tokens (team_id, id, name, hash, holder_kind, directory_id, holder_id, permissions, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_ID = concat!("SELECT ", columns!(), ", hash FROM api_tokens WHERE team_id = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM api_tokens WHERE team_id = $1 ORDER BY id");
    LIST_OF = concat!("SELECT ", columns!(), " FROM api_tokens WHERE team_id = $1 AND holder_id = $2 ORDER BY id");
    REVOKE = "UPDATE api_tokens SET revoked_at = $3 WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL";
    END = "UPDATE api_tokens SET expires_at = $3 WHERE team_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)";
    USED = "UPDATE api_tokens SET last_used_at = $3 WHERE team_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
}

/// A token as it may be shown: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// UUID.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// For whom it acts.
    pub holder: Holder,
    /// The most that it may do; never more than its holder may at the moment.
    pub permissions: Permissions,
    /// Microseconds since 1970 UTC, as the following ones.
    pub created_at: i64,
    /// When it stops working.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was last used.
    pub last_used_at: Option<i64>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// UUID.
    pub id: &'a str,
    /// What people call it; at most 100 characters.
    pub name: &'a str,
    /// For whom it acts.
    pub holder: &'a Holder,
    /// The most that it may do.
    pub permissions: Permissions,
    /// When it stops working.
    pub expires_at: Option<i64>,
}

/// Makes a token. The secret is returned this once; only its hash is stored.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    new: &New<'_>,
    now: i64,
) -> Result<(ApiToken, SecretString), Refusal> {
    let invalid = |attribute, reason: &str| Refusal::Invalid {
        attribute,
        reason: reason.to_owned(),
    };
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(invalid(
            "expires_at",
            "the end of a token must lie in the future",
        ));
    }
    names::checked_if_any("a token", new.name, 100)?;
    let (secret, hash) = bearer::make(Kind::Api, team_id, new.id)?;
    tx.exec(
        INSERT,
        &params![
            team_id,
            new.id,
            new.name,
            hash.as_ref(),
            new.holder.kind(),
            new.holder.directory_id(),
            new.holder.id(),
            new.permissions.to_text().as_str(),
            now,
            new.expires_at
        ],
    )?;
    let token = ApiToken {
        id: new.id.to_owned(),
        name: new.name.to_owned(),
        holder: new.holder.clone(),
        permissions: new.permissions,
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    Ok((token, secret))
}

/// The token of a presented secret, if it is good.
pub fn verify(
    tx: &mut Tx<'_>,
    presented: &Presented,
    now: i64,
) -> Result<Result<ApiToken, Denied>, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![&presented.team_id, &presented.id])? else {
        return Ok(Err(Denied::Unknown));
    };
    if !presented.is(row.bytes(10)?) {
        return Ok(Err(Denied::Unknown));
    }
    let token = from_row(row)?;
    Ok(match (token.revoked_at, token.expires_at) {
        (Some(_), _) => Err(Denied::Revoked),
        (None, Some(end)) if end <= now => Err(Denied::Expired),
        _ => Ok(token),
    })
}

/// One token of a team.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<ApiToken, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::ApiToken, id.to_owned()))
        .and_then(from_row)
}

/// The tokens of a team, oldest first, revoked ones included.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<ApiToken>, Refusal> {
    tx.query(LIST, &params![team_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// The tokens of one holder, oldest first.
pub fn list_of(tx: &mut Tx<'_>, team_id: &str, holder: &Holder) -> Result<Vec<ApiToken>, Refusal> {
    let rows = tx.query(LIST_OF, &params![team_id, holder.id()])?;
    rows.into_iter().map(from_row).collect()
}

/// Ends a token now. Revoking twice changes nothing.
pub fn revoke(tx: &mut Tx<'_>, team_id: &str, id: &str, now: i64) -> Result<ApiToken, Refusal> {
    tx.exec(REVOKE, &params![team_id, id, now])?;
    by_id(tx, team_id, id)
}

/// Gives a token an end, unless it has an earlier one.
pub fn end(tx: &mut Tx<'_>, team_id: &str, id: &str, at: i64) -> Result<ApiToken, Refusal> {
    tx.exec(END, &params![team_id, id, at])?;
    by_id(tx, team_id, id)
}

/// Remembers when a token was last used; never moves back.
pub fn used(tx: &mut Tx<'_>, team_id: &str, id: &str, at: i64) -> Result<(), Refusal> {
    Ok(tx.exec(USED, &params![team_id, id, at])?)
}

fn from_row(mut row: Row) -> Result<ApiToken, Refusal> {
    Ok(ApiToken {
        holder: Holder::from_row(&mut row, 2, 3, 4)?,
        permissions: Permissions::from_text(row.text(5)?),
        created_at: row.int(6)?,
        expires_at: row.opt_int(7)?,
        revoked_at: row.opt_int(8)?,
        last_used_at: row.opt_int(9)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
}
