//! Which address a request counts on.

use http::{HeaderMap, HeaderName, header};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An IPv4 address, or the network of an IPv6 address: one customer has at least a /64, and all addresses in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6([a, b, c, d]) => {
                write!(f, "{}/64", Ipv6Addr::new(*a, *b, *c, *d, 0, 0, 0, 0))
            }
        }
    }
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

impl Origin {
    /// The other end of the connection, or who it says has sent the request, if it is to be trusted.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let is_trusted = |address: IpAddr| trusted.contains(&address.to_canonical());
        if !is_trusted(peer) {
            return peer.into();
        }
        let client = |hops: Option<Vec<Option<IpAddr>>>| Some(client(peer, &hops?, is_trusted));
        match (client(x_forwarded_for(headers)), client(forwarded(headers))) {
            // A proxy writes one of the two and may let the client's other one through.
            (Some(one), Some(other)) if one != other => peer.into(),
            (Some(client), _) | (None, Some(client)) => client.into(),
            (None, None) => peer.into(),
        }
    }
}

/// The last hop that is not trusted; what stands before it can be made up. A trusted proxy that does not name its client
/// by address is taken for it.
fn client(peer: IpAddr, hops: &[Option<IpAddr>], is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut client = peer;
    for hop in hops.iter().rev() {
        let Some(hop) = *hop else {
            break;
        };
        client = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    client
}

/// The hops of `X-Forwarded-For`, first to last; `None` among them for what is no address.
fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    elements(headers, &X_FORWARDED_FOR, address)
}

/// The hops of `Forwarded` (RFC 7239).
fn forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    elements(headers, &header::FORWARDED, |element| {
        let parameter = element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value)
        });
        address(parameter?.trim().trim_matches('"'))
    })
}

/// The elements of a list in all headers of that name; `None` if there is no such header.
fn elements(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Option<Vec<Option<IpAddr>>> {
    let mut hops = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            Ok(list) => hops.extend(list.split(',').map(&read)),
            Err(_) => hops.push(None),
        }
    }
    headers.contains_key(name).then_some(hops)
}

/// An address, which may have a port, and as IPv6 brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn origin(peer: &str, headers: &[(&'static str, &str)]) -> Origin {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let trusted = ["10.0.0.1", "10.0.0.2", "fd00::1"].map(|it| it.parse().unwrap());
        Origin::of(peer.parse().unwrap(), &map, &trusted)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_request_counts_on_the_last_address_that_nobody_can_make_up() {
        let xff = "x-forwarded-for";
        for (name, peer, headers, expected) in [
            ("no proxy", "192.0.2.7", vec![], "192.0.2.7"),
            (
                "a header from somebody who is not trusted",
                "192.0.2.7",
                vec![(xff, "198.51.100.1"), ("forwarded", "for=198.51.100.1")],
                "192.0.2.7",
            ),
            (
                "a proxy",
                "10.0.0.1",
                vec![(xff, "198.51.100.1")],
                "198.51.100.1",
            ),
            (
                "a proxy, reached over an IPv6 socket",
                "::ffff:10.0.0.1",
                vec![(xff, "198.51.100.1")],
                "198.51.100.1",
            ),
            (
                "what the client made up stands first",
                "10.0.0.1",
                vec![(xff, "203.0.113.9, 198.51.100.1")],
                "198.51.100.1",
            ),
            (
                "the same in two headers",
                "10.0.0.1",
                vec![(xff, "203.0.113.9"), (xff, "198.51.100.1")],
                "198.51.100.1",
            ),
            (
                "two proxies",
                "10.0.0.1",
                vec![(xff, "203.0.113.9, 198.51.100.1, 10.0.0.2")],
                "198.51.100.1",
            ),
            (
                "made up to look like a proxy",
                "10.0.0.1",
                vec![(xff, "10.0.0.2, 198.51.100.1")],
                "198.51.100.1",
            ),
            (
                "nothing but proxies",
                "10.0.0.1",
                vec![(xff, "10.0.0.2")],
                "10.0.0.2",
            ),
            ("a proxy that says nothing", "10.0.0.1", vec![], "10.0.0.1"),
            (
                "no address",
                "10.0.0.1",
                vec![(xff, "198.51.100.1, unknown")],
                "10.0.0.1",
            ),
            (
                "not even text",
                "10.0.0.1",
                vec![(xff, "\u{e9}")],
                "10.0.0.1",
            ),
            (
                "with a port",
                "10.0.0.1",
                vec![(xff, "198.51.100.1:4711")],
                "198.51.100.1",
            ),
            (
                "IPv6 with a port",
                "fd00::1",
                vec![(xff, "[2001:db8::1]:4711")],
                "2001:db8::1",
            ),
            (
                "RFC 7239",
                "10.0.0.1",
                vec![(
                    "forwarded",
                    "for=203.0.113.9, proto=https;For=\"[2001:db8::1]:4711\"",
                )],
                "2001:db8::1",
            ),
            (
                "RFC 7239 without an address",
                "10.0.0.1",
                vec![("forwarded", "for=_hidden, proto=https")],
                "10.0.0.1",
            ),
            (
                "both headers, one of them the client's",
                "10.0.0.1",
                vec![(xff, "198.51.100.1"), ("forwarded", "for=203.0.113.9")],
                "10.0.0.1",
            ),
            (
                "both headers, of one mind",
                "10.0.0.1",
                vec![(xff, "198.51.100.1"), ("forwarded", "for=198.51.100.1")],
                "198.51.100.1",
            ),
            (
                "one network of IPv6",
                "2001:db8::1",
                vec![],
                "2001:db8::ffff:2",
            ),
            ("IPv4 in IPv6", "::ffff:192.0.2.7", vec![], "192.0.2.7"),
        ] {
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(origin(peer, &headers), expected.into(), "{name}");
        }
        assert_ne!(origin("2001:db8:0:1::1", &[]), origin("2001:db8::1", &[]));
        assert_ne!(origin("192.0.2.7", &[]), origin("192.0.2.8", &[]));
    }
}
