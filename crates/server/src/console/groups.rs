//! Groups: the list, one group with its members, and what can be done about them.

mod one;

pub(super) use one::{add, delete, remove, rename, show};

use super::directories::problem;
use super::form::Form;
use super::happening::time;
use super::people::{
    PAGE, address, chosen, directories, directory_filter, group_page, native, source,
};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::groups::{self, GroupView, NewGroup};
use crate::admin::page::{Listing, Page as Part};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::pages::groups::{List, New, Row};
use portreeve_console::parts::{
    Alert, Choice, Count, Empty, Field, Form as Input, Icon, Pager, Search, Toolbar,
};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;
use portreeve_directory::directories::Directory;

/// What of the address a list goes by.
const KEPT: &[&str] = &["q", "directory", "cursor"];

/// The groups of a directory.
pub(super) async fn list(visit: Visit) -> Response {
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    let all = directories(visit).await?;
    let address = address(visit, Section::Groups, KEPT);
    let found = match chosen(&all, visit.query("directory")) {
        Some(directory) => find(visit, directory).await?,
        None => Part {
            items: Vec::new(),
            total: None,
            next: None,
        },
    };
    let rows = found.items.iter().map(|group| Row {
        id: group.id.clone(),
        href: group_page(&group.directory_id, &group.id),
        name: group.display_name.clone(),
        source: source(&group.managed_by),
        members: Count(group.member_count.unsigned_abs()),
        nested: group.has_nested_groups,
        changed: time(group.updated_at.0),
    });
    let rows: Vec<Row> = rows.collect();
    let searched = !visit.query("q").is_empty();
    let may = visit.may(Permission::GroupWrite) && !native(&all).is_empty();
    let (title, text) = match searched {
        true => ("No group found", "No group has that in its name."),
        false => (
            "No groups yet",
            "They appear as the provider sends them, without a reload.",
        ),
    };
    Ok(visit.page(&List {
        shell: visit.shell(),
        toolbar: Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name",
            },
            filters: directory_filter(&all, &address).into_iter().collect(),
            clear: searched.then(|| Section::Groups.address()),
        },
        empty: Empty {
            icon: Icon::Groups,
            title: title.to_owned(),
            text: text.to_owned(),
            link: None,
        },
        pager: Pager {
            total: found.total.and_then(|total| u64::try_from(total).ok()),
            shown: rows.len(),
            noun: ("group", "groups"),
            previous: (!visit.query("cursor").is_empty())
                .then(|| address.clone().without("cursor")),
            next: found.next.map(|cursor| address.with("cursor", cursor)),
        },
        rows,
        create: may.then(|| Address::new("/console/groups/new")),
    }))
}

async fn find(visit: &Visit, directory: &Directory) -> Result<Part<GroupView>, Trouble> {
    let (count, text) = (PAGE.to_string(), visit.query("q"));
    let mut pairs = vec![("count", count.as_str())];
    match text.is_empty() {
        true => pairs.extend([("cursor", visit.query("cursor")), ("sortBy", "displayName")]),
        false => pairs.push(("search", text)),
    }
    let listing = Listing::of(pairs.into_iter())?;
    Ok(groups::list(&visit.app, &visit.admin, &directory.id, listing).await?)
}

/// The form for a new one.
pub(super) async fn new(visit: Visit) -> Response {
    let page = form(&visit, &Form::default(), None).await;
    visit.or_trouble(page.map(|page| visit.page(&page)))
}

/// Makes a group in a native directory.
pub(super) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = NewGroup {
            display_name: form.filled("display_name"),
            ..NewGroup::default()
        };
        match groups::create(&visit.app, &visit.admin, form.text("directory"), wanted).await {
            Ok(group) => {
                let page = group_page(&group.directory_id, &group.id);
                Ok(visit.done(&page, &format!("{} is made.", group.display_name)))
            }
            Err(refusal) => {
                let trouble = Trouble::from(refusal);
                let Some(problem) = problem(&trouble) else {
                    return Err(trouble);
                };
                let page = self::form(&visit, &form, Some(problem)).await?;
                Ok(visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
            }
        }
    };
    visit.or_trouble(done.await)
}

async fn form(visit: &Visit, sent: &Form, problem: Option<Alert>) -> Result<New, Trouble> {
    let all = directories(visit).await?;
    let directories = native(&all).into_iter().map(|directory| {
        Choice::new(
            directory.id.clone(),
            directory.name.clone(),
            sent.text("directory") == directory.id,
        )
    });
    Ok(New {
        shell: visit.shell(),
        problem,
        fields: vec![
            Field::new(
                "group",
                "directory",
                "Directory",
                Input::Select(directories.collect()),
            )
            .help("Only directories that are edited here."),
            Field::line("group", "display_name", "Name", sent.text("display_name"))
                .example("web-ops")
                .required(),
        ],
    })
}
