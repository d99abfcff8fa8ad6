//! `/console/palette`: where one can go by typing.

use super::attention::of_team;
use super::hosts::page as host_page;
use super::people::{group_page, user_page};
use super::trouble::Trouble;
use super::visit::Visit;
use super::visitors;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use portreeve_access::Expression;
use portreeve_console::Address;
use portreeve_directory::directories::Directory;
use portreeve_directory::{Permission, Refusal, hosts, search, visit_locations};
use portreeve_store::Tx;
use serde_json::{Value, json};

/// How many of each kind are offered.
const EACH: usize = 6;

/// People, groups, hosts, directories and locations with that in their names.
pub(super) async fn find(visit: Visit) -> Response {
    match choices(&visit).await {
        Ok(found) => {
            let mut response = Value::Array(found).to_string().into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(trouble) => visit.trouble(&trouble),
    }
}

async fn choices(visit: &Visit) -> Result<Vec<Value>, Trouble> {
    let (team, text) = (visit.team.id.clone(), visit.query("q").to_owned());
    let may: Vec<Permission> = Permission::ALL
        .iter()
        .copied()
        .filter(|one| visit.may(*one))
        .collect();
    let read = visit.read(move |tx| {
        let mut found = Vec::new();
        let all = of_team(tx, &team)?;
        for directory in &all {
            in_directory(tx, directory, (&may, all.len() > 1), &text, &mut found)?;
        }
        let text = text.trim();
        if text.is_empty() {
            return Ok(found);
        }
        if may.contains(&Permission::HostRead) {
            let every = Expression::all();
            for host in hosts::list(tx, &team, (&every, text), "", EACH)? {
                found.push(choice("Host", &host.name, None, &host_page(&host.id)));
            }
        }
        if may.contains(&Permission::VisitorRead) {
            let text = text.to_lowercase();
            let mut locations = visit_locations::list(tx, &team)?;
            locations.retain(|location| location.name.to_lowercase().contains(&text));
            for location in locations.iter().take(EACH) {
                let page = visitors::location_page(&location.id);
                found.push(choice("Location", &location.name, None, &page));
            }
        }
        Ok(found)
    });
    read.await
}

/// What of a directory has that in its name; `several`: whether it has to be said which directory that is.
fn in_directory(
    tx: &mut Tx<'_>,
    directory: &Directory,
    (may, several): (&[Permission], bool),
    text: &str,
    found: &mut Vec<Value>,
) -> Result<(), Refusal> {
    let named = several.then_some(directory.name.as_str());
    let shows_users = may.contains(&Permission::UserRead);
    let shows_visited = directory.settings.visitors && may.contains(&Permission::VisitorRead);
    if shows_users || shows_visited {
        for user in search::users(tx, &directory.id, text, EACH)? {
            let (resource, name) = (user.parsed()?, user.name()?);
            let detail = named.or(resource.user_name());
            if shows_users {
                let page = user_page(&directory.id, &user.id);
                found.push(choice("User", &name, detail, &page));
            }
            if shows_visited {
                let page = visitors::page_of(&directory.id, &user.id);
                found.push(choice("Visitor host", &name, detail, &page));
            }
        }
    }
    if may.contains(&Permission::GroupRead) {
        for group in search::groups(tx, &directory.id, text, EACH)? {
            let page = group_page(&directory.id, &group.id);
            found.push(choice("Group", &group.display_name, named, &page));
        }
    }
    let is_named = directory.name.to_lowercase().contains(&text.to_lowercase());
    if is_named && may.contains(&Permission::DirectoryRead) {
        let page = super::attention::page(directory);
        found.push(choice("Directory", &directory.name, None, &page));
    }
    Ok(())
}

fn choice(kind: &str, label: &str, detail: Option<&str>, href: &Address) -> Value {
    json!({"kind": kind, "label": label, "detail": detail, "href": href.to_string()})
}
