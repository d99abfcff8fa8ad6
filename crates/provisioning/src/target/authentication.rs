//! How a client proves to a target who it is: bearer token, HTTP Basic, or OAuth client credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error::Error;
use crate::token::{Kept, authorization};

/// Where the `Authorization` of a request comes from.
#[derive(Debug)]
pub(super) enum Authentication {
    /// It is always the same.
    Fixed(HeaderValue),
    /// It ends, and is asked for anew.
    Tokens(Box<Tokens>),
}

impl Authentication {
    /// A token that stays as it is (RFC 6750).
    pub(super) fn bearer(token: &SecretString) -> Result<Self, Error> {
        header("Bearer", token.expose_secret().trim()).map(Self::Fixed)
    }

    /// A user name with a password (RFC 7617).
    pub(super) fn basic(user: &str, password: &SecretString) -> Result<Self, Error> {
        if user.contains(':') {
            return Err(Error::Settings(
                "the user name holds a colon, which HTTP Basic cannot carry".to_owned(),
            ));
        }
        basic(user, password.expose_secret()).map(Self::Fixed)
    }
}

/// How tokens are asked for, and the one in use (RFC 6749 section 4.4).
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) scope: Option<String>,
    pub(super) send_secret: SendSecret,
    pub(super) kept: Kept,
}

/// Where the client secret goes in a token request (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendSecret {
    /// Among the fields of the form.
    #[default]
    Body,
    /// In the header, by HTTP Basic.
    Basic,
}

impl Tokens {
    pub(super) fn new(
        endpoint: Url,
        client_id: String,
        client_secret: SecretString,
        scope: Option<String>,
        send_secret: SendSecret,
    ) -> Self {
        Self {
            endpoint,
            client_id,
            client_secret,
            scope,
            send_secret,
            kept: Kept::default(),
        }
    }

    /// The request for a token.
    pub(super) fn request(&self, http: &reqwest::Client) -> Result<reqwest::RequestBuilder, Error> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let request = http
            .post(self.endpoint.clone())
            .header(ACCEPT, "application/json");
        let secret = self.client_secret.expose_secret();
        Ok(match self.send_secret {
            SendSecret::Body => {
                form.extend([("client_id", &*self.client_id), ("client_secret", secret)]);
                request
            }
            SendSecret::Basic => {
                let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                let header = basic(&encoded(&self.client_id), &encoded(secret))?;
                request.header(AUTHORIZATION, header)
            }
        }
        .form(&form))
    }
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    header("Basic", &STANDARD.encode(format!("{user}:{password}")))
}

fn header(scheme: &str, credentials: &str) -> Result<HeaderValue, Error> {
    authorization(scheme, credentials).map_err(|_| {
        Error::Setup("the secret token holds characters no header can carry".to_owned())
    })
}
