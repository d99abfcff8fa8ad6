//! Secret tokens of a directory: shown once, stored hashed, several at a time so that they can be rotated, with an end.

use crate::{Refusal, What};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_store::{Row, Tx, params, statements};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use subtle::ConstantTimeEq;
use uuid::Uuid;

statements! {
    INSERT = "INSERT INTO tokens (directory_id, id, name, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    INSERT_TEST = "INSERT INTO tokens (directory_id, id, name, hash, created_at, expires_at, purpose) VALUES ($1, $2, '', $3, $4, $5, 'test')";
    FORGET = "DELETE FROM tokens WHERE directory_id = $1 AND id = $2";
    BY_ID = "SELECT id, name, created_at, expires_at, revoked_at, last_used_at, purpose, hash FROM tokens WHERE directory_id = $1 AND id = $2";
    LIST = "SELECT id, name, created_at, expires_at, revoked_at, last_used_at, purpose FROM tokens WHERE directory_id = $1 AND purpose IS NULL ORDER BY id";
    REVOKE = "UPDATE tokens SET revoked_at = $3 WHERE directory_id = $1 AND id = $2 AND revoked_at IS NULL";
    END = "UPDATE tokens SET expires_at = $3 WHERE directory_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)";
    USED = "UPDATE tokens SET last_used_at = $3 WHERE directory_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";
}

/// What every token starts with, so that secret scanners recognise it.
pub const PREFIX: &str = "prv_scim_";

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// A token as it may be shown: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// UUID.
    pub id: String,
    /// What an admin calls it.
    pub name: String,
    /// Microseconds since 1970 UTC, as the following ones.
    pub created_at: i64,
    /// When it stops working.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// Whether only a test of the connection uses it: then no provider was heard of.
    pub is_test: bool,
}

/// Why a token is not accepted. The client hears one sentence; the log says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    /// It is not of the form of our tokens.
    #[error("the token is not one of Portreeve's; copy it again from where it was created")]
    Malformed,
    /// There is no such token in this directory.
    #[error("the token does not belong to this directory; check the tenant URL and the token")]
    Unknown,
    /// Revoked.
    #[error("the token has been revoked; create a new one")]
    Revoked,
    /// Past its end.
    #[error("the token has expired; create a new one")]
    Expired,
}

impl Denied {
    /// The reason code for events.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::Unknown => "token_unknown",
            Self::Revoked => "token_revoked",
            Self::Expired => "token_expired",
        }
    }
}

/// Makes a token. The secret is returned this once; only its hash is stored.
pub fn create(
    tx: &mut Tx<'_>,
    directory_id: &str,
    id: Uuid,
    name: &str,
    expires_at: Option<i64>,
    now: i64,
) -> Result<(Token, SecretString), Refusal> {
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::Invalid {
            attribute: "expires",
            reason: "the end of a token must lie in the future".into(),
        });
    }
    let secret = make_secret(id)?;
    let id = id.to_string();
    tx.exec(
        INSERT,
        &params![
            directory_id,
            &id,
            name,
            hash(secret.expose_secret()).as_ref(),
            now,
            expires_at
        ],
    )?;
    Ok((
        Token {
            id,
            name: name.to_owned(),
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            is_test: false,
        },
        secret,
    ))
}

/// Makes a token for a test of the connection. It is in no list, and forgotten after the test.
pub fn create_test(
    tx: &mut Tx<'_>,
    directory_id: &str,
    id: Uuid,
    expires_at: i64,
    now: i64,
) -> Result<SecretString, Refusal> {
    let secret = make_secret(id)?;
    let (id, hash) = (id.to_string(), hash(secret.expose_secret()));
    tx.exec(
        INSERT_TEST,
        &params![directory_id, &id, hash.as_ref(), now, expires_at],
    )?;
    Ok(secret)
}

/// Removes a token as if it had never been.
pub fn forget(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET, &params![directory_id, id])?)
}

fn make_secret(id: Uuid) -> Result<SecretString, Refusal> {
    let mut bytes = [0; ID_BYTES + SECRET_BYTES];
    let (id_part, secret_part) = bytes.split_at_mut(ID_BYTES);
    id_part.copy_from_slice(id.as_bytes());
    rand::fill(secret_part).map_err(|_| Refusal::Invalid {
        attribute: "token",
        reason: "the machine gives no random numbers".into(),
    })?;
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    Ok(SecretString::from(text))
}

/// Checks a presented secret against the tokens of a directory. The comparison takes the same time wherever it fails.
pub fn verify(
    tx: &mut Tx<'_>,
    directory_id: &str,
    presented: &str,
    now: i64,
) -> Result<Result<Token, Denied>, Refusal> {
    let Some(id) = id_of(presented) else {
        return Ok(Err(Denied::Malformed));
    };
    let Some(row) = tx.query_one(BY_ID, &params![directory_id, &id])? else {
        return Ok(Err(Denied::Unknown));
    };
    if !bool::from(row.bytes(7)?.ct_eq(hash(presented).as_ref())) {
        return Ok(Err(Denied::Unknown));
    }
    let token = from_row(row)?;
    Ok(match (token.revoked_at, token.expires_at) {
        (Some(_), _) => Err(Denied::Revoked),
        (None, Some(end)) if end <= now => Err(Denied::Expired),
        _ => Ok(token),
    })
}

/// The SHA-256 of a presented secret; also the key under which a verified token may be remembered.
/// A plain hash is enough because the secret is 256 random bits.
pub fn hash(secret: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    out
}

/// The tokens of a directory, oldest first, revoked ones included.
pub fn list(tx: &mut Tx<'_>, directory_id: &str) -> Result<Vec<Token>, Refusal> {
    tx.query(LIST, &params![directory_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Ends a token now. Revoking twice changes nothing.
pub fn revoke(tx: &mut Tx<'_>, directory_id: &str, id: &str, now: i64) -> Result<Token, Refusal> {
    tx.exec(REVOKE, &params![directory_id, id, now])?;
    let row = tx.query_one(BY_ID, &params![directory_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Token, id.to_owned()))
        .and_then(from_row)
}

/// Gives a token an end, unless it has an earlier one.
pub fn end(tx: &mut Tx<'_>, directory_id: &str, id: &str, at: i64) -> Result<Token, Refusal> {
    tx.exec(END, &params![directory_id, id, at])?;
    let row = tx.query_one(BY_ID, &params![directory_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Token, id.to_owned()))
        .and_then(from_row)
}

/// Remembers when a token was last used; never moves back.
pub fn used(tx: &mut Tx<'_>, directory_id: &str, id: &str, at: i64) -> Result<(), Refusal> {
    Ok(tx.exec(USED, &params![directory_id, id, at])?)
}

fn id_of(presented: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD
        .decode(presented.strip_prefix(PREFIX)?)
        .ok()?;
    let id = bytes.get(..ID_BYTES)?;
    (bytes.len() == ID_BYTES + SECRET_BYTES)
        .then(|| Uuid::from_slice(id).ok().map(|id| id.to_string()))?
}

fn from_row(mut row: Row) -> Result<Token, Refusal> {
    Ok(Token {
        created_at: row.int(2)?,
        expires_at: row.opt_int(3)?,
        revoked_at: row.opt_int(4)?,
        last_used_at: row.opt_int(5)?,
        is_test: row.opt_text(6)?.is_some(),
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
}
