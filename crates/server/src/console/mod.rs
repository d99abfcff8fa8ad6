//! The console: pages for people in a browser. The HTML is made in `portreeve-console`; here requests are read, use cases
//! called and pages filled in, one file for each entry of the navigation.

mod access;
mod attention;
mod certificates;
mod directories;
mod files;
mod form;
mod groups;
mod happening;
mod hosts;
mod live;
mod logs;
mod me;
mod overview;
mod palette;
mod people;
mod routes;
mod sessions;
mod settings;
mod trouble;
mod users;
mod visit;
mod visitors;

use crate::app::App;
use crate::sso::page;
use axum::Router;
use axum::routing::get;
use http::Method;
use portreeve_directory::Permission;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

pub(crate) use trouble::{Trouble, not_now};
pub(crate) use visit::{Needs, Visit, shown};

/// Where the console begins.
const ROOT: &str = "/console";

/// Every page and action of the console: method, path with `{parameters}`, and the permission that it needs.
pub fn pages() -> Vec<(Method, &'static str, Permission)> {
    let routes = routes::table().into_iter();
    routes
        .map(|route| (route.method, route.path, route.needs))
        .collect()
}

/// The pages, and the files that they ask for.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut pages = Router::new();
    for route in routes::table() {
        pages = pages.route(route.path, route.handler);
    }
    pages
        .route("/console/{*rest}", get(visit::nothing_there))
        .method_not_allowed_fallback(trouble::method_not_allowed)
        // What is live is sent as it comes; the layer leaves event streams alone.
        .layer(CompressionLayer::new())
        .route("/", get(async || page::see(ROOT, None)))
        .route("/console/live", get(live::stream))
        .route("/assets/{name}", get(files::file))
        .with_state(app)
}
