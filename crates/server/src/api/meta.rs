//! `/version` and `/config`: what runs here, and with which settings.

use super::ask::Ask;
use super::reply;
use crate::config::SETTINGS;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

/// What runs here.
#[derive(Serialize, JsonSchema)]
pub(super) struct Version {
    name: &'static str,
    version: &'static str,
}

/// A setting of the server.
#[derive(Serialize, JsonSchema)]
pub(super) struct Setting {
    name: &'static str,
    value: String,
    /// Where the value comes from: a flag, the environment, the configuration file, or nowhere.
    origin: String,
}

/// The version of the server.
pub(super) async fn version(_: Ask) -> Response {
    let body = Version {
        name: "portreeve",
        version: env!("CARGO_PKG_VERSION"),
    };
    reply::object(StatusCode::OK, &body)
}

/// Every setting with its value and where that comes from. None of them is a secret.
pub(super) async fn config(ask: Ask) -> Response {
    let items = SETTINGS.iter().map(|setting| {
        let (value, origin) = ask.app.config.show(setting);
        Setting {
            name: setting.name,
            value,
            origin: origin.to_string(),
        }
    });
    reply::list(items.collect())
}
