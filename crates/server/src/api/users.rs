//! `/directories/{id}/users`: the people of a directory as Portreeve sees them.

use super::ask::Ask;
use super::directories;
use super::problem::Problem;
use super::reply::{self, present};
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::directories::Directory;
use portreeve_directory::list::{self, Kind, Page, Request, Users};
use portreeve_directory::users::{self, User};
use portreeve_directory::{Refusal, What, members};
use portreeve_scim::query::ListQuery;
use portreeve_scim::schema::ResourceType;
use portreeve_scim::{Projection, Resource};
use portreeve_store::Tx;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// A page of users, by filter, in order, by index or by cursor, with the parameters of SCIM.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    page::<Users>(&ask, |_, directory, user| view(directory, user)).await
}

/// One user, by id or `userName`.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let directory = directories::of(&ask).await?;
    let (wanted, now) = (ask.param("user"), ask.admin.at);
    let body = ask.read(move |tx| {
        let mut user = match users::by_id(tx, &directory.id, &wanted) {
            Err(Refusal::NotFound(..)) => named::<Users>(tx, &directory, "userName", &wanted, now)?
                .ok_or_else(|| Refusal::NotFound(What::User, wanted.clone()))?,
            found => found?,
        };
        user.groups = members::groups_of(tx, &directory.id, &user.id)?;
        view(&directory, &user)
    });
    Ok(reply::object(StatusCode::OK, &body.await?))
}

/// The user as answers show it: what Portreeve knows, and beside it the resource as SCIM has it.
fn view(directory: &Directory, user: &User) -> Result<Value, Refusal> {
    let resource = user.parsed()?;
    let email = resource.emails().next();
    Ok(Value::Object(present([
        ("id", json!(user.id)),
        ("user_name", json!(resource.user_name())),
        ("display_name", json!(resource.display_name())),
        ("email", json!(email)),
        ("external_id", json!(resource.external_id())),
        ("status", json!(user.status)),
        ("level", json!(user.level)),
        ("groups", json!(user.groups)),
        ("version", json!(user.version)),
        ("created_at", reply::at(user.created_at)),
        ("updated_at", reply::at(user.updated_at)),
        ("resource", shown(resource, directory.catalog.user())),
    ])))
}

/// The attributes that are for answers.
pub(super) fn shown(resource: Resource, of: &ResourceType) -> Value {
    let mut full = resource.into_map();
    Projection::default().apply(of, &mut full);
    Value::Object(full)
}

/// The only resource whose `attribute` is `name`.
pub(super) fn named<K: Kind>(
    tx: &mut Tx<'_>,
    directory: &Directory,
    attribute: &'static str,
    name: &str,
    now: i64,
) -> Result<Option<K::Item>, Refusal> {
    let filter = format!("{attribute} eq {}", json!(name));
    let pairs = [("filter", filter.as_str()), ("count", "2")];
    let pairs = pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
    let query = ListQuery::from_pairs(pairs.into_iter())?;
    let request = Request {
        directory,
        query: &query,
        place: None,
        derived: false,
        now,
    };
    let mut found = list::page::<K>(tx, &request)?.items;
    match (found.pop(), found.pop()) {
        (_, Some(_)) => Err(Refusal::Invalid {
            attribute,
            reason: format!("several are called \"{name}\"; say which by its id"),
        }),
        (found, None) => Ok(found),
    }
}

/// Answers a list of users or groups.
pub(super) async fn page<K: Kind + 'static>(
    ask: &Ask,
    view: impl Fn(&mut Tx<'_>, &Directory, &K::Item) -> Result<Value, Refusal> + Send + 'static,
) -> Result<Response, Problem> {
    let directory = directories::of(ask).await?;
    let pairs = ask.pairs.iter();
    let query = Arc::new(ListQuery::from_pairs(pairs.map(|(name, value)| {
        (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_str()))
    }))?);
    let (now, walk) = (ask.admin.at, list::fingerprint::<K>(&directory, &query));
    let place = match query.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(ask.app.cursors.open(cursor, &walk, now)?),
    };
    let read = ask.read(move |tx| {
        let request = Request {
            directory: &directory,
            query: &query,
            place: place.as_ref(),
            derived: true,
            now,
        };
        let Page { items, total, next } = list::page::<K>(tx, &request)?;
        let mut views = Vec::with_capacity(items.len());
        for item in &items {
            views.push(view(tx, &directory, item)?);
        }
        Ok((views, total, next))
    });
    let (items, total, next) = read.await?;
    let next = next.map(|place| ("cursor", ask.app.cursors.seal(&place, &walk)));
    Ok(reply::page(ask, items, total, next))
}
