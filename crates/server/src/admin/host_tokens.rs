//! Enrolment tokens: what machines become hosts with. A secret is in one answer only.

use super::tokens::end;
use super::view::{At, Shown};
use super::{Admin, Object};
use crate::app::App;
use crate::ca;
use crate::step::Addresses;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_access::tags::Tags;
use portreeve_directory::enrolments::{self, Denied, EnrolmentToken, New};
use portreeve_directory::events::Category;
use portreeve_directory::{Refusal, What};
use portreeve_host_policy::api::{TOKEN_PREFIX, Token};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// For how long a token works where nobody says otherwise (microseconds): setting up a machine takes no longer.
const LIFE: i64 = 3_600_000_000;

/// An enrolment token as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HostTokenView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: HostTokenStatus,
    /// What hosts are tagged with that enrol with it, whatever they ask for.
    pub(crate) tags: BTreeMap<String, String>,
    /// What their names must be like; `*` stands for anything.
    pub(crate) name_pattern: String,
    /// Whether a machine may take the place of one that has enrolled under its name.
    pub(crate) may_replace: bool,
    /// How many machines may enrol with it.
    pub(crate) uses: i64,
    /// How many have.
    pub(crate) used: i64,
    pub(crate) created_at: At,
    pub(crate) expires_at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<At>,
    /// What a change depends on: everything but its use.
    #[serde(skip)]
    pub(crate) version: String,
}

/// Whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostTokenStatus {
    Active,
    Expired,
    UsedUp,
    Revoked,
}

/// A new enrolment token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MadeHostToken {
    #[serde(flatten)]
    pub(crate) token: HostTokenView,
    /// All that a machine needs: where the server is, its root, and a secret. Shown this once.
    pub(crate) secret: Shown,
    /// What to run on the machine, as root. Shown this once.
    pub(crate) command: Shown,
}

/// An enrolment token to be made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHostToken {
    /// What people call it.
    pub(crate) name: Option<String>,
    /// What hosts are tagged with that enrol with it.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    /// What their names must be like, such as `web-*`; without it, anything.
    pub(crate) name_pattern: Option<String>,
    /// Whether a machine may take the place of one that has enrolled under its name.
    #[serde(default)]
    pub(crate) may_replace: bool,
    /// How many machines may enrol with it; without it, one.
    pub(crate) uses: Option<u32>,
    /// When it stops working (RFC 3339); without it, in an hour.
    pub(crate) expires_at: Option<String>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

impl HostTokenView {
    fn of(token: &EnrolmentToken, now: i64) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            status: match token.denied(now) {
                None | Some(Denied::Unknown) => HostTokenStatus::Active,
                Some(Denied::Expired) => HostTokenStatus::Expired,
                Some(Denied::UsedUp) => HostTokenStatus::UsedUp,
                Some(Denied::Revoked) => HostTokenStatus::Revoked,
            },
            tags: token.tags.clone().into(),
            name_pattern: token.pattern.clone(),
            may_replace: token.may_replace,
            uses: token.uses,
            used: token.used,
            created_at: At(token.created_at),
            expires_at: At(token.expires_at),
            last_used_at: token.last_used_at.map(At),
            revoked_at: token.revoked_at.map(At),
            version: version(token),
        }
    }
}

/// The enrolment tokens of a team, oldest first, those included that do not work any more.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<Vec<HostTokenView>, Refusal> {
    let read = admin.read(app, team, |tx, admin, team| {
        let all = enrolments::list(tx, &team.id)?;
        let view = |token| HostTokenView::of(token, admin.at);
        Ok(all.iter().map(view).collect())
    });
    read.await
}

/// One token.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<HostTokenView, Refusal> {
    let id = id.to_owned();
    let read = admin.lookup(app, team, move |tx, admin, team| {
        let found = enrolments::by_id(tx, &team.id, &id)?;
        Ok(HostTokenView::of(&found, admin.at))
    });
    read.await
}

/// Makes a token.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewHostToken,
) -> Result<MadeHostToken, ca::Error> {
    let team = wanted.team.as_deref();
    let team_id = admin.lookup(app, team, |_, _, team| Ok(team.id.clone()));
    let team_id: String = team_id.await?;
    let url = Addresses::of(app, &team_id).await?.url;
    let root = app.keyring(&team_id).await?.fingerprint();
    let tags = Tags::try_from(wanted.tags).map_err(Refusal::from)?;
    let expires_at = end(wanted.expires_at.as_deref())?.unwrap_or(admin.at + LIFE);
    let made = admin.change(app, Some(&team_id), move |tx, admin, team| {
        let id = admin.new_id();
        let new = New {
            id: &id,
            name: wanted.name.as_deref().unwrap_or_default(),
            tags: &tags,
            pattern: wanted.name_pattern.as_deref().unwrap_or("*"),
            may_replace: wanted.may_replace,
            uses: wanted.uses.map_or(1, i64::from),
            expires_at,
        };
        let (token, secret) = enrolments::create(tx, &team.id, &new, admin.at)?;
        let view = HostTokenView::of(&token, admin.at);
        admin.record_made(tx, &team.id, &object(&token), &view)?;
        Ok((view, secret))
    });
    let (token, secret) = made.await?;
    let secret = written(url, root, &secret);
    let command = format!("portreeve-host enroll --token {}", secret.expose_secret());
    Ok(MadeHostToken {
        token,
        secret: Shown(secret),
        command: Shown(command.into()),
    })
}

/// Ends a token now.
pub(crate) async fn revoke(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<HostTokenView, Refusal> {
    let id = id.to_owned();
    let revoked = admin.change(app, team, move |tx, admin, team| {
        let before = enrolments::by_id(tx, &team.id, &id)?;
        admin.expect(What::EnrolmentToken, &version(&before))?;
        let token = enrolments::revoke(tx, &team.id, &id, admin.at)?;
        if before.revoked_at.is_none() {
            let what = (Category::Admin, "revoke");
            admin.record_in(tx, &team.id, what, &object(&token), None)?;
        }
        Ok(HostTokenView::of(&token, admin.at))
    });
    revoked.await
}

/// A token in one piece, to be copied.
fn written(url: String, root: String, secret: &SecretString) -> SecretString {
    let token = Token {
        url,
        root,
        secret: secret.expose_secret().to_owned(),
    };
    // Texts alone: nothing in it can fail to be written.
    let text = serde_json::to_vec(&token).unwrap_or_default();
    format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(text)).into()
}

fn version(token: &EnrolmentToken) -> String {
    super::version(&(&token.name, token.expires_at, token.revoked_at))
}

fn object(token: &EnrolmentToken) -> Object<'_> {
    Object {
        kind: "EnrolmentToken",
        id: &token.id,
        name: &token.name,
    }
}
