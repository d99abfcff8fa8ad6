//! One provider: its metadata and keys, and what is asked of it.

use crate::cache::{Cache, Now};
use crate::exchange::{check_client, exchange};
use crate::{
    Asked, Claims, Client, ClientCheck, Code, Error, Expected, Fetched, Http, Keys, Metadata,
    MetadataUrl, TokenError, Tokens, verify,
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;

/// How often the keys are fetched for the sake of a key that is not among them. Anybody can name one.
const UNKNOWN_KEY: Duration = Duration::from_secs(60);

/// A provider, with what it said kept as long as it allows, from five minutes to a day.
#[derive(Debug)]
pub struct Provider {
    http: Http,
    url: MetadataUrl,
    tenant_id: Option<String>,
    metadata: Cache<Metadata>,
    keys: Cache<Keys>,
}

impl Provider {
    /// The provider with that metadata document. Nothing is fetched yet. `tenant_id` is the only tenant whose people
    /// may sign in, where the provider has several.
    #[must_use]
    pub fn new(http: Http, url: MetadataUrl, tenant_id: Option<&str>) -> Self {
        Self {
            http,
            url,
            tenant_id: tenant_id.map(str::to_ascii_lowercase),
            metadata: Cache::default(),
            keys: Cache::default(),
        }
    }

    /// The metadata.
    ///
    /// # Errors
    /// When it cannot be fetched or used.
    pub async fn metadata(&self, now: Now) -> Result<Arc<Metadata>, Error> {
        let fetch = async || self.fetch_metadata().await;
        self.metadata.get(now.steady, fetch).await
    }

    /// The metadata as it is now, whatever is kept.
    ///
    /// # Errors
    /// When it cannot be fetched or used.
    pub async fn fetch_metadata(&self) -> Result<Fetched<Metadata>, Error> {
        let fetched = self.http.get(Asked::Metadata, self.url.url()).await?;
        let value = Metadata::parse(&fetched.value, &self.url, self.tenant_id.as_deref())?;
        Ok(fetched.with(value))
    }

    /// The keys as they are now, whatever is kept.
    ///
    /// # Errors
    /// When they cannot be fetched or used.
    pub async fn fetch_keys(&self, metadata: &Metadata) -> Result<Fetched<Keys>, Error> {
        let fetched = self.http.get(Asked::Keys, &metadata.jwks_uri).await?;
        let value = Keys::parse(&fetched.value)?;
        Ok(fetched.with(value))
    }

    /// Turns a code into tokens.
    ///
    /// # Errors
    /// When the provider does not.
    pub async fn exchange(
        &self,
        metadata: &Metadata,
        client: &Client<'_>,
        code: &Code<'_>,
    ) -> Result<Tokens, Error> {
        exchange(&self.http, metadata, client, code).await
    }

    /// Finds out whether the provider takes the client's id and secret, without anybody signing in.
    ///
    /// # Errors
    /// When the token endpoint does not answer.
    pub async fn check_client(
        &self,
        metadata: &Metadata,
        client: &Client<'_>,
        redirect_uri: &str,
    ) -> Result<ClientCheck, Error> {
        check_client(&self.http, metadata, client, redirect_uri).await
    }

    /// Verifies the ID token of a sign-in of `client_id` that began with that nonce. A key that is not known is looked
    /// for among the provider's current ones, once a minute at most.
    ///
    /// # Errors
    /// When the keys cannot be had, or the token is not to be accepted.
    pub async fn verify(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        client_id: &str,
        nonce: &str,
        now: Now,
    ) -> Result<Claims, Error> {
        let expected = Expected {
            issuer: &metadata.issuer,
            client_id,
            tenant_id: metadata.tenant_id.as_deref(),
            nonce: Some(nonce),
            access_token: tokens
                .access_token
                .as_ref()
                .map(|token| token.expose_secret()),
            now: now.unix,
        };
        let token = tokens.id_token.expose_secret();
        self.verify_as(metadata, token, &expected, now).await
    }

    /// Verifies an ID token that somebody has got in a sign-in of `client_id` that they began themselves, so that nobody
    /// here knows its nonce. Whoever takes it sees to it that it is taken once.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_presented(
        &self,
        metadata: &Metadata,
        token: &str,
        client_id: &str,
        now: Now,
    ) -> Result<Claims, Error> {
        let expected = Expected {
            issuer: &metadata.issuer,
            client_id,
            tenant_id: metadata.tenant_id.as_deref(),
            nonce: None,
            access_token: None,
            now: now.unix,
        };
        self.verify_as(metadata, token, &expected, now).await
    }

    async fn verify_as(
        &self,
        metadata: &Metadata,
        token: &str,
        expected: &Expected<'_>,
        now: Now,
    ) -> Result<Claims, Error> {
        let keys = self
            .keys
            .get(now.steady, async || self.fetch_keys(metadata).await)
            .await?;
        match verify(token, &keys, expected) {
            Err(TokenError::UnknownKey(_)) => {
                let fetch = async || self.fetch_keys(metadata).await;
                let keys = self.keys.get_after(now.steady, UNKNOWN_KEY, fetch).await?;
                Ok(verify(token, &keys, expected)?)
            }
            result => Ok(result?),
        }
    }
}

impl<T> Fetched<T> {
    /// The same headers for what was made of the body.
    fn with<U>(self, value: U) -> Fetched<U> {
        Fetched {
            value,
            date: self.date,
            max_age: self.max_age,
        }
    }
}
