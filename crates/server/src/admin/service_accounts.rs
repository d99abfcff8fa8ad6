//! Service accounts: machine identities that a team makes itself, with API tokens of their own.
//!
//! Nobody gives one more than they may do themselves: its tokens would do it for them.

use super::view::At;
use super::{Admin, Object, version};
use crate::app::App;
use portreeve_directory::events::Category;
use portreeve_directory::service_accounts::{self, ServiceAccount};
use portreeve_directory::{Permission, Permissions, Refusal, What, holders};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service account as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ServiceAccountView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: AccountStatus,
    /// The most that its tokens may do.
    pub(crate) permissions: Vec<Permission>,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
}

/// Whether the tokens of a service account work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AccountStatus {
    Active,
    Suspended,
}

impl ServiceAccountView {
    fn of(account: &ServiceAccount) -> Self {
        Self {
            id: account.id.clone(),
            name: account.name.clone(),
            status: match account.active {
                true => AccountStatus::Active,
                false => AccountStatus::Suspended,
            },
            permissions: account.permissions.iter().collect(),
            created_at: At(account.created_at),
            updated_at: At(account.updated_at),
        }
    }

    /// What `If-Match` compares.
    pub(crate) fn version(&self) -> String {
        version(self)
    }
}

/// A service account to be made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServiceAccount {
    /// Unique in the team.
    pub(crate) name: String,
    /// The most that its tokens may do.
    pub(crate) permissions: Vec<Permission>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// What is to be different about a service account; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceAccountChange {
    pub(crate) name: Option<String>,
    pub(crate) permissions: Option<Vec<Permission>>,
    pub(crate) status: Option<AccountStatus>,
}

/// The service accounts of a team by name.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<Vec<ServiceAccountView>, Refusal> {
    let read = admin.read(app, team, move |tx, _, team| {
        let all = service_accounts::list(tx, &team.id)?;
        Ok(all.iter().map(ServiceAccountView::of).collect())
    });
    read.await
}

/// One service account, by id or name.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: &str,
) -> Result<ServiceAccountView, Refusal> {
    let wanted = wanted.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        let found = service_accounts::find(tx, &team.id, &wanted)?;
        Ok(ServiceAccountView::of(&found))
    });
    read.await
}

/// Makes a service account.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewServiceAccount,
) -> Result<ServiceAccountView, Refusal> {
    let permissions: Permissions = wanted.permissions.iter().copied().collect();
    admin.may_give(permissions)?;
    let team = wanted.team.clone();
    let made = admin.change(app, team.as_deref(), move |tx, admin, team| {
        let id = admin.new_id();
        let made =
            service_accounts::create(tx, &team.id, &id, &wanted.name, permissions, admin.at)?;
        let view = ServiceAccountView::of(&made);
        admin.record_made(tx, &team.id, &object(&made), &view)?;
        Ok(view)
    });
    made.await
}

/// Changes a service account. A suspended one keeps its tokens; they do not work until it is active again.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
    wanted: ServiceAccountChange,
) -> Result<ServiceAccountView, Refusal> {
    let which = which.to_owned();
    let changed = admin.change(app, team, move |tx, admin, team| {
        let before = service_accounts::find(tx, &team.id, &which)?;
        admin.expect(
            What::ServiceAccount,
            &ServiceAccountView::of(&before).version(),
        )?;
        let mut after = before.clone();
        if let Some(name) = &wanted.name {
            name.trim().clone_into(&mut after.name);
        }
        if let Some(permissions) = &wanted.permissions {
            after.permissions = permissions.iter().copied().collect();
            let added = before.permissions.iter();
            admin.may_give(added.fold(after.permissions, Permissions::without))?;
        }
        if let Some(status) = wanted.status {
            after.active = status == AccountStatus::Active;
        }
        if after == before {
            return Ok(ServiceAccountView::of(&before));
        }
        after.updated_at = admin.at;
        service_accounts::update(tx, &team.id, &after, admin.at)?;
        if before.active && !after.active {
            holders::shut_out(tx, &admin.cause(&team.id, None), &after.id, "suspended")?;
        }
        let view = ServiceAccountView::of(&after);
        let shown = (&ServiceAccountView::of(&before), &view);
        admin.record_changed(tx, &team.id, ("update", &object(&after)), shown)?;
        Ok(view)
    });
    changed.await
}

/// Removes a service account with its tokens.
pub(crate) async fn delete(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<(), Refusal> {
    let which = which.to_owned();
    let gone = admin.change(app, team, move |tx, admin, team| {
        let before = service_accounts::find(tx, &team.id, &which)?;
        admin.expect(
            What::ServiceAccount,
            &ServiceAccountView::of(&before).version(),
        )?;
        holders::forget(tx, &admin.cause(&team.id, None), &before.id)?;
        service_accounts::delete(tx, &team.id, &before.id)?;
        let what = (Category::Admin, "delete");
        admin.record_in(tx, &team.id, what, &object(&before), None)
    });
    gone.await
}

impl Admin {
    /// Refuses to give somebody else what whoever asks may not do.
    pub(super) fn may_give(&self, wanted: Permissions) -> Result<(), Refusal> {
        match wanted.iter().find(|one| !self.permissions.has(*one)) {
            Some(more) => Err(Refusal::Forbidden(more)),
            None => Ok(()),
        }
    }
}

fn object(account: &ServiceAccount) -> Object<'_> {
    Object {
        kind: "ServiceAccount",
        id: &account.id,
        name: &account.name,
    }
}
