//! Grants: make, see, change and revoke them, and see what one would come to before it is made.

use super::people::{self, Change};
use super::view::At;
use super::{Admin, Object, members_of};
use crate::app::App;
use portreeve_access::Grant;
use portreeve_access::grant::{Level, Phase};
use portreeve_directory::access::{self, Access};
use portreeve_directory::events::{self, Category};
use portreeve_directory::grants::{self, Ended, Record};
use portreeve_directory::teams::Team;
use portreeve_directory::{Refusal, What};
use portreeve_scim::time;
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

mod preview;
mod subject;

pub(crate) use preview::{Gained, Preview, PreviewRequest, preview};
pub(super) use subject::holder_of;

/// A grant as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct GrantView {
    pub(crate) id: String,
    /// Who has it.
    pub(crate) to: ToView,
    /// Which hosts, as a tag expression.
    pub(crate) hosts: String,
    /// How many hosts that chooses now.
    pub(crate) host_count: usize,
    pub(crate) level: LevelName,
    /// POSIX groups that people are in there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) posix_groups: Vec<String>,
    /// Principals that certificates get besides people's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) principals: Vec<String>,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<At>,
    /// When it ends, or has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<At>,
    pub(crate) state: GrantState,
    /// Why, for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
    /// The name of whoever made it.
    pub(crate) made_by: String,
    pub(crate) version: i64,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
}

/// Who has a grant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ToView {
    /// `group`, `user` or `service`.
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    /// The directory of a group or user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) directory_id: Option<String>,
    /// What people call it; one that is gone has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// What may be done on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum LevelName {
    #[serde(rename = "login")]
    Login,
    #[serde(rename = "login+sudo")]
    LoginSudo,
}

/// Whether a grant counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GrantState {
    /// Not yet.
    Ahead,
    /// Now.
    Current,
    /// Not any more, because its time is over.
    Expired,
    /// Not any more, because somebody took it away.
    Revoked,
}

impl From<Level> for LevelName {
    fn from(level: Level) -> Self {
        match level {
            Level::Login => Self::Login,
            Level::LoginSudo => Self::LoginSudo,
        }
    }
}

impl From<LevelName> for Level {
    fn from(level: LevelName) -> Self {
        match level {
            LevelName::Login => Self::Login,
            LevelName::LoginSudo => Self::LoginSudo,
        }
    }
}

/// A grant to be made. It is either to a group or to a user or service account; the latter has an end.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGrant {
    /// Id or name of a group.
    pub(crate) group: Option<String>,
    /// Id or `userName` of a user, or id or name of a service account.
    pub(crate) user: Option<String>,
    /// Id or name of the directory of group or user; without it the active SSH directory, then the others of the team.
    pub(crate) directory: Option<String>,
    /// Which hosts, as a tag expression such as `env=prod and not legacy`; `*` for all.
    pub(crate) hosts: String,
    /// Whether `sudo` comes with it.
    #[serde(default)]
    pub(crate) sudo: bool,
    /// POSIX groups that people are in there.
    #[serde(default)]
    pub(crate) posix_groups: Vec<String>,
    /// Principals that certificates get besides people's own.
    #[serde(default)]
    pub(crate) principals: Vec<String>,
    /// When it begins (RFC 3339).
    pub(crate) from: Option<String>,
    /// When it ends (RFC 3339).
    pub(crate) until: Option<String>,
    /// Why, for people.
    #[serde(default)]
    pub(crate) note: String,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// What is to be different about a grant; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantChange {
    pub(crate) hosts: Option<String>,
    pub(crate) sudo: Option<bool>,
    pub(crate) posix_groups: Option<Vec<String>>,
    pub(crate) principals: Option<Vec<String>>,
    /// When it begins (RFC 3339); `null` for at once.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) from: Change<String>,
    /// When it ends (RFC 3339); `null` for without end.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) until: Change<String>,
    pub(crate) note: Option<String>,
}

/// Whose grants to list, and whether those that have ended are among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Which {
    /// Id of a group, user or service account; those of all, without it.
    pub(crate) subject: Option<String>,
    /// Whether those are listed that have ended lately.
    pub(crate) ended: bool,
}

/// The next grants of a team after an id (empty for the first), in the order in which they were made.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: Which,
    (after, limit): (&str, u64),
) -> Result<Vec<GrantView>, Refusal> {
    let (admin, team, after) = (admin.clone(), team.map(str::to_owned), after.to_owned());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let team = find_team(app, &admin, team).await?;
    let access = app.access(&team.id).await?;
    let read = app.store.read(move |tx| {
        let mut views: Vec<GrantView> = Vec::new();
        let mut after = after.clone();
        while views.len() < limit {
            let found = match &which.subject {
                Some(id) => {
                    let mut all = grants::of_subject(tx, &team.id, id)?;
                    all.retain(|one| one.grant.id > after);
                    all
                }
                None => grants::list(
                    tx,
                    &team.id,
                    &after,
                    i64::try_from(limit).unwrap_or(i64::MAX),
                )?,
            };
            let Some(last) = found.last() else {
                break;
            };
            after.clone_from(&last.grant.id);
            for record in found {
                let is_over = record.grant.phase(admin.time()) == Phase::Over;
                if (which.ended || !is_over) && views.len() < limit {
                    views.push(view(tx, &team.id, &access, &record, &admin)?);
                }
            }
        }
        Ok::<_, Refusal>(views)
    });
    read.await
}

/// One grant.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<GrantView, Refusal> {
    let (admin, id) = (admin.clone(), id.to_owned());
    let team = find_team(app, &admin, team.map(str::to_owned)).await?;
    let access = app.access(&team.id).await?;
    let read = app.store.read(move |tx| {
        let found = grants::by_id(tx, &team.id, &id)?;
        view(tx, &team.id, &access, &found, &admin)
    });
    read.await
}

/// Makes a grant.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewGrant,
) -> Result<GrantView, Refusal> {
    let team = wanted.team.clone();
    let made = admin.change(app, team.as_deref(), move |tx, admin, team| {
        let record = new_record(tx, admin, team, &wanted)?;
        grants::create(tx, &team.id, &record, admin.at)?;
        told(
            tx,
            admin,
            &team.id,
            "granted",
            &record,
            Some(&all_of(&record)),
        )?;
        Ok((team.id.clone(), record))
    });
    let (team_id, record) = made.await?;
    show(app, admin, team_id, record).await
}

/// Changes a grant that has not ended. Who has it stays.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
    wanted: GrantChange,
) -> Result<GrantView, Refusal> {
    let id = id.to_owned();
    let changed = admin.change(app, team, move |tx, admin, team| {
        let before = grants::by_id(tx, &team.id, &id)?;
        admin.expect(What::Grant, &before.version.to_string())?;
        if before.grant.phase(admin.time()) == Phase::Over {
            return Err(Refusal::Invalid {
                attribute: "grant",
                reason: "this grant has ended; make another one in its place".to_owned(),
            });
        }
        let after = changed_record(&before, &wanted)?;
        if after == before {
            return Ok((team.id.clone(), before));
        }
        let after = grants::update(tx, &team.id, &after, admin.at)?;
        let changes = events::diff(&decided(&before), &decided(&after));
        told(tx, admin, &team.id, "changed", &after, changes.as_deref())?;
        Ok((team.id.clone(), after))
    });
    let (team_id, record) = changed.await?;
    show(app, admin, team_id, record).await
}

/// Takes a grant away, at once. Doing it twice changes nothing.
pub(crate) async fn revoke(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<GrantView, Refusal> {
    let id = id.to_owned();
    let revoked = admin.change(app, team, move |tx, admin, team| {
        let before = grants::by_id(tx, &team.id, &id)?;
        admin.expect(What::Grant, &before.version.to_string())?;
        let Some(after) = grants::revoke(tx, &team.id, &before, admin.at)? else {
            return Ok((team.id.clone(), before));
        };
        let changes = events::diff(&decided(&before), &decided(&after));
        told(tx, admin, &team.id, "revoked", &after, changes.as_deref())?;
        Ok((team.id.clone(), after))
    });
    let (team_id, record) = revoked.await?;
    show(app, admin, team_id, record).await
}

async fn find_team(app: &App, admin: &Admin, team: Option<String>) -> Result<Team, Refusal> {
    let admin = admin.clone();
    let found = app.store.lookup(move |tx| admin.team(tx, team.as_deref()));
    found.await
}

/// The grant as it is now.
async fn show(
    app: &App,
    admin: &Admin,
    team_id: String,
    record: Record,
) -> Result<GrantView, Refusal> {
    let (admin, access) = (admin.clone(), app.access(&team_id).await?);
    let read = app
        .store
        .lookup(move |tx| view(tx, &team_id, &access, &record, &admin));
    read.await
}

fn view(
    tx: &mut Tx<'_>,
    team_id: &str,
    access: &Arc<Access>,
    record: &Record,
    admin: &Admin,
) -> Result<GrantView, Refusal> {
    let Record { grant, subject, .. } = record;
    let at = |moment: jiff::Timestamp| At(moment.as_microsecond());
    Ok(GrantView {
        id: grant.id.clone(),
        to: ToView {
            kind: subject.kind(),
            id: subject.id().to_owned(),
            directory_id: subject.directory_id().map(str::to_owned),
            name: subject.name(tx, team_id)?,
        },
        hosts: grant.hosts.to_string(),
        host_count: access.estate.chosen(&grant.hosts).count(),
        level: grant.level.into(),
        posix_groups: grant.posix_groups.clone(),
        principals: grant.principals.clone(),
        from: grant.from.map(at),
        until: grant.until.map(at),
        state: match (grant.phase(admin.time()), record.ended) {
            (Phase::Ahead, _) => GrantState::Ahead,
            (Phase::Current, _) => GrantState::Current,
            (Phase::Over, Some(Ended::Revoked)) => GrantState::Revoked,
            (Phase::Over, _) => GrantState::Expired,
        },
        note: record.note.clone(),
        made_by: record.made_by.clone(),
        version: record.version,
        created_at: At(record.created_at),
        updated_at: At(record.updated_at),
    })
}

/// The grant that is wanted, checked but for the rules of [`Grant::check`].
fn new_record(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    wanted: &NewGrant,
) -> Result<Record, Refusal> {
    let subject = subject::of(tx, admin, team, wanted)?;
    let grant = Grant {
        id: admin.new_id(),
        to: subject.subject(),
        hosts: wanted.hosts.parse()?,
        level: level(wanted.sudo),
        posix_groups: wanted.posix_groups.clone(),
        principals: wanted.principals.clone(),
        from: moment("from", wanted.from.as_deref())?,
        until: moment("until", wanted.until.as_deref())?,
    };
    Ok(Record {
        grant,
        subject,
        note: wanted.note.trim().to_owned(),
        made_by: admin.name.clone(),
        ended: None,
        version: 1,
        created_at: admin.at,
        updated_at: admin.at,
    })
}

fn changed_record(before: &Record, wanted: &GrantChange) -> Result<Record, Refusal> {
    let mut after = before.clone();
    let grant = &mut after.grant;
    if let Some(hosts) = &wanted.hosts {
        grant.hosts = hosts.parse()?;
    }
    if let Some(sudo) = wanted.sudo {
        grant.level = level(sudo);
    }
    if let Some(groups) = &wanted.posix_groups {
        grant.posix_groups.clone_from(groups);
    }
    if let Some(principals) = &wanted.principals {
        grant.principals.clone_from(principals);
    }
    if let Some(from) = &wanted.from {
        grant.from = moment("from", from.as_deref())?;
    }
    if let Some(until) = &wanted.until {
        grant.until = moment("until", until.as_deref())?;
    }
    if let Some(note) = &wanted.note {
        note.trim().clone_into(&mut after.note);
    }
    Ok(after)
}

fn level(sudo: bool) -> Level {
    match sudo {
        true => Level::LoginSudo,
        false => Level::Login,
    }
}

fn moment(attribute: &'static str, text: Option<&str>) -> Result<Option<jiff::Timestamp>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    let read = time::parse(text).map(|at| Some(access::moment(at)));
    read.ok_or_else(|| Refusal::Invalid {
        attribute,
        reason: format!("\"{text}\" is no time; write it as 2027-01-31T00:00:00Z"),
    })
}

/// What an event compares: everything an admin decides.
fn decided(record: &Record) -> serde_json::Map<String, serde_json::Value> {
    let mut decided = members_of(&record.grant);
    decided.remove("id");
    if !record.note.is_empty() {
        decided.insert("note".to_owned(), record.note.clone().into());
    }
    decided
}

fn all_of(record: &Record) -> String {
    serde_json::Value::Object(decided(record)).to_string()
}

fn told(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team_id: &str,
    action: &str,
    record: &Record,
    changes: Option<&str>,
) -> Result<(), Refusal> {
    let subject = record.subject.name(tx, team_id)?;
    let title = grants::title(&record.grant, subject.as_deref());
    let object = Object {
        kind: "Grant",
        id: &record.grant.id,
        name: &title,
    };
    let cause = admin.cause(team_id, record.subject.directory_id());
    events::record_of(tx, &cause, &object.event(Category::Access, action, changes))
}
