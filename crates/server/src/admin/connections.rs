//! How the people of a directory sign in: declaring a connection to an identity provider, and trying it out.

use super::view::{At, Shown};
use super::{Admin, Object, change};
use crate::app::App;
use crate::sso::doctor::{self, Step, Verdict};
use crate::sso::providers::{Opened, redirect_uri};
use crate::sso::trial::{self, Brought};
use crate::vault::Damaged;
use portreeve_directory::connections::{self, Connection, Match, Settings};
use portreeve_directory::directories::Directory;
use portreeve_directory::sign_ins::Purpose;
use portreeve_directory::{Refusal, What, events};
use portreeve_oidc::MetadataUrl;
use portreeve_store::Tx;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// A connection to be made, or to be put in the place of another.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// What people read on the button; without it the name of the directory.
    pub(crate) label: Option<String>,
    /// Where the provider's metadata document is.
    pub(crate) metadata_url: String,
    /// What the provider calls us.
    pub(crate) client_id: String,
    /// The secret that belongs to it; `null`: there is none. Left out, the former one stays.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub(crate) client_secret: Option<Option<SecretString>>,
    /// The only tenant whose people may sign in, where the provider has several.
    pub(crate) tenant_id: Option<String>,
    /// The only domains of addresses or user names with which one may sign in; none: all.
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    /// By what else than a stable key a person is found: `subject`, `email`, `user_name`.
    #[serde(default)]
    pub(crate) match_by: Vec<Match>,
}

/// Tells `null` from what is left out.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<SecretString>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// A connection as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ConnectionView {
    pub(crate) directory_id: String,
    /// What people read on the button.
    pub(crate) label: String,
    pub(crate) metadata_url: String,
    pub(crate) client_id: String,
    /// The secret itself is never shown.
    pub(crate) has_client_secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_id: Option<String>,
    pub(crate) domains: Vec<String>,
    pub(crate) match_by: Vec<Match>,
    /// What is to be registered at the provider.
    pub(crate) redirect_uri: String,
    /// Where the people of the team sign in.
    pub(crate) sign_in_url: String,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
}

impl ConnectionView {
    fn of(app: &App, connection: &Connection) -> Self {
        let settings = connection.settings.clone();
        Self {
            directory_id: connection.directory_id.clone(),
            label: connection.label().to_owned(),
            metadata_url: settings.metadata_url,
            client_id: settings.client_id,
            has_client_secret: connection.has_secret,
            tenant_id: settings.tenant_id,
            domains: settings.domains,
            match_by: settings.match_by,
            redirect_uri: redirect_uri(app),
            sign_in_url: format!("{}/t/{}", app.public_url(), connection.team_name),
            created_at: At(connection.created_at),
            updated_at: At(connection.updated_at),
        }
    }

    /// Rises with every change.
    pub(crate) fn version(&self) -> String {
        self.updated_at.0.to_string()
    }
}

/// What the doctor found, and the trial that it offers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Examined {
    /// The worst of the steps.
    pub(crate) verdict: Verdict,
    pub(crate) steps: Vec<Step>,
    pub(crate) trial: TrialView,
}

/// A sign-in to be tried out: nobody is signed in by it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TrialView {
    /// Where the trial begins, in any browser.
    pub(crate) url: Shown,
    /// What its result is asked for with.
    pub(crate) secret: Shown,
    pub(crate) expires_at: At,
}

/// What became of a trial.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum TrialResult {
    /// Nobody has come back from the provider yet.
    Pending,
    /// Somebody has. It is told once.
    Done(Brought),
}

/// The connection of a directory.
pub(crate) async fn get(app: &App, admin: &Admin, which: &str) -> Result<ConnectionView, Refusal> {
    Ok(ConnectionView::of(app, &find(app, admin, which).await?))
}

async fn find(app: &App, admin: &Admin, which: &str) -> Result<Connection, Refusal> {
    let (admin, which) = (admin.clone(), which.to_owned());
    let found = app.store.lookup(move |tx| {
        let directory = admin.directory(tx, &which)?;
        connections::of(tx, &directory.id)
    });
    found.await
}

/// Makes the connection of a directory, or puts another in its place.
pub(crate) async fn put(
    app: &App,
    admin: &Admin,
    which: &str,
    wanted: NewConnection,
) -> Result<ConnectionView, Refusal> {
    let settings = Settings {
        label: wanted.label,
        metadata_url: wanted.metadata_url,
        client_id: wanted.client_id,
        tenant_id: wanted.tenant_id,
        domains: wanted.domains,
        match_by: wanted.match_by,
    };
    let settings = settings.checked()?;
    MetadataUrl::parse(&settings.metadata_url)
        .map_err(|cause| invalid("metadata_url", cause.to_string()))?;
    let directory = super::directories::find(app, admin, which).await?;
    let keep = wanted.client_secret.is_none();
    let sealed = match wanted.client_secret.flatten() {
        Some(secret) => Some(
            app.providers
                .seal_secret(&directory.id, &secret)
                .map_err(damaged)?,
        ),
        None => None,
    };
    let admin = admin.clone();
    let put = change(app, move |tx| {
        admin.may_decide(tx, &directory)?;
        let before = match connections::of(tx, &directory.id) {
            Ok(before) => Some(before),
            Err(Refusal::NotFound(..)) => None,
            Err(error) => return Err(error),
        };
        let kept = match &before {
            Some(before) => {
                admin.expect(What::Connection, &before.updated_at.to_string())?;
                match keep {
                    true => kept(tx, before, &settings)?,
                    false => None,
                }
            }
            None => None,
        };
        let sealed = kept.as_deref().or(sealed.as_deref());
        let is_new = connections::put(tx, &directory, &settings, sealed, admin.at)?;
        let before = before.map(|before| before.settings);
        let changes = changes(before.as_ref(), &settings, !keep);
        let action = if is_new { "create" } else { "replace" };
        record(tx, &admin, &directory, action, changes.as_deref())?;
        connections::of(tx, &directory.id)
    });
    Ok(ConnectionView::of(app, &put.await?))
}

/// The secret that stays, where it goes to the same place as before. Else whoever may change a connection could have it
/// sent to a server of their own.
fn kept(
    tx: &mut Tx<'_>,
    before: &Connection,
    settings: &Settings,
) -> Result<Option<Vec<u8>>, Refusal> {
    let sealed = connections::secret(tx, &before.directory_id)?;
    let same = before.settings.metadata_url == settings.metadata_url
        && before.settings.client_id == settings.client_id;
    if sealed.is_some() && !same {
        let reason = "give it again: with another metadata URL or client id the former one would go to somebody else";
        return Err(invalid("client_secret", reason.to_owned()));
    }
    Ok(sealed)
}

/// Removes the connection of a directory. Who is signed in stays so.
pub(crate) async fn delete(app: &App, admin: &Admin, which: &str) -> Result<(), Refusal> {
    let (admin, which) = (admin.clone(), which.to_owned());
    let gone = change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        admin.may_decide(tx, &directory)?;
        let before = connections::of(tx, &directory.id)?;
        admin.expect(What::Connection, &before.updated_at.to_string())?;
        connections::delete(tx, &directory.id)?;
        record(tx, &admin, &directory, "delete", None)
    });
    gone.await
}

/// Examines the connection of a directory, and begins a trial.
pub(crate) async fn test(app: &App, admin: &Admin, which: &str) -> Result<Examined, Refusal> {
    let connection = find(app, admin, which).await?;
    let id = connection.directory_id.clone();
    let opened = Opened::of(app, &id).await?.map_err(damaged)?;
    let steps = doctor::examine(app, &opened).await?;
    let begin = trial::begin(app, &connection.team_id, &id)?;
    let admin = admin.clone();
    let made = change(app, move |tx| {
        let directory = admin.directory(tx, &id)?;
        record(tx, &admin, &directory, "test", None)?;
        begin(tx)
    });
    let secret = made.await?;
    Ok(Examined {
        verdict: steps
            .iter()
            .map(|step| step.verdict)
            .max()
            .unwrap_or(Verdict::Ok),
        steps,
        trial: TrialView {
            url: Shown(trial::url(app, &secret)),
            secret: Shown(secret),
            expires_at: At(app.clock.now() + Purpose::Trial.lifetime()),
        },
    })
}

/// What a trial brought.
pub(crate) async fn trial(
    app: &App,
    admin: &Admin,
    which: &str,
    secret: &str,
) -> Result<TrialResult, Refusal> {
    let connection = find(app, admin, which).await?;
    let brought = trial::read(app, &connection.directory_id, secret).await?;
    Ok(brought.map_or(TrialResult::Pending, TrialResult::Done))
}

fn record(
    tx: &mut Tx<'_>,
    admin: &Admin,
    directory: &Directory,
    action: &str,
    changes: Option<&str>,
) -> Result<(), Refusal> {
    let object = Object {
        kind: "Connection",
        id: &directory.id,
        name: &directory.name,
    };
    admin.record(tx, directory, action, &object, changes)
}

/// What is different, with the secret only by that it is.
fn changes(before: Option<&Settings>, after: &Settings, secret: bool) -> Option<String> {
    let map = |settings: Option<&Settings>| match settings.map(|settings| json!(settings)) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let (mut old, mut new) = (map(before), map(Some(after)));
    if secret {
        old.insert("client_secret".into(), json!("(former)"));
        new.insert("client_secret".into(), json!("(given anew)"));
    }
    events::diff(&old, &new)
}

fn invalid(attribute: &'static str, reason: String) -> Refusal {
    Refusal::Invalid { attribute, reason }
}

fn damaged(damaged: Damaged) -> Refusal {
    invalid("client_secret", damaged.to_string())
}
