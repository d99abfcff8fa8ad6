//! Provisioners: whose tokens get certificates from the API that the `step` client speaks; and how a team is served to it.

use super::people::{self, Change};
use super::view::At;
use super::{Admin, Object, change, members_of, version};
use crate::app::App;
use crate::ca::random;
use crate::step::{Addresses, Provisioners, is_free, kid};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_directory::events::{self, Category};
use portreeve_directory::provisioners::{self, OidcClient, Provisioner, Settings};
use portreeve_directory::step_settings::{self, Mode, StepSettings};
use portreeve_directory::teams::Team;
use portreeve_directory::{Refusal, What, connections};
use portreeve_step::provisioner::Kind as Shown;
use portreeve_step::{PublicKey, jwe};
use portreeve_store::Tx;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The fewest characters of a password: who has the encrypted key can try as many as they like.
const SHORTEST_PASSWORD: usize = 12;

/// A provisioner as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ProvisionerView {
    /// Absent where it is there by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: ProvisionerKind,
    /// As the `step` client sees it.
    pub(crate) details: Value,
    /// Whether it is there by itself: the connection of a directory, and `sshpop`.
    pub(crate) automatic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<At>,
}

/// What a provisioner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProvisionerKind {
    /// Signs with a key.
    Jwk,
    /// Signs people in at an OpenID provider.
    Oidc,
    /// Signs with X.509 certificates.
    X5c,
    /// Signs with the SSH certificate that is to be renewed.
    Sshpop,
}

impl ProvisionerView {
    /// What `If-Match` compares.
    pub(crate) fn version(&self) -> String {
        version(self)
    }
}

/// A provisioner to be declared.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProvisioner {
    /// Unique in the team; tokens name it.
    pub(crate) name: String,
    pub(crate) kind: ProvisionerKind,
    /// Of a `jwk`: the password with which the private key of a new pair is encrypted. It is not kept.
    #[schemars(with = "Option<String>")]
    pub(crate) password: Option<SecretString>,
    /// Of a `jwk`, instead: the public key (RFC 7517) of a pair that is kept elsewhere.
    pub(crate) key: Option<Value>,
    /// Of a `jwk` with a key: the private key, encrypted (JWE), so that `step` finds it here.
    pub(crate) encrypted_key: Option<String>,
    /// Of an `x5c`: the certificates (PEM) that those of the tokens must lead to.
    pub(crate) roots: Option<String>,
    /// Of an `oidc`: id or name of the directory whose people sign in.
    pub(crate) directory: Option<String>,
    /// Of an `oidc`: what the directory's identity provider calls `step`. A public client, which may be sent back to
    /// `http://127.0.0.1`.
    pub(crate) client_id: Option<String>,
    /// Of an `oidc`: the secret of that client, where the provider gives public ones a secret. Everybody can read it.
    pub(crate) public_secret: Option<String>,
    /// Of an `oidc`: where `step` listens for the browser, such as `:10000`.
    pub(crate) listen_address: Option<String>,
    /// Of an `oidc`: what is asked for.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// Of an `oidc`: what else is sent to the provider, as `name=value`.
    #[serde(default)]
    pub(crate) auth_params: Vec<String>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// How a team is served to the `step` client.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct StepView {
    /// Where clients are sent.
    pub(crate) url: String,
    /// The host name that is the team's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_host: Option<String>,
    pub(crate) mode: Mode,
    /// For `step ca bootstrap --team-url`, with `<>` in the place of the team's name.
    pub(crate) team_url: String,
}

impl StepView {
    /// What `If-Match` compares.
    pub(crate) fn version(&self) -> String {
        version(&(&self.ca_host, self.mode))
    }
}

/// What is to be different about how a team is served; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepChange {
    /// A host name that leads to this server; `null` for none.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) ca_host: Change<String>,
    pub(crate) mode: Option<Mode>,
}

/// All provisioners of a team by name, those that are there by themselves among them.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<Vec<ProvisionerView>, Refusal> {
    let (admin, team) = (admin.clone(), team.map(str::to_owned));
    let read = app.store.read(move |tx| {
        let team = admin.team(tx, team.as_deref())?;
        views(tx, &team)
    });
    read.await
}

/// One provisioner, by id or name.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<ProvisionerView, Refusal> {
    let (admin, team) = (admin.clone(), team.map(str::to_owned));
    let which = which.to_owned();
    let read = app.store.read(move |tx| {
        let team = admin.team(tx, team.as_deref())?;
        view(tx, &team, &which)
    });
    read.await
}

fn view(tx: &mut Tx<'_>, team: &Team, which: &str) -> Result<ProvisionerView, Refusal> {
    let is = |one: &ProvisionerView| {
        one.id.as_deref() == Some(which) || one.name.to_lowercase() == which.to_lowercase()
    };
    let found = views(tx, team)?.into_iter().find(is);
    found.ok_or_else(|| Refusal::NotFound(What::Provisioner, which.to_owned()))
}

fn views(tx: &mut Tx<'_>, team: &Team) -> Result<Vec<ProvisionerView>, Refusal> {
    let declared = provisioners::list(tx, &team.id)?;
    let all = Provisioners::read(tx, &team.id)?;
    let view = |shown: &Shown| {
        let own = declared.iter().find(|one| one.name == shown.name());
        ProvisionerView {
            id: own.map(|one| one.id.clone()),
            name: shown.name().to_owned(),
            kind: match shown {
                Shown::Jwk { .. } => ProvisionerKind::Jwk,
                Shown::Oidc { .. } => ProvisionerKind::Oidc,
                Shown::X5c { .. } => ProvisionerKind::X5c,
                Shown::Sshpop { .. } => ProvisionerKind::Sshpop,
            },
            details: json!(shown),
            automatic: own.is_none(),
            created_at: own.map(|one| At(one.created_at)),
        }
    };
    Ok(all.shown.iter().map(|one| view(&one.kind)).collect())
}

/// Declares a provisioner. Whoever signs its tokens gets certificates for whatever name they say.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewProvisioner,
) -> Result<ProvisionerView, Refusal> {
    let encrypted = match (&wanted.kind, &wanted.password) {
        (ProvisionerKind::Jwk, Some(password)) => Some(key_pair(password.clone()).await?),
        _ => None,
    };
    let admin = admin.clone();
    let made = change(app, move |tx| {
        let team = admin.team(tx, wanted.team.as_deref())?;
        if !is_free(tx, &team.id, &wanted.name)? {
            let why =
                "a directory has this name, and its connection goes by it here; choose another one";
            return Err(invalid("name", why));
        }
        let (settings, encrypted_key) = settings(tx, &team, &wanted, encrypted.as_ref())?;
        let new = Provisioner {
            id: admin.new_id(),
            name: wanted.name.trim().to_owned(),
            settings,
            encrypted_key,
            created_at: admin.at,
        };
        provisioners::create(tx, &team.id, &new)?;
        let changes = events::diff(&serde_json::Map::new(), &members_of(&new.settings));
        let what = (Category::Admin, "create");
        admin.record_in(tx, &team.id, what, &object(&new), changes.as_deref())?;
        view(tx, &team, &new.id)
    });
    made.await
}

/// Removes a provisioner that was declared. Certificates that its tokens got stay good.
pub(crate) async fn delete(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<(), Refusal> {
    let (admin, team) = (admin.clone(), team.map(str::to_owned));
    let which = which.to_owned();
    let gone = change(app, move |tx| {
        let team = admin.team(tx, team.as_deref())?;
        let shown = view(tx, &team, &which)?;
        admin.expect(What::Provisioner, &shown.version())?;
        if shown.automatic {
            let why = "it is there by itself: that of a directory goes with its connection, and sshpop takes only certificates that are good";
            return Err(invalid("provisioner", why));
        }
        let found = provisioners::find(tx, &team.id, &which)?;
        provisioners::delete(tx, &team.id, &found.id)?;
        let what = (Category::Admin, "delete");
        admin.record_in(tx, &team.id, what, &object(&found), None)
    });
    gone.await
}

/// What is declared, with the encrypted key of a JWK.
fn settings(
    tx: &mut Tx<'_>,
    team: &Team,
    wanted: &NewProvisioner,
    made: Option<&Pair>,
) -> Result<(Settings, Option<String>), Refusal> {
    Ok(match wanted.kind {
        ProvisionerKind::Jwk => match (made, &wanted.key) {
            (Some(made), None) => {
                let key = made.public.clone();
                (Settings::Jwk { key }, Some(made.encrypted.clone()))
            }
            (None, Some(key)) => {
                let key = named(key)?;
                (Settings::Jwk { key }, wanted.encrypted_key.clone())
            }
            _ => {
                let why = "give a password for a new key, or the public key of one that you keep";
                return Err(invalid("key", why));
            }
        },
        ProvisionerKind::X5c => {
            let roots = wanted.roots.clone().unwrap_or_default();
            portreeve_x509::chain::from_pem(&roots)
                .map_err(|error| invalid("roots", &error.to_string()))?;
            (Settings::X5c { roots }, None)
        }
        ProvisionerKind::Sshpop => (Settings::Sshpop {}, None),
        ProvisionerKind::Oidc => (Settings::Oidc(client(tx, team, wanted)?), None),
    })
}

fn client(tx: &mut Tx<'_>, team: &Team, wanted: &NewProvisioner) -> Result<OidcClient, Refusal> {
    let which = wanted.directory.as_deref().unwrap_or_default();
    let directory = portreeve_directory::directories::find_in(tx, &team.id, which)?;
    connections::of(tx, &directory.id)?;
    let client_id = wanted.client_id.as_deref().unwrap_or_default().trim();
    if client_id.is_empty() {
        let why = "give the id of a public client at the directory's identity provider";
        return Err(invalid("client_id", why));
    }
    Ok(OidcClient {
        directory_id: directory.id,
        client_id: client_id.to_owned(),
        public_secret: wanted.public_secret.clone(),
        listen_address: wanted.listen_address.clone(),
        scopes: wanted.scopes.clone(),
        auth_params: wanted.auth_params.clone(),
    })
}

/// A public key that has a name.
fn named(key: &Value) -> Result<Value, Refusal> {
    PublicKey::from_jwk(key).map_err(|error| invalid("key", &error.to_string()))?;
    let mut key = key.clone();
    if kid(&key).is_empty() {
        key["kid"] = thumbprint(&key).into();
    }
    Ok(key)
}

/// The name of a key (RFC 7638): a hash of what makes it another one.
fn thumbprint(key: &Value) -> String {
    let members: &[&str] = match key["kty"].as_str() {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("RSA") => &["e", "kty", "n"],
        _ => &["crv", "kty", "x"],
    };
    let members = members
        .iter()
        .map(|name| format!("\"{name}\":{}", key[*name]));
    let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A new pair of keys.
struct Pair {
    public: Value,
    /// The private one, encrypted.
    encrypted: String,
}

/// Makes a pair, as `step` does. Hashing the password takes a while, in which nobody else waits.
async fn key_pair(password: SecretString) -> Result<Pair, Refusal> {
    if password.expose_secret().chars().count() < SHORTEST_PASSWORD {
        let why = format!(
            "the password has fewer than {SHORTEST_PASSWORD} characters; everybody can fetch the encrypted key and try passwords"
        );
        return Err(invalid("password", &why));
    }
    let failed = |why: &str| invalid("key", why);
    let made = tokio::task::spawn_blocking(move || pair(password.expose_secret()));
    match made.await {
        Ok(Some(pair)) => Ok(pair),
        _ => Err(failed(
            "the key could not be made; see the log of the server",
        )),
    }
}

fn pair(password: &str) -> Option<Pair> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = pair.public_key().as_ref();
    let mut public = json!({
        "use": "sig",
        "kty": "EC",
        "kid": "",
        "crv": "P-256",
        "alg": "ES256",
        "x": encode(point.get(1..33)?),
        "y": encode(point.get(33..65)?),
    });
    public["kid"] = thumbprint(&public).into();
    let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
    let mut private = public.clone();
    private["d"] = encode(secret.as_ref()).into();
    let random = jwe::Randomness {
        salt: random().ok()?,
        key: random().ok()?,
        nonce: random().ok()?,
    };
    let encrypted = jwe::encrypt(private.to_string().as_bytes(), password, &random).ok()?;
    Some(Pair { public, encrypted })
}

/// How a team is served to the `step` client.
pub(crate) async fn step(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<StepView, Refusal> {
    let (admin, team) = (admin.clone(), team.map(str::to_owned));
    let read = app.store.lookup(move |tx| {
        let team = admin.team(tx, team.as_deref())?;
        let settings = step_settings::of(tx, &team.id)?;
        Ok::<_, Refusal>((team, settings))
    });
    let (team, settings) = read.await?;
    shown(app, &team, settings).await
}

async fn shown(app: &App, team: &Team, settings: StepSettings) -> Result<StepView, Refusal> {
    let addresses = Addresses::of(app, &team.id).await?;
    Ok(StepView {
        url: addresses.url,
        ca_host: settings.ca_host,
        mode: settings.mode,
        team_url: format!("{}/v1/teams/<>/authorities/ssh", app.public_url()),
    })
}

/// Decides how a team is served.
pub(crate) async fn change_step(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: StepChange,
) -> Result<StepView, Refusal> {
    let (admin, team) = (admin.clone(), team.map(str::to_owned));
    let changed = change(app, move |tx| {
        let team = admin.team(tx, team.as_deref())?;
        let before = step_settings::of(tx, &team.id)?;
        admin.expect(What::Team, &version(&(&before.ca_host, before.mode)))?;
        let wanted = StepSettings {
            ca_host: match &wanted.ca_host {
                Some(ca_host) => ca_host.clone(),
                None => before.ca_host.clone(),
            },
            mode: wanted.mode.unwrap_or(before.mode),
        };
        let after = step_settings::put(tx, &team.id, &wanted, admin.at)?;
        let members = |settings: &StepSettings| {
            members_of(&json!({"ca_host": settings.ca_host, "mode": settings.mode}))
        };
        if let Some(changes) = events::diff(&members(&before), &members(&after)) {
            let object = Object {
                kind: "Team",
                id: &team.id,
                name: &team.name,
            };
            let what = (Category::Admin, "update");
            admin.record_in(tx, &team.id, what, &object, Some(&changes))?;
        }
        Ok((team, after))
    });
    let (team, after) = changed.await?;
    shown(app, &team, after).await
}

fn object(provisioner: &Provisioner) -> Object<'_> {
    Object {
        kind: "Provisioner",
        id: &provisioner.id,
        name: &provisioner.name,
    }
}

fn invalid(attribute: &'static str, reason: &str) -> Refusal {
    Refusal::Invalid {
        attribute,
        reason: reason.to_owned(),
    }
}
