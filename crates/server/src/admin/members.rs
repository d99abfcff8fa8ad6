//! Members of groups: those whom the directory puts there, and those who were added here.
//!
//! In a native directory a membership without an end is the directory's own, users and groups alike, as its groups are.
//! Everywhere else, and where it has an end, it is a local one: of a user, and beside what the provider says.

use super::view::{At, ManagedBy};
use super::{Admin, change, groups, users};
use crate::app::App;
use portreeve_directory::directories::Directory;
use portreeve_directory::groups as stored;
use portreeve_directory::local_members::{self, LocalMember};
use portreeve_directory::memberships::{self, Member};
use portreeve_directory::{Call, Refusal, What, members};
use portreeve_scim::patch::MemberStep;
use portreeve_scim::resource::MemberRef;
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Identity providers do not look into nested groups; neither may anybody here believe that we do it for them.
const NESTED: &str = "this group is a member of a group: Entra does not send its people as members of the outer group";

/// A member as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MemberView {
    pub(crate) id: String,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// For people: display name, else user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Where the membership is changed.
    pub(crate) managed_by: ManagedBy,
    /// The membership that was added here, where there is one; it may stand beside the one that the directory manages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) local: Option<LocalView>,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<&'static str>,
}

/// A membership that was added here.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct LocalView {
    pub(crate) added_at: At,
    /// When it ends; without it, when somebody takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<At>,
}

impl LocalView {
    fn of(local: &LocalMember) -> Self {
        Self {
            added_at: At(local.added_at),
            expires_at: local.expires_at.map(At),
        }
    }
}

impl MemberView {
    fn of(member: Member, directory: &Directory) -> Self {
        Self {
            warning: (member.kind == "Group").then_some(NESTED),
            managed_by: match member.managed {
                true => ManagedBy::of(directory),
                false => ManagedBy::HERE,
            },
            local: member.local.as_ref().map(LocalView::of),
            id: member.id,
            kind: member.kind,
            name: member.name,
        }
    }
}

/// Somebody who is to be a member.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// Id or `userName` of a user; in a native directory also the id of a group.
    pub(crate) id: String,
    /// When the membership ends (RFC 3339); without it, when somebody takes it away.
    pub(crate) expires_at: Option<String>,
}

/// The next members of a group after an id (empty for the first), in the order of their ids.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    (directory, group): (&str, &str),
    after: &str,
    limit: u64,
) -> Result<Vec<MemberView>, Refusal> {
    let (admin, which, wanted) = (admin.clone(), directory.to_owned(), group.to_owned());
    let (after, limit) = (after.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX));
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let group = groups::find(tx, &directory, &wanted, admin.at)?;
        let place = (limit, admin.at);
        let found = memberships::page(tx, &directory.id, &group.id, &after, place)?;
        let views = found.into_iter().map(|one| MemberView::of(one, &directory));
        Ok(views.collect())
    });
    read.await
}

/// Makes somebody a member, or moves the end of a membership that was added here. Doing it twice changes nothing.
pub(crate) async fn add(
    app: &App,
    admin: &Admin,
    (directory, group): (&str, &str),
    wanted: NewMember,
) -> Result<MemberView, Refusal> {
    let end = super::tokens::end(wanted.expires_at.as_deref())?;
    let (admin, which, named) = (admin.clone(), directory.to_owned(), group.to_owned());
    let added = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        let group = groups::find(tx, &directory, &named, admin.at)?;
        let call = admin.call(&directory);
        let id = match users::find(tx, &directory, &wanted.id, admin.at) {
            Ok(user) => user.id,
            Err(Refusal::NotFound(..)) if !directory.is_fed() => wanted.id.clone(),
            Err(error) => return Err(error),
        };
        if directory.is_fed() || end.is_some() {
            local_members::add(tx, &call, &group.id, &id, end)?;
        } else {
            let member = MemberRef {
                value: id.clone(),
                kind: None,
            };
            stored::change_members(tx, &call, &group.id, &[MemberStep::Add(vec![member])])?;
        }
        one(tx, &directory, &group.id, &id, admin.at)
    });
    added.await
}

/// Ends a membership that was added here, or one of a native group.
pub(crate) async fn remove(
    app: &App,
    admin: &Admin,
    (directory, group): (&str, &str),
    member: &str,
) -> Result<(), Refusal> {
    let (admin, which, named) = (admin.clone(), directory.to_owned(), group.to_owned());
    let wanted = member.to_owned();
    let removed = change(app, move |tx| {
        let directory = Arc::new(admin.directory(tx, &which)?);
        let group = groups::find(tx, &directory, &named, admin.at)?;
        let call = admin.call(&directory);
        let id = match users::find(tx, &directory, &wanted, admin.at) {
            Ok(user) => user.id,
            Err(Refusal::NotFound(..)) => wanted.clone(),
            Err(error) => return Err(error),
        };
        let local = local_members::remove(tx, &call, &group.id, &id)?;
        let managed = take_out(tx, &call, &group.id, &id, local)?;
        match local || managed {
            true => Ok(()),
            false => Err(Refusal::NotFound(What::Membership, wanted.clone())),
        }
    });
    removed.await
}

/// Ends a membership that the directory manages, where that is done here. One beside a local one that has just ended stays.
fn take_out(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    id: &str,
    had_local: bool,
) -> Result<bool, Refusal> {
    let found = members::present(tx, &call.directory.id, group_id, &[id])?;
    if found.is_empty() || (call.directory.is_fed() && had_local) {
        return Ok(false);
    }
    super::people::edited_here(&call.directory, What::Membership)?;
    let step = MemberStep::Remove(vec![id.to_owned()]);
    stored::change_members(tx, call, group_id, &[step])?;
    Ok(true)
}

/// One member as it is shown.
fn one(
    tx: &mut Tx<'_>,
    directory: &Directory,
    group_id: &str,
    id: &str,
    now: i64,
) -> Result<MemberView, Refusal> {
    let found = memberships::one(tx, &directory.id, group_id, id, now)?;
    found
        .map(|member| MemberView::of(member, directory))
        .ok_or_else(|| Refusal::NotFound(What::Membership, id.to_owned()))
}
