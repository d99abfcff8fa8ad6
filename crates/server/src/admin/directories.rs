//! Directories: make, see, change and remove them.

use super::accounts::PosixNames;
use super::rules::{self, Preset, Rules};
use super::tokens;
use super::view::{At, Shown};
use super::{Admin, Object, change};
use crate::app::App;
use crate::{contact, neighbours};
use portreeve_directory::directories::{
    self, Counts, Directory, GroupRemoval, Provider, UserRemoval,
};
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::teams::Team;
use portreeve_directory::{
    Level, Refusal, What, events, groups, identities, levels, owners, teams, unknown, users,
};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A directory to be made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDirectory {
    /// Its name, unique in the team.
    pub(crate) name: String,
    /// Who feeds it: `entra`, `okta`, `google`, `generic` (default) or `native`.
    #[schemars(with = "Option<Provider>")]
    pub(crate) provider: Option<String>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
    /// What it is made for: `visitor-hosts`. It decides the rules that are left out.
    #[schemars(with = "Option<Preset>")]
    pub(crate) preset: Option<String>,
    /// The compatibility profile: `strict`, `entra`, `okta` or `lenient`.
    pub(crate) profile: Option<String>,
    /// What becomes of users whom the provider deletes.
    #[schemars(with = "Option<UserRemoval>")]
    pub(crate) users: Option<String>,
    /// What becomes of groups that the provider deletes.
    #[schemars(with = "Option<GroupRemoval>")]
    pub(crate) groups: Option<String>,
    /// Whether two groups may not have the same name.
    pub(crate) unique_group_names: Option<bool>,
    /// Whether changes are offered as security events (RFC 9967).
    pub(crate) security_events: Option<bool>,
    /// How account names on hosts are made from user names.
    pub(crate) posix_names: Option<PosixNames>,
    /// Whether its people can be found by visitors.
    pub(crate) visitors: Option<bool>,
    /// Paths of attributes that every user must have, such as `name.givenName`; the whole list.
    pub(crate) required_attributes: Option<Vec<String>>,
    /// Extension schemas of users in the form of RFC 7643 section 7; the whole list.
    #[schemars(with = "Option<Vec<Map<String, Value>>>")]
    pub(crate) user_extensions: Option<Vec<Value>>,
    /// Extension schemas of groups.
    #[schemars(with = "Option<Vec<Map<String, Value>>>")]
    pub(crate) group_extensions: Option<Vec<Value>>,
}

/// What is to be different about a directory; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DirectoryChange {
    pub(crate) name: Option<String>,
    /// The compatibility profile: `strict`, `entra`, `okta` or `lenient`.
    pub(crate) profile: Option<String>,
    /// What becomes of users whom the provider deletes.
    #[schemars(with = "Option<UserRemoval>")]
    pub(crate) users: Option<String>,
    /// What becomes of groups that the provider deletes.
    #[schemars(with = "Option<GroupRemoval>")]
    pub(crate) groups: Option<String>,
    /// Whether two groups may not have the same name.
    pub(crate) unique_group_names: Option<bool>,
    /// Whether changes are offered as security events (RFC 9967).
    pub(crate) security_events: Option<bool>,
    /// How account names on hosts are made from user names.
    pub(crate) posix_names: Option<PosixNames>,
    /// Whether its people can be found by visitors.
    pub(crate) visitors: Option<bool>,
    /// Paths of attributes that every user must have, such as `name.givenName`; the whole list.
    pub(crate) required_attributes: Option<Vec<String>>,
    /// Extension schemas of users in the form of RFC 7643 section 7; the whole list.
    #[schemars(with = "Option<Vec<Map<String, Value>>>")]
    pub(crate) user_extensions: Option<Vec<Value>>,
    /// Extension schemas of groups.
    #[schemars(with = "Option<Vec<Map<String, Value>>>")]
    pub(crate) group_extensions: Option<Vec<Value>>,
}

/// A directory as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct DirectoryView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The name of the team.
    pub(crate) team: String,
    pub(crate) provider: Provider,
    /// What the provider's form asks for; a native directory has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_url: Option<String>,
    pub(crate) profile: String,
    pub(crate) users: UserRemoval,
    pub(crate) groups: GroupRemoval,
    pub(crate) unique_group_names: bool,
    pub(crate) security_events: bool,
    /// How account names on hosts are made from user names.
    pub(crate) posix_names: PosixNames,
    /// Whether its people can be found by visitors.
    pub(crate) visitors: bool,
    /// Paths of attributes that every user must have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) required_attributes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) user_extensions: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) group_extensions: Vec<Value>,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
    /// When the provider last asked anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_request_at: Option<At>,
    /// What a change depends on: everything an admin decides.
    #[serde(skip)]
    pub(crate) version: String,
}

impl DirectoryView {
    /// `base` is how clients reach the server.
    fn of(directory: &Directory, team: &str, base: &str) -> Self {
        let settings = directory.settings.clone();
        Self {
            id: directory.id.clone(),
            name: directory.name.clone(),
            team: team.to_owned(),
            provider: directory.provider,
            tenant_url: directory.is_fed().then(|| tenant_url(directory, base)),
            profile: settings.profile,
            users: settings.users,
            groups: settings.groups,
            unique_group_names: settings.unique_group_names,
            security_events: settings.security_events,
            posix_names: settings.posix_names.into(),
            visitors: settings.visitors,
            required_attributes: settings.required_attributes,
            user_extensions: settings.user_extensions,
            group_extensions: settings.group_extensions,
            created_at: At(directory.created_at),
            updated_at: At(directory.updated_at),
            last_request_at: directory.last_contact_at.map(At),
            version: version(directory),
        }
    }
}

/// What the provider's form calls the tenant URL.
pub(super) fn tenant_url(directory: &Directory, base: &str) -> String {
    format!("{base}/scim/{}/v2", directory.id)
}

/// A new directory with its first token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MadeDirectory {
    #[serde(flatten)]
    pub(crate) directory: DirectoryView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret_token: Option<Shown>,
}

/// A directory with what is in it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct DirectoryDetail {
    #[serde(flatten)]
    pub(crate) directory: DirectoryView,
    pub(crate) counts: Counts,
    /// Attributes that the provider sends and nobody understands.
    pub(crate) unknown_attributes: Vec<String>,
    pub(crate) warnings: Vec<Warning>,
}

/// What an admin should know although nothing fails.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Warning {
    /// Does not change with the wording.
    pub(crate) code: &'static str,
    /// What is wrong and what to do.
    pub(crate) detail: &'static str,
}

/// Makes a directory, with a first token unless it is edited in Portreeve itself.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewDirectory,
) -> Result<MadeDirectory, Refusal> {
    let provider = rules::provider(wanted.provider.as_deref().unwrap_or("generic"))?;
    let mut settings = rules::start(provider, wanted.preset.as_deref())?;
    let rules = Rules {
        profile: wanted.profile,
        users: wanted.users,
        groups: wanted.groups,
        unique_group_names: wanted.unique_group_names,
        security_events: wanted.security_events,
        posix_names: wanted.posix_names,
        visitors: wanted.visitors,
        required_attributes: wanted.required_attributes,
        user_extensions: wanted.user_extensions,
        group_extensions: wanted.group_extensions,
    };
    rules.apply(&mut settings)?;
    let (admin, base) = (admin.clone(), app.public_url());
    let made = change(app, move |tx| {
        let team = admin.ensure_team(tx, wanted.team.as_deref())?;
        let new = directories::New {
            id: admin.new_id(),
            team_id: team.id.clone(),
            name: wanted.name.clone(),
            provider,
            settings: settings.clone(),
        };
        let directory = directories::create(tx, &new, admin.at)?;
        let changes = Value::Object(rules::decided(&directory)).to_string();
        let about = object(&directory);
        admin.record(tx, &directory, "create", &about, Some(&changes))?;
        if is_first(tx, &team)? {
            teams::activate(tx, &team, Some(&directory.id))?;
        }
        let token = match directory.is_fed() {
            true => Some(tokens::make(tx, &admin, &directory, "first", None)?),
            false => None,
        };
        let (token_id, secret_token) = token
            .map(|(token, secret)| (token.id, Shown(secret)))
            .unzip();
        Ok(MadeDirectory {
            directory: DirectoryView::of(&directory, &team.name, &base),
            token_id,
            secret_token,
        })
    });
    made.await
}

/// All directories by name.
pub(crate) async fn list(app: &App, admin: &Admin) -> Result<Vec<DirectoryView>, Refusal> {
    contact::flush(app).await;
    let (admin, base) = (admin.clone(), app.public_url());
    let read = app.store.read(move |tx| {
        let teams = admin.teams(tx)?;
        let views = directories::list(tx)?.into_iter().filter_map(|directory| {
            let team = teams.iter().find(|team| team.id == directory.team_id)?;
            Some(DirectoryView::of(&directory, &team.name, &base))
        });
        Ok(views.collect())
    });
    read.await
}

/// One directory with what is in it, what its provider sends that nobody understands, and what to worry about.
pub(crate) async fn get(app: &App, admin: &Admin, which: &str) -> Result<DirectoryDetail, Refusal> {
    contact::flush(app).await;
    let (admin, which, base) = (admin.clone(), which.to_owned(), app.public_url());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        Ok(DirectoryDetail {
            directory: DirectoryView::of(&directory, &team_name(tx, &directory)?, &base),
            counts: directories::counts(tx, &directory.id)?,
            unknown_attributes: unknown::list(tx, &directory.id)?,
            warnings: warnings(tx, &directory)?,
        })
    });
    read.await
}

/// Whether a team has no other directory: from its first one, people reach machines until somebody says otherwise.
fn is_first(tx: &mut Tx<'_>, team: &Team) -> Result<bool, Refusal> {
    let all = directories::list(tx)?;
    let own = all.iter().filter(|one| one.team_id == team.id);
    Ok(team.active_directory_id.is_none() && own.count() == 1)
}

/// Changes name and rules.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    which: &str,
    wanted: DirectoryChange,
) -> Result<DirectoryView, Refusal> {
    let rules = Rules {
        profile: wanted.profile,
        users: wanted.users,
        groups: wanted.groups,
        unique_group_names: wanted.unique_group_names,
        security_events: wanted.security_events,
        posix_names: wanted.posix_names,
        visitors: wanted.visitors,
        required_attributes: wanted.required_attributes,
        user_extensions: wanted.user_extensions,
        group_extensions: wanted.group_extensions,
    };
    let (admin, which, base) = (admin.clone(), which.to_owned(), app.public_url());
    let changed = change(app, move |tx| {
        let before = admin.directory(tx, &which)?;
        admin.expect(What::Directory, &version(&before))?;
        let mut settings = before.settings.clone();
        rules.apply(&mut settings)?;
        let name = wanted.name.as_deref().unwrap_or(&before.name);
        let after = directories::update(tx, &before, name, &settings, admin.at)?;
        let unique = settings.unique_group_names;
        if unique != before.settings.unique_group_names {
            groups::refresh_unique_names(tx, &after.id, unique)?;
        }
        let changes = events::diff(&rules::decided(&before), &rules::decided(&after));
        if changes.is_some() {
            admin.record(tx, &after, "update", &object(&after), changes.as_deref())?;
        }
        let team = team_name(tx, &after)?;
        Ok(DirectoryView::of(&after, &team, &base))
    });
    changed.await
}

/// Removes a directory with everything in it. Its events stay.
pub(crate) async fn delete(app: &App, admin: &Admin, which: &str) -> Result<(), Refusal> {
    let (admin, which) = (admin.clone(), which.to_owned());
    let gone = change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        admin.expect(What::Directory, &version(&directory))?;
        admin.may_decide(tx, &directory)?;
        let has_owner = levels::highest(tx, &directory.id)? == Level::Owner;
        let cause = admin.cause(&directory.team_id, Some(&directory.id));
        revocations::revoke(tx, &cause, Revoke::Directory(&directory.id), "removed")?;
        identities::revoke_of_directory(tx, &cause, &directory.id, "removed")?;
        directories::delete(tx, &directory.id)?;
        if has_owner {
            owners::someone_must_stay(tx, &directory.team_id)?;
        }
        admin.record(tx, &directory, "delete", &object(&directory), None)?;
        Ok(directory.id)
    });
    neighbours::tell_gone(app, &gone.await?);
    Ok(())
}

/// The directory with that id or name, with its rules.
pub(crate) async fn find(app: &App, admin: &Admin, which: &str) -> Result<Arc<Directory>, Refusal> {
    let (admin, which) = (admin.clone(), which.to_owned());
    let found = app.store.lookup(move |tx| admin.directory(tx, &which));
    Ok(Arc::new(found.await?))
}

fn version(directory: &Directory) -> String {
    super::version(&rules::decided(directory))
}

fn object(directory: &Directory) -> Object<'_> {
    Object {
        kind: "Directory",
        id: &directory.id,
        name: &directory.name,
    }
}

fn team_name(tx: &mut Tx<'_>, directory: &Directory) -> Result<String, Refusal> {
    let teams = teams::list(tx)?;
    let team = teams.into_iter().find(|team| team.id == directory.team_id);
    Ok(team.map(|team| team.name).unwrap_or_default())
}

fn warnings(tx: &mut Tx<'_>, directory: &Directory) -> Result<Vec<Warning>, Refusal> {
    let mut warnings = Vec::new();
    if directory.is_fed() && users::active_is_never_sent(tx, &directory.id)? {
        warnings.push(Warning {
            code: "active_never_sent",
            detail: "the provider does not send \"active\", so people who are disabled there stay active here; map active in the provider (in Entra: Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\"))",
        });
    }
    Ok(warnings)
}
