//! API tokens: one's own, and those of service accounts. A secret is in one answer only.
//!
//! A token may never do more than its holder may at the moment, and nobody makes one that may do more than they may
//! themselves; so a token is put in the place of another one by its holder only, or, for a service account, by somebody
//! who may do as much.

use super::holders::{HolderView, Names};
use super::tokens::{TokenStatus, end, overlap};
use super::view::{At, Shown};
use super::{Admin, Object};
use crate::app::App;
use portreeve_directory::api_tokens::{self, ApiToken, New};
use portreeve_directory::events::Category;
use portreeve_directory::holders::{self, Holder};
use portreeve_directory::{Permission, Permissions, Refusal, What, service_accounts};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An API token as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ApiTokenView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// For whom it acts.
    pub(crate) holder: HolderView,
    pub(crate) status: TokenStatus,
    /// The most that it may do; never more than its holder may at the moment.
    pub(crate) permissions: Vec<Permission>,
    pub(crate) created_at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<At>,
    /// To the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<At>,
    /// What a change depends on: everything but its use.
    #[serde(skip)]
    pub(crate) version: String,
}

/// A new API token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MadeApiToken {
    #[serde(flatten)]
    pub(crate) token: ApiTokenView,
    /// Shown this once.
    pub(crate) secret: Shown,
}

/// An API token to be made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiToken {
    /// What people call it.
    pub(crate) name: Option<String>,
    /// What it may do.
    pub(crate) permissions: Vec<Permission>,
    /// When it stops working (RFC 3339).
    pub(crate) expires_at: Option<String>,
    /// Id or name of the service account that it acts for; without it, for whoever asks.
    pub(crate) service_account: Option<String>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// A token to be made in the place of another one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiTokenRotation {
    /// When the new one stops working (RFC 3339); without it, it lives for as long as the old one did.
    pub(crate) expires_at: Option<String>,
    /// How long the old one goes on; a day where it is left out.
    pub(crate) overlap_seconds: Option<u64>,
}

/// The API tokens of a team, or of one service account, oldest first, those included that do not work any more.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    service_account: Option<&str>,
) -> Result<Vec<ApiTokenView>, Refusal> {
    let account = service_account.map(str::to_owned);
    let read = admin.read(app, team, move |tx, admin, team| {
        let found = match &account {
            None => api_tokens::list(tx, &team.id)?,
            Some(wanted) => {
                let account = service_accounts::find(tx, &team.id, wanted)?;
                api_tokens::list_of(tx, &team.id, &Holder::Service(account.id))?
            }
        };
        let mut names = Names::default();
        found
            .iter()
            .map(|token| view(tx, &mut names, &team.id, token, admin.at))
            .collect()
    });
    read.await
}

/// One token.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<ApiTokenView, Refusal> {
    let id = id.to_owned();
    let read = admin.read(app, team, move |tx, admin, team| {
        let found = api_tokens::by_id(tx, &team.id, &id)?;
        view(tx, &mut Names::default(), &team.id, &found, admin.at)
    });
    read.await
}

/// Makes a token for whoever asks, or for a service account.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewApiToken,
) -> Result<MadeApiToken, Refusal> {
    let permissions: Permissions = wanted.permissions.iter().copied().collect();
    admin.may_give(permissions)?;
    let expires_at = end(wanted.expires_at.as_deref())?;
    let team = wanted.team.clone();
    let made = admin.change(app, team.as_deref(), move |tx, admin, team| {
        let holder = holder(tx, admin, &team.id, wanted.service_account.as_deref())?;
        let name = wanted.name.as_deref().unwrap_or_default();
        make(
            tx,
            admin,
            &team.id,
            (name, &holder),
            permissions,
            expires_at,
        )
    });
    made.await
}

/// Makes a token in the place of another one, which ends after an overlap.
pub(crate) async fn rotate(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
    wanted: ApiTokenRotation,
) -> Result<MadeApiToken, Refusal> {
    let asked = end(wanted.expires_at.as_deref())?;
    let last = admin.at + overlap(wanted.overlap_seconds)?;
    let id = id.to_owned();
    let rotated = admin.change(app, team, move |tx, admin, team| {
        let old = api_tokens::by_id(tx, &team.id, &id)?;
        let is_own = admin.holder.as_ref() == Some(&old.holder);
        if !is_own && !matches!(old.holder, Holder::Service(_)) {
            return Err(invalid(
                "token",
                "this token acts for somebody else, who alone can have another one in its place; revoke it instead",
            ));
        }
        if TokenStatus::at(admin.at, old.revoked_at, old.expires_at) != TokenStatus::Active {
            return Err(invalid(
                "token",
                "this token does not work any more; make a new one",
            ));
        }
        admin.may_give(old.permissions)?;
        let lived = old.expires_at.map(|end| admin.at + (end - old.created_at));
        let named = (old.name.as_str(), &old.holder);
        let made = make(
            tx,
            admin,
            &team.id,
            named,
            old.permissions,
            asked.or(lived),
        )?;
        let ended = api_tokens::end(tx, &team.id, &old.id, last)?;
        let mut names = Names::default();
        let before = view(tx, &mut names, &team.id, &old, admin.at)?;
        let after = view(tx, &mut names, &team.id, &ended, admin.at)?;
        let what = ("rotate", &object(&old));
        admin.record_changed(tx, &team.id, what, (&before, &after))?;
        Ok(made)
    });
    rotated.await
}

/// Ends a token now.
pub(crate) async fn revoke(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<ApiTokenView, Refusal> {
    let id = id.to_owned();
    let revoked = admin.change(app, team, move |tx, admin, team| {
        let before = api_tokens::by_id(tx, &team.id, &id)?;
        admin.expect(What::ApiToken, &version(&before))?;
        let token = api_tokens::revoke(tx, &team.id, &id, admin.at)?;
        if before.revoked_at.is_none() {
            let what = (Category::Admin, "revoke");
            admin.record_in(tx, &team.id, what, &object(&token), None)?;
        }
        view(tx, &mut Names::default(), &team.id, &token, admin.at)
    });
    revoked.await
}

/// For whom a token acts.
fn holder(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team_id: &str,
    service_account: Option<&str>,
) -> Result<Holder, Refusal> {
    match (service_account, &admin.holder) {
        (Some(wanted), _) => {
            let account = service_accounts::find(tx, team_id, wanted)?;
            Ok(Holder::Service(account.id))
        }
        (None, Some(holder)) => Ok(holder.clone()),
        (None, None) => Err(invalid(
            "service_account",
            "the administrator of the server needs no token; say which service account this one is for",
        )),
    }
}

fn make(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team_id: &str,
    (name, holder): (&str, &Holder),
    permissions: Permissions,
    expires_at: Option<i64>,
) -> Result<MadeApiToken, Refusal> {
    let standing = holders::standing(tx, team_id, holder)?.ok_or_else(|| {
        invalid(
            "service_account",
            "it is suspended, so that its tokens do not work; make it active first",
        )
    })?;
    if let Some(more) = permissions
        .iter()
        .find(|one| !standing.permissions.has(*one))
    {
        return Err(invalid(
            "permissions",
            &format!("{} may not do {more} itself; leave it out", standing.name),
        ));
    }
    let id = admin.new_id();
    let new = New {
        id: &id,
        name,
        holder,
        permissions,
        expires_at,
    };
    let (token, secret) = api_tokens::create(tx, team_id, &new, admin.at)?;
    let token_view = view(tx, &mut Names::default(), team_id, &token, admin.at)?;
    admin.record_made(tx, team_id, &object(&token), &token_view)?;
    Ok(MadeApiToken {
        token: token_view,
        secret: Shown(secret),
    })
}

fn view(
    tx: &mut Tx<'_>,
    names: &mut Names,
    team_id: &str,
    token: &ApiToken,
    now: i64,
) -> Result<ApiTokenView, Refusal> {
    Ok(ApiTokenView {
        id: token.id.clone(),
        name: token.name.clone(),
        holder: names.view(tx, team_id, &token.holder)?,
        status: TokenStatus::at(now, token.revoked_at, token.expires_at),
        permissions: token.permissions.iter().collect(),
        created_at: At(token.created_at),
        expires_at: token.expires_at.map(At),
        revoked_at: token.revoked_at.map(At),
        last_used_at: token.last_used_at.map(At),
        version: version(token),
    })
}

fn version(token: &ApiToken) -> String {
    super::version(&(&token.name, token.expires_at, token.revoked_at))
}

fn invalid(attribute: &'static str, reason: &str) -> Refusal {
    Refusal::Invalid {
        attribute,
        reason: reason.to_owned(),
    }
}

fn object(token: &ApiToken) -> Object<'_> {
    Object {
        kind: "ApiToken",
        id: &token.id,
        name: &token.name,
    }
}
