//! Whose tokens are taken: the provisioners that an admin has declared, the connections of directories, and `sshpop`.

use crate::app::App;
use portreeve_directory::connections::{self, Connection};
use portreeve_directory::provisioners::{self, OidcClient, Provisioner, SSHPOP, Settings};
use portreeve_directory::{Refusal, directories};
use portreeve_scim::text::fold;
use portreeve_step::provisioner::{self as wire, Kind};
use portreeve_step::{PublicKey, Token};
use portreeve_store::Tx;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For how long nobody asks whether anything has changed.
const FRESH: Duration = Duration::from_secs(1);

/// Those of one team.
#[derive(Debug, Default)]
pub(crate) struct Provisioners {
    all: Vec<Known>,
    /// As everybody may see them, by name.
    pub(crate) shown: Vec<wire::Provisioner>,
}

/// A provisioner, ready to be asked.
#[derive(Debug)]
pub(super) enum Known {
    Jwk {
        name: String,
        kid: String,
        key: PublicKey,
        /// The private key, encrypted.
        encrypted: Option<String>,
    },
    X5c {
        name: String,
        /// DER.
        roots: Vec<Vec<u8>>,
    },
    Sshpop {
        name: String,
    },
    Oidc(Box<Oidc>),
}

/// A directory whose people sign in with `step`.
#[derive(Debug, Clone)]
pub(super) struct Oidc {
    pub(super) name: String,
    pub(super) connection: Connection,
    /// What the provider calls those whose tokens are taken.
    pub(super) clients: Vec<String>,
}

/// The provisioners that were loaded, by team.
#[derive(Default)]
pub(super) struct Loaded(Mutex<HashMap<String, (Arc<Provisioners>, Duration)>>);

impl Loaded {
    /// Everything is read anew.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Arc<Provisioners>, Duration)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provisioners {
    /// Those of a team, as they were a second ago at most.
    pub(crate) async fn of(app: &App, team_id: &str) -> Result<Arc<Self>, Refusal> {
        let now = app.clock.steady();
        let lock = || app.step.provisioners.lock();
        if let Some((known, seen)) = lock().get(team_id)
            && now.saturating_sub(*seen) < FRESH
        {
            return Ok(known.clone());
        }
        let team = team_id.to_owned();
        let read = app.store.lookup(move |tx| Self::read(tx, &team)).await?;
        let read = Arc::new(read);
        lock().insert(team_id.to_owned(), (read.clone(), now));
        Ok(read)
    }

    /// Those of a team as they are.
    pub(crate) fn read(tx: &mut Tx<'_>, team_id: &str) -> Result<Self, Refusal> {
        let (declared, connected) = (
            provisioners::list(tx, team_id)?,
            connections::in_team(tx, team_id)?,
        );
        let mut made = Self::default();
        for provisioner in &declared {
            made.add(provisioner, &connected);
        }
        for connection in &connected {
            made.add_connection(connection);
        }
        made.all.push(Known::Sshpop {
            name: SSHPOP.to_owned(),
        });
        let name = SSHPOP.to_owned();
        made.shown.push(Kind::Sshpop { name }.into());
        made.shown
            .sort_by_cached_key(|one| fold(one.kind.name()).into_owned());
        Ok(made)
    }

    /// One that cannot be used any more is as if it were not there, and the log of the server says so.
    fn add(&mut self, provisioner: &Provisioner, connections: &[Connection]) {
        let name = provisioner.name.clone();
        let (known, shown) = match &provisioner.settings {
            Settings::Jwk { key } => match PublicKey::from_jwk(key) {
                Ok(public) => (
                    Known::Jwk {
                        name: name.clone(),
                        kid: kid(key).to_owned(),
                        key: public,
                        encrypted: provisioner.encrypted_key.clone(),
                    },
                    Kind::Jwk {
                        name,
                        key: key.clone(),
                        encrypted_key: provisioner.encrypted_key.clone(),
                    },
                ),
                Err(error) => return unusable(&name, &error),
            },
            Settings::X5c { roots } => match portreeve_x509::chain::from_pem(roots) {
                Ok(ders) => (
                    Known::X5c {
                        name: name.clone(),
                        roots: ders,
                    },
                    Kind::X5c {
                        name,
                        roots: base64(roots),
                    },
                ),
                Err(error) => return unusable(&name, &error),
            },
            Settings::Sshpop {} => (Known::Sshpop { name: name.clone() }, Kind::Sshpop { name }),
            Settings::Oidc(client) => {
                let mut all = connections.iter();
                match all.find(|one| one.directory_id == client.directory_id) {
                    Some(connection) => oidc(name, client, connection),
                    None => return unusable(&name, &"its directory has no connection"),
                }
            }
        };
        self.all.push(known);
        self.shown.push(shown.into());
    }

    /// The connection's own client, unless another one was declared for `step`.
    fn add_connection(&mut self, connection: &Connection) {
        let is_declared = |known: &Known| matches!(known, Known::Oidc(one) if one.connection.directory_id == connection.directory_id);
        if self.all.iter().any(is_declared) {
            return;
        }
        let mut name = connection.directory_name.clone();
        let is_taken = |name: &str| {
            let mut names = self.shown.iter().map(|one| one.kind.name());
            fold(name) == SSHPOP || names.any(|other| fold(other) == fold(name))
        };
        while is_taken(&name) {
            name.push_str(" SSO");
        }
        let client = OidcClient {
            directory_id: connection.directory_id.clone(),
            client_id: connection.settings.client_id.clone(),
            ..OidcClient::default()
        };
        let (known, shown) = oidc(name, &client, connection);
        self.all.push(known);
        self.shown.push(shown.into());
    }

    /// Whose word a token is: that of its certificate, of whom it says has issued it, or of the provider whose client it is
    /// for.
    pub(super) fn find(&self, token: &Token) -> Option<&Known> {
        let fragment = token.fragment();
        let named = |kind: &str, name: &str| match fragment.as_deref() {
            Some(fragment) => fragment.split_once('/') == Some((kind, name)),
            None => token.claims.iss == name,
        };
        if token.header.sshpop.is_some() {
            let mut all = self.all.iter();
            return all.find(|one| matches!(one, Known::Sshpop { name } if named("sshpop", name)));
        }
        if token.certificates().is_some() {
            let mut all = self.all.iter();
            return all.find(|one| matches!(one, Known::X5c { name, .. } if named("x5c", name)));
        }
        let header = token.header.kid.as_deref().unwrap_or_default();
        let signer = self.all.iter().find(|one| {
            matches!(one, Known::Jwk { name, kid, .. } if *name == token.claims.iss && kid == header)
        });
        signer.or_else(|| self.provider(token))
    }

    /// The provider whose client a token is for; of several the one of the token's tenant.
    fn provider(&self, token: &Token) -> Option<&Known> {
        let claims = &token.claims;
        let fits = |known: &&Known| match known {
            Known::Oidc(one) => one.client(token).is_some(),
            _ => false,
        };
        let in_tenant = |known: &&Known| match known {
            Known::Oidc(one) => {
                let pinned = one.connection.settings.tenant_id.as_deref();
                pinned.is_some_and(|pinned| {
                    let tid = claims.tid.as_deref().unwrap_or_default();
                    pinned.eq_ignore_ascii_case(tid)
                })
            }
            _ => false,
        };
        let all = || self.all.iter().filter(fits);
        all().find(in_tenant).or_else(|| all().next())
    }

    /// The encrypted key of that name.
    pub(super) fn encrypted_key(&self, wanted: &str) -> Option<&str> {
        self.all.iter().find_map(|one| match one {
            Known::Jwk {
                kid,
                encrypted: Some(encrypted),
                ..
            } if kid == wanted => Some(encrypted.as_str()),
            _ => None,
        })
    }

    /// The name of the only one by which people sign in; `None` where there are several, or none.
    pub(super) fn only_oidc(&self) -> Option<&str> {
        let mut all = self.all.iter().filter_map(|one| match one {
            Known::Oidc(one) => Some(one.name.as_str()),
            _ => None,
        });
        let first = all.next();
        match all.next() {
            None => first,
            Some(_) => None,
        }
    }
}

impl Known {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Jwk { name, .. } | Self::X5c { name, .. } | Self::Sshpop { name } => name,
            Self::Oidc(oidc) => &oidc.name,
        }
    }
}

impl Oidc {
    /// Which of the clients a token is for. Whom it was given to counts before whom it may be shown to.
    pub(super) fn client(&self, token: &Token) -> Option<&str> {
        let claims = &token.claims;
        let names = match &claims.azp {
            Some(party) => std::slice::from_ref(party),
            None => claims.aud.as_slice(),
        };
        let mut clients = self.clients.iter();
        let found = clients.find(|client| names.contains(client));
        found.map(String::as_str)
    }
}

fn oidc(name: String, client: &OidcClient, connection: &Connection) -> (Known, Kind) {
    let own = &connection.settings.client_id;
    let mut clients = vec![client.client_id.clone()];
    if client.client_id != *own {
        clients.push(own.clone());
    }
    let shown = Kind::Oidc {
        name: name.clone(),
        client_id: client.client_id.clone(),
        // That of the connection is a secret, and stays one.
        client_secret: client.public_secret.clone().unwrap_or_default(),
        configuration_endpoint: connection.settings.metadata_url.clone(),
        tenant_id: connection.settings.tenant_id.clone(),
        listen_address: client.listen_address.clone(),
        scopes: client.scopes.clone(),
        auth_params: client.auth_params.clone(),
    };
    let known = Oidc {
        name,
        connection: connection.clone(),
        clients,
    };
    (Known::Oidc(Box::new(known)), shown)
}

/// The name of a key.
pub(crate) fn kid(key: &Value) -> &str {
    key.get("kid").and_then(Value::as_str).unwrap_or_default()
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn unusable(name: &str, why: &dyn std::fmt::Display) {
    tracing::warn!(name, %why, "a provisioner cannot be used");
}

/// The name of a team's directory is not one of ours.
pub(crate) fn is_free(tx: &mut Tx<'_>, team_id: &str, name: &str) -> Result<bool, Refusal> {
    match directories::find_in(tx, team_id, name) {
        Ok(_) => Ok(false),
        Err(Refusal::NotFound(..)) => Ok(true),
        Err(refusal) => Err(refusal),
    }
}
