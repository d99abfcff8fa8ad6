//! Every page and action of the console, with the permission that it needs: the one place that says so.

use super::visit::Needs;
use super::{
    access, certificates, directories, groups, hosts, logs, me, overview, palette, settings, users,
    visitors,
};
use crate::app::App;
use axum::Extension;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use portreeve_directory::Permission::{
    self, ApiTokenRead, ApiTokenWrite, CaRead, CaWrite, CertificateRead, CertificateWrite,
    ConnectionRead, ConnectionWrite, DirectoryRead, DirectoryWrite, EventRead, GrantRead,
    GrantWrite, GroupRead, GroupWrite, HostRead, HostWrite, Oneself, OwnerWrite,
    ServiceAccountRead, ServiceAccountWrite, SessionRead, SessionWrite, SettingsRead,
    SettingsWrite, TeamWrite, TokenWrite, UserRead, UserWrite, VisitorRead, VisitorWrite,
};
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

fn action<H, T>(path: &'static str, needs: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    route(Method::POST, path, needs, handler)
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
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn table() -> Vec<Route> {
    vec![
        // Somebody who may see nothing else is led to their own page.
        page("/console", Oneself, overview::show),
        page("/console/palette", Oneself, palette::find),

        page("/console/users", UserRead, users::list),
        action("/console/users", UserWrite, users::create),
        page("/console/users/new", UserWrite, users::new),
        page("/console/users/{directory}/{user}", UserRead, users::show),
        action("/console/users/{directory}/{user}", UserWrite, users::save),
        action("/console/users/{directory}/{user}/level", UserWrite, users::level),
        action("/console/users/{directory}/{user}/suspend", UserWrite, users::suspend),
        action("/console/users/{directory}/{user}/reinstate", UserWrite, users::reinstate),
        action("/console/users/{directory}/{user}/delete", UserWrite, users::delete),
        page("/console/users/{directory}/{user}/offboarding", GrantRead, users::offboarding),
        action("/console/users/{directory}/{user}/removal", HostWrite, users::remove_data),
        action("/console/users/{directory}/{user}/identities", GrantWrite, users::add_identity),
        action("/console/users/{directory}/{user}/identities/remove", GrantWrite, users::remove_identity),
        action("/console/users/{directory}/{user}/sessions/end", SessionWrite, users::end_sessions),

        page("/console/groups", GroupRead, groups::list),
        action("/console/groups", GroupWrite, groups::create),
        page("/console/groups/new", GroupWrite, groups::new),
        page("/console/groups/{directory}/{group}", GroupRead, groups::show),
        action("/console/groups/{directory}/{group}", GroupWrite, groups::rename),
        action("/console/groups/{directory}/{group}/delete", GroupWrite, groups::delete),
        action("/console/groups/{directory}/{group}/members", GroupWrite, groups::add),
        action("/console/groups/{directory}/{group}/members/{member}/remove", GroupWrite, groups::remove),

        page("/console/hosts", HostRead, hosts::list),
        action("/console/hosts", HostWrite, hosts::create),
        page("/console/hosts/new", HostWrite, hosts::new),
        page("/console/hosts/fleet", HostRead, hosts::fleet),
        page("/console/hosts/enrolment", HostRead, hosts::enrolment),
        action("/console/hosts/enrolment", HostWrite, hosts::create_token),
        action("/console/hosts/enrolment/{token}/revoke", HostWrite, hosts::revoke_token),
        page("/console/hosts/{host}", HostRead, hosts::show),
        action("/console/hosts/{host}", HostWrite, hosts::save),
        action("/console/hosts/{host}/delete", HostWrite, hosts::delete),

        page("/console/access", GrantRead, access::list),
        page("/console/access/explain", GrantRead, access::explain),
        page("/console/access/new", GrantWrite, access::new),
        action("/console/access/new", GrantWrite, access::create),
        page("/console/access/{grant}", GrantRead, access::show),
        action("/console/access/{grant}", GrantWrite, access::save),
        action("/console/access/{grant}/revoke", GrantWrite, access::revoke),

        page("/console/certificates", CertificateRead, certificates::list),
        page("/console/certificates/{serial}", CertificateRead, certificates::show),
        action("/console/certificates/{serial}/revoke", CertificateWrite, certificates::revoke),

        page("/console/visitors", VisitorRead, visitors::list),
        page("/console/visitors.csv", VisitorRead, visitors::csv),
        page("/console/visitors.json", VisitorRead, visitors::json),
        // What a form was sent to that is answered with a page is asked for again like any page.
        page("/console/visitors/visits", VisitorRead, visitors::list),
        action("/console/visitors/visits", VisitorWrite, visitors::create),
        page("/console/visitors/visits/{visit}", VisitorRead, visitors::show),
        page("/console/visitors/visits/{visit}/photo", VisitorRead, visitors::photo),
        action("/console/visitors/visits/{visit}/sign-out", VisitorWrite, visitors::sign_out),
        page("/console/visitors/roll-call", VisitorRead, visitors::roll_call),
        page("/console/visitors/locations", VisitorRead, visitors::locations),
        action("/console/visitors/locations", VisitorWrite, visitors::create_location),
        page("/console/visitors/locations/new", VisitorWrite, visitors::new_location),
        page("/console/visitors/locations/{location}", VisitorRead, visitors::location),
        action("/console/visitors/locations/{location}", VisitorWrite, visitors::save_location),
        action("/console/visitors/locations/{location}/delete", VisitorWrite, visitors::delete_location),
        page("/console/visitors/locations/{location}/webhook-secret", VisitorRead, visitors::location),
        action("/console/visitors/locations/{location}/webhook-secret", VisitorWrite, visitors::show_secret),
        page("/console/visitors/locations/{location}/devices", VisitorRead, visitors::location),
        action("/console/visitors/locations/{location}/devices", VisitorWrite, visitors::create_device),
        action("/console/visitors/locations/{location}/devices/{device}/revoke", VisitorWrite, visitors::revoke_device),
        page("/console/visitors/people", VisitorRead, visitors::people),
        page("/console/visitors/people/{directory}/{person}", VisitorRead, visitors::person),
        action("/console/visitors/people/{directory}/{person}", VisitorWrite, visitors::save_person),

        page("/console/directories", DirectoryRead, directories::list),
        action("/console/directories", DirectoryWrite, directories::create),
        page("/console/directories/new", DirectoryWrite, directories::new),
        page("/console/directories/{directory}", DirectoryRead, directories::show),
        action("/console/directories/{directory}/test", TokenWrite, directories::test),
        page("/console/directories/{directory}/tokens", DirectoryRead, directories::tokens),
        action("/console/directories/{directory}/tokens", TokenWrite, directories::create_token),
        action("/console/directories/{directory}/tokens/rotate", TokenWrite, directories::rotate),
        action("/console/directories/{directory}/tokens/{token}/revoke", TokenWrite, directories::revoke),
        page("/console/directories/{directory}/requests", DirectoryRead, directories::requests),
        page("/console/directories/{directory}/accounts", GrantRead, directories::accounts),
        action("/console/directories/{directory}/accounts", DirectoryWrite, directories::save_accounts),
        page("/console/directories/{directory}/rules", DirectoryRead, directories::rules),
        action("/console/directories/{directory}/rules", DirectoryWrite, directories::save_rules),
        action("/console/directories/{directory}/delete", DirectoryWrite, directories::delete),
        page("/console/directories/{directory}/sign-in", ConnectionRead, directories::sign_in),
        action("/console/directories/{directory}/sign-in", ConnectionWrite, directories::save_sign_in),
        action("/console/directories/{directory}/sign-in/test", ConnectionWrite, directories::test_sign_in),
        action("/console/directories/{directory}/sign-in/trial", ConnectionWrite, directories::trial_sign_in),
        action("/console/directories/{directory}/sign-in/remove", ConnectionWrite, directories::delete_sign_in),

        page("/console/logs", EventRead, logs::list),
        page("/console/logs.csv", EventRead, logs::csv),
        page("/console/logs.json", EventRead, logs::json),
        page("/console/logs/{event}", EventRead, logs::show),
        action("/console/logs/views", SettingsWrite, logs::save),
        action("/console/logs/views/{view}/remove", SettingsWrite, logs::forget),

        page("/console/settings", SettingsRead, settings::first),
        page("/console/settings/sign-in", ConnectionRead, settings::sign_in),
        page("/console/settings/authority", CaRead, settings::authority),
        action("/console/settings/authority/rotate", CaWrite, settings::rotate),
        action("/console/settings/authority/policy", CaWrite, settings::save_policy),
        action("/console/settings/authority/provisioners", CaWrite, settings::create_provisioner),
        action("/console/settings/authority/provisioners/{provisioner}/remove", CaWrite, settings::remove_provisioner),
        page("/console/settings/levels", UserRead, settings::levels),
        page("/console/settings/sessions", SessionRead, settings::sessions),
        action("/console/sessions/{session}/end", SessionWrite, settings::end_session),
        page("/console/settings/api-tokens", ApiTokenRead, settings::tokens),
        action("/console/settings/api-tokens", ApiTokenWrite, settings::create_token),
        action("/console/settings/api-tokens/{token}/revoke", ApiTokenWrite, settings::revoke_token),
        page("/console/settings/service-accounts", ServiceAccountRead, settings::services),
        action("/console/settings/service-accounts", ServiceAccountWrite, settings::create_service),
        action("/console/settings/service-accounts/{account}/status", ServiceAccountWrite, settings::suspend_service),
        action("/console/settings/service-accounts/{account}/remove", ServiceAccountWrite, settings::remove_service),
        page("/console/settings/owners", SettingsRead, settings::owners),
        action("/console/settings/owners", OwnerWrite, settings::create_owner),
        action("/console/settings/owners/{owner}/remove", OwnerWrite, settings::remove_owner),
        page("/console/settings/team", SettingsRead, settings::team),
        action("/console/settings/team", TeamWrite, settings::rename),
        action("/console/settings/team/active", SettingsWrite, settings::activate),

        page("/console/me", Oneself, me::show),
        action("/console/me/sessions/end-others", Oneself, me::end_others),
        action("/console/me/sessions/{session}/end", Oneself, me::end),
        action("/console/me/passkeys/{passkey}/remove", Oneself, me::remove_passkey),
    ]
}
