//! Every page and action of the console, with the permission that it needs: the one place that says so.

use super::overview;
use super::visit::Needs;
use crate::app::App;
use axum::Extension;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use portreeve_directory::Permission::{self, Oneself};
use std::sync::Arc;

/// A page, or something that a page can do.
pub(super) struct Route {
    pub(super) method: Method,
    /// With `{parameters}`.
    pub(super) path: &'static str,
    /// What the visitor needs.
    pub(super) needs: Permission,
    /// Who answers, if the visitor may.
    pub(super) handler: MethodRouter<Arc<App>>,
}

fn page<H, T>(path: &'static str, needs: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    route(Method::GET, path, needs, handler)
}

fn route<H, T>(method: Method, path: &'static str, needs: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route {
        method,
        path,
        needs,
        handler: on(filter, handler).layer(Extension(Needs(needs))),
    }
}

/// The pages and actions, in the order of the navigation.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    vec![
        // Somebody who may see nothing else is led to their own page.
        page("/console", Oneself, overview::show),
    ]
}
