//! Users: the list, one user, and what can be done about them.

mod access;
mod offboarding;
mod one;

pub(super) use access::{add_identity, reached, remove_identity};
pub(super) use offboarding::{remove as remove_data, show as offboarding};
pub(super) use one::{delete, end_sessions, level, reinstate, save, show, suspend};

use super::form::Form;
use super::happening::time;
use super::people::{
    self, PAGE, address, chosen, directories, directory_field, native, source, user_page,
};
use super::trouble::Trouble;
use super::visit::{Visit, shown};
use crate::admin::page::{Listing, Page as Part};
use crate::admin::users::{self, NewUser, UserView};
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::pages::users::{List, Row};
use portreeve_console::parts::{
    Alert, Empty, Field, Filter, Icon, Link, Pager, Search, Status as Shown, Toolbar,
};
use portreeve_console::{Address, Section};
use portreeve_directory::directories::Directory;
use portreeve_directory::permissions::Level;
use portreeve_directory::users::Status;
use portreeve_directory::{Permission, sessions};
use serde_json::json;

/// What of the address a list goes by.
const KEPT: &[&str] = &["q", "directory", "status", "level", "sort", "cursor"];

/// The users of a directory.
pub(super) async fn list(visit: Visit) -> Response {
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    let all = directories(visit).await?;
    let address = address(visit, Section::Users, KEPT);
    let directory = chosen(&all, visit.query("directory"));
    let found = match directory {
        Some(directory) => find(visit, directory).await?,
        None => nobody(),
    };
    let ids: Vec<String> = found.items.iter().map(|user| user.id.clone()).collect();
    let team = visit.team.id.clone();
    let signed_in = visit
        .read(move |tx| sessions::last_started(tx, &team, &ids))
        .await?;
    let users = found.items.iter();
    let rows: Vec<Row> = users
        .map(|user| row(user, signed_in.get(&user.id).copied()))
        .collect();
    let narrowed = ["q", "status", "level"]
        .iter()
        .any(|name| !visit.query(name).is_empty());
    let may = visit.may(Permission::UserWrite) && !native(&all).is_empty();
    Ok(visit.page(&List {
        shell: visit.shell(),
        toolbar: Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name, user name or e-mail",
            },
            filters: filters(&all, &address),
            clear: narrowed.then(|| Section::Users.address()),
        },
        empty: empty(narrowed, &all),
        pager: Pager {
            total: found.total.and_then(|total| u64::try_from(total).ok()),
            shown: rows.len(),
            noun: ("user", "users"),
            previous: (!visit.query("cursor").is_empty())
                .then(|| address.clone().without("cursor")),
            next: found
                .next
                .map(|cursor| address.clone().with("cursor", cursor)),
        },
        rows,
        create: may.then(|| Address::new("/console/users/new")),
        address,
    }))
}

fn row(user: &UserView, signed_in: Option<i64>) -> Row {
    let user_name = user.user_name.clone().unwrap_or_default();
    // Where people sign in with their address, it is not said twice.
    let email = user.email.clone();
    let email = email.filter(|email| !email.eq_ignore_ascii_case(&user_name));
    Row {
        id: user.id.clone(),
        href: user_page(&user.directory_id, &user.id),
        name: user.name().to_owned(),
        user_name,
        email: email.unwrap_or_default(),
        source: source(&user.managed_by),
        status: status(user.status),
        level: shown(user.level),
        last_sign_in: signed_in.map(time),
        changed: time(user.updated_at.0),
    }
}

fn nobody() -> Part<UserView> {
    Part {
        items: Vec::new(),
        total: None,
        next: None,
    }
}

fn filters(all: &[Directory], address: &Address) -> Vec<Filter> {
    let statuses = [("active", "Active"), ("suspended", "Suspended")];
    let levels = [Level::Owner, Level::Admin, Level::Auditor];
    let statuses = statuses.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let levels = levels.map(|level| (level.name().to_owned(), shown(level).label().to_owned()));
    let mut filters = vec![
        Filter::new("Status", address, "status", statuses),
        Filter::new("Level", address, "level", levels),
    ];
    filters.extend(people::directory_filter(all, address));
    filters
}

fn empty(narrowed: bool, all: &[Directory]) -> Empty {
    let (title, text, link) = match (narrowed, all.is_empty()) {
        (true, _) => (
            "Nobody found",
            "Nobody is like that. Look for less, or in another directory.",
            None,
        ),
        (false, true) => (
            "No users yet",
            "People arrive here when an identity provider is connected to a directory.",
            Some(Link::new(
                "Make a directory",
                Address::new("/console/directories/new"),
            )),
        ),
        (false, false) => (
            "No users yet",
            "They appear as the provider sends them, without a reload.",
            Some(Link::new(
                "How it is connected",
                Section::Directories.address(),
            )),
        ),
    };
    Empty {
        icon: Icon::Users,
        title: title.to_owned(),
        text: text.to_owned(),
        link,
    }
}

/// Who is on the page: those who are searched for, those of a level, or a page of all.
async fn find(visit: &Visit, directory: &Directory) -> Result<Part<UserView>, Trouble> {
    let (text, level) = (visit.query("q"), visit.query("level"));
    let count = PAGE.to_string();
    if text.is_empty() && !level.is_empty() {
        let mut found = nobody();
        found.items = users::above_user(&visit.app, &visit.admin, &directory.id).await?;
        found.items.retain(|user| user.level.name() == level);
        return Ok(found);
    }
    let active = match visit.query("status") {
        "active" => Some(true),
        "suspended" => Some(false),
        _ => None,
    };
    let filter = active.map(|active| format!("active eq {}", json!(active)));
    let (order, by) = match visit.query("sort") {
        "-user_name" => ("descending", "userName"),
        "name" => ("ascending", "displayName"),
        "-name" => ("descending", "displayName"),
        _ => ("ascending", "userName"),
    };
    let mut pairs = vec![("count", count.as_str())];
    if text.is_empty() {
        pairs.extend([
            ("cursor", visit.query("cursor")),
            ("sortBy", by),
            ("sortOrder", order),
        ]);
        pairs.extend(filter.as_deref().map(|filter| ("filter", filter)));
    } else {
        pairs.push(("search", text));
    }
    let listing = Listing::of(pairs.into_iter())?;
    let mut found = users::list(&visit.app, &visit.admin, &directory.id, listing).await?;
    if !text.is_empty()
        && let Some(active) = active
    {
        found
            .items
            .retain(|user| (user.status == Status::Active) == active);
    }
    Ok(found)
}

/// Whether somebody may use anything, for a page.
pub(super) fn status(status: Status) -> Shown {
    match status {
        Status::Active => Shown::Active,
        Status::Suspended | Status::Hidden => Shown::Suspended,
    }
}

/// The form for a new one.
pub(super) async fn new(visit: Visit) -> Response {
    visit.answer(form(&visit, &Form::default(), None).await)
}

/// Makes a user in a native directory.
pub(super) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = NewUser {
            user_name: form.filled("user_name"),
            display_name: form.filled("display_name"),
            email: form.filled("email"),
            ..NewUser::default()
        };
        match users::create(&visit.app, &visit.admin, form.text("directory"), wanted).await {
            Ok(user) => {
                let page = user_page(&user.directory_id, &user.id);
                Ok(visit.done(&page, &format!("{} is made.", user.name())))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&self::form(&visit, &form, Some(problem)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

async fn form(visit: &Visit, sent: &Form, problem: Option<Alert>) -> Result<New, Trouble> {
    Ok(New {
        shell: visit.shell(),
        kind: Kind::User,
        problem,
        fields: vec![
            directory_field(visit, "user", sent).await?,
            Field::line("user", "user_name", "User name", sent.text("user_name"))
                .example("ada@contoso.com")
                .help("What they sign in with; unique in the directory.")
                .required(),
            Field::line("user", "display_name", "Name", sent.text("display_name"))
                .example("Ada Lovelace"),
            Field::line("user", "email", "E-mail", sent.text("email")).kind("email"),
        ],
    })
}
