//! Groups: the list, one group with its members, and what can be done about them.

mod one;

pub(super) use one::{add, delete, remove, rename, show};

use super::form::Form;
use super::happening::time;
use super::people::{
    PAGE, address, chosen, directories, directory_field, directory_filter, group_page, native,
    source,
};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::groups::{self, GroupView, NewGroup};
use crate::admin::page::{Listing, Page as Part};
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::groups::{List, Row};
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::parts::{Alert, Count, Empty, Field, Icon, Pager, Search, Toolbar};
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
    visit.answer(form(&visit, &Form::default(), None).await)
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
        kind: Kind::Group,
        problem,
        fields: vec![
            directory_field(visit, "group", sent).await?,
            Field::line("group", "display_name", "Name", sent.text("display_name"))
                .example("web-ops")
                .required(),
        ],
    })
}
