//! The site that passkeys are for, as browsers know it.

use url::{Host, Url};

/// A site: what its passkeys are bound to, and where they may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
    name: String,
}

/// Why browsers would refuse passkeys at a URL (WebAuthn section 5.1.3: a valid domain, in a secure context).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// This machine by its address.
    #[error("browsers accept no passkeys at an IP address; open {instead} instead")]
    Loopback {
        /// The same place by its name, without a slash at the end.
        instead: String,
    },
    /// Another machine by its address.
    #[error(
        "browsers accept no passkeys at an IP address; serve Portreeve under a name, with https"
    )]
    Address,
    /// No encryption.
    #[error(
        "browsers accept passkeys only over https, or at localhost; serve Portreeve with https"
    )]
    Insecure,
    /// No URL with a host.
    #[error("`{0}` is no URL of a web site")]
    Unreadable(String),
}

impl RelyingParty {
    /// The site at a URL, whose path does not matter, with a name that authenticators may show.
    ///
    /// # Errors
    /// When browsers would refuse passkeys there.
    pub fn at(url: &str, name: &str) -> Result<Self, Unfit> {
        let unreadable = || Unfit::Unreadable(url.to_owned());
        let url = Url::parse(url).map_err(|_| unreadable())?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(unreadable()),
        };
        let id = match url.host().ok_or_else(unreadable)? {
            Host::Domain(id) => id,
            Host::Ipv4(address) if address.is_loopback() => return Err(loopback(url)),
            Host::Ipv6(address) if address.is_loopback() => return Err(loopback(url)),
            Host::Ipv4(_) | Host::Ipv6(_) => return Err(Unfit::Address),
        };
        if !secure && id != "localhost" && !id.ends_with(".localhost") {
            return Err(Unfit::Insecure);
        }
        Ok(Self {
            id: id.to_owned(),
            origin: url.origin().ascii_serialization(),
            name: name.to_owned(),
        })
    }

    /// The host, to which passkeys are bound for good.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Scheme, host and, unless it is the scheme's own, port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What authenticators may show.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn loopback(mut url: Url) -> Unfit {
    match url.set_host(Some("localhost")) {
        Ok(()) => Unfit::Loopback {
            instead: url.origin().ascii_serialization(),
        },
        Err(_) => Unfit::Address,
    }
}
