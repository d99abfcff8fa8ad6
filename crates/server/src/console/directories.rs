//! Directories: where people come from, and how they are connected.

mod accounts;
mod connect;
mod guide;
mod sign_in;
mod tokens;

pub(super) use accounts::{accounts, save_accounts};
pub(super) use connect::{requests, show, test};
pub(super) use sign_in::{
    delete as delete_sign_in, save as save_sign_in, show as sign_in, test as test_sign_in,
    trial as trial_sign_in,
};
pub(super) use tokens::{create as create_token, revoke, rotate, show as tokens};

use super::attention::{of_team, page};
use super::form::Form;
use super::happening::time;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::directories::{
    self, DirectoryChange, DirectoryDetail, DirectoryView, MadeDirectory, NewDirectory,
};
use crate::contact;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::pages::directories::{Head, List, Made, Row, Rules};
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::parts::{
    Alert, Badge, Choice, Confirm, Copyable, Count, Empty, Field, Form as Input, Icon, Link,
    Secret, Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::directories::{self as model, Directory, Provider};
use portreeve_directory::{Permission, users};
use secrecy::ExposeSecret;

/// The providers that a directory can be made for, with what people call them.
const PROVIDERS: &[(Provider, &str, &str)] = &[
    (
        Provider::Entra,
        "Microsoft Entra ID",
        "Formerly Azure Active Directory.",
    ),
    (Provider::Okta, "Okta", "Provisions by SCIM 2.0."),
    (
        Provider::Google,
        "Google Workspace",
        "With an application whose endpoint can be set.",
    ),
    (
        Provider::Generic,
        "Another provider",
        "Anything that speaks SCIM 2.0, such as Keycloak.",
    ),
    (
        Provider::Native,
        "Nobody: it is edited here",
        "Users and groups are made in this console.",
    ),
];

/// The compatibility profiles: value, name, what each is.
const PROFILES: &[(&str, &str, &str)] = &[
    (
        "entra",
        "Microsoft Entra ID",
        "What Entra's client does otherwise than the standard.",
    ),
    ("okta", "Okta", "What Okta's client does otherwise."),
    (
        "lenient",
        "Lenient",
        "Every tolerance that breaks no rule of the standard.",
    ),
    ("strict", "Strict", "None; for whoever writes a client."),
];

/// What people call a provider.
fn provider_name(provider: Provider) -> &'static str {
    let found = PROVIDERS.iter().find(|(one, _, _)| *one == provider);
    match found {
        Some((Provider::Native, _, _)) => "Portreeve",
        Some((Provider::Generic, _, _)) | None => "A SCIM 2.0 provider",
        Some((_, name, _)) => name,
    }
}

/// All directories.
pub(super) async fn list(visit: Visit) -> Response {
    visit.or_trouble(make_list(&visit).await)
}

async fn make_list(visit: &Visit) -> Result<Response, Trouble> {
    contact::flush(&visit.app).await;
    let (team, active) = (
        visit.team.id.clone(),
        visit.team.active_directory_id.clone(),
    );
    let rows = visit.read(move |tx| {
        let mut rows = Vec::new();
        for directory in of_team(tx, &team)? {
            let counts = model::counts(tx, &directory.id)?;
            let warned = directory.is_fed() && users::active_is_never_sent(tx, &directory.id)?;
            rows.push(Row {
                href: page(&directory),
                provider: provider_name(directory.provider),
                state: state(&directory, warned),
                last_request: directory.last_contact_at.map(time),
                users: Count(counts.active_users.unsigned_abs()),
                groups: Count(counts.groups.unsigned_abs()),
                is_active: active.as_deref() == Some(directory.id.as_str()),
                id: directory.id,
                name: directory.name,
            });
        }
        Ok(rows)
    });
    let new = Address::new("/console/directories/new");
    let may = visit.may(Permission::DirectoryWrite);
    Ok(visit.page(&List {
        shell: visit.shell(),
        rows: rows.await?,
        empty: Empty {
            icon: Icon::Directory,
            title: "No directory yet".to_owned(),
            text: "A directory is one source of people. Make one, and give its tenant URL and secret token to your identity provider.".to_owned(),
            link: may.then(|| Link::new("Make a directory", new.clone())),
        },
        create: may.then_some(new),
    }))
}

/// How a directory is, in a word.
fn state(directory: &Directory, warned: bool) -> Badge {
    match (directory.is_fed(), directory.last_contact_at, warned) {
        (false, _, _) => Badge::new(Tone::Neutral, "Edited here"),
        (true, None, _) => Badge::new(Tone::Info, "Waits for its provider"),
        (true, Some(_), true) => Badge::new(Tone::Warn, "Needs a look"),
        (true, Some(_), false) => Badge::new(Tone::Good, "Connected"),
    }
}

/// The form for a new one.
pub(super) async fn new(visit: Visit) -> Response {
    visit.page(&form(&visit, &Form::default(), None))
}

/// Makes a directory. Its secret token is on the page that answers, and nowhere else.
pub(super) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = NewDirectory {
            name: form.text("name").to_owned(),
            provider: form.filled("provider"),
            users: form.filled("users"),
            groups: form.filled("groups"),
            preset: form.is_on("visitors").then(|| "visitor-hosts".to_owned()),
            ..NewDirectory::default()
        };
        match directories::create(&visit.app, &visit.admin, wanted).await {
            Ok(made) => Ok(is_made(&visit, made)),
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&self::form(&visit, &form, Some(problem))))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// The secret token of a directory that was made; where there is none, the way to its users.
fn is_made(visit: &Visit, made: MadeDirectory) -> Response {
    let directory = made.directory;
    let Some(secret) = made.secret_token else {
        let said = "The directory is made. Now make its users.";
        return visit.done(&Section::Users.address(), said);
    };
    let page = Made {
        shell: visit.shell(),
        title: format!("{} is made", directory.name),
        tenant_url: Copyable::new("tenant URL", directory.tenant_url.unwrap_or_default()),
        secret: shown_once(secret.0.expose_secret()),
        follows: String::new(),
        next: Link::new(
            "Connect the provider",
            Section::Directories.address().join(&directory.id),
        ),
        name: directory.name,
    };
    visit.page_as(StatusCode::CREATED, &page)
}

/// The secret token, for this once.
fn shown_once(secret: &str) -> Secret {
    Secret {
        id: "secret",
        label: "Secret token".to_owned(),
        value: secret.to_owned(),
        advice:
            "Paste it into the provider's form. If it is lost, rotate it: that makes another one."
                .to_owned(),
    }
}

fn form(visit: &Visit, sent: &Form, problem: Option<Alert>) -> New {
    let chosen = sent
        .filled("provider")
        .unwrap_or_else(|| "entra".to_owned());
    let providers = PROVIDERS.iter().map(|(provider, label, help)| {
        Choice::new(provider.name(), *label, provider.name() == chosen).help(*help)
    });
    // Where somebody comes from what concerns visitors, the directory is for them.
    let visitors = sent.is_on("visitors") || visit.query("for") == "visitors";
    let usual = if visitors { "hide" } else { "suspend" };
    let users = sent.filled("users").unwrap_or_else(|| usual.to_owned());
    let groups = sent.filled("groups").unwrap_or_else(|| "delete".to_owned());
    New {
        shell: visit.shell(),
        kind: Kind::Directory,
        problem,
        fields: vec![
            Field::line("directory", "name", "Name", sent.text("name"))
                .example("Contoso")
                .help("What you call it; unique in the team.")
                .required(),
            Field::new(
                "directory",
                "provider",
                "Who feeds it",
                Input::One(providers.collect()),
            ),
            visitors_field(visitors).help(
                "Each of them must have a user name, a work address, and a first and last name.",
            ),
            users_field(&users),
            groups_field(&groups),
        ],
    }
}

fn visitors_field(on: bool) -> Field {
    let label = "Visitors find its people";
    Field::new("directory", "visitors", label, Input::Switch(on))
}

fn users_field(chosen: &str) -> Field {
    let choices = [
        (
            "suspend",
            "Suspend them",
            "Kept, with no access; the same user comes back when restored.",
        ),
        (
            "hide",
            "Suspend and hide them",
            "The same, and not shown to visitors.",
        ),
        (
            "delete",
            "Delete them",
            "Gone, as the protocol describes. A deactivation only suspends.",
        ),
    ];
    let choices =
        choices.map(|(value, label, help)| Choice::new(value, label, value == chosen).help(help));
    Field::new(
        "directory",
        "users",
        "What becomes of users whom the provider deletes",
        Input::One(choices.into()),
    )
}

fn groups_field(chosen: &str) -> Field {
    let choices = [
        ("delete", "Delete them", "Gone, with their memberships."),
        (
            "keep",
            "Keep them",
            "Gone for the provider; a new group of that name revives it with its members.",
        ),
    ];
    let choices =
        choices.map(|(value, label, help)| Choice::new(value, label, value == chosen).help(help));
    Field::new(
        "directory",
        "groups",
        "What becomes of groups that the provider deletes",
        Input::One(choices.into()),
    )
}

/// What stands over each page of a directory.
fn head(visit: &Visit, detail: &DirectoryDetail) -> Head {
    let view = &detail.directory;
    let is_fed = view.provider != Provider::Native;
    let state = match (is_fed, view.last_request_at, detail.warnings.is_empty()) {
        (false, _, _) => Badge::new(Tone::Neutral, "Edited here"),
        (true, None, _) => Badge::new(Tone::Info, "Waits for its provider"),
        (true, Some(_), false) => Badge::new(Tone::Warn, "Needs a look"),
        (true, Some(_), true) => Badge::new(Tone::Good, "Connected"),
    };
    Head {
        name: view.name.clone(),
        href: Address::new("/console/directories").join(&view.id),
        provider: provider_name(view.provider),
        state,
        is_fed,
        shows_sign_in: visit.may(Permission::ConnectionRead),
        shows_accounts: visit.may(Permission::GrantRead),
    }
}

/// The directory that the path names.
async fn detail(visit: &Visit) -> Result<DirectoryDetail, Trouble> {
    Ok(directories::get(&visit.app, &visit.admin, &visit.param("directory")).await?)
}

/// The rules are all there is of a directory that is edited here.
fn rules_response(visit: &Visit, detail: &DirectoryDetail) -> Response {
    visit.page(&rules_page(visit, detail, None))
}

/// Its rules.
pub(super) async fn rules(visit: Visit) -> Response {
    let shown = detail(&visit).await;
    visit.or_trouble(shown.map(|detail| visit.page(&rules_page(&visit, &detail, None))))
}

/// Changes them.
pub(super) async fn save_rules(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let before = detail(&visit).await?;
        let wanted = DirectoryChange {
            name: form.filled("name"),
            profile: form.filled("profile"),
            users: form.filled("users"),
            groups: form.filled("groups"),
            unique_group_names: Some(form.is_on("unique_group_names")),
            security_events: Some(form.is_on("security_events")),
            visitors: Some(form.is_on("visitors")),
            ..DirectoryChange::default()
        };
        let which = visit.param("directory");
        match directories::update(&visit.app, &visit.admin, &which, wanted).await {
            Ok(view) => {
                let rules = Address::new("/console/directories")
                    .join(&view.id)
                    .join("rules");
                Ok(visit.done(&rules, "The rules are saved."))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&rules_page(&visit, &before, Some(problem))))
            }
        }
    };
    visit.or_trouble(done.await)
}

fn rules_page(visit: &Visit, detail: &DirectoryDetail, problem: Option<Alert>) -> Rules {
    let head = head(visit, detail);
    let may_change = visit.may(Permission::DirectoryWrite);
    Rules {
        shell: visit.shell(),
        problem,
        fields: rules_fields(&detail.directory, head.is_fed),
        may_change,
        delete: may_change.then(|| delete_question(detail, &head.href)),
        head,
    }
}

fn rules_fields(view: &DirectoryView, is_fed: bool) -> Vec<Field> {
    let (users, groups) = (
        serde_json::json!(view.users),
        serde_json::json!(view.groups),
    );
    let profiles = PROFILES.iter().map(|(value, label, help)| {
        Choice::new(*value, *label, view.profile == *value).help(*help)
    });
    let mut fields = vec![Field::line("directory", "name", "Name", view.name.clone()).required()];
    if is_fed {
        let profile = Input::One(profiles.collect());
        fields.extend([
            users_field(users.as_str().unwrap_or_default()),
            groups_field(groups.as_str().unwrap_or_default()),
            Field::new("directory", "profile", "Compatibility", profile),
        ]);
    }
    let switch =
        |name, label, on, help| Field::new("directory", name, label, Input::Switch(on)).help(help);
    fields.extend([
        switch(
            "unique_group_names",
            "Two groups may not have the same name",
            view.unique_group_names,
            "Entra finds groups by name, so it needs this.",
        ),
        switch(
            "security_events",
            "Offer changes as security events",
            view.security_events,
            "For receivers of RFC 9967, which are made with: portreeve stream create",
        ),
        visitors_field(view.visitors).help("At the locations where visitors are received."),
    ]);
    fields
}

fn delete_question(detail: &DirectoryDetail, href: &Address) -> Confirm {
    let name = &detail.directory.name;
    let people = detail.counts.active_users + detail.counts.suspended_users;
    let label = format!("To be sure, write its name: {name}");
    Confirm {
        id: "delete".to_owned(),
        opener: "Remove the directory…".to_owned(),
        title: format!("Remove {name}?"),
        effect: format!(
            "{people} users, {} groups and all its tokens go with it, and nobody of them can sign in any more. This cannot be undone. What happened stays in the log.",
            detail.counts.groups
        ),
        action: href.clone().join("delete"),
        label: "Remove".to_owned(),
        values: Vec::new(),
        fields: vec![Field::line("delete", "name", label, "").required()],
        danger: true,
    }
}

/// Removes a directory whose name was written.
pub(super) async fn delete(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let detail = detail(&visit).await?;
        if form.text("name") != detail.directory.name {
            let problem = Alert::new(
                Tone::Bad,
                "This was not done",
                "The name that was written is not that of the directory.",
            );
            let page = rules_page(&visit, &detail, Some(problem));
            return Ok(visit.again(&page));
        }
        directories::delete(&visit.app, &visit.admin, &detail.directory.id).await?;
        let said = format!("{} is removed.", detail.directory.name);
        Ok(visit.done(&Section::Directories.address(), &said))
    };
    visit.or_trouble(done.await)
}
