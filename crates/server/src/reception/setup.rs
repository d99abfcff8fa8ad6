//! Setting a tablet up: its token goes into a cookie that no script can read.

use super::{COOKIE, ROOT, ask};
use crate::api::Problem;
use crate::app::App;
use crate::who::is_own_page;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;

/// For how long a browser keeps the token (seconds): the 400 days that browsers allow at most. Each start of the page begins
/// them anew.
const KEPT: i64 = 400 * 24 * 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: SecretString,
}

/// Takes the token of a device of this location.
pub(super) async fn keep(
    State(app): State<Arc<App>>,
    mut parts: Parts,
    body: Body,
) -> Result<Response, Problem> {
    if !is_own_page(&app, &parts.headers) {
        return Err(ask::cross_site());
    }
    let which = ask::param(&mut parts, &app, "location").await;
    let (_, Token { token }) = ask::read(&app, &parts.headers, body).await?;
    let token = token.expose_secret().trim();
    ask::identify(&app, &parts.extensions, &parts.headers, (which, token)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = cookie(&app, token).ok_or_else(Problem::internal)?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// The header that keeps a token in the browser.
pub(super) fn cookie(app: &App, token: &str) -> Option<HeaderValue> {
    let secure = match app.public_url().starts_with("https://") {
        true => "; Secure",
        false => "",
    };
    let text =
        format!("{COOKIE}={token}; Path={ROOT}; Max-Age={KEPT}{secure}; HttpOnly; SameSite=Strict");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
