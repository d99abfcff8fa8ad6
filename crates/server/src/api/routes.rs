//! Every route of the admin API, with the permission that it needs: the one place that says so.

use super::applications::{
    ApplicationDetail, ApplicationView, LintAnswer, LintRequest, RestartRequest,
};
use super::connections::WhichTrial;
use super::me::Me;
use super::meta::{Setting, Version};
use super::owners::{LinkRequest, LinkView, NewOwner, OwnerView};
use super::parameters;
use super::route::{Route, open, route};
use super::sessions::Ended;
use super::shapes::{
    Changes, Definition, DefinitionChange, Document, DryRun, Event, JobStatus, OnDemandRequest,
    OnDemandResult, Record, Tested,
};
use super::streams::{NewStream, StreamView};
use super::{
    accounts, api_tokens, applications, ca, certificates, changes, connections, directories,
    events, explain, grants, groups, host_policies, host_tokens, hosts, me, meta, offboarding,
    openapi, owners, passkeys, provisioners, service_accounts, sessions, streams, teams, tokens,
    users, visit_devices, visit_locations, visitor_hosts, visits,
};
use crate::admin::accounts::{AccountView, NamesPreview, RemoteIdentityView};
use crate::admin::api_tokens::{ApiTokenRotation, ApiTokenView, MadeApiToken, NewApiToken};
use crate::admin::ca::{CaStatus, KrlView, RotationRequest};
use crate::admin::certificates::{
    CertificateView, HostRequest, IssuedCertificate, OwnRequest, RevokeRequest, RevokedView,
};
use crate::admin::connections::{ConnectionView, Examined, NewConnection, TrialResult};
use crate::admin::directories::{
    DirectoryChange, DirectoryDetail, DirectoryView, MadeDirectory, NewDirectory,
};
use crate::admin::explain::{Explanation, ReachedView};
use crate::admin::grants::{GrantChange, GrantView, NewGrant, Preview, PreviewRequest};
use crate::admin::groups::{GroupChange, GroupView, NewGroup};
use crate::admin::host_agents::HostSessionView;
use crate::admin::host_policies::{HostPolicy, HostPolicyChange, HostRules, HostRulesChange};
use crate::admin::host_tokens::{HostTokenView, MadeHostToken, NewHostToken};
use crate::admin::hosts::{AllowedView, HostChange, HostView, NewHost};
use crate::admin::members::{MemberView, NewMember};
use crate::admin::offboarding::{OffboardingView, RemovalRequest};
use crate::admin::passkeys::PasskeyView;
use crate::admin::probe::Probed;
use crate::admin::provisioners::{NewProvisioner, ProvisionerView, StepChange, StepView};
use crate::admin::service_accounts::{NewServiceAccount, ServiceAccountChange, ServiceAccountView};
use crate::admin::sessions::SessionView;
use crate::admin::teams::{NewTeam, SwitchPreview, TeamChange, TeamView};
use crate::admin::tokens::{MadeToken, NewToken, RotatedToken, Rotation, TokenView};
use crate::admin::users::{NewUser, UserChange, UserView};
use crate::admin::visit_devices::{DeviceView, MadeDevice, NewDevice};
use crate::admin::visit_locations::{LocationChange, LocationView, NewLocation, WebhookSecret};
use crate::admin::visitor_hosts::{PreviewView, VisitorHostChange, VisitorHostView};
use crate::admin::visits::{NewVisit, NoticesView, VisitView};
use crate::ca::{Settings, SettingsChange};
use http::Method;
use portreeve_directory::Permission::{
    ApiTokenRead, ApiTokenWrite, ApplicationRead, ApplicationWrite, CaRead, CaWrite,
    CertificateRead, CertificateWrite, ConnectionRead, ConnectionWrite, DirectoryRead,
    DirectoryWrite, EventRead, GrantRead, GrantWrite, GroupRead, GroupWrite, HostRead, HostWrite,
    Oneself, OwnerWrite, ServiceAccountRead, ServiceAccountWrite, SessionRead, SessionWrite,
    SettingsRead, SettingsWrite, TeamWrite, TokenWrite, UserRead, UserWrite, VisitorRead,
    VisitorWrite,
};

/// The routes, in the order in which the API's description has them.
pub(super) fn table() -> Vec<Route> {
    let mut all = routes();
    let shown: Vec<&str> = all
        .iter()
        .filter(|it| it.is.method == Method::GET)
        .map(|it| it.is.path)
        .collect();
    // Whoever cannot read an object cannot know its entity tag.
    for route in &mut all {
        route.is.tagged &= shown.contains(&route.is.path);
    }
    all
}

#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/version", Oneself, "The version of the server", meta::version).gives::<Version>(),
        route(Method::GET, "/config", SettingsRead, "The settings of the server and where they come from", meta::config).lists::<Setting>().named("config.show"),
        open("/openapi.json", "This description", openapi::document).gives::<Document>().named("openapi.get"),
        route(Method::GET, "/me", Oneself, "Who is asking, and what they may do", me::get).gives::<Me>(),
        route(Method::GET, "/me/passkeys", Oneself, "List one's own passkeys", passkeys::list).lists::<PasskeyView>().named("me.passkeys"),
        route(Method::DELETE, "/me/passkeys/{passkey}", Oneself, "Remove one of one's own passkeys", passkeys::delete).named("me.remove_passkey"),

        route(Method::GET, "/me/sessions", Oneself, "List one's own sessions", sessions::own).lists::<SessionView>().named("me.sessions"),
        route(Method::DELETE, "/me/sessions/{session}", Oneself, "End one of one's own sessions", sessions::end_own).named("me.end_session"),

        route(Method::GET, "/me/hosts", Oneself, "List the hosts that one may log in to", hosts::own).query(parameters::PAGED).pages::<ReachedView>().named("me.hosts"),
        route(Method::GET, "/me/explain/{host}", Oneself, "Explain whether one may log in to a host", explain::own).gives::<Explanation>().named("me.explain").untagged(),

        route(Method::GET, "/hosts", HostRead, "List hosts", hosts::list).query(parameters::HOSTS).pages::<HostView>(),
        route(Method::POST, "/hosts", HostWrite, "Make a host", hosts::create).takes::<NewHost>().makes::<HostView>(),
        route(Method::GET, "/hosts/{host}", HostRead, "Show a host", hosts::get).query(parameters::OF_TEAM).gives::<HostView>(),
        route(Method::PATCH, "/hosts/{host}", HostWrite, "Change a host", hosts::update).query(parameters::OF_TEAM).takes::<HostChange>().gives::<HostView>(),
        route(Method::DELETE, "/hosts/{host}", HostWrite, "Remove a host", hosts::delete).query(parameters::OF_TEAM),
        route(Method::GET, "/hosts/{host}/people", HostRead, "List who may log in to a host now", hosts::people).query(parameters::OF_TEAM).lists::<AllowedView>().named("host.people"),
        route(Method::GET, "/hosts/{host}/sessions", HostRead, "List the sessions on a host that have not ended", hosts::sessions).query(parameters::OF_TEAM).lists::<HostSessionView>().named("host.sessions"),
        route(Method::POST, "/hosts/{host}/certificate", CertificateWrite, "Issue an SSH certificate for the key of a host", hosts::certify).query(parameters::OF_TEAM).takes::<HostRequest>().gives::<IssuedCertificate>().named("host.certificate"),

        route(Method::GET, "/hosts/{host}/policy", HostRead, "Show what a host is told of people, and in which version", host_policies::policy).query(parameters::OF_TEAM).gives::<HostPolicy>().named("host.policy"),
        route(Method::PATCH, "/hosts/{host}/policy", HostWrite, "Decide for how long a host lets people in without hearing of the server", host_policies::change_policy).query(parameters::OF_TEAM).takes::<HostPolicyChange>().gives::<HostPolicy>().named("host.change_policy"),
        route(Method::GET, "/host-rules", HostRead, "Show what all hosts go by", host_policies::rules).query(parameters::OF_TEAM).gives::<HostRules>().tagged().named("host.rules"),
        route(Method::PATCH, "/host-rules", HostWrite, "Decide what all hosts go by", host_policies::change_rules).query(parameters::OF_TEAM).takes::<HostRulesChange>().gives::<HostRules>().tagged().named("host.change_rules"),
        route(Method::GET, "/host-tokens", HostRead, "List the tokens that machines enrol with", host_tokens::list).query(parameters::SHORT_OF_TEAM).pages::<HostTokenView>(),
        route(Method::POST, "/host-tokens", HostWrite, "Make a token that machines enrol with", host_tokens::create).takes::<NewHostToken>().makes::<MadeHostToken>(),
        route(Method::GET, "/host-tokens/{host_token}", HostRead, "Show a token that machines enrol with", host_tokens::get).query(parameters::OF_TEAM).gives::<HostTokenView>(),
        route(Method::DELETE, "/host-tokens/{host_token}", HostWrite, "Revoke a token that machines enrol with", host_tokens::revoke).query(parameters::OF_TEAM).gives::<HostTokenView>().named("host_token.revoke"),

        route(Method::GET, "/grants", GrantRead, "List grants", grants::list).query(parameters::GRANTS).pages::<GrantView>(),
        route(Method::POST, "/grants", GrantWrite, "Grant a group access to hosts, or a user for a limited time", grants::create).takes::<NewGrant>().makes::<GrantView>(),
        route(Method::POST, "/grants/preview", GrantRead, "Show what a grant would come to", grants::preview).takes::<PreviewRequest>().gives::<Preview>(),
        route(Method::GET, "/grants/{grant}", GrantRead, "Show a grant", grants::get).query(parameters::OF_TEAM).gives::<GrantView>(),
        route(Method::PATCH, "/grants/{grant}", GrantWrite, "Change a grant", grants::update).query(parameters::OF_TEAM).takes::<GrantChange>().gives::<GrantView>(),
        route(Method::DELETE, "/grants/{grant}", GrantWrite, "Revoke a grant", grants::revoke).query(parameters::OF_TEAM).gives::<GrantView>().named("grant.revoke"),
        route(Method::GET, "/explain", GrantRead, "Explain whether somebody may log in to a host", explain::get).query(parameters::EXPLAIN).gives::<Explanation>().named("explain.get"),

        route(Method::POST, "/me/certificate", Oneself, "Issue an SSH certificate to oneself", certificates::own).takes::<OwnRequest>().gives::<IssuedCertificate>().named("me.certificate"),

        route(Method::GET, "/ca", CaRead, "Show the certificate authority: its address, its keys, and where they are in their lives", ca::status).query(parameters::OF_TEAM).gives::<CaStatus>().named("ca.status"),
        route(Method::POST, "/ca/rotate", CaWrite, "Put a new key of the certificate authority in the place of another one", ca::rotate).takes::<RotationRequest>().gives::<CaStatus>().named("ca.rotate"),
        route(Method::GET, "/ca/policy", CaRead, "Show what is decided about certificates", ca::policy).query(parameters::OF_TEAM).gives::<Settings>().tagged().named("ca.policy"),
        route(Method::PATCH, "/ca/policy", CaWrite, "Decide something else about certificates", ca::change_policy).query(parameters::OF_TEAM).takes::<SettingsChange>().gives::<Settings>().tagged().named("ca.change_policy"),
        route(Method::GET, "/ca/krl", CaRead, "Show the list of what is revoked, as OpenSSH reads it", ca::krl).query(parameters::OF_TEAM).gives::<KrlView>().named("ca.krl"),
        route(Method::GET, "/ca/step", CaRead, "Show how a team is served to the step client", provisioners::step).query(parameters::OF_TEAM).gives::<StepView>().tagged().named("ca.step"),
        route(Method::PATCH, "/ca/step", CaWrite, "Decide how a team is served to the step client", provisioners::change_step).query(parameters::OF_TEAM).takes::<StepChange>().gives::<StepView>().tagged().named("ca.change_step"),
        route(Method::GET, "/ca/provisioners", CaRead, "List those whose tokens get certificates", provisioners::list).query(parameters::SHORT_OF_TEAM).pages::<ProvisionerView>(),
        route(Method::POST, "/ca/provisioners", CaWrite, "Declare somebody whose tokens get certificates", provisioners::create).takes::<NewProvisioner>().makes::<ProvisionerView>(),
        route(Method::GET, "/ca/provisioners/{provisioner}", CaRead, "Show somebody whose tokens get certificates", provisioners::get).query(parameters::OF_TEAM).gives::<ProvisionerView>(),
        route(Method::DELETE, "/ca/provisioners/{provisioner}", CaWrite, "Take the tokens of somebody no longer", provisioners::delete).query(parameters::OF_TEAM),
        route(Method::GET, "/certificates", CertificateRead, "List SSH certificates", certificates::list).query(parameters::CERTIFICATES).pages::<CertificateView>(),
        route(Method::GET, "/certificates/{certificate}", CertificateRead, "Show an SSH certificate by its serial number", certificates::get).query(parameters::OF_TEAM).gives::<CertificateView>(),
        route(Method::DELETE, "/certificates/{certificate}", CertificateWrite, "Revoke an SSH certificate", certificates::revoke_one).query(parameters::OF_TEAM).gives::<CertificateView>().named("certificate.revoke"),
        route(Method::POST, "/certificates/revoke", CertificateWrite, "Revoke SSH certificates by serial number, key, person or host", certificates::revoke).takes::<RevokeRequest>().gives::<RevokedView>().named("certificate.revoke_all"),

        route(Method::GET, "/teams", SettingsRead, "List teams", teams::list).query(parameters::SHORT).pages::<TeamView>(),
        route(Method::POST, "/teams", TeamWrite, "Make a team", teams::create).takes::<NewTeam>().makes::<TeamView>().only_here(),
        route(Method::GET, "/teams/{team}", SettingsRead, "Show a team", teams::get).gives::<TeamView>(),
        route(Method::PATCH, "/teams/{team}", SettingsWrite, "Rename a team, or switch its active directory", teams::update).takes::<TeamChange>().gives::<TeamView>(),
        route(Method::GET, "/teams/{team}/preview", UserRead, "Show what a switch of the active directory would come to", teams::preview).query(parameters::SWITCH).gives::<SwitchPreview>().named("team.preview"),

        route(Method::GET, "/owners", SettingsRead, "List local owners", owners::list).query(parameters::SHORT_OF_TEAM).pages::<OwnerView>(),
        route(Method::POST, "/owners", OwnerWrite, "Make a local owner", owners::create).takes::<NewOwner>().makes::<OwnerView>(),
        route(Method::DELETE, "/owners/{owner}", OwnerWrite, "Remove a local owner", owners::delete).query(parameters::OF_TEAM),
        route(Method::POST, "/owners/link", OwnerWrite, "Make a link that signs a local owner in, once", owners::link).takes::<LinkRequest>().makes::<LinkView>().only_here(),

        route(Method::GET, "/sessions", SessionRead, "List who is signed in", sessions::list).query(parameters::SESSIONS).pages::<SessionView>(),
        route(Method::DELETE, "/sessions", SessionWrite, "End all sessions of a user or local owner", sessions::end_all).query(parameters::ENDED_SESSIONS).gives::<Ended>().named("session.end_all"),
        route(Method::DELETE, "/sessions/{session}", SessionWrite, "End a session", sessions::end).query(parameters::OF_TEAM),

        route(Method::GET, "/service-accounts", ServiceAccountRead, "List service accounts", service_accounts::list).query(parameters::SHORT_OF_TEAM).pages::<ServiceAccountView>(),
        route(Method::POST, "/service-accounts", ServiceAccountWrite, "Make a service account", service_accounts::create).takes::<NewServiceAccount>().makes::<ServiceAccountView>(),
        route(Method::GET, "/service-accounts/{service_account}", ServiceAccountRead, "Show a service account", service_accounts::get).query(parameters::OF_TEAM).gives::<ServiceAccountView>(),
        route(Method::PATCH, "/service-accounts/{service_account}", ServiceAccountWrite, "Change, suspend or reinstate a service account", service_accounts::update).query(parameters::OF_TEAM).takes::<ServiceAccountChange>().gives::<ServiceAccountView>(),
        route(Method::DELETE, "/service-accounts/{service_account}", ServiceAccountWrite, "Remove a service account with its tokens", service_accounts::delete).query(parameters::OF_TEAM),

        route(Method::GET, "/api-tokens", ApiTokenRead, "List API tokens", api_tokens::list).query(parameters::API_TOKENS).pages::<ApiTokenView>(),
        route(Method::POST, "/api-tokens", ApiTokenWrite, "Make an API token for oneself or for a service account", api_tokens::create).takes::<NewApiToken>().makes::<MadeApiToken>(),
        route(Method::GET, "/api-tokens/{api_token}", ApiTokenRead, "Show an API token", api_tokens::get).query(parameters::OF_TEAM).gives::<ApiTokenView>(),
        route(Method::POST, "/api-tokens/{api_token}/rotate", ApiTokenWrite, "Put a new API token in the place of another one", api_tokens::rotate).query(parameters::OF_TEAM).takes::<ApiTokenRotation>().makes::<MadeApiToken>(),
        route(Method::DELETE, "/api-tokens/{api_token}", ApiTokenWrite, "Revoke an API token", api_tokens::revoke).query(parameters::OF_TEAM).gives::<ApiTokenView>().named("api_token.revoke"),

        route(Method::GET, "/changes", EventRead, "Follow committed changes", changes::list).query(parameters::CHANGES).feeds::<Changes>(),
        route(Method::GET, "/events", EventRead, "List events", events::list).query(parameters::EVENTS).pages::<Event>(),
        route(Method::GET, "/events/{event}", EventRead, "Show an event", events::get).gives::<Event>(),

        route(Method::GET, "/directories", DirectoryRead, "List directories", directories::list).query(parameters::SHORT).pages::<DirectoryView>(),
        route(Method::POST, "/directories", DirectoryWrite, "Make a directory", directories::create).takes::<NewDirectory>().makes::<MadeDirectory>(),
        route(Method::GET, "/directories/{directory}", DirectoryRead, "Show a directory", directories::get).gives::<DirectoryDetail>(),
        route(Method::PATCH, "/directories/{directory}", DirectoryWrite, "Change a directory", directories::update).takes::<DirectoryChange>().gives::<DirectoryView>(),
        route(Method::DELETE, "/directories/{directory}", DirectoryWrite, "Remove a directory with everything in it", directories::delete),
        route(Method::POST, "/directories/{directory}/test", TokenWrite, "Ask a directory what its provider will ask, at its public address", directories::test).gives::<Probed>(),
        route(Method::GET, "/directories/{directory}/tokens", DirectoryRead, "List secret tokens", tokens::list).query(parameters::SHORT).pages::<TokenView>(),
        route(Method::POST, "/directories/{directory}/tokens", TokenWrite, "Make a secret token", tokens::create).takes::<NewToken>().makes::<MadeToken>(),
        route(Method::POST, "/directories/{directory}/tokens/rotate", TokenWrite, "Put a new secret token in the place of the others", tokens::rotate).takes::<Rotation>().makes::<RotatedToken>(),
        route(Method::DELETE, "/directories/{directory}/tokens/{token}", TokenWrite, "Revoke a secret token", tokens::revoke).gives::<TokenView>().named("token.revoke"),
        route(Method::GET, "/directories/{directory}/connection", ConnectionRead, "Show how the people of a directory sign in", connections::get).gives::<ConnectionView>().tagged(),
        route(Method::PUT, "/directories/{directory}/connection", ConnectionWrite, "Connect a directory to an identity provider", connections::put).takes::<NewConnection>().gives::<ConnectionView>().tagged(),
        route(Method::DELETE, "/directories/{directory}/connection", ConnectionWrite, "Remove the connection of a directory to its identity provider", connections::delete).tagged(),
        route(Method::POST, "/directories/{directory}/connection/test", ConnectionWrite, "Examine a connection, and begin a trial sign-in", connections::test).gives::<Examined>(),
        route(Method::POST, "/directories/{directory}/connection/trial", ConnectionWrite, "Read what a trial sign-in brought, once", connections::trial).takes::<WhichTrial>().gives::<TrialResult>(),
        route(Method::GET, "/directories/{directory}/streams", DirectoryRead, "List receivers of security events", streams::list).query(parameters::SHORT).pages::<StreamView>(),
        route(Method::POST, "/directories/{directory}/streams", DirectoryWrite, "Make a receiver of security events", streams::create).takes::<NewStream>().makes::<StreamView>(),
        route(Method::DELETE, "/directories/{directory}/streams/{stream}", DirectoryWrite, "Remove a receiver of security events", streams::delete).gives::<StreamView>(),
        route(Method::GET, "/directories/{directory}/users", UserRead, "List users", users::list).query(parameters::USERS).pages::<UserView>(),
        route(Method::POST, "/directories/{directory}/users", UserWrite, "Make a user in a native directory", users::create).takes::<NewUser>().makes::<UserView>(),
        route(Method::GET, "/directories/{directory}/users/{user}", UserRead, "Show a user", users::get).gives::<UserView>(),
        route(Method::PATCH, "/directories/{directory}/users/{user}", UserWrite, "Change a user; where a provider manages it, its level and whether it is suspended", users::update).takes::<UserChange>().gives::<UserView>(),
        route(Method::GET, "/directories/{directory}/users/{user}/account", UserRead, "Show the account of a user on hosts", accounts::get).gives::<AccountView>(),
        route(Method::GET, "/directories/{directory}/users/{user}/remote-identities", GrantRead, "List the account names of a user on hosts that do not take the usual one", accounts::remote_identities).lists::<RemoteIdentityView>().tagged(),
        route(Method::PUT, "/directories/{directory}/users/{user}/remote-identities", GrantWrite, "Say which account names a user has on hosts that do not take the usual one", accounts::set_remote_identities).takes::<Vec<RemoteIdentityView>>().lists::<RemoteIdentityView>().tagged(),
        route(Method::GET, "/directories/{directory}/users/{user}/offboarding", GrantRead, "Show since when each host lets a user in no longer, and what they have left there", offboarding::report).gives::<OffboardingView>().named("user.offboarding"),
        route(Method::POST, "/directories/{directory}/users/{user}/removal", HostWrite, "Have hosts remove what a user has left there, or say what that would be", offboarding::remove).takes::<RemovalRequest>().gives::<OffboardingView>().named("user.remove_data"),
        route(Method::GET, "/directories/{directory}/accounts", GrantRead, "List the accounts of people on hosts", accounts::list).query(parameters::PAGED).pages::<AccountView>(),
        route(Method::POST, "/directories/{directory}/accounts/preview", GrantRead, "Show which account names a rule would make, and which it could not", accounts::preview).takes::<accounts::NamesRequest>().gives::<NamesPreview>(),
        route(Method::DELETE, "/directories/{directory}/users/{user}", UserWrite, "Remove a user of a native directory", users::delete),
        route(Method::GET, "/directories/{directory}/visitor-hosts", VisitorRead, "List the people of a directory for visitors, and whether visitors find them; with `search`, whom they find", visitor_hosts::list).query(parameters::USERS).pages::<VisitorHostView>(),
        route(Method::GET, "/directories/{directory}/visitor-hosts/{user}", VisitorRead, "Show whether visitors find somebody, and who is told of them", visitor_hosts::get).gives::<VisitorHostView>(),
        route(Method::PATCH, "/directories/{directory}/visitor-hosts/{user}", VisitorWrite, "Hide somebody from visitors, or say who is told of them and what they are called as well", visitor_hosts::update).takes::<VisitorHostChange>().gives::<VisitorHostView>(),
        route(Method::GET, "/directories/{directory}/visitor-hosts/{user}/preview", VisitorRead, "Show what visitors of a location see of somebody, and why they do not find them", visitor_hosts::preview).query(parameters::PREVIEW).gives::<PreviewView>().named("visitor_host.preview"),
        route(Method::GET, "/directories/{directory}/groups", GroupRead, "List groups", groups::list).query(parameters::GROUPS).pages::<GroupView>(),
        route(Method::POST, "/directories/{directory}/groups", GroupWrite, "Make a group in a native directory", groups::create).takes::<NewGroup>().makes::<GroupView>(),
        route(Method::GET, "/directories/{directory}/groups/{group}", GroupRead, "Show a group", groups::get).gives::<GroupView>(),
        route(Method::PATCH, "/directories/{directory}/groups/{group}", GroupWrite, "Change a group of a native directory", groups::update).takes::<GroupChange>().gives::<GroupView>(),
        route(Method::DELETE, "/directories/{directory}/groups/{group}", GroupWrite, "Remove a group of a native directory", groups::delete),
        route(Method::GET, "/directories/{directory}/groups/{group}/members", GroupRead, "List the members of a group", groups::members).query(parameters::MEMBERS).pages::<MemberView>(),
        route(Method::POST, "/directories/{directory}/groups/{group}/members", GroupWrite, "Make somebody a member of a group, with an end or without", groups::add_member).takes::<NewMember>().makes::<MemberView>(),
        route(Method::DELETE, "/directories/{directory}/groups/{group}/members/{member}", GroupWrite, "End a membership that is managed here", groups::remove_member),

        route(Method::GET, "/visit-locations", VisitorRead, "List the locations where visitors are received", visit_locations::list).query(parameters::SHORT_OF_TEAM).pages::<LocationView>(),
        route(Method::POST, "/visit-locations", VisitorWrite, "Make a location where visitors are received", visit_locations::create).takes::<NewLocation>().makes::<LocationView>(),
        route(Method::GET, "/visit-locations/{location}", VisitorRead, "Show a location", visit_locations::get).query(parameters::OF_TEAM).gives::<LocationView>(),
        route(Method::PATCH, "/visit-locations/{location}", VisitorWrite, "Change a location", visit_locations::update).query(parameters::OF_TEAM).takes::<LocationChange>().gives::<LocationView>(),
        route(Method::DELETE, "/visit-locations/{location}", VisitorWrite, "Remove a location with its devices; its past visits stay", visit_locations::delete).query(parameters::OF_TEAM),
        route(Method::GET, "/visit-locations/{location}/webhook-secret", VisitorWrite, "Show the secret that what the program of a location is told is signed with", visit_locations::webhook_secret).query(parameters::OF_TEAM).gives::<WebhookSecret>().named("visit_location.webhook_secret"),
        route(Method::GET, "/visit-locations/{location}/devices", VisitorRead, "List the devices of a location", visit_devices::list).query(parameters::SHORT_OF_TEAM).pages::<DeviceView>().named("visit_device.list"),
        route(Method::POST, "/visit-locations/{location}/devices", VisitorWrite, "Let a device receive the visitors of a location", visit_devices::create).query(parameters::OF_TEAM).takes::<NewDevice>().makes::<MadeDevice>().named("visit_device.create"),
        route(Method::DELETE, "/visit-locations/{location}/devices/{device}", VisitorWrite, "Send a device away", visit_devices::revoke).query(parameters::OF_TEAM).gives::<DeviceView>().named("visit_device.revoke"),
        route(Method::GET, "/visits", VisitorRead, "List visits", visits::list).query(parameters::VISITS).pages::<VisitView>(),
        route(Method::POST, "/visits", VisitorWrite, "Announce a visitor", visits::expect).takes::<NewVisit>().makes::<VisitView>().named("visit.expect"),
        route(Method::GET, "/visits/export", VisitorRead, "Export visits", visits::export).query(parameters::VISITS_FILE).sends(&["application/x-ndjson", "text/csv"]).named("visit.export"),
        route(Method::GET, "/visits/notices", VisitorRead, "Show what people and programs are still to be told", visits::notices).query(parameters::OF_TEAM).gives::<NoticesView>().named("visit.notices"),
        route(Method::GET, "/visits/{visit}", VisitorRead, "Show a visit", visits::get).query(parameters::OF_TEAM).gives::<VisitView>(),
        route(Method::POST, "/visits/{visit}/sign-out", VisitorWrite, "Sign a visitor out, or take back that one is expected", visits::sign_out).query(parameters::OF_TEAM).gives::<VisitView>(),
        route(Method::GET, "/visits/{visit}/photo", VisitorRead, "Show the picture of a visitor", visits::photo).query(parameters::OF_TEAM).sends(&["image/jpeg", "image/png"]).named("visit.photo"),

        route(Method::GET, "/applications", ApplicationRead, "List applications", applications::list).query(parameters::SHORT_OF_TEAM).pages::<ApplicationView>(),
        route(Method::POST, "/applications", ApplicationWrite, "Declare an application", applications::create).takes::<Definition>().makes::<ApplicationDetail>(),
        route(Method::GET, "/applications/{application}", ApplicationRead, "Show an application", applications::get).gives::<ApplicationDetail>(),
        route(Method::PUT, "/applications/{application}", ApplicationWrite, "Replace the definition of an application", applications::replace).takes::<Definition>().gives::<ApplicationDetail>(),
        route(Method::PATCH, "/applications/{application}", ApplicationWrite, "Change the definition of an application", applications::update).takes::<DefinitionChange>().gives::<ApplicationDetail>(),
        route(Method::DELETE, "/applications/{application}", ApplicationWrite, "Remove an application", applications::delete),
        route(Method::GET, "/applications/{application}/export", ApplicationRead, "Export the definition of an application", applications::export).gives::<Definition>().named("application.export"),
        route(Method::POST, "/applications/{application}/pause", ApplicationWrite, "Pause the job of an application", applications::pause).gives::<ApplicationDetail>(),
        route(Method::POST, "/applications/{application}/start", ApplicationWrite, "Start the job of an application", applications::start).gives::<ApplicationDetail>(),
        route(Method::POST, "/applications/{application}/restart", ApplicationWrite, "Begin anew with the job of an application", applications::restart).takes::<RestartRequest>().gives::<ApplicationDetail>(),
        route(Method::GET, "/applications/{application}/status", ApplicationRead, "Show how far the job of an application has come", applications::status).gives::<JobStatus>().named("application.status"),
        route(Method::GET, "/applications/{application}/logs", ApplicationRead, "List the provisioning log of an application", applications::logs).query(parameters::PROVISIONING).pages::<Record>().named("application.logs"),
        route(Method::POST, "/applications/{application}/test", ApplicationWrite, "Test source and target of an application", applications::test).gives::<Tested>(),
        route(Method::POST, "/applications/{application}/lint", ApplicationRead, "Look for mistakes in the definition of an application", applications::lint).takes::<LintRequest>().gives::<LintAnswer>(),
        route(Method::POST, "/applications/{application}/on-demand", ApplicationWrite, "Provision one object now", applications::on_demand).takes::<OnDemandRequest>().gives::<OnDemandResult>(),
        route(Method::POST, "/applications/{application}/dry-run", ApplicationRead, "Show what the next cycle would do", applications::dry_run).gives::<DryRun>(),
    ]
}
