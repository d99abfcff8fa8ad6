//! Where the API that the `step` client speaks is.

use super::{ConfigError, Values, public_url, read};
use std::net::{Ipv4Addr, SocketAddr};

/// Where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Where it is listened for; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether somebody said so. If nobody did, a server whose usual address is taken starts without it.
    pub asked: bool,
    /// How clients reach it, without a slash at the end.
    pub url: Option<String>,
}

/// The usual port.
const PORT: u16 = 8461;

impl Step {
    /// `main` is where everything else is listened for.
    pub(super) fn from_values(values: &Values, main: SocketAddr) -> Result<Self, ConfigError> {
        let listen = read(values, "ca-listen", |value| match value {
            "none" => Ok(None),
            value => value.parse().map(Some).map_err(|_| {
                "give an IP address and a port, such as 127.0.0.1:8461, or none".to_owned()
            }),
        })?;
        Ok(Self {
            listen: listen.unwrap_or_else(|| Some(usual(main))),
            asked: listen.is_some(),
            url: read(values, "ca-url", ca_url)?,
        })
    }
}

/// Whoever takes any port for one takes any for the other, too.
pub(super) fn usual(main: SocketAddr) -> SocketAddr {
    let port = if main.port() == 0 { 0 } else { PORT };
    (Ipv4Addr::LOCALHOST, port).into()
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
