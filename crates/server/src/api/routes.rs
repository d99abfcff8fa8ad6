//! Every route of the admin API, with the permission that it needs: the one place that says so.

use super::route::{Route, open, route};
use super::{
    applications, changes, directories, events, groups, me, meta, openapi, owners, passkeys, streams, tokens,
    users,
};
use http::Method;
use portreeve_directory::Permission::{
    ApplicationRead, ApplicationWrite, DirectoryRead, DirectoryWrite, EventRead, GroupRead,
    Oneself, OwnerWrite, SettingsRead, TokenWrite, UserRead,
};

/// The routes, in the order in which the API's description has them.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    vec![
        route(Method::GET, "/version", Oneself, "The version of the server", meta::version),
        route(Method::GET, "/config", SettingsRead, "The settings of the server and where they come from", meta::config),
        open("/openapi.json", "This description", openapi::document),
        route(Method::GET, "/me", Oneself, "Who is asking, and what they may do", me::get),
        route(Method::GET, "/me/passkeys", Oneself, "List one's own passkeys", passkeys::list),
        route(Method::DELETE, "/me/passkeys/{passkey}", Oneself, "Remove one of one's own passkeys", passkeys::delete),

        route(Method::GET, "/owners", SettingsRead, "List local owners", owners::list),
        route(Method::POST, "/owners/link", OwnerWrite, "Make a link that signs a local owner in, once", owners::link),

        route(Method::GET, "/changes", EventRead, "Follow committed changes", changes::list),
        route(Method::GET, "/events", EventRead, "List events", events::list),
        route(Method::GET, "/events/{event}", EventRead, "Show an event", events::get),

        route(Method::GET, "/directories", DirectoryRead, "List directories", directories::list),
        route(Method::POST, "/directories", DirectoryWrite, "Make a directory", directories::create),
        route(Method::GET, "/directories/{directory}", DirectoryRead, "Show a directory", directories::get),
        route(Method::PATCH, "/directories/{directory}", DirectoryWrite, "Change a directory", directories::update),
        route(Method::DELETE, "/directories/{directory}", DirectoryWrite, "Remove a directory with everything in it", directories::delete),
        route(Method::GET, "/directories/{directory}/tokens", DirectoryRead, "List secret tokens", tokens::list),
        route(Method::POST, "/directories/{directory}/tokens", TokenWrite, "Make a secret token", tokens::create),
        route(Method::POST, "/directories/{directory}/tokens/rotate", TokenWrite, "Put a new secret token in the place of the others", tokens::rotate),
        route(Method::DELETE, "/directories/{directory}/tokens/{token}", TokenWrite, "Revoke a secret token", tokens::revoke),
        route(Method::GET, "/directories/{directory}/streams", DirectoryRead, "List receivers of security events", streams::list),
        route(Method::POST, "/directories/{directory}/streams", DirectoryWrite, "Make a receiver of security events", streams::create),
        route(Method::DELETE, "/directories/{directory}/streams/{stream}", DirectoryWrite, "Remove a receiver of security events", streams::delete),
        route(Method::GET, "/directories/{directory}/users", UserRead, "List users", users::list),
        route(Method::GET, "/directories/{directory}/users/{user}", UserRead, "Show a user", users::get),
        route(Method::GET, "/directories/{directory}/groups", GroupRead, "List groups", groups::list),
        route(Method::GET, "/directories/{directory}/groups/{group}", GroupRead, "Show a group", groups::get),
        route(Method::GET, "/directories/{directory}/groups/{group}/members", GroupRead, "List the members of a group", groups::members),

        route(Method::GET, "/applications", ApplicationRead, "List applications", applications::list),
        route(Method::POST, "/applications", ApplicationWrite, "Declare an application", applications::create),
        route(Method::GET, "/applications/{application}", ApplicationRead, "Show an application", applications::get),
        route(Method::PUT, "/applications/{application}", ApplicationWrite, "Replace the definition of an application", applications::replace),
        route(Method::PATCH, "/applications/{application}", ApplicationWrite, "Change the definition of an application", applications::update),
        route(Method::DELETE, "/applications/{application}", ApplicationWrite, "Remove an application", applications::delete),
        route(Method::GET, "/applications/{application}/export", ApplicationRead, "Export the definition of an application", applications::export),
        route(Method::POST, "/applications/{application}/pause", ApplicationWrite, "Pause the job of an application", applications::pause),
        route(Method::POST, "/applications/{application}/start", ApplicationWrite, "Start the job of an application", applications::start),
        route(Method::POST, "/applications/{application}/restart", ApplicationWrite, "Begin anew with the job of an application", applications::restart),
        route(Method::GET, "/applications/{application}/status", ApplicationRead, "Show how far the job of an application has come", applications::status),
        route(Method::GET, "/applications/{application}/logs", ApplicationRead, "List the provisioning log of an application", applications::logs),
        route(Method::POST, "/applications/{application}/test", ApplicationWrite, "Test source and target of an application", applications::test),
        route(Method::POST, "/applications/{application}/lint", ApplicationRead, "Look for mistakes in the definition of an application", applications::lint),
        route(Method::POST, "/applications/{application}/on-demand", ApplicationWrite, "Provision one object now", applications::on_demand),
        route(Method::POST, "/applications/{application}/dry-run", ApplicationRead, "Show what the next cycle would do", applications::dry_run),
    ]
}
