//! The four ways to change a resource, as a single request and as part of a bulk request alike.

use super::context::Ctx;
use super::error::Failure;
use super::tag;
use portreeve_directory::groups::{self, Group};
use portreeve_directory::members;
use portreeve_directory::users::{self, Precondition, User};
use portreeve_scim::resource::Notes;
use portreeve_scim::schema::ResourceType;
use portreeve_scim::{Catalog, Patch, Projection, Resource};
use serde_json::Value;
use std::sync::Arc;

/// The kinds of resources there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
}

impl Kind {
    /// The name of the resource type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The endpoint, without a slash.
    pub(crate) fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    pub(crate) fn of(self, catalog: &Catalog) -> &ResourceType {
        match self {
            Self::User => catalog.user(),
            Self::Group => catalog.group(),
        }
    }
}

/// A resource after a change.
pub(crate) enum Item {
    User(User),
    Group(Group),
}

impl Item {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(user) => &user.id,
            Self::Group(group) => &group.id,
        }
    }

    /// The tag of the resource as the projection shows it.
    pub(crate) fn tag(&self, catalog: &Catalog, projection: &Projection) -> String {
        match self {
            Self::User(user) => tag::of_user(user, catalog.user(), projection),
            Self::Group(group) => tag::of_version(group.version),
        }
    }

    pub(crate) fn location(&self, base: &str) -> String {
        let endpoint = match self {
            Self::User(_) => "Users",
            Self::Group(_) => "Groups",
        };
        format!("{base}/{endpoint}/{}", self.id())
    }
}

/// POST. The answer carries what the client sent, so nothing needs to be read again.
pub(crate) async fn create(ctx: &Ctx, kind: Kind, body: Value) -> Result<Item, Failure> {
    let resource = parse(ctx, kind, body).await?;
    let call = ctx.call.clone();
    Ok(match kind {
        Kind::User => Item::User(
            ctx.app
                .write(move |tx| users::create(tx, &call, &resource))
                .await?,
        ),
        Kind::Group => {
            let (resource, members) = split(resource);
            Item::Group(
                ctx.app
                    .write(move |tx| groups::create(tx, &call, &resource, &members))
                    .await?,
            )
        }
    })
}

/// PUT.
pub(crate) async fn replace(
    ctx: &Ctx,
    kind: Kind,
    id: &str,
    body: Value,
    only_if: Precondition,
) -> Result<Item, Failure> {
    let resource = parse(ctx, kind, body).await?;
    let (call, id) = (ctx.call.clone(), id.to_owned());
    Ok(match kind {
        Kind::User => Item::User(
            ctx.app
                .write(move |tx| {
                    let user = users::replace(tx, &call, &id, &resource, &only_if)?.now;
                    Ok(User {
                        groups: members::groups_of(tx, &call.directory.id, &id)?,
                        ..user
                    })
                })
                .await?,
        ),
        Kind::Group => {
            let (resource, members) = split(resource);
            Item::Group(
                ctx.app
                    .write(move |tx| groups::replace(tx, &call, &id, &resource, &members, &only_if))
                    .await?
                    .now,
            )
        }
    })
}

/// PATCH.
pub(crate) async fn patch(
    ctx: &Ctx,
    kind: Kind,
    id: &str,
    body: Value,
    only_if: Precondition,
) -> Result<Item, Failure> {
    let mut notes = Notes::default();
    let of = kind.of(&ctx.call.directory.catalog);
    let patch = Patch::parse(body, of, id, ctx.call.directory.profile, &mut notes);
    ctx.note_unknown(notes).await;
    let patch = Arc::new(patch?);
    let (call, id) = (ctx.call.clone(), id.to_owned());
    Ok(match kind {
        Kind::User => Item::User(
            ctx.app
                .write(move |tx| {
                    let user = users::patch(tx, &call, &id, &patch, &only_if)?.now;
                    Ok(User {
                        groups: members::groups_of(tx, &call.directory.id, &id)?,
                        ..user
                    })
                })
                .await?,
        ),
        Kind::Group => Item::Group(
            ctx.app
                .write(move |tx| groups::patch(tx, &call, &id, &patch, &only_if))
                .await?
                .now,
        ),
    })
}

/// DELETE.
pub(crate) async fn delete(
    ctx: &Ctx,
    kind: Kind,
    id: &str,
    only_if: Precondition,
) -> Result<(), Failure> {
    let (call, id) = (ctx.call.clone(), id.to_owned());
    match kind {
        Kind::User => {
            ctx.app
                .write(move |tx| users::delete(tx, &call, &id, &only_if))
                .await?
        }
        Kind::Group => {
            ctx.app
                .write(move |tx| groups::delete(tx, &call, &id, &only_if))
                .await?
        }
    }
    Ok(())
}

async fn parse(ctx: &Ctx, kind: Kind, body: Value) -> Result<Resource, Failure> {
    let mut notes = Notes::default();
    let of = kind.of(&ctx.call.directory.catalog);
    let resource = Resource::parse(of, body, ctx.call.directory.profile, &mut notes);
    ctx.note_unknown(notes).await;
    Ok(resource?)
}

/// A group's own attributes, and its members.
fn split(mut resource: Resource) -> (Resource, Vec<portreeve_scim::resource::MemberRef>) {
    let members = resource.take_members().unwrap_or_default();
    (resource, members)
}
