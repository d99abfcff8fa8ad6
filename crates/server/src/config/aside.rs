//! Listeners beside the main one.

use super::{ConfigError, Values, read};
use std::net::{Ipv4Addr, SocketAddr};

/// Where one listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aside {
    /// Where that is; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether somebody said so. If nobody did, a server whose usual address is taken starts without it.
    pub asked: bool,
}

impl Aside {
    /// `main` is where everything else is listened for, `port` the usual one.
    pub(super) fn from_values(
        values: &Values,
        name: &'static str,
        port: u16,
        main: SocketAddr,
    ) -> Result<Self, ConfigError> {
        let listen = read(values, name, |value| match value {
            "none" => Ok(None),
            value => value.parse().map(Some).map_err(|_| {
                format!("give an IP address and a port, such as 127.0.0.1:{port}, or none")
            }),
        })?;
        Ok(Self {
            listen: listen.unwrap_or_else(|| Some(usual(port, main))),
            asked: listen.is_some(),
        })
    }

    /// A free port of this machine.
    pub(super) fn anywhere() -> Self {
        Self {
            listen: Some((Ipv4Addr::LOCALHOST, 0).into()),
            asked: false,
        }
    }

    /// As `config show` says it.
    pub(super) fn show(&self) -> String {
        match self.listen {
            Some(address) => address.to_string(),
            None => "none".to_owned(),
        }
    }
}

/// Whoever takes any port for one takes any for the other, too.
fn usual(port: u16, main: SocketAddr) -> SocketAddr {
    let port = if main.port() == 0 { 0 } else { port };
    (Ipv4Addr::LOCALHOST, port).into()
}
