//! The secret tokens of directories: make, see, rotate and revoke them. A secret is in one answer only.

use super::directories::tenant_url;
use super::view::{At, Shown};
use super::{Admin, Object, change};
use crate::app::App;
use crate::contact;
use portreeve_directory::directories::Directory;
use portreeve_directory::tokens::{self, Token};
use portreeve_directory::{Refusal, events, names};
use portreeve_scim::time;
use portreeve_store::Tx;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How long old tokens go on by default when new ones are made in their place (seconds).
pub(crate) const OVERLAP_S: u64 = 24 * 3600;
/// The longest overlap, in seconds: ten years.
const LONGEST_OVERLAP_S: u64 = 10 * 366 * 24 * 3600;

/// A token to be made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What people call it.
    pub(crate) name: Option<String>,
    /// When it stops working (RFC 3339).
    pub(crate) expires_at: Option<String>,
}

/// A token to be made in the place of the others.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// What people call it.
    pub(crate) name: Option<String>,
    /// When it stops working (RFC 3339).
    pub(crate) expires_at: Option<String>,
    /// How long the others go on; a day where it is left out.
    pub(crate) overlap_seconds: Option<u64>,
}

/// Whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenStatus {
    /// It works.
    Active,
    /// It is past its end.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl TokenStatus {
    /// At a time.
    pub(super) fn at(now: i64, revoked_at: Option<i64>, expires_at: Option<i64>) -> Self {
        match (revoked_at, expires_at) {
            (Some(_), _) => Self::Revoked,
            (None, Some(end)) if end <= now => Self::Expired,
            _ => Self::Active,
        }
    }
}

/// A token as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TokenView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: TokenStatus,
    pub(crate) created_at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<At>,
}

impl TokenView {
    fn of(token: &Token, now: i64) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            status: TokenStatus::at(now, token.revoked_at, token.expires_at),
            created_at: At(token.created_at),
            expires_at: token.expires_at.map(At),
            revoked_at: token.revoked_at.map(At),
            last_used_at: token.last_used_at.map(At),
        }
    }
}

/// A new token with everything that the provider's form asks for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    pub(crate) token: TokenView,
    pub(crate) tenant_url: String,
    /// Shown this once.
    pub(crate) secret_token: Shown,
}

impl MadeToken {
    fn of(
        directory: &Directory,
        token: &Token,
        secret: SecretString,
        base: &str,
        now: i64,
    ) -> Self {
        Self {
            token: TokenView::of(token, now),
            tenant_url: tenant_url(directory, base),
            secret_token: Shown(secret),
        }
    }
}

/// A new token in the place of others.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RotatedToken {
    #[serde(flatten)]
    pub(crate) made: MadeToken,
    /// Those that end because of it.
    pub(crate) ending: Vec<EndingToken>,
}

/// A token that ends because another one takes its place.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct EndingToken {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) expires_at: At,
}

/// The tokens of a directory, oldest first.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    directory: &str,
) -> Result<Vec<TokenView>, Refusal> {
    contact::flush(app).await;
    let (admin, which) = (admin.clone(), directory.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let tokens = tokens::list(tx, &directory.id)?;
        let views = tokens.iter().map(|token| TokenView::of(token, admin.at));
        Ok(views.collect())
    });
    read.await
}

/// Makes one more token.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    directory: &str,
    wanted: NewToken,
) -> Result<MadeToken, Refusal> {
    let end = end(wanted.expires_at.as_deref())?;
    let (admin, which, base) = (admin.clone(), directory.to_owned(), app.public_url());
    let made = change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        admin.may_decide(tx, &directory)?;
        let name = wanted.name.as_deref().unwrap_or_default();
        let (token, secret) = make(tx, &admin, &directory, name, end)?;
        Ok(MadeToken::of(&directory, &token, secret, &base, admin.at))
    });
    made.await
}

/// Makes a token in the place of the others, which end after an overlap.
pub(crate) async fn rotate(
    app: &App,
    admin: &Admin,
    directory: &str,
    wanted: Rotation,
) -> Result<RotatedToken, Refusal> {
    let end = end(wanted.expires_at.as_deref())?;
    let last = admin.at + overlap(wanted.overlap_seconds)?;
    let (admin, which, base) = (admin.clone(), directory.to_owned(), app.public_url());
    let rotated = change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        admin.may_decide(tx, &directory)?;
        let name = wanted.name.as_deref().unwrap_or_default();
        let (token, secret) = make(tx, &admin, &directory, name, end)?;
        let mut ending = Vec::new();
        for old in tokens::list(tx, &directory.id)? {
            let live = old.revoked_at.is_none() && old.expires_at.is_none_or(|end| end > last);
            if old.id == token.id || !live {
                continue;
            }
            let now = tokens::end(tx, &directory.id, &old.id, last)?;
            let changes = events::diff(&compared(&old, admin.at), &compared(&now, admin.at));
            admin.record(tx, &directory, "rotate", &object(&old), changes.as_deref())?;
            ending.push(EndingToken {
                id: old.id,
                name: old.name,
                expires_at: At(last),
            });
        }
        Ok(RotatedToken {
            made: MadeToken::of(&directory, &token, secret, &base, admin.at),
            ending,
        })
    });
    rotated.await
}

/// Ends a token now.
pub(crate) async fn revoke(
    app: &App,
    admin: &Admin,
    directory: &str,
    id: &str,
) -> Result<TokenView, Refusal> {
    let (admin, which, id) = (admin.clone(), directory.to_owned(), id.to_owned());
    let revoked = change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        let token = tokens::revoke(tx, &directory.id, &id, admin.at)?;
        if token.revoked_at == Some(admin.at) {
            admin.record(tx, &directory, "revoke", &object(&token), None)?;
        }
        Ok(TokenView::of(&token, admin.at))
    });
    revoked.await
}

/// Makes a token with its event, and gives its secret out for this once.
pub(super) fn make(
    tx: &mut Tx<'_>,
    admin: &Admin,
    directory: &Directory,
    name: &str,
    end: Option<i64>,
) -> Result<(Token, SecretString), Refusal> {
    if !directory.is_fed() {
        return Err(Refusal::Invalid {
            attribute: "directory",
            reason: format!(
                "\"{}\" is edited in Portreeve itself, so no provider needs a token for it",
                directory.name
            ),
        });
    }
    names::checked_if_any("a token", name, 100)?;
    let id = admin.ids.next(admin.at);
    let (token, secret) = tokens::create(tx, &directory.id, id, name, end, admin.at)?;
    let changes = Value::Object(compared(&token, admin.at)).to_string();
    admin.record(tx, directory, "create", &object(&token), Some(&changes))?;
    Ok((token, secret))
}

/// A time that a request names.
pub(super) fn end(text: Option<&str>) -> Result<Option<i64>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    let read = time::parse(text).map(Some);
    read.ok_or_else(|| Refusal::Invalid {
        attribute: "expires_at",
        reason: format!("\"{text}\" is no time; write it as 2027-01-31T00:00:00Z"),
    })
}

/// For how long old tokens go on (microseconds).
pub(super) fn overlap(seconds: Option<u64>) -> Result<i64, Refusal> {
    let overlap = seconds.unwrap_or(OVERLAP_S);
    if overlap > LONGEST_OVERLAP_S {
        return Err(Refusal::Invalid {
            attribute: "overlap_seconds",
            reason: format!("at most {LONGEST_OVERLAP_S}"),
        });
    }
    Ok(i64::try_from(overlap).unwrap_or(i64::MAX) * 1_000_000)
}

fn object(token: &Token) -> Object<'_> {
    Object {
        kind: "Token",
        id: &token.id,
        name: &token.name,
    }
}

/// What an event compares.
fn compared(token: &Token, now: i64) -> Map<String, Value> {
    super::members_of(&TokenView::of(token, now))
}
