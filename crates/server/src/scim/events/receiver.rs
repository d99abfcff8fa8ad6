//! What an admin may say of the receiver of a pushed stream.

use http::HeaderValue;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;

/// Why a receiver cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// The endpoint is not an absolute URL.
    #[error("write the endpoint as a URL, such as https://receiver.example.com/events")]
    NoUrl,
    /// What is sent could be read on the way.
    #[error(
        "the endpoint must begin with https://, because events tell of people; http:// is for receivers on this machine"
    )]
    Plain,
    /// A name, a password or a fragment is in the URL.
    #[error(
        "the endpoint has a user name, a password or a fragment; give what the receiver wants to see as the authorization"
    )]
    Decorated,
    /// The value cannot stand in a header.
    #[error(
        "the authorization must be a header value, such as \"Bearer …\", of 1 to 4000 visible ASCII characters and blanks"
    )]
    Authorization,
}

/// The address events are pushed to. RFC 9967 section 5 wants it protected by TLS.
pub(crate) fn endpoint(text: &str) -> Result<Url, Unusable> {
    let url = Url::parse(text.trim()).map_err(|_| Unusable::NoUrl)?;
    let host = url.host_str().ok_or(Unusable::NoUrl)?;
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(Unusable::Plain),
        _ => return Err(Unusable::NoUrl),
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(Unusable::Decorated);
    }
    Ok(url)
}

/// The `Authorization` value that goes with each push.
pub(crate) fn authorization(value: &SecretString) -> Result<HeaderValue, Unusable> {
    let text = value.expose_secret();
    if text.is_empty() || text.len() > 4000 || !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(Unusable::Authorization);
    }
    let mut value = HeaderValue::try_from(text).map_err(|_| Unusable::Authorization)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_protected_on_the_way() {
        for (text, expect) in [
            ("https://receiver.example.com/events", Ok(())),
            (" https://receiver.example.com:8443/events?x=1 ", Ok(())),
            ("http://127.0.0.1:9000/events", Ok(())),
            ("http://[::1]:9000/events", Ok(())),
            ("http://localhost/events", Ok(())),
            ("http://receiver.example.com/events", Err(Unusable::Plain)),
            ("http://127.0.0.1.example.com/", Err(Unusable::Plain)),
            ("https://ann:pw@example.com/", Err(Unusable::Decorated)),
            ("https://example.com/#top", Err(Unusable::Decorated)),
            ("ftp://example.com/", Err(Unusable::NoUrl)),
            ("receiver.example.com/events", Err(Unusable::NoUrl)),
            ("", Err(Unusable::NoUrl)),
        ] {
            assert_eq!(endpoint(text).map(drop), expect, "{text}");
        }
    }

    #[test]
    fn an_authorization_fits_into_a_header() {
        for (text, good) in [
            ("Bearer abc", true),
            ("", false),
            ("Bearer a\nX-Other: b", false),
            ("Bearer é", false),
        ] {
            let got = authorization(&SecretString::from(text));
            assert_eq!(got.is_ok(), good, "{text:?}");
        }
    }
}
