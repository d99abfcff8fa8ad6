//! What users and groups have in common on pages.

use super::attention::of_team;
use super::form::Form;
use super::happening;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::view::ManagedBy;
use portreeve_console::pages::users::Change;
use portreeve_console::parts::{Choice, Field, Filter, Form as Input, Source};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;
use portreeve_directory::Refusal;
use portreeve_directory::actors::Actors;
use portreeve_directory::directories::{Directory, Provider};
use portreeve_directory::events::{self, Event, Query};
use portreeve_store::Tx;
use serde_json::Value;

/// How many are on a page.
pub(super) const PAGE: usize = 50;
/// How many changes the page of somebody shows.
const CHANGES: i64 = 15;
/// The most characters of a value that are shown.
const VALUE: usize = 120;

/// Where something is managed, for a page.
pub(super) fn source(managed_by: &ManagedBy) -> Source {
    match managed_by {
        ManagedBy::Directory(name) => Source::Directory(name.clone()),
        ManagedBy::Portreeve(_) => Source::Portreeve,
    }
}

/// The directories of the team, by name, the active one first.
pub(super) async fn directories(visit: &Visit) -> Result<Vec<Directory>, Trouble> {
    let (team, active) = (
        visit.team.id.clone(),
        visit.team.active_directory_id.clone(),
    );
    let read = visit.read(move |tx| {
        let mut all = of_team(tx, &team)?;
        all.sort_by_key(|directory| active.as_deref() != Some(directory.id.as_str()));
        Ok(all)
    });
    read.await
}

/// The directory that a list is of: the one that was chosen, else the first.
pub(super) fn chosen<'a>(all: &'a [Directory], wanted: &str) -> Option<&'a Directory> {
    let named = all.iter().find(|directory| directory.id == wanted);
    named.or(all.first())
}

/// Chooses the directory, where there are several.
pub(super) fn directory_filter(all: &[Directory], address: &Address) -> Option<Filter> {
    let values = all
        .iter()
        .map(|directory| (directory.id.clone(), directory.name.clone()));
    (all.len() > 1).then(|| Filter::new("Directory", address, "directory", values))
}

/// The page as it is now.
pub(super) fn address(visit: &Visit, section: Section, kept: &[&'static str]) -> Address {
    let start = section.address();
    kept.iter().fold(start, |address, name| {
        address.with(*name, visit.query(name))
    })
}

/// The page of a user.
pub(super) fn user_page(directory: &str, user: &str) -> Address {
    Section::Users.address().join(directory).join(user)
}

/// The page of a group.
pub(super) fn group_page(directory: &str, group: &str) -> Address {
    Section::Groups.address().join(directory).join(group)
}

/// The native directories, in which something can be made here.
pub(super) fn native(all: &[Directory]) -> Vec<&Directory> {
    all.iter()
        .filter(|directory| directory.provider == Provider::Native)
        .collect()
}

/// Chooses the native directory in which something is made.
pub(super) async fn directory_field(
    visit: &Visit,
    form: &'static str,
    sent: &Form,
) -> Result<Field, Trouble> {
    let all = directories(visit).await?;
    let choices = native(&all).into_iter().map(|directory| {
        let chosen = sent.text("directory") == directory.id;
        Choice::new(directory.id.clone(), directory.name.clone(), chosen)
    });
    let choices = Input::Select(choices.collect());
    Ok(Field::new(form, "directory", "Directory", choices)
        .help("Only directories that are edited here."))
}

/// What happened to something, the newest first; nothing for who may not read the log.
pub(super) async fn history(visit: &Visit, object: &str) -> Result<Vec<Change>, Trouble> {
    if !visit.may(Permission::EventRead) {
        return Ok(Vec::new());
    }
    let (team, object) = (visit.team.id.clone(), object.to_owned());
    let read = visit.read(move |tx: &mut Tx<'_>| -> Result<_, Refusal> {
        let query = Query {
            object_id: Some(object.clone()),
            limit: CHANGES,
            ..Query::default()
        };
        let found = events::list(tx, &team, &query)?;
        let actors = Actors::of(tx, &team, &found)?;
        Ok(found.iter().map(|event| change(event, &actors)).collect())
    });
    read.await
}

fn change(event: &Event, actors: &Actors) -> Change {
    Change {
        href: happening::page(event),
        text: happening::sentence(event, actors),
        at: happening::time(event.at),
        values: match event.action.as_str() {
            // All that it began with stands beside it.
            "create" => Vec::new(),
            _ => values(event),
        },
        failed: event.outcome != "ok",
    }
}

/// What became what in an event: attribute, before, after.
pub(super) fn values(event: &Event) -> Vec<(String, String, String)> {
    event
        .changes
        .iter()
        .map(|change| {
            let attribute = change["attribute"].as_str().unwrap_or_default().to_owned();
            (attribute, text(&change["old"]), text(&change["new"]))
        })
        .collect()
}

/// A value for people, not longer than they read.
pub(super) fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            items.join(", ")
        }
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
