//! The small pages around signing in, and the headers of every page.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};

/// Scripts, styles and pictures come from this server and nowhere else, none of them inside a page, and no other page may
/// show one in a frame.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
const OPENER: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-opener-policy"),
    HeaderValue::from_static("same-origin"),
);
const PERMISSIONS: (HeaderName, HeaderValue) = (
    HeaderName::from_static("permissions-policy"),
    HeaderValue::from_static("camera=(), microphone=(), geolocation=(), payment=()"),
);

/// A page with all headers that pages have.
pub(crate) fn html(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    secure(&mut response);
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

/// Sends the browser to another page of this server, which it gets with `GET`.
pub(crate) fn see(path: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    secure(&mut response);
    let headers = response.headers_mut();
    headers.insert(
        LOCATION,
        HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/")),
    );
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

/// Lets the answer to a form of this page lead to one more origin: browsers hold even redirects against the policy.
pub(crate) fn let_lead_to(response: &mut Response, origin: &str) {
    let own = response.headers().get(CONTENT_SECURITY_POLICY);
    let own = own.and_then(|own| own.to_str().ok()).unwrap_or_default();
    let policy = own.replace(
        "form-action 'self'",
        &format!("form-action 'self' {origin}"),
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
}

fn secure(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, CSP);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [OPENER, PERMISSIONS] {
        headers.insert(name, value);
    }
}
