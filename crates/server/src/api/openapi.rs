//! `/openapi.json`: the description of the API, made from the table of its routes.

use super::reply;
use super::route::Operation;
use super::{ROOT, problem, routes};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The description (OpenAPI 3.1).
pub(super) async fn document() -> Response {
    reply::object(
        StatusCode::OK,
        &describe(routes::table().iter().map(|route| &route.is)),
    )
}

fn describe<'a>(routes: impl Iterator<Item = &'a Operation>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portreeve",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": problem::schema()},
        },
    })
}

fn operation(route: &Operation) -> Value {
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters(route.path),
        "responses": {
            "default": {
                "description": "A refusal that says why and what to do",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    });
    if let Some(needed) = route.needs {
        operation["security"] = json!([{"token": []}]);
        operation["x-permission"] = json!(needed.name());
    }
    operation
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect()
}
