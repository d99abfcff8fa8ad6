//! The four ways to change a resource, as a single request and as part of a bulk request alike.

use super::context::Ctx;
use super::error::Failure;
use super::tag;
use portreeve_directory::groups::{self, Group};
use portreeve_directory::users::{self, NewUser, Planned, Precondition, User};
use portreeve_directory::{Call, Refusal, members, unknown};
use portreeve_scim::resource::Notes;
use portreeve_scim::schema::ResourceType;
use portreeve_scim::{Catalog, Patch, Projection, Resource};
use portreeve_store::Tx;
use serde_json::Value;

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
    let (resource, notes) = parse(ctx, kind, body)?;
    let call = ctx.call.clone();
    Ok(match kind {
        Kind::User => {
            let new = NewUser::of(&call.directory, resource)?;
            Item::User(change(ctx, notes, move |tx| users::create(tx, &call, &new)).await?)
        }
        Kind::Group => {
            let (resource, members) = split(resource);
            let work = move |tx: &mut Tx<'_>| groups::create(tx, &call, &resource, &members);
            Item::Group(change(ctx, notes, work).await?)
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
    let (resource, notes) = parse(ctx, kind, body)?;
    let (call, id) = (ctx.call.clone(), id.to_owned());
    Ok(match kind {
        Kind::User => {
            let work = move |tx: &mut Tx<'_>| {
                let user = users::replace(tx, &call, &id, &resource, &only_if)?.now;
                with_groups(tx, &call, user)
            };
            Item::User(change(ctx, notes, work).await?)
        }
        Kind::Group => {
            let (resource, members) = split(resource);
            let work = move |tx: &mut Tx<'_>| {
                Ok(groups::replace(tx, &call, &id, &resource, &members, &only_if)?.now)
            };
            Item::Group(change(ctx, notes, work).await?)
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
    let patch = Patch::parse(body, of, id, ctx.call.directory.profile, &mut notes)?;
    let (call, id) = (ctx.call.clone(), id.to_owned());
    Ok(match kind {
        Kind::User => Item::User(patch_user(ctx, &id, patch, only_if, notes).await?),
        Kind::Group => {
            let work =
                move |tx: &mut Tx<'_>| Ok(groups::patch(tx, &call, &id, &patch, &only_if)?.now);
            Item::Group(change(ctx, notes, work).await?)
        }
    })
}

/// Works the change out on what the user is now, and writes it if that is still so. The answer has the groups of the
/// same moment. Somebody faster makes the
/// transaction work it out itself, unless the client has named a version, which then is not there any more.
async fn patch_user(
    ctx: &Ctx,
    id: &str,
    patch: Patch,
    only_if: Precondition,
    notes: Notes,
) -> Result<User, Failure> {
    let (directory, at) = (ctx.call.directory.id.clone(), id.to_owned());
    let before = ctx
        .app
        .store
        .lookup(move |tx| members::user_in_groups(tx, &directory, &at))
        .await?;
    let call = ctx.call.clone();
    let first = match users::plan_patch(&call, before, &patch, &only_if)? {
        Planned::Same(user) => {
            if notes.unknown.is_empty() {
                return Ok(user);
            }
            return change(ctx, notes, move |_| Ok(user.clone())).await;
        }
        Planned::Change(planned) => {
            let work = move |tx: &mut Tx<'_>| users::write(tx, &call, &planned);
            change(ctx, notes.clone(), work).await
        }
    };
    let versioned = matches!(only_if, Precondition::Version(_));
    match first {
        Err(failure) if failure.reason == "changed" && !versioned => {
            let (call, id) = (ctx.call.clone(), id.to_owned());
            let work = move |tx: &mut Tx<'_>| {
                let user = users::patch(tx, &call, &id, &patch, &only_if)?.now;
                with_groups(tx, &call, user)
            };
            change(ctx, notes, work).await
        }
        first => first,
    }
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
            let gone = id.clone();
            ctx.app
                .write(call.scope(), move |tx| {
                    users::delete(tx, &call, &gone, &only_if)
                })
                .await?;
            release_reports(ctx, id).await
        }
        Kind::Group => Ok(ctx
            .app
            .write(call.scope(), move |tx| {
                groups::delete(tx, &call, &id, &only_if)
            })
            .await?),
    }
}

/// A manager may leave with more reports than one transaction should rewrite; the rest follow here, a part at a time.
async fn release_reports(ctx: &Ctx, manager: String) -> Result<(), Failure> {
    let (directory, id) = (ctx.call.directory.id.clone(), manager.clone());
    let mut more = ctx
        .app
        .store
        .lookup(move |tx| {
            let kept = users::by_id(tx, &directory, &id).is_ok();
            Ok::<_, Refusal>(!kept && users::has_reports(tx, &directory, &id)?)
        })
        .await?;
    while more {
        let (call, manager) = (ctx.call.clone(), manager.clone());
        more = ctx
            .app
            .write(call.scope(), move |tx| {
                users::release_reports(tx, &call, &manager)
            })
            .await?;
    }
    Ok(())
}

/// Undoes a creation whose resource must not stay, whatever the directory does with what is deleted.
pub(crate) async fn discard(ctx: &Ctx, kind: Kind, id: &str) -> Result<(), Failure> {
    let (call, id) = (ctx.call.clone(), id.to_owned());
    ctx.app
        .write(call.scope(), move |tx| match kind {
            Kind::User => users::discard(tx, &call, &id),
            Kind::Group => groups::discard(tx, &call, &id),
        })
        .await?;
    Ok(())
}

/// Carries out a change. Attributes that no schema knows are noted with it, once per directory and name, and told when
/// it is committed.
async fn change<R: Send + 'static>(
    ctx: &Ctx,
    notes: Notes,
    work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
) -> Result<R, Failure> {
    let (call, app) = (ctx.call.clone(), &ctx.app);
    let names = app.told.new_ones(&call.directory.id, notes.unknown);
    if names.is_empty() {
        return Ok(app.write(call.scope(), work).await?);
    }
    let written = app.write(call.scope(), move |tx| {
        let done = work(tx)?;
        let new = unknown::note_all(tx, &call.directory.id, &names, call.at)?;
        Ok((done, names.clone(), new))
    });
    let (done, names, new) = written.await?;
    let directory = &ctx.call.directory.id;
    app.told.add(directory, names);
    for attribute in new {
        tracing::warn!(
            directory,
            attribute,
            "the provider sends an attribute that no schema of this directory has; it is ignored"
        );
    }
    Ok(done)
}

fn parse(ctx: &Ctx, kind: Kind, body: Value) -> Result<(Resource, Notes), Failure> {
    let mut notes = Notes::default();
    let of = kind.of(&ctx.call.directory.catalog);
    let resource = Resource::parse(of, body, ctx.call.directory.profile, &mut notes)?;
    Ok((resource, notes))
}

fn with_groups(tx: &mut Tx<'_>, call: &Call, user: User) -> Result<User, Refusal> {
    Ok(User {
        groups: members::groups_of(tx, &call.directory.id, &user.id)?,
        ..user
    })
}

/// A group's own attributes, and its members.
fn split(mut resource: Resource) -> (Resource, Vec<portreeve_scim::resource::MemberRef>) {
    let members = resource.take_members().unwrap_or_default();
    (resource, members)
}
