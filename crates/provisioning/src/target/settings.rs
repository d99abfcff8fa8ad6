//! What an admin says about a target and how to sign in to it.

use std::sync::Arc;

use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use super::address::Guard;
use super::authentication::{Authentication, SendSecret, Tokens};
use super::error::Error;
use super::pace::Pace;
use super::retry::Limits;
use super::tenant_url::{TenantUrl, is_loopback};
use super::transport::Transport;
use crate::secret::Secret;
use crate::source::Home;

/// A SCIM 2.0 application as a target.
///
/// ```
/// let settings: portreeve_provisioning::target::Settings = toml::from_str(
///     r#"
///     url = "https://app.example/scim/v2?aadOptscim062020"
///     authentication = { type = "bearer", token = { file = "app-token" } }
///     requests_per_second = 10
///     "#,
/// )?;
/// assert_eq!(settings.parallel_requests, 4);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The tenant URL. Its flag `aadOptscim062020` chooses the dialect.
    pub url: String,
    /// How to sign in.
    pub authentication: Credentials,
    /// Whether the target may be on this machine or in a private network. Then a proxy that the environment names is
    /// used, too; it would look names up itself. Metadata services of clouds stay refused.
    #[serde(default)]
    pub allow_private_addresses: bool,
    /// The most requests a second, also a fraction; without it, as many as the target answers.
    pub requests_per_second: Option<f64>,
    /// The most requests at a time, 1 to 64.
    #[serde(default = "default_parallel")]
    pub parallel_requests: u32,
    /// What happens where the target does not take PATCH.
    #[serde(default)]
    pub patch_refused: PatchRefused,
    /// With `replace`: groups with more members than this are never replaced.
    #[serde(default = "default_members")]
    pub largest_group_replaced: usize,
}

/// What to do about a target that refuses PATCH as such.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatchRefused {
    /// Read the resource and put the changed one in its place (PUT).
    #[default]
    Replace,
    /// Report it.
    Fail,
}

/// How to sign in to a target.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Credentials {
    /// A secret token that stays the same (RFC 6750).
    Bearer {
        /// The token.
        token: Secret,
    },
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4).
    Oauth {
        /// The token endpoint.
        token_url: String,
        /// The client id.
        client_id: String,
        /// The client secret.
        client_secret: Secret,
        /// The scope to ask for, where the endpoint wants one.
        scope: Option<String>,
        /// Where the secret goes in the token request.
        #[serde(default)]
        send_secret: SendSecret,
    },
}

fn default_parallel() -> u32 {
    4
}

fn default_members() -> usize {
    500
}

impl Settings {
    /// The connection that these settings describe. Nothing is asked yet.
    pub(super) fn transport(
        &self,
        base: &TenantUrl,
        home: &Home,
        limits: Limits,
    ) -> Result<Transport, Error> {
        let guard = Guard {
            private: self.allow_private_addresses,
        };
        guard.check(base.url())?;
        let rate = self.requests_per_second;
        if rate.is_some_and(|rate| !(rate.is_finite() && rate >= 0.001)) {
            return Err(Error::Settings(
                "requests_per_second must be a number from 0.001 on".to_owned(),
            ));
        }
        if !(1..=64).contains(&self.parallel_requests) {
            return Err(Error::Settings(
                "parallel_requests must be from 1 to 64".to_owned(),
            ));
        }
        let authentication = self.authentication.open(guard, home)?;
        let surroundings = Arc::clone(&home.surroundings);
        let pace = Pace::new(self.parallel_requests, rate, Arc::clone(&surroundings));
        Transport::new(
            base,
            authentication,
            Some(guard),
            pace,
            limits,
            surroundings,
        )
    }
}

impl Credentials {
    fn open(&self, guard: Guard, home: &Home) -> Result<Authentication, Error> {
        let reveal = |secret: &Secret| -> Result<SecretString, Error> {
            let revealed = secret.reveal(&home.folder, home.environment);
            revealed.map_err(|cause| Error::Settings(cause.to_string()))
        };
        match self {
            Self::Bearer { token } => Authentication::bearer(&reveal(token)?),
            Self::Basic { user, password } => Authentication::basic(user, &reveal(password)?),
            Self::Oauth {
                token_url,
                client_id,
                client_secret,
                scope,
                send_secret,
            } => {
                let endpoint = endpoint(token_url)?;
                guard.check(&endpoint)?;
                Ok(Authentication::Tokens(Box::new(Tokens::new(
                    endpoint,
                    client_id.trim().to_owned(),
                    reveal(client_secret)?,
                    scope.clone(),
                    *send_secret,
                ))))
            }
        }
    }
}

/// The token endpoint, which is sent the client secret.
fn endpoint(text: &str) -> Result<Url, Error> {
    let unusable = |reason: &str| Error::Settings(format!("token_url {reason}"));
    let url = Url::parse(text.trim()).map_err(|_| unusable("is no URL"))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(unusable(
            "is not encrypted; the client secret would be readable on the way, so use https",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(unusable(
            "holds a user name, a password or a fragment; leave them out",
        ));
    }
    Ok(url)
}
