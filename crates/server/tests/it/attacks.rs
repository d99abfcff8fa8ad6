//! Attacks on whoever is signed in, and on the server: from other sites, with other people's secrets, from below and from
//! beside. Where a rule is to hold for every route, the tables of routes are walked.

mod bodies;
mod cross_site;
mod guessing;
mod injection;
mod levels;
mod pages;
mod sessions;
mod teams;

use http::Method;
use portreeve_testbed::TestServer;
use serde_json::Value;

/// A route of the admin API, as its description has it.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With `{parameters}`.
    pub(crate) path: String,
    /// The permission that its sender needs; `None`: it is open to everybody.
    pub(crate) needs: Option<String>,
    /// Whether it is carried out through the local socket only.
    pub(crate) only_here: bool,
}

impl Route {
    /// The path with something in the place of each parameter.
    pub(crate) fn with(&self, parameter: &str) -> String {
        filled(&self.path, parameter)
    }
}

/// Every route of the admin API.
pub(crate) async fn api(server: &TestServer) -> Vec<Route> {
    let document = server.stranger().get("/api/v1/openapi.json").await;
    assert_eq!(document.status, 200, "{document}");
    let paths = document.json["paths"].as_object().unwrap();
    let routes: Vec<_> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(move |(method, operation)| Route {
                method: method.to_ascii_uppercase().parse().unwrap(),
                path: format!("/api/v1{path}"),
                needs: operation["x-permission"].as_str().map(str::to_owned),
                only_here: operation["x-local-only"] == Value::Bool(true),
            })
        })
        .collect();
    assert!(routes.len() > 30, "the description has the routes");
    routes
}

/// A path with something in the place of each parameter.
pub(crate) fn filled(path: &str, parameter: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => parameter,
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}
