//! Letting in a command line without a browser (RFC 8628): it asks `/auth/device/code` for a code, and somebody types that at
//! `/auth/device`.

use super::cli::{
    Form, Refused, approval, device_name, is_in_browser, only_in_browser, request, said,
};
use super::page;
use super::start::{address, agent};
use crate::admin::Object;
use crate::app::App;
use crate::console::{Trouble, Visit};
use crate::limits::Visitor;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use portreeve_console::pages::cli::{Device, DeviceConsent};
use portreeve_console::pages::message::Message;
use portreeve_console::{Address, Page, Plain};
use portreeve_directory::devices::{self, Asks};
use portreeve_directory::events::Category;
use portreeve_directory::holders::Holder;
use portreeve_directory::sign_ins::{Purpose, Spent};
use portreeve_store::Scope;
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;

const HERE: &str = "/auth/device";

/// Gives a device its two codes.
pub(super) async fn code(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Body,
) -> Result<Response, Refused> {
    let form = Form::read(&app, &parts, body).await?;
    if let Some(visitor) = parts.extensions.get::<Visitor>() {
        let origin = app.limits.origin(visitor.peer, &parts.headers);
        if let Err(seconds) = app.limits.device(origin, app.clock.steady()) {
            let description = "too many devices ask from this address".to_owned();
            return Err(Refused::later(
                StatusCode::TOO_MANY_REQUESTS,
                description,
                seconds,
            ));
        }
    }
    let asks = Asks {
        device: device_name(form.text("device")),
        agent: device_name(&agent(&parts)),
        address: address(&app, &parts),
        at: app.clock.now(),
    };
    let id = app.ids.next(asks.at).to_string();
    let begun = app.write(Scope::ALL, move |tx| devices::begin(tx, &id, asks.clone()));
    let codes = begun.await?;
    let there = format!("{}{HERE}", app.public_url());
    let body = json!({
        "device_code": codes.device.expose_secret(),
        "user_code": codes.user,
        "verification_uri": there,
        "verification_uri_complete": format!("{there}?user_code={}", codes.user),
        "expires_in": Purpose::Device.lifetime() / 1_000_000,
        "interval": devices::INTERVAL / 1_000_000,
    });
    Ok(said(StatusCode::OK, &body))
}

/// Asks for a code, and shows what waits under one.
pub(super) async fn show(visit: Visit) -> Response {
    if !is_in_browser(&visit) {
        return only_in_browser();
    }
    let code = devices::canonical(visit.query("user_code"));
    if code.is_empty() {
        return visit.page(&blank(&visit, code, ""));
    }
    if let Some(refused) = too_many_guesses(&visit) {
        return refused;
    }
    let (typed, now) = (code.clone(), visit.admin.at);
    let found = visit.read(move |tx| devices::waiting(tx, &typed, now));
    match found.await {
        Ok(Ok(asks)) => visit.page(&DeviceConsent {
            plain: plain(&visit),
            request: request(&visit, &asks.device, asks.address),
            code,
            action: Address::new(HERE),
        }),
        Ok(Err(spent)) => not_this(&visit, code, spent),
        Err(trouble) => visit.trouble(&trouble),
    }
}

/// Takes the person's answer.
pub(super) async fn answer(visit: Visit, body: Body) -> Response {
    if !is_in_browser(&visit) {
        return only_in_browser();
    }
    if let Some(refused) = too_many_guesses(&visit) {
        return refused;
    }
    let answered = answered(&visit, body).await;
    visit.or_trouble(answered)
}

async fn answered(visit: &Visit, body: Body) -> Result<Response, Trouble> {
    let form = visit.form(body).await?;
    let code = devices::canonical(form.text("user_code"));
    let approval = approval(visit).filter(|_| form.text("decision") == "approve");
    let is_let_in = approval.is_some();
    let (admin, typed, team_id) = (visit.admin.clone(), code.clone(), visit.team.id.clone());
    let decided = visit.change(move |tx| {
        let asks = match devices::decide(tx, &typed, approval.as_ref(), admin.at)? {
            Ok(asks) => asks,
            Err(spent) => return Ok(Err(spent)),
        };
        let object = Object {
            kind: "Device",
            id: &typed,
            name: &asks.device,
        };
        let action = match approval {
            Some(_) => "device_let_in",
            None => "device_refused",
        };
        let changes = json!([{"attribute": "address", "new": asks.address}]).to_string();
        let what = (Category::Auth, action);
        admin.record_in(tx, &team_id, what, &object, Some(&changes))?;
        Ok(Ok(()))
    });
    let message = match (decided.await?, is_let_in) {
        (Err(spent), _) => return Ok(not_this(visit, code, spent)),
        (Ok(()), true) => Message::done(
            "The device is signed in",
            "It goes on by itself in a few seconds. You can close this page.",
        ),
        (Ok(()), false) => Message::done(
            "The device was refused",
            "Nobody is signed in there. You can close this page.",
        ),
    };
    Ok(visit.page(&message))
}

/// The page of somebody who has typed more codes than one mistypes.
fn too_many_guesses(visit: &Visit) -> Option<Response> {
    let id = visit
        .who
        .holder
        .as_ref()
        .map(Holder::id)
        .unwrap_or_default();
    let seconds = visit
        .app
        .limits
        .guess(&Arc::from(id), visit.app.clock.steady())
        .err()?;
    let message = Message::too_many_requests(seconds);
    let mut response = page::html(StatusCode::TOO_MANY_REQUESTS, message.html());
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    Some(response)
}

fn not_this(visit: &Visit, code: String, spent: Spent) -> Response {
    let error = match spent {
        Spent::Unknown => "No device waits with this code. Compare it with what the device shows.",
        Spent::Used => {
            "This code was used already. Run portreeve login there again for another one."
        }
        Spent::Expired => {
            "The time of this code is over. Run portreeve login there again for another one."
        }
    };
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &blank(visit, code, error))
}

fn blank(visit: &Visit, code: String, error: &str) -> Device {
    Device {
        plain: plain(visit),
        action: Address::new(HERE),
        code,
        error: error.to_owned(),
    }
}

fn plain(visit: &Visit) -> Plain {
    Plain {
        team: Some(visit.team.name.clone()),
    }
}
