//! Access tokens that a token endpoint gives out (RFC 6749) and that are kept until they age.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::target::excerpt;

/// How long before its end a token is no longer used, because a request may take some time on its way; half its life
/// where that is less.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// How long a token is good that does not say it (RFC 6749 section 5.1 only recommends that it does).
const UNSAID: u64 = 600;

/// An access token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    authorization: HeaderValue,
    until: SystemTime,
}

impl Token {
    /// Takes the token from the answer to a token request (RFC 6749 section 5.1), or says what is wrong with that.
    pub(crate) fn read(answer: &Value, now: SystemTime) -> Result<Self, String> {
        let answer = Answer::deserialize(answer)
            .map_err(|cause| format!("its answer holds no token ({cause})"))?;
        if !answer.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(format!(
                "it gives a token of the unknown type {}",
                excerpt(answer.token_type.as_bytes())
            ));
        }
        let seconds = match &answer.expires_in {
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        let life = Duration::from_secs(seconds.unwrap_or(UNSAID));
        let used = life.saturating_sub(MARGIN.min(life / 2));
        Ok(Self {
            authorization: authorization("Bearer", answer.access_token.expose_secret())
                .map_err(|_| "its token holds characters no header can carry".to_owned())?,
            until: now.checked_add(used).unwrap_or(now),
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    #[serde(default = "bearer")]
    token_type: String,
    /// Seconds; some servers write the number as a text.
    expires_in: Option<Value>,
}

fn bearer() -> String {
    "Bearer".to_owned()
}

/// The value of `Authorization` for credentials of a scheme. It does not print.
pub(crate) fn authorization(
    scheme: &str,
    credentials: &str,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {credentials}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The token in use, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<Token>>);

impl Kept {
    /// The `Authorization` of the token in use, or of the one that `ask` gets. Many requests that need one ask once.
    pub(crate) async fn current<E>(
        &self,
        now: SystemTime,
        ask: impl AsyncFnOnce() -> Result<Token, E>,
    ) -> Result<HeaderValue, E> {
        // Held while a token is asked for: the others wait for it.
        let mut kept = self.0.lock().await;
        if let Some(token) = kept.as_ref()
            && now < token.until
        {
            return Ok(token.authorization.clone());
        }
        let token = ask().await?;
        Ok(kept.insert(token).authorization.clone())
    }

    /// Gives up a token that was refused, unless another request has replaced it already.
    pub(crate) async fn forget(&self, refused: &HeaderValue) {
        let mut kept = self.0.lock().await;
        if kept
            .as_ref()
            .is_some_and(|token| token.authorization == refused)
        {
            *kept = None;
        }
    }
}
