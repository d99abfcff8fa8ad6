//! The forms that answers share.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use portreeve_scim::time;
use serde_json::{Map, Value, json};

/// An object as JSON.
pub(super) fn object(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A list: its items, how many there are in all where that is known, and where it goes on.
pub(super) fn list(items: Vec<Value>, total: Option<i64>, next: Option<String>) -> Response {
    let mut body = Map::new();
    body.insert("items".into(), Value::Array(items));
    if let Some(total) = total {
        body.insert("total".into(), json!(total));
    }
    if let Some(next) = next {
        body.insert("next".into(), json!(next));
    }
    object(StatusCode::OK, &Value::Object(body))
}

/// The members that have a value.
pub(super) fn present<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A time as RFC 3339.
pub(super) fn at(micros: i64) -> Value {
    Value::String(time::format(micros))
}

/// A time that may not have come.
pub(super) fn maybe_at(micros: Option<i64>) -> Value {
    micros.map_or(Value::Null, at)
}
