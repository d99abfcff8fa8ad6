//! How a client proves to a target who it is: bearer token, HTTP Basic, or OAuth client credentials.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::answer::excerpt;
use super::error::Error;

/// How long before its end a token is no longer used: a request may take some time on its way.
const MARGIN: Duration = Duration::from_secs(60);

/// How long a token is used that does not say how long it is good for (RFC 6749 section 5.1 only recommends it).
const UNSAID: u64 = 600;

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

/// Gets a token when there is none that is good, and keeps it (RFC 6749 section 4.4).
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) scope: Option<String>,
    pub(super) send_secret: SendSecret,
    kept: Mutex<Option<Token>>,
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

/// A token that the endpoint gave out.
#[derive(Debug, Clone)]
pub(super) struct Token {
    authorization: HeaderValue,
    until: SystemTime,
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
            kept: Mutex::new(None),
        }
    }

    /// The token in use, or the one that `ask` gets; many requests that need one ask once.
    pub(super) async fn current<E>(
        &self,
        now: SystemTime,
        ask: impl AsyncFnOnce() -> Result<Token, E>,
    ) -> Result<HeaderValue, E> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref()
            && now < token.until
        {
            return Ok(token.authorization.clone());
        }
        let token = ask().await?;
        Ok(kept.insert(token).authorization.clone())
    }

    /// Gives up a token that was refused, unless another request has replaced it already.
    pub(super) async fn forget(&self, refused: &HeaderValue) {
        let mut kept = self.kept.lock().await;
        if kept
            .as_ref()
            .is_some_and(|token| token.authorization == refused)
        {
            *kept = None;
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

impl Token {
    /// Reads the answer to a token request (RFC 6749 section 5.1).
    pub(super) fn read(body: &Value, now: SystemTime) -> Result<Self, Error> {
        let answer: TokenAnswer = serde_json::from_value(body.clone())
            .map_err(|cause| Error::SignIn(format!("its answer holds no token ({cause})")))?;
        if !answer.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(Error::SignIn(format!(
                "it gives a token of the unknown type {}",
                excerpt(answer.token_type.as_bytes())
            )));
        }
        let seconds = match &answer.expires_in {
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        let life = Duration::from_secs(seconds.unwrap_or(UNSAID));
        let used = life.saturating_sub(MARGIN.min(life / 2));
        Ok(Self {
            authorization: header("Bearer", answer.access_token.expose_secret())?,
            until: now.checked_add(used).unwrap_or(now),
        })
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    #[serde(default = "bearer")]
    token_type: String,
    expires_in: Option<Value>,
}

fn bearer() -> String {
    "Bearer".to_owned()
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    header("Basic", &STANDARD.encode(format!("{user}:{password}")))
}

fn header(scheme: &str, credentials: &str) -> Result<HeaderValue, Error> {
    let value = HeaderValue::from_str(&format!("{scheme} {credentials}"));
    let mut value = value.map_err(|_| {
        Error::Setup("the secret token holds characters no header can carry".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}
