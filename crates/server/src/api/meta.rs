//! `/version` and `/config`: what runs here, and with which settings.

use super::ask::Ask;
use super::reply;
use crate::config::SETTINGS;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

/// The version of the server.
pub(super) async fn version(_: Ask) -> Response {
    let body = json!({"name": "portreeve", "version": env!("CARGO_PKG_VERSION")});
    reply::object(StatusCode::OK, &body)
}

/// Every setting with its value and where that comes from. None of them is a secret.
pub(super) async fn config(ask: Ask) -> Response {
    let items = SETTINGS.iter().map(|setting| {
        let (value, origin) = ask.app.config.show(setting);
        json!({"name": setting.name, "value": value, "origin": origin.to_string()})
    });
    reply::list(items.collect::<Vec<Value>>())
}
