//! The identity providers of connections: what was asked of them is kept, and so are their secrets.

use crate::app::App;
use crate::keys::MasterKey;
use crate::vault::{Damaged, Vault};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_directory::Refusal;
use portreeve_directory::connections::{self, Connection, Settings};
use portreeve_oidc::{Error, Http, MetadataUrl, Now, Provider};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Where providers send people back to.
const CALLBACK: &str = "/auth/openid/callback";

/// The most providers that are remembered.
const MOST: usize = 10_000;

/// What a server has for signing in.
pub(crate) struct Providers {
    vault: Vault,
    http: Http,
    /// By directory, with the settings that they were made from.
    known: Mutex<HashMap<String, (Identity, Arc<Provider>)>>,
}

/// What makes a provider another one.
type Identity = (String, Option<String>);

impl Providers {
    /// With a key derived from the installation's own.
    pub(crate) fn new(master: &MasterKey) -> io::Result<Self> {
        Ok(Self {
            vault: Vault::new(master, "sign-in: secrets")?,
            http: Http::new().map_err(io::Error::other)?,
            known: Mutex::default(),
        })
    }

    /// The provider that a directory's connection is to.
    pub(crate) fn provider(
        &self,
        directory_id: &str,
        settings: &Settings,
    ) -> Result<Arc<Provider>, Error> {
        let identity = (settings.metadata_url.clone(), settings.tenant_id.clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((same, provider)) = known.get(directory_id)
            && *same == identity
        {
            return Ok(provider.clone());
        }
        let provider = Arc::new(self.fresh(settings)?);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(directory_id.to_owned(), (identity, provider.clone()));
        Ok(provider)
    }

    /// A provider of whom nothing is known yet.
    pub(crate) fn fresh(&self, settings: &Settings) -> Result<Provider, Error> {
        let url = MetadataUrl::parse(&settings.metadata_url)?;
        let tenant_id = settings.tenant_id.as_deref();
        Ok(Provider::new(self.http.clone(), url, tenant_id))
    }

    /// A connection's client secret as it is stored.
    pub(crate) fn seal_secret(
        &self,
        directory_id: &str,
        secret: &SecretString,
    ) -> Result<Vec<u8>, Damaged> {
        self.vault.seal(&secret_of(directory_id), secret)
    }

    /// A connection's client secret.
    pub(crate) fn open_secret(
        &self,
        directory_id: &str,
        sealed: &[u8],
    ) -> Result<SecretString, Damaged> {
        self.vault.open(&secret_of(directory_id), sealed)
    }

    /// Something with secrets in it that is read back by whoever knows what it is of.
    pub(crate) fn seal(&self, of: &str, value: &impl Serialize) -> Result<Vec<u8>, Damaged> {
        let text = serde_json::to_string(value).map_err(|_| Damaged)?;
        self.vault.seal(of, &SecretString::from(text))
    }

    /// The same again.
    pub(crate) fn open<T: DeserializeOwned>(&self, of: &str, sealed: &[u8]) -> Result<T, Damaged> {
        let text = self.vault.open(of, sealed)?;
        serde_json::from_str(text.expose_secret()).map_err(|_| Damaged)
    }
}

fn secret_of(directory_id: &str) -> String {
    format!("connection/{directory_id}")
}

/// A connection with its client secret.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) secret: Option<SecretString>,
}

impl Opened {
    /// The connection of a directory.
    pub(crate) async fn of(
        app: &App,
        directory_id: &str,
    ) -> Result<Result<Self, Damaged>, Refusal> {
        let id = directory_id.to_owned();
        let read = app.store.lookup(move |tx| -> Result<_, Refusal> {
            let connection = connections::of(tx, &id)?;
            Ok((connection, connections::secret(tx, &id)?))
        });
        let (connection, sealed) = read.await?;
        let open = |sealed: Vec<u8>| app.providers.open_secret(&connection.directory_id, &sealed);
        Ok(sealed
            .map(open)
            .transpose()
            .map(|secret| Self { connection, secret }))
    }

    /// The client as the provider knows it.
    pub(crate) fn client(&self) -> portreeve_oidc::Client<'_> {
        portreeve_oidc::Client {
            id: &self.connection.settings.client_id,
            secret: self.secret.as_ref(),
        }
    }
}

/// Where providers send people back to.
pub(crate) fn redirect_uri(app: &App) -> String {
    format!("{}{CALLBACK}", app.public_url())
}

/// This moment by both clocks.
pub(crate) fn now(app: &App) -> Now {
    Now {
        unix: app.clock.now().div_euclid(1_000_000),
        steady: app.clock.steady(),
    }
}

/// A text that nobody can guess.
pub(super) fn random() -> Result<String, Refusal> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Refusal::Invalid {
        attribute: "sign_in",
        reason: "the machine gives no random numbers".into(),
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
