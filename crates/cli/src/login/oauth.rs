//! What the server's sign-in asks of programs (RFC 6749, RFC 7009, RFC 8628).

use crate::client;
use crate::failure::{Code, Failure};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

pub(super) const CLIENT_ID: &str = "portreeve-cli";
const TIMEOUT: Duration = Duration::from_secs(30);

/// The sign-in of a server.
pub(super) struct Oauth {
    http: Client,
    /// The server's address, without a slash at the end.
    pub(super) url: String,
    /// What this machine calls itself.
    pub(super) device: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// The server says so, with an error code of the standard.
    Said { code: String, sentence: String },
    /// There was no answer, or none that can be read.
    Failed(Failure),
}

/// A session.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: SecretString,
}

impl Oauth {
    pub(super) fn at(url: &str) -> Result<Self, Failure> {
        Ok(Self {
            http: client::http(Client::builder().timeout(TIMEOUT))?,
            url: url.to_owned(),
            device: client::machine(),
        })
    }

    /// Posts a form.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refused> {
        #[derive(Deserialize)]
        struct Error {
            error: String,
            #[serde(default)]
            error_description: String,
        }
        let failed =
            |error: reqwest::Error| Refused::Failed(client::unreachable_at(&self.url, &error));
        let form: Vec<_> = form.iter().chain(&[("client_id", CLIENT_ID)]).collect();
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .form(&form)
            .send()
            .await
            .map_err(failed)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(failed)?;
        if status.is_success()
            && let Ok(said) = serde_json::from_slice(&bytes)
        {
            return Ok(said);
        }
        Err(match serde_json::from_slice::<Error>(&bytes) {
            Ok(Error {
                error,
                error_description,
            }) => Refused::Said {
                code: error,
                sentence: error_description,
            },
            Err(_) => Refused::Failed(Failure::plain(format!(
                "{} answered {status} instead of signing in; is it a Portreeve server?",
                self.url
            ))),
        })
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failed(failure) => failure,
            Refused::Said { code, sentence } => {
                let message = match sentence.is_empty() {
                    true => code,
                    false => sentence,
                };
                Self::new(
                    Code::NotSignedIn,
                    format!("the server did not sign you in: {message}"),
                )
            }
        }
    }
}

/// Ends a session at the server.
pub(crate) async fn revoke(url: &str, token: &SecretString) -> Result<(), Failure> {
    let oauth = Oauth::at(url)?;
    let form = [("token", token.expose_secret())];
    let _: serde_json::Value = oauth.post("/auth/cli/revoke", &form).await?;
    Ok(())
}
