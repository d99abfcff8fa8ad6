//! Where the API that the `step` client speaks is.

use super::{Aside, ConfigError, Values, public_url, read};
use std::net::SocketAddr;

/// Where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Where it is listened for.
    pub at: Aside,
    /// How clients reach it, without a slash at the end.
    pub url: Option<String>,
}

/// The usual port.
const PORT: u16 = 8461;

impl Step {
    /// `main` is where everything else is listened for.
    pub(super) fn from_values(values: &Values, main: SocketAddr) -> Result<Self, ConfigError> {
        Ok(Self {
            at: Aside::from_values(values, "ca-listen", PORT, main)?,
            url: read(values, "ca-url", ca_url)?,
        })
    }
}

/// Clients speak TLS, and drop what comes after the host.
fn ca_url(text: &str) -> Result<String, String> {
    let wrong = || "give a URL of a host alone, such as https://ca.example.com".to_owned();
    let url = public_url(text).map_err(|_| wrong())?;
    let host = url.strip_prefix("https://").ok_or_else(wrong)?;
    match host.contains('/') {
        true => Err(wrong()),
        false => Ok(url),
    }
}
