//! Users: see and search all of them; make, change and remove those of native directories; level and suspension of any.
//!
//! Whoever changes somebody who is admin or owner, in whatever way, needs what making one needs: otherwise an admin could
//! suspend an owner, or give an owner's account their own e-mail address and sign in with it.

use super::page::{self, Listing, Page};
use super::people::{self, Change, edited_here};
use super::view::{At, ManagedBy};
use super::{Admin, change, directories};
use crate::app::App;
use portreeve_directory::directories::Directory;
use portreeve_directory::list::Users;
use portreeve_directory::memberships::{self, InGroup};
use portreeve_directory::permissions::{Level, Permission};
use portreeve_directory::users::{self, NewUser as Planned, Precondition, Status, User};
use portreeve_directory::{Call, Refusal, What, levels, owners, search, suspensions};
use portreeve_scim::Projection;
use portreeve_store::{Scope, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A user as it is shown: what Portreeve knows, and beside it the resource as SCIM has it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct UserView {
    pub(crate) id: String,
    pub(crate) directory_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    /// Whether they may do what their groups allow: what the provider says, unless they are suspended here.
    pub(crate) status: Status,
    /// Whether they are suspended here, whatever the provider says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) suspended_here: bool,
    pub(crate) level: Level,
    /// Where everything but level and suspension is changed.
    pub(crate) managed_by: ManagedBy,
    /// The groups that they are in; while they are suspended they have nothing from them.
    pub(crate) groups: Vec<InGroupView>,
    pub(crate) version: i64,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
    pub(crate) resource: Map<String, Value>,
}

impl UserView {
    /// For people: display name, else user name.
    pub(crate) fn name(&self) -> &str {
        let display_name = self.display_name.as_deref().filter(|name| !name.is_empty());
        display_name
            .or(self.user_name.as_deref())
            .unwrap_or_default()
    }
}

/// A group that a user is in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct InGroupView {
    pub(crate) id: String,
    pub(crate) display: String,
    /// Whether the user is a member itself, and not only through a nested group.
    pub(crate) direct: bool,
    pub(crate) managed_by: ManagedBy,
    /// When the membership ends; only those that were added here do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<At>,
}

impl InGroupView {
    fn of(group: InGroup, directory: &Directory) -> Self {
        let is_local = group.direct && !group.managed;
        let end = group.local.and_then(|local| local.expires_at);
        Self {
            id: group.id,
            display: group.display,
            direct: group.direct,
            managed_by: match is_local {
                true => ManagedBy::HERE,
                false => ManagedBy::of(directory),
            },
            expires_at: end.filter(|_| is_local).map(At),
        }
    }
}

/// A user to be made in a native directory.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// The name to sign in with, unique in the directory.
    pub(crate) user_name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) external_id: Option<String>,
    /// All other attributes, as SCIM has them.
    pub(crate) resource: Option<Map<String, Value>>,
}

/// What is to be different about a user; what it leaves out stays. Where a provider manages the user, `level` and `status`
/// alone can be changed here.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    pub(crate) level: Option<Level>,
    /// `suspended` keeps them out, whatever their provider says; `active` takes that back.
    pub(crate) status: Option<WantedStatus>,
    pub(crate) user_name: Option<String>,
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) display_name: Change<String>,
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) email: Change<String>,
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) external_id: Change<String>,
    /// Other attributes, as SCIM has them; `null` takes one away.
    pub(crate) resource: Option<Map<String, Value>>,
}

impl UserChange {
    /// Whether it is about what a provider says of the user.
    fn edits(&self) -> bool {
        self.user_name.is_some()
            || self.display_name.is_some()
            || self.email.is_some()
            || self.external_id.is_some()
            || self.resource.is_some()
    }
}

/// What somebody's status may be made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WantedStatus {
    Active,
    Suspended,
}

/// A page of users.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    directory: &str,
    listing: Listing,
) -> Result<Page<UserView>, Refusal> {
    let directory = directories::find(app, admin, directory).await?;
    let now = admin.at;
    let Some(text) = listing.search.clone() else {
        let view = move |tx: &mut Tx<'_>, directory: &Directory, users: Vec<User>| {
            views(tx, directory, users, now)
        };
        return page::page::<Users, _>(app, admin, directory, listing.query, view).await;
    };
    let most = listing.most();
    let read = app.store.read(move |tx| {
        let found = search::users(tx, &directory.id, &text, most)?;
        views(tx, &directory, found, now)
    });
    Ok(Page {
        items: read.await?,
        total: None,
        next: None,
    })
}

/// The users of a directory who are more than `user`.
pub(crate) async fn above_user(
    app: &App,
    admin: &Admin,
    directory: &str,
) -> Result<Vec<UserView>, Refusal> {
    let (admin, which) = (admin.clone(), directory.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let found = levels::above_user(tx, &directory.id)?;
        views(tx, &directory, found, admin.at)
    });
    read.await
}

/// One user, by id or `userName`.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    directory: &str,
    user: &str,
) -> Result<UserView, Refusal> {
    let (admin, which, wanted) = (admin.clone(), directory.to_owned(), user.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let user = find(tx, &directory, &wanted, admin.at)?;
        view(tx, &directory, user, admin.at)
    });
    read.await
}

/// Makes a user in a native directory.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    directory: &str,
    wanted: NewUser,
) -> Result<UserView, Refusal> {
    let (admin, which) = (admin.clone(), directory.to_owned());
    let mut map = wanted.resource.unwrap_or_default();
    people::set(&mut map, "userName", &wanted.user_name.map(Some));
    people::set(&mut map, "displayName", &wanted.display_name.map(Some));
    people::set(&mut map, "externalId", &wanted.external_id.map(Some));
    people::set_email(&mut map, &wanted.email.map(Some));
    let made = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        edited_here(&directory, What::User)?;
        let resource = people::checked(&directory, directory.catalog.user(), map.clone())?;
        let new = Planned::of(&directory, resource)?;
        let user = users::create(tx, &admin.call(&directory), &new)?;
        view(tx, &directory, user, admin.at)
    });
    made.await
}

/// Changes a user.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    directory: &str,
    user: &str,
    wanted: UserChange,
) -> Result<UserView, Refusal> {
    let (admin, which, named) = (admin.clone(), directory.to_owned(), user.to_owned());
    let changed = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        let before = find(tx, &directory, &named, admin.at)?;
        admin.expect(What::User, &before.version.to_string())?;
        admin.may_change(&before, wanted.level)?;
        let call = admin.call(&directory);
        if wanted.edits() {
            edited_here(&directory, What::User)?;
        }
        if !directory.is_fed() {
            edit(tx, &call, &before, &wanted)?;
        } else if let Some(status) = wanted.status {
            match status {
                WantedStatus::Suspended => suspensions::suspend(tx, &call, &before.id, ANY)?,
                WantedStatus::Active => suspensions::reinstate(tx, &call, &before.id, ANY)?,
            };
        }
        if let Some(level) = wanted.level {
            levels::set(tx, &call, &before.id, level, ANY)?;
        }
        let now = users::by_id(tx, &directory.id, &before.id)?;
        view(tx, &directory, now, admin.at)
    });
    changed.await
}

/// Removes a user of a native directory, as the directory says.
pub(crate) async fn delete(
    app: &App,
    admin: &Admin,
    directory: &str,
    user: &str,
) -> Result<(), Refusal> {
    let (asking, which, named) = (admin.clone(), directory.to_owned(), user.to_owned());
    let gone = change(app, move |tx| {
        let admin = &asking;
        let directory = Arc::new(admin.directory(tx, &which)?);
        let before = find(tx, &directory, &named, admin.at)?;
        edited_here(&directory, What::User)?;
        admin.expect(What::User, &before.version.to_string())?;
        admin.may_change(&before, None)?;
        users::delete(tx, &admin.call(&directory), &before.id, ANY)?;
        an_owner_stays(tx, &directory, &before)?;
        Ok((directory, before.id))
    });
    let (directory, id) = gone.await?;
    release_reports(app, admin.call(&directory), id).await
}

/// What is changed here is at the version that was just read.
const ANY: &Precondition = &Precondition::None;

/// Changes what the directory itself says of a user of a native directory.
fn edit(tx: &mut Tx<'_>, call: &Call, before: &User, wanted: &UserChange) -> Result<(), Refusal> {
    let directory = &call.directory;
    let mut map = before.parsed()?.into_map();
    if let Some(resource) = &wanted.resource {
        people::merge(&mut map, resource);
    }
    people::set(&mut map, "userName", &wanted.user_name.clone().map(Some));
    people::set(&mut map, "displayName", &wanted.display_name);
    people::set(&mut map, "externalId", &wanted.external_id);
    people::set_email(&mut map, &wanted.email);
    if let Some(status) = wanted.status {
        map.insert("active".into(), json!(status == WantedStatus::Active));
    }
    let resource = people::checked(directory, directory.catalog.user(), map)?;
    users::replace(tx, call, &before.id, &resource, ANY)?;
    an_owner_stays(tx, directory, before)
}

/// Refuses to leave a team without an owner, where somebody was one.
fn an_owner_stays(tx: &mut Tx<'_>, directory: &Directory, before: &User) -> Result<(), Refusal> {
    match before.level == Level::Owner.name() && before.status == Status::Active {
        true => owners::someone_must_stay(tx, &directory.team_id),
        false => Ok(()),
    }
}

/// A manager may leave with more reports than one transaction should rewrite; the rest follow here, a part at a time.
async fn release_reports(app: &App, call: Call, manager: String) -> Result<(), Refusal> {
    let (directory, id) = (call.directory.id.clone(), manager.clone());
    let mut more = app
        .store
        .lookup(move |tx| {
            let kept = users::by_id(tx, &directory, &id).is_ok();
            Ok::<_, Refusal>(!kept && users::has_reports(tx, &directory, &id)?)
        })
        .await?;
    while more {
        let (call, manager) = (call.clone(), manager.clone());
        let scope: Scope = call.scope();
        let work = move |tx: &mut Tx<'_>| users::release_reports(tx, &call, &manager);
        more = app.write(scope, work).await?;
    }
    Ok(())
}

/// The user with that id or `userName`.
pub(super) fn find(
    tx: &mut Tx<'_>,
    directory: &Directory,
    wanted: &str,
    now: i64,
) -> Result<User, Refusal> {
    match users::by_id(tx, &directory.id, wanted) {
        Err(Refusal::NotFound(..)) => page::named::<Users>(tx, directory, "userName", wanted, now)?
            .ok_or_else(|| Refusal::NotFound(What::User, wanted.to_owned())),
        found => found,
    }
}

fn view(tx: &mut Tx<'_>, directory: &Directory, user: User, now: i64) -> Result<UserView, Refusal> {
    let id = user.id.clone();
    let mut found = views(tx, directory, vec![user], now)?;
    found.pop().ok_or(Refusal::NotFound(What::User, id))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "whoever has read the users has no more to do with them"
)]
fn views(
    tx: &mut Tx<'_>,
    directory: &Directory,
    users: Vec<User>,
    now: i64,
) -> Result<Vec<UserView>, Refusal> {
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    let suspended = suspensions::among(tx, &directory.id, &ids)?;
    let mut groups = memberships::of_users(tx, &directory.id, &ids, now)?;
    users
        .iter()
        .map(|user| {
            let here = suspended.contains(&user.id);
            let groups = groups.remove(&user.id).unwrap_or_default();
            shown(directory, user, here, groups)
        })
        .collect()
}

fn shown(
    directory: &Directory,
    user: &User,
    suspended_here: bool,
    groups: Vec<InGroup>,
) -> Result<UserView, Refusal> {
    let resource = user.parsed()?;
    let email = resource.emails().next().map(str::to_owned);
    let text = |text: Option<&str>| text.map(str::to_owned);
    let status = match user.status {
        Status::Active if suspended_here => Status::Suspended,
        status => status,
    };
    let groups = groups.into_iter();
    Ok(UserView {
        id: user.id.clone(),
        directory_id: directory.id.clone(),
        user_name: text(resource.user_name()),
        display_name: text(resource.display_name()),
        email,
        external_id: text(resource.external_id()),
        status,
        suspended_here,
        level: Level::parse(&user.level).unwrap_or(Level::User),
        managed_by: ManagedBy::of(directory),
        groups: groups
            .map(|group| InGroupView::of(group, directory))
            .collect(),
        version: user.version,
        created_at: At(user.created_at),
        updated_at: At(user.updated_at),
        resource: {
            let mut full = resource.into_map();
            Projection::default().apply(directory.catalog.user(), &mut full);
            full
        },
    })
}

impl Admin {
    /// Refuses a change to somebody who is admin or owner, or becomes that, to whoever may not make them.
    fn may_change(&self, before: &User, level: Option<Level>) -> Result<(), Refusal> {
        let was = Level::parse(&before.level).unwrap_or(Level::User);
        let becomes = level.unwrap_or(was);
        match was.is_guarded() || becomes.is_guarded() {
            true => self.must_have(Permission::LevelWrite),
            false => Ok(()),
        }
    }
}
