//! `/directories/{id}/groups`: the groups of a directory and their members, page by page.

use super::ask::Ask;
use super::directories;
use super::problem::Problem;
use super::reply::{self, present};
use super::users::{named, page, shown};
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::directories::Directory;
use portreeve_directory::groups::{self, Group};
use portreeve_directory::list::{Groups, MAX_PAGE};
use portreeve_directory::members::{self, Member};
use portreeve_directory::{Refusal, What};
use portreeve_store::Tx;
use serde_json::{Value, json};

/// Identity providers do not look into nested groups; neither may anybody here believe that we do it for them.
const NESTED: &str = "this group is a member of a group: Entra does not send its people as members of the outer group";

/// A page of groups, by filter, in order, by index or by cursor, with the parameters of SCIM.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    page::<Groups>(&ask, view).await
}

/// One group, by id or `displayName`.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let directory = directories::of(&ask).await?;
    let (wanted, now) = (ask.param("group"), ask.admin.at);
    let body = ask.read(move |tx| {
        let group = find(tx, &directory, &wanted, now)?;
        view(tx, &directory, &group)
    });
    Ok(reply::object(StatusCode::OK, &body.await?))
}

/// The members of a group in the order of their ids; `after` is the id that the page before ended with.
pub(super) async fn members(ask: Ask) -> Result<Response, Problem> {
    let directory = directories::of(&ask).await?;
    let (mut after, mut limit) = (String::new(), MAX_PAGE);
    for (name, value) in &ask.pairs {
        match name.as_str() {
            "after" => after.clone_from(value),
            "limit" => limit = self::limit(value)?,
            _ => return Err(unknown_parameter(name, "after, limit")),
        }
    }
    let count = i64::try_from(limit).unwrap_or(i64::MAX);
    let (wanted, now) = (ask.param("group"), ask.admin.at);
    let read = ask.read(move |tx| {
        let group = find(tx, &directory, &wanted, now)?;
        members::named_page(tx, &directory.id, &group.id, &after, count)
    });
    let page = read.await?;
    let last = page.last().map(|(member, _)| member.id.clone());
    let next = last
        .filter(|_| page.len() as u64 == limit)
        .map(|last| ("after", last));
    let items = page
        .iter()
        .map(|(member, name)| member_view(member, name.as_deref()));
    Ok(reply::page(&ask, items.collect(), None, next))
}

/// A number of items for one page.
pub(super) fn limit(value: &str) -> Result<u64, Problem> {
    match value.parse() {
        Ok(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        _ => Err(Problem::invalid(format!(
            "limit: \"{value}\" is no number from 1 to {MAX_PAGE}"
        ))),
    }
}

pub(super) fn unknown_parameter(name: &str, known: &str) -> Problem {
    Problem::invalid(format!(
        "there is no parameter \"{name}\"; the parameters are: {known}"
    ))
}

fn find(tx: &mut Tx<'_>, directory: &Directory, wanted: &str, now: i64) -> Result<Group, Refusal> {
    match groups::by_id(tx, &directory.id, wanted) {
        Err(Refusal::NotFound(..)) => named::<Groups>(tx, directory, "displayName", wanted, now)?
            .ok_or_else(|| Refusal::NotFound(What::Group, wanted.to_owned())),
        found => found,
    }
}

fn view(tx: &mut Tx<'_>, directory: &Directory, group: &Group) -> Result<Value, Refusal> {
    let resource = group.parsed()?;
    let nested = members::has_groups(tx, &directory.id, &group.id)?;
    Ok(Value::Object(present([
        ("id", json!(group.id)),
        ("display_name", json!(group.display_name)),
        ("external_id", json!(resource.external_id())),
        (
            "member_count",
            json!(members::count(tx, &directory.id, &group.id)?),
        ),
        ("has_nested_groups", json!(nested)),
        ("version", json!(group.version)),
        ("created_at", reply::at(group.created_at)),
        ("updated_at", reply::at(group.updated_at)),
        ("resource", shown(resource, directory.catalog.group())),
    ])))
}

fn member_view(member: &Member, name: Option<&str>) -> Value {
    let warning = (member.kind == "Group").then_some(NESTED);
    Value::Object(present([
        ("id", json!(member.id)),
        ("type", json!(member.kind)),
        ("name", json!(name)),
        ("warning", json!(warning)),
    ]))
}
