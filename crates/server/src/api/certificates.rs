//! `/certificates` and `/me/certificate`: SSH certificates.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::admin::certificates::{self, OwnRequest, RevokeRequest, Which};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::certificates::{Kind, State};
use portreeve_directory::list::DEFAULT_PAGE;

/// Certificates, the latest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("count").map_or(Ok(DEFAULT_PAGE), limit)?;
    let cursor = ask.query("cursor").filter(|cursor| !cursor.is_empty());
    let after = cursor.map(place).transpose()?;
    let text = |name| ask.query(name).map(str::to_owned);
    let which = Which {
        user: text("user"),
        host: text("host"),
        fingerprint: text("key"),
        kind: ask.query("kind").map(|kind| match kind {
            "host" => Kind::Host,
            _ => Kind::User,
        }),
        state: ask.query("state").map(|state| match state {
            "revoked" => State::Revoked,
            "expired" => State::Expired,
            _ => State::Live,
        }),
    };
    let team = ask.query("team");
    let page = certificates::list(&ask.app, &ask.admin, team, which, (after, count)).await?;
    let next = page
        .1
        .map(|(at, serial)| ("cursor", format!("{at}-{serial}")));
    Ok(reply::page(&ask, page.0, None, next))
}

/// One certificate, by its serial number.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, serial) = (ask.query("team"), ask.param("certificate"));
    let found = certificates::get(&ask.app, &ask.admin, team, &serial).await?;
    reply::tagged(&ask, &found.version(), &found)
}

/// Revokes one certificate.
pub(super) async fn revoke_one(ask: Ask) -> Result<Response, Problem> {
    let (team, serial) = (ask.query("team"), ask.param("certificate"));
    let revoked = certificates::revoke_one(&ask.app, &ask.admin, team, &serial).await?;
    reply::changed(&revoked.version(), &revoked)
}

/// Revokes by serial number, key, person or host.
pub(super) async fn revoke(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: RevokeRequest = ask.body(body).await?;
    let revoked = certificates::revoke(&ask.app, &ask.admin, wanted).await?;
    Ok(reply::object(StatusCode::OK, &revoked))
}

/// Issues a certificate to whoever asks.
pub(super) async fn own(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: OwnRequest = ask.body(body).await?;
    let address = ask.address.clone();
    let issued = certificates::own(&ask.app, &ask.admin, address, &wanted).await?;
    Ok(reply::object(StatusCode::OK, &issued))
}

/// A place in the list: when the certificate before was issued, and its serial number.
fn place(cursor: &str) -> Result<(i64, i64), Problem> {
    let parsed = cursor
        .split_once('-')
        .and_then(|(at, serial)| Some((at.parse().ok()?, serial.parse().ok()?)));
    parsed.ok_or_else(|| {
        Problem::invalid("cursor: this is none; take it from the header Link of the page before")
    })
}
