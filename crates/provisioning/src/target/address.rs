//! Which addresses this machine may connect to on behalf of somebody who enters a tenant URL.
//!
//! A name is resolved and judged in one step, and the connection goes to the address that was judged: the name cannot
//! come to mean another machine between the two.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::error::Error;

/// Decides about addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guard {
    /// Whether addresses of this machine and of private networks are allowed.
    pub(super) private: bool,
}

/// A host that must not be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is {address}, {what}")]
pub(super) struct Forbidden {
    host: String,
    address: IpAddr,
    what: &'static str,
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        let Forbidden {
            host,
            address,
            what,
        } = forbidden;
        Self::ForbiddenAddress {
            host,
            address,
            what,
        }
    }
}

impl Guard {
    /// Judges an address that stands in the URL itself; names are judged when they are resolved.
    pub(super) fn check(self, url: &Url) -> Result<(), Forbidden> {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(address) => self.judge(host, address),
            Err(_) => Ok(()),
        }
    }

    fn judge(self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let what = metadata(address).or_else(|| {
            let inside = inside(address);
            inside.filter(|_| !self.private)
        });
        match what {
            None => Ok(()),
            Some(what) => Err(Forbidden {
                host: host.to_owned(),
                address,
                what,
            }),
        }
    }

    /// The allowed ones among a name's addresses.
    fn allowed(self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Forbidden> {
        let mut refused = None;
        let mut allowed = Vec::new();
        for socket in found {
            match self.judge(host, socket.ip()) {
                Ok(()) => allowed.push(socket),
                Err(forbidden) => refused = Some(forbidden),
            }
        }
        match refused {
            Some(forbidden) if allowed.is_empty() => Err(forbidden),
            _ => Ok(allowed),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Addrs = Box::new(guard.allowed(name.as_str(), found)?.into_iter());
            Ok(addresses)
        })
    }
}

/// What the host of a tenant URL is that can only be connected to where private addresses are allowed, as far as that can
/// be seen without resolving a name.
#[must_use]
pub fn private_host(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    if host == "localhost" || host.ends_with(".localhost") {
        return Some("this machine itself");
    }
    let address = host.trim_start_matches('[').trim_end_matches(']');
    inside(address.parse().ok()?)
}

/// Why a connection failed, when it was this guard.
pub(super) fn refusal(error: &reqwest::Error) -> Option<Forbidden> {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(forbidden) = cause.downcast_ref::<Forbidden>() {
            return Some(forbidden.clone());
        }
        next = cause.source();
    }
    None
}

/// A cloud's metadata service, which gives this machine's own credentials to whoever asks from it.
fn metadata(address: IpAddr) -> Option<&'static str> {
    const WHAT: &str = "a cloud's metadata service";
    let found = match plain(address) {
        IpAddr::V4(v4) => matches!(
            v4.octets(),
            [169, 254, 169, 254] | [169, 254, 170, 2] | [100, 100, 100, 200] | [168, 63, 129, 16]
        ),
        IpAddr::V6(v6) => v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    };
    found.then_some(WHAT)
}

/// What an address is when it is not one of the public internet (IANA's special-purpose registries, RFC 6890).
fn inside(address: IpAddr) -> Option<&'static str> {
    match plain(address) {
        IpAddr::V4(v4) => inside_v4(v4),
        IpAddr::V6(v6) => inside_v6(v6),
    }
}

fn inside_v4(address: Ipv4Addr) -> Option<&'static str> {
    Some(match address.octets() {
        [127, ..] => "this machine itself",
        [0, ..] => "no address of a machine",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "in a private network",
        [100, 64..=127, ..] => "in a provider's private network",
        [169, 254, ..] => "a link-local address",
        [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..] => "reserved",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "reserved for documentation",
        [224..=239, ..] => "a multicast address",
        _ => return None,
    })
}

fn inside_v6(address: Ipv6Addr) -> Option<&'static str> {
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => "this machine itself",
        [0, 0, 0, 0, 0, 0, 0, 0] => "no address of a machine",
        [0xfc00..=0xfdff, ..] | [0x64, 0xff9b, 1, ..] => "in a private network",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff, ..] => "in a private network",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "reserved for documentation",
        [0x100, 0, 0, 0, ..] => "reserved",
        _ => return None,
    })
}

/// The IPv4 address that an IPv6 address carries: mapped and compatible (RFC 4291 section 2.5.5), translated by NAT64
/// (RFC 6052) and 6to4 (RFC 3056).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_of_the_internet_is_refused_unless_it_is_allowed() {
        // The address, whether it is refused, and whether it is refused even where private ones are allowed.
        let cases = [
            ("8.8.8.8", false, false),
            ("172.15.255.255", false, false),
            ("172.32.0.1", false, false),
            ("100.128.0.1", false, false),
            ("2606:4700::1111", false, false),
            ("64:ff9b::808:808", false, false),
            ("127.0.0.1", true, false),
            ("127.255.0.9", true, false),
            ("0.0.0.0", true, false),
            ("10.0.0.1", true, false),
            ("172.16.0.1", true, false),
            ("172.31.255.255", true, false),
            ("192.168.1.1", true, false),
            ("100.64.0.1", true, false),
            ("169.254.1.1", true, false),
            ("224.0.0.1", true, false),
            ("255.255.255.255", true, false),
            ("::1", true, false),
            ("::", true, false),
            ("fd12::1", true, false),
            ("fe80::1", true, false),
            ("ff02::1", true, false),
            ("::ffff:127.0.0.1", true, false),
            ("::127.0.0.1", true, false),
            ("64:ff9b::a00:1", true, false),
            ("2002:c0a8:101::1", true, false),
            ("169.254.169.254", true, true),
            ("169.254.170.2", true, true),
            ("100.100.100.200", true, true),
            ("168.63.129.16", true, true),
            ("fd00:ec2::254", true, true),
            ("::ffff:169.254.169.254", true, true),
        ];
        for (text, refused, always) in cases {
            let address = text.parse().unwrap();
            let judged = |private| Guard { private }.judge("host", address).is_err();
            assert_eq!((judged(false), judged(true)), (refused, always), "{text}");
        }
    }

    #[test]
    fn of_a_names_addresses_the_allowed_ones_are_used() {
        let guard = Guard { private: false };
        let sockets = |texts: &[&str]| -> Vec<SocketAddr> {
            let ips = texts.iter().map(|text| text.parse::<IpAddr>().unwrap());
            ips.map(|ip| SocketAddr::new(ip, 0)).collect()
        };
        let public = sockets(&["8.8.8.8", "9.9.9.9"]);
        let mixed = sockets(&["10.0.0.1", "9.9.9.9"]);
        let private = sockets(&["10.0.0.1", "::1"]);
        let cases = [
            ("public", public.clone(), Some(public)),
            ("mixed", mixed.clone(), Some(mixed[1..].to_vec())),
            ("private", private, None),
            ("none", vec![], Some(vec![])),
        ];
        for (name, found, expected) in cases {
            let allowed = guard.allowed("host", found).ok();
            assert_eq!(allowed, expected, "{name}");
        }
    }

    #[test]
    fn an_address_in_the_url_is_judged_in_every_spelling() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
        ] {
            let judged = Guard { private: false }.check(&Url::parse(url).unwrap());
            assert!(judged.is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn an_address_means_the_same_however_it_is_carried(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            prop_assume!(high != 0 || low > 1);
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(inside(IpAddr::V6(v6)), inside(IpAddr::V4(v4)));
                prop_assert_eq!(metadata(IpAddr::V6(v6)), metadata(IpAddr::V4(v4)));
            }
        }
    }
}
