//! Whom a certificate is for, beside its common name (RFC 5280 section 4.2.1.6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::SanType;
use x509_parser::extensions::GeneralName;

use crate::Error;

/// A name of a machine, a person, or a thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A host name.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// A mailbox.
    Email(String),
    /// A URI.
    Uri(String),
}

impl Name {
    /// The kind that a name is of by how it looks: an address, a mailbox, a URI, or else a host name. As `step` does it.
    pub fn of(text: &str) -> Self {
        if let Ok(address) = text.parse() {
            return Self::Ip(address);
        }
        match text {
            _ if text.contains("://") || text.starts_with("urn:") => Self::Uri(text.to_owned()),
            _ if text.contains('@') => Self::Email(text.to_owned()),
            _ => Self::Dns(text.to_owned()),
        }
    }

    pub(crate) fn to_rcgen(&self) -> Result<SanType, Error> {
        let ascii = |text: &String| {
            let fitting = text.as_str().try_into();
            fitting.map_err(|_| Error::Contents(format!("{text:?} is not ASCII")))
        };
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(ascii(name)?),
            Self::Ip(address) => SanType::IpAddress(*address),
            Self::Email(name) => SanType::Rfc822Name(ascii(name)?),
            Self::Uri(name) => SanType::URI(ascii(name)?),
        })
    }

    /// `None`: one of the kinds that nobody uses here.
    pub(crate) fn from_parsed(name: &GeneralName<'_>) -> Option<Self> {
        Some(match name {
            GeneralName::DNSName(name) => Self::Dns((*name).to_owned()),
            GeneralName::RFC822Name(name) => Self::Email((*name).to_owned()),
            GeneralName::URI(name) => Self::Uri((*name).to_owned()),
            GeneralName::IPAddress(bytes) => Self::Ip(match *bytes {
                [a, b, c, d] => Ipv4Addr::new(*a, *b, *c, *d).into(),
                bytes => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
            }),
            _ => return None,
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => f.write_str(name),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}
