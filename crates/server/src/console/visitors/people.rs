//! Visitor hosts: the list, and who is on it although visitors do not find them.

use super::{page_of, visibility};
use crate::admin::page::{Listing, Page as Part};
use crate::admin::visitor_hosts::{self, VisitorHostView};
use crate::console::people::{PAGE, chosen, directories, directory_filter, source};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::response::Response;
use portreeve_console::pages::visitors::{People, PersonRow};
use portreeve_console::parts::{Empty, Icon, Link, Pager, Search, Toolbar};
use portreeve_console::{Address, Section};
use portreeve_directory::directories::Directory;
use portreeve_directory::{Permission, memberships, search};
use std::collections::HashMap;

/// What of the address the list goes by.
const KEPT: &[&str] = &["q", "directory", "cursor"];

fn here() -> Address {
    Section::Visitors.address().join("people")
}

/// The people of a directory for visitors.
pub(in crate::console) async fn list(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<People, Trouble> {
    let mut all = directories(visit).await?;
    all.retain(|directory| directory.settings.visitors);
    let address = KEPT.iter().fold(here(), |address, name| {
        address.with(*name, visit.query(name))
    });
    let directory = chosen(&all, visit.query("directory"));
    let found = match directory {
        Some(directory) => find(visit, directory).await?,
        None => nobody(),
    };
    let groups = match directory {
        Some(directory) => groups(visit, directory, &found.items).await?,
        None => HashMap::new(),
    };
    let rows: Vec<PersonRow> = found.items.iter().map(|one| row(one, &groups)).collect();
    let is_searched = !visit.query("q").is_empty();
    Ok(People {
        shell: visit.shell(),
        toolbar: directory.map(|_| Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name, nickname, department or address",
            },
            filters: directory_filter(&all, &address).into_iter().collect(),
            clear: None,
        }),
        empty: empty(visit, is_searched, directory),
        pager: Pager {
            total: found.total.and_then(|total| u64::try_from(total).ok()),
            shown: rows.len(),
            noun: ("person", "people"),
            previous: (!visit.query("cursor").is_empty())
                .then(|| address.clone().without("cursor")),
            next: found.next.map(|cursor| address.with("cursor", cursor)),
        },
        rows,
    })
}

fn nobody() -> Part<VisitorHostView> {
    Part {
        items: Vec::new(),
        total: None,
        next: None,
    }
}

/// A page of everybody; or who is searched for, those first whom visitors find by that.
async fn find(visit: &Visit, directory: &Directory) -> Result<Part<VisitorHostView>, Trouble> {
    let text = visit.query("q").to_owned();
    let count = PAGE.to_string();
    let mut pairs = vec![("count", count.as_str())];
    if text.is_empty() {
        pairs.extend([("cursor", visit.query("cursor")), ("sortBy", "displayName")]);
    } else {
        pairs.push(("search", text.as_str()));
    }
    let listing = Listing::of(pairs.into_iter())?;
    let (app, admin) = (&visit.app, &visit.admin);
    let mut found = visitor_hosts::list(app, admin, &directory.id, listing).await?;
    if text.is_empty() {
        return Ok(found);
    }
    let id = directory.id.clone();
    let others = visit
        .read(move |tx| search::users(tx, &id, &text, PAGE))
        .await?;
    for other in others {
        let is_known = found.items.iter().any(|one| one.id == other.id);
        if !is_known && found.items.len() < PAGE {
            let one = visitor_hosts::get(app, admin, &directory.id, &other.id).await?;
            found.items.push(one);
        }
    }
    Ok(found)
}

/// The names of the groups of some people, by their ids.
async fn groups(
    visit: &Visit,
    directory: &Directory,
    people: &[VisitorHostView],
) -> Result<HashMap<String, Vec<String>>, Trouble> {
    let (directory, now) = (directory.id.clone(), visit.admin.at);
    let ids: Vec<String> = people.iter().map(|one| one.id.clone()).collect();
    let read = visit.read(move |tx| {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let all = memberships::of_users(tx, &directory, &ids, now)?;
        let named = all.into_iter().map(|(id, groups)| {
            let mut names: Vec<String> = groups.into_iter().map(|group| group.display).collect();
            names.sort();
            (id, names)
        });
        Ok(named.collect())
    });
    read.await
}

fn row(one: &VisitorHostView, groups: &HashMap<String, Vec<String>>) -> PersonRow {
    // Where people sign in with their address, it is not said twice.
    let user_name = Some(&one.user_name).filter(|user_name| {
        let is_said = |said: &String| said.eq_ignore_ascii_case(user_name);
        !is_said(&one.name) && !one.told.iter().any(is_said)
    });
    PersonRow {
        id: one.id.clone(),
        href: page_of(&one.directory_id, &one.id),
        name: one.name.clone(),
        user_name: user_name.cloned().unwrap_or_default(),
        visibility: visibility(one.visibility),
        department: one.department.clone().unwrap_or_default(),
        groups: groups.get(&one.id).cloned().unwrap_or_default(),
        told: one.told.clone(),
        source: source(&one.managed_by),
    }
}

fn empty(visit: &Visit, is_searched: bool, directory: Option<&Directory>) -> Empty {
    let may = visit.may(Permission::DirectoryWrite);
    let (title, text, link) = match (directory, is_searched) {
        (Some(_), true) => (
            "Nobody found",
            "Nobody is called that, whether visitors find them or not.",
            None,
        ),
        (Some(_), false) => (
            "Nobody yet",
            "They appear as the provider sends them, without a reload.",
            Some(Link::new(
                "How it is connected",
                Section::Directories.address(),
            )),
        ),
        (None, _) => (
            "No directory for visitors yet",
            "Visitors find the people of directories that are for it. Such a directory has a connection of its own to the provider, apart from the one by which people sign in.",
            may.then(|| {
                let new = Address::new("/console/directories/new").with("for", "visitors");
                Link::new("Make one", new)
            }),
        ),
    };
    Empty {
        icon: Icon::Visitor,
        title: title.to_owned(),
        text: text.to_owned(),
        link,
    }
}
