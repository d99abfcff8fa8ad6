//! Groups: see and search all of them; make, change and remove those of native directories.

use super::page::{self, Listing, Page};
use super::people::{self, Change, edited_here};
use super::view::{At, ManagedBy};
use super::{Admin, change, directories};
use crate::app::App;
use portreeve_directory::directories::Directory;
use portreeve_directory::groups::{self, Group};
use portreeve_directory::list::Groups;
use portreeve_directory::users::Precondition;
use portreeve_directory::{Refusal, What, members, memberships, search};
use portreeve_scim::resource::MemberRef;
use portreeve_scim::{Projection, Resource};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A group as it is shown: what Portreeve knows, and beside it the resource as SCIM has it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct GroupView {
    pub(crate) id: String,
    pub(crate) directory_id: String,
    pub(crate) display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    /// How many members it has, those that were added here included.
    pub(crate) member_count: i64,
    /// Whether groups are members of it.
    pub(crate) has_nested_groups: bool,
    /// Where everything but local memberships is changed.
    pub(crate) managed_by: ManagedBy,
    pub(crate) version: i64,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
    pub(crate) resource: Map<String, Value>,
}

/// A group to be made in a native directory.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    /// Its name.
    pub(crate) display_name: Option<String>,
    pub(crate) external_id: Option<String>,
    /// Ids of users and groups that are members from the start.
    pub(crate) members: Option<Vec<String>>,
    /// All other attributes, as SCIM has them.
    pub(crate) resource: Option<Map<String, Value>>,
}

/// What is to be different about a group of a native directory; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupChange {
    pub(crate) display_name: Option<String>,
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) external_id: Change<String>,
    /// Other attributes, as SCIM has them; `null` takes one away.
    pub(crate) resource: Option<Map<String, Value>>,
}

/// A page of groups.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    directory: &str,
    listing: Listing,
) -> Result<Page<GroupView>, Refusal> {
    let directory = directories::find(app, admin, directory).await?;
    let now = admin.at;
    let views = move |tx: &mut Tx<'_>, directory: &Directory, groups: Vec<Group>| {
        let views = groups.iter().map(|group| view(tx, directory, group, now));
        views.collect::<Result<Vec<_>, _>>()
    };
    let Some(text) = listing.search.clone() else {
        return page::page::<Groups, _>(app, admin, directory, listing.query, views).await;
    };
    let most = listing.most();
    let read = app.store.read(move |tx| {
        let found = search::groups(tx, &directory.id, &text, most)?;
        views(tx, &directory, found)
    });
    Ok(Page {
        items: read.await?,
        total: None,
        next: None,
    })
}

/// One group, by id or `displayName`.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    directory: &str,
    group: &str,
) -> Result<GroupView, Refusal> {
    let (admin, which, wanted) = (admin.clone(), directory.to_owned(), group.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let group = find(tx, &directory, &wanted, admin.at)?;
        view(tx, &directory, &group, admin.at)
    });
    read.await
}

/// Makes a group in a native directory.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    directory: &str,
    wanted: NewGroup,
) -> Result<GroupView, Refusal> {
    let (admin, which) = (admin.clone(), directory.to_owned());
    let mut map = wanted.resource.unwrap_or_default();
    people::set(&mut map, "displayName", &wanted.display_name.map(Some));
    people::set(&mut map, "externalId", &wanted.external_id.map(Some));
    let member = |value| MemberRef { value, kind: None };
    let first: Vec<_> = wanted
        .members
        .unwrap_or_default()
        .into_iter()
        .map(member)
        .collect();
    let made = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        edited_here(&directory, What::Group)?;
        let resource = checked(&directory, map.clone())?;
        let group = groups::create(tx, &admin.call(&directory), &resource, &first)?;
        view(tx, &directory, &group, admin.at)
    });
    made.await
}

/// Changes a group of a native directory.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    directory: &str,
    group: &str,
    wanted: GroupChange,
) -> Result<GroupView, Refusal> {
    let (admin, which, named) = (admin.clone(), directory.to_owned(), group.to_owned());
    let changed = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        let before = find(tx, &directory, &named, admin.at)?;
        edited_here(&directory, What::Group)?;
        admin.expect(What::Group, &before.version.to_string())?;
        let mut map = before.parsed()?.into_map();
        if let Some(resource) = &wanted.resource {
            people::merge(&mut map, resource);
        }
        people::set(
            &mut map,
            "displayName",
            &wanted.display_name.clone().map(Some),
        );
        people::set(&mut map, "externalId", &wanted.external_id);
        let resource = checked(&directory, map)?;
        let call = admin.call(&directory);
        let now = groups::update(tx, &call, &before.id, &resource, &Precondition::None)?.now;
        view(tx, &directory, &now, admin.at)
    });
    changed.await
}

/// Removes a group of a native directory, as the directory says.
pub(crate) async fn delete(
    app: &App,
    admin: &Admin,
    directory: &str,
    group: &str,
) -> Result<(), Refusal> {
    let (admin, which, named) = (admin.clone(), directory.to_owned(), group.to_owned());
    let gone = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        let before = find(tx, &directory, &named, admin.at)?;
        edited_here(&directory, What::Group)?;
        admin.expect(What::Group, &before.version.to_string())?;
        let call = admin.call(&directory);
        groups::delete(tx, &call, &before.id, &Precondition::None)
    });
    gone.await
}

/// Members come and go by themselves, and not with the rest of a group.
fn checked(directory: &Directory, map: Map<String, Value>) -> Result<Resource, Refusal> {
    let mut resource = people::checked(directory, directory.catalog.group(), map)?;
    match resource.take_members() {
        None => Ok(resource),
        Some(_) => Err(Refusal::Invalid {
            attribute: "resource",
            reason: "members are given by their ids, in `members` of a new group and below /members of one that exists".to_owned(),
        }),
    }
}

/// The group with that id or `displayName`.
pub(super) fn find(
    tx: &mut Tx<'_>,
    directory: &Directory,
    wanted: &str,
    now: i64,
) -> Result<Group, Refusal> {
    match groups::by_id(tx, &directory.id, wanted) {
        Err(Refusal::NotFound(..)) => {
            page::named::<Groups>(tx, directory, "displayName", wanted, now)?
                .ok_or_else(|| Refusal::NotFound(What::Group, wanted.to_owned()))
        }
        found => found,
    }
}

fn view(
    tx: &mut Tx<'_>,
    directory: &Directory,
    group: &Group,
    now: i64,
) -> Result<GroupView, Refusal> {
    let resource = group.parsed()?;
    Ok(GroupView {
        id: group.id.clone(),
        directory_id: directory.id.clone(),
        display_name: group.display_name.clone(),
        external_id: resource.external_id().map(str::to_owned),
        member_count: memberships::count(tx, &directory.id, &group.id, now)?,
        has_nested_groups: members::has_groups(tx, &directory.id, &group.id)?,
        managed_by: ManagedBy::of(directory),
        version: group.version,
        created_at: At(group.created_at),
        updated_at: At(group.updated_at),
        resource: {
            let mut full = resource.into_map();
            Projection::default().apply(directory.catalog.group(), &mut full);
            full
        },
    })
}
