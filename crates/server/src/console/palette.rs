//! `/console/palette`: where one can go by typing.

use super::attention::of_team;
use super::hosts::page as host_page;
use super::people::{group_page, user_page};
use super::trouble::Trouble;
use super::visit::Visit;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use portreeve_access::Expression;
use portreeve_console::Address;
use portreeve_directory::{Permission, hosts, search};
use serde_json::{Value, json};

/// How many of each kind are offered.
const EACH: usize = 6;

/// People, groups, hosts and directories with that in their names.
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
    let users = visit.may(Permission::UserRead);
    let groups = visit.may(Permission::GroupRead);
    let directories = visit.may(Permission::DirectoryRead);
    let machines = visit.may(Permission::HostRead) && !text.trim().is_empty();
    let read = visit.read(move |tx| {
        let mut found = Vec::new();
        let all = of_team(tx, &team)?;
        for directory in &all {
            let several = (all.len() > 1).then_some(&directory.name);
            if users {
                for user in search::users(tx, &directory.id, &text, EACH)? {
                    let (resource, name) = (user.parsed()?, user.name()?);
                    let detail = several.map_or(resource.user_name(), |name| Some(name));
                    found.push(choice(
                        "User",
                        &name,
                        detail,
                        &user_page(&directory.id, &user.id),
                    ));
                }
            }
            if groups {
                for group in search::groups(tx, &directory.id, &text, EACH)? {
                    let page = group_page(&directory.id, &group.id);
                    found.push(choice(
                        "Group",
                        &group.display_name,
                        several.map(String::as_str),
                        &page,
                    ));
                }
            }
            if directories && directory.name.to_lowercase().contains(&text.to_lowercase()) {
                found.push(choice(
                    "Directory",
                    &directory.name,
                    None,
                    &super::attention::page(directory),
                ));
            }
        }
        if machines {
            let every = Expression::all();
            for host in hosts::list(tx, &team, (&every, text.trim()), "", EACH)? {
                found.push(choice("Host", &host.name, None, &host_page(&host.id)));
            }
        }
        Ok(found)
    });
    read.await
}

fn choice(kind: &str, label: &str, detail: Option<&str>, href: &Address) -> Value {
    json!({"kind": kind, "label": label, "detail": detail, "href": href.to_string()})
}
