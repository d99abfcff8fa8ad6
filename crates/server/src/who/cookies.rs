//! The cookies of a browser: host-only, for encrypted connections, out of reach of scripts, and not sent along by what other
//! sites post.

use http::{HeaderMap, HeaderValue, header};

/// The session.
pub(crate) const SESSION: &str = "__Host-portreeve";

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// The header that sets a cookie for so many seconds. Browsers keep it for a server on this machine too, although that has
/// no TLS.
pub(crate) fn set_cookie(name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
