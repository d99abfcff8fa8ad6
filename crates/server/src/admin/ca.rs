//! The certificate authority of a team: its keys, their rotation, its policy, and the list of what is revoked.

use super::view::At;
use super::{Admin, Object, change, members_of, version};
use crate::app::App;
use crate::ca::{self, Begun, CaKeyType, Keyring, Rotation, Settings, SettingsChange};
use crate::step::Addresses;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_directory::authorities::{Authority as Stored, Purpose, State};
use portreeve_directory::events::{self, Category};
use portreeve_directory::teams::Team;
use portreeve_directory::{Refusal, What, ca_policies, certificates};
use portreeve_x509::fingerprint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The certificate authority of a team.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct CaStatus {
    /// Where the `step` client reaches it; absent where it is not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Of the root that clients pin: SHA-256 in hexadecimal digits.
    pub(crate) fingerprint: String,
    /// Lines for `TrustedUserCAKeys`: keys that certificates of people are signed with, the current one first.
    pub(crate) user_keys: Vec<String>,
    /// Keys that certificates of hosts are signed with, the current one first.
    pub(crate) host_keys: Vec<String>,
    /// All keys, with where they are in their lives.
    pub(crate) keys: Vec<CaKey>,
    /// Where hosts fetch the list of what is revoked, without a token.
    pub(crate) krl_url: String,
    /// How many certificates count now.
    pub(crate) live_certificates: i64,
}

/// A key of the authority.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct CaKey {
    pub(crate) id: String,
    pub(crate) purpose: CaPurpose,
    pub(crate) state: CaKeyState,
    /// `ed25519` or `ecdsa`.
    pub(crate) key_type: String,
    /// Of SSH keys as `ssh-keygen -l` shows it; of X.509 certificates SHA-256 in hexadecimal digits.
    pub(crate) fingerprint: String,
    /// Whether a PKCS#11 token holds it.
    pub(crate) in_token: bool,
    pub(crate) created_at: At,
    /// When a key that is `next` takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activates_at: Option<At>,
    /// Until when a key that is `old` is trusted at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trusted_until: Option<At>,
}

/// What a key of the authority is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CaPurpose {
    /// SSH certificates of people.
    User,
    /// SSH certificates of hosts.
    Host,
    /// The X.509 root that clients pin.
    Root,
    /// The X.509 intermediate.
    Intermediate,
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CaKeyState {
    /// Trusted, and signs nothing yet.
    Next,
    /// Signs.
    Current,
    /// Trusted until all that it has signed has run out.
    Old,
}

/// A new key for the authority.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationRequest {
    /// Which key; a root comes with an intermediate of its own.
    pub(crate) purpose: CaPurpose,
    /// How long the new key is announced before it signs; 0: it signs at once. Without it what the policy says.
    pub(crate) overlap_seconds: Option<u64>,
    /// The type of the new SSH key; without it what the policy says.
    pub(crate) key_type: Option<CaKeyType>,
    pub(crate) team: Option<String>,
}

/// The list of what is revoked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct KrlView {
    /// Rises with everything that is revoked.
    pub(crate) version: i64,
    /// When the last thing in it was revoked; absent where nothing was yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generated_at: Option<At>,
    /// How many certificates and keys are in it.
    pub(crate) entries: usize,
    /// The file that `RevokedKeys` names, as base64.
    pub(crate) krl: String,
    /// Its signature by the current key for people, as `ssh-keygen -Y verify -n krl@portreeve` takes it.
    pub(crate) signature: String,
    /// Where hosts fetch it, without a token.
    pub(crate) url: String,
}

impl CaPurpose {
    /// As the rules have it.
    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Self::User => Purpose::User,
            Self::Host => Purpose::Host,
            Self::Root => Purpose::Root,
            Self::Intermediate => Purpose::Intermediate,
        }
    }
}

/// The authority of a team. It is made when somebody first asks for it.
pub(crate) async fn status(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<CaStatus, ca::Error> {
    let team = find(app, admin, team).await?;
    let keyring = app.keyring(&team.id).await?;
    let (id, now) = (team.id.clone(), admin.at);
    let live = app
        .store
        .read(move |tx| certificates::count_live(tx, &id, now));
    Ok(CaStatus {
        url: step_url(app, &team).await?,
        fingerprint: keyring.fingerprint(),
        user_keys: Keyring::lines(&keyring.trusted_user, &team.name),
        host_keys: Keyring::lines(&keyring.trusted_host, &team.name),
        keys: keyring.stored.iter().map(key).collect(),
        krl_url: krl_url(app, &team),
        live_certificates: live.await?,
    })
}

/// Puts a new key in the place of another one.
pub(crate) async fn rotate(
    app: &App,
    admin: &Admin,
    wanted: RotationRequest,
) -> Result<CaStatus, ca::Error> {
    let team = find(app, admin, wanted.team.as_deref()).await?;
    let settings = app.keyring(&team.id).await?.settings.clone();
    let rotation = Rotation {
        purpose: wanted.purpose.purpose(),
        overlap: wanted.overlap_seconds.unwrap_or(settings.overlap_seconds),
        key_type: wanted.key_type.unwrap_or(settings.key_type).into(),
    };
    let by = admin.by();
    if let Begun::UnderWay(at) = ca::begin(app, &by, &team.id, rotation).await? {
        let when = at.map_or_else(String::new, |at| {
            format!(" and takes over at {}", portreeve_scim::time::format(at))
        });
        return Err(ca::Error::refused(
            "rotation_under_way",
            format!(
                "a new {} key is announced already{when}; wait, or let it take over at once with overlap_seconds 0 (portreeve ca rotate {} --now)",
                rotation.purpose.name(),
                rotation.purpose.name()
            ),
        ));
    }
    status(app, admin, Some(&team.id)).await
}

/// What is decided about the certificates of a team.
pub(crate) async fn policy(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<Settings, ca::Error> {
    let team = find(app, admin, team).await?;
    let read = app.store.lookup(move |tx| ca_policies::read(tx, &team.id));
    Settings::read(read.await?.as_deref())
}

/// Decides something else about the certificates of a team. Those that were issued stay as they are.
pub(crate) async fn change_policy(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: SettingsChange,
) -> Result<Settings, ca::Error> {
    let team = find(app, admin, team).await?;
    let (asking, id) = (admin.clone(), team.id.clone());
    let changed = change(app, move |tx| {
        let before = match Settings::read(ca_policies::read(tx, &team.id)?.as_deref()) {
            Ok(before) => before,
            Err(error) => return Ok(Err(error)),
        };
        asking.expect(What::Policy, &version(&before))?;
        let after = match before.clone().with(wanted.clone()) {
            Ok(after) => after,
            Err(error) => return Ok(Err(error)),
        };
        let changes = events::diff(&members_of(&before), &members_of(&after));
        if changes.is_some() {
            let stored = serde_json::Value::Object(members_of(&after)).to_string();
            ca_policies::write(tx, &team.id, &stored, asking.at)?;
            let object = Object {
                kind: "Policy",
                id: &team.id,
                name: &team.name,
            };
            let what = (Category::Admin, "update");
            asking.record_in(tx, &team.id, what, &object, changes.as_deref())?;
        }
        Ok(Ok(after))
    });
    let changed = changed.await?;
    app.forget_keyring(&id);
    changed
}

/// The list of what is revoked in a team.
pub(crate) async fn krl(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<KrlView, ca::Error> {
    let team = find(app, admin, team).await?;
    let keyring = app.keyring(&team.id).await?;
    let list = app.krl(&team.id).await?;
    let signature = list.signature(&keyring).await?;
    Ok(KrlView {
        version: list.version,
        generated_at: (list.generated_at > 0).then_some(At(list.generated_at)),
        entries: list.entries,
        krl: STANDARD.encode(&list.bytes),
        signature: signature.to_string(),
        url: krl_url(app, &team),
    })
}

async fn find(app: &App, admin: &Admin, team: Option<&str>) -> Result<Team, Refusal> {
    let (admin, team) = (admin.clone(), team.map(str::to_owned));
    let found = app.store.lookup(move |tx| admin.team(tx, team.as_deref()));
    found.await
}

async fn step_url(app: &App, team: &Team) -> Result<Option<String>, Refusal> {
    Ok(match app.step.listening {
        Some(_) => Some(Addresses::of(app, &team.id).await?.url),
        None => None,
    })
}

fn krl_url(app: &App, team: &Team) -> String {
    format!("{}/t/{}/ca/krl", app.public_url(), team.name)
}

fn key(stored: &Stored) -> CaKey {
    let is_old = stored.state == State::Old;
    CaKey {
        id: stored.id.clone(),
        purpose: match stored.purpose {
            Purpose::User => CaPurpose::User,
            Purpose::Host => CaPurpose::Host,
            Purpose::Root => CaPurpose::Root,
            Purpose::Intermediate => CaPurpose::Intermediate,
        },
        state: match stored.state {
            State::Next => CaKeyState::Next,
            State::Current => CaKeyState::Current,
            State::Old => CaKeyState::Old,
        },
        key_type: stored.key_type.clone(),
        fingerprint: match stored.purpose {
            Purpose::User | Purpose::Host => portreeve_ssh_cert::fingerprint_of(&stored.public),
            Purpose::Root | Purpose::Intermediate => fingerprint(&stored.public),
        },
        in_token: stored.token_key.is_some(),
        created_at: At(stored.created_at),
        activates_at: stored.activate_at.map(At),
        trusted_until: stored.keep_until.filter(|_| is_old).map(At),
    }
}
