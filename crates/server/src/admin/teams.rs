//! Teams: list them, make, rename, and say whose people may reach machines.

use super::people::{self, Change};
use super::view::At;
use super::{Admin, Object, change, members_of, version};
use crate::app::App;
use portreeve_directory::events::{self, Category};
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::teams::{self, Team};
use portreeve_directory::{Permission, Refusal, What, directories};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A team as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TeamView {
    pub(crate) id: String,
    /// Its name, which is in URLs.
    pub(crate) name: String,
    /// The directory whose people may reach machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) active_directory: Option<DirectoryName>,
    pub(crate) created_at: At,
}

/// A directory by id and name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct DirectoryName {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl TeamView {
    /// What `If-Match` compares.
    pub(crate) fn version(&self) -> String {
        version(self)
    }
}

/// A team to be made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTeam {
    /// 1 to 63 letters, digits, `-` or `_`, starting with a letter or digit.
    pub(crate) name: String,
}

/// What is to be different about a team; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamChange {
    /// Needs the permission `team:write`.
    pub(crate) name: Option<String>,
    /// Id or name of the directory whose people may reach machines; `null` for nobody's.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) active_directory_id: Change<String>,
}

/// What a switch of the active directory would come to. The same person is known in both by user name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct SwitchPreview {
    /// Who may reach machines now and could not any more.
    pub(crate) losing: People,
    /// Who may not now, and could.
    pub(crate) gaining: People,
}

/// How many people there are, and the names of the first hundred.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct People {
    pub(crate) count: i64,
    pub(crate) names: Vec<String>,
}

impl From<teams::People> for People {
    fn from(people: teams::People) -> Self {
        Self {
            count: people.count,
            names: people.first,
        }
    }
}

/// The teams that whoever asks may see, by name.
pub(crate) async fn list(app: &App, admin: &Admin) -> Result<Vec<TeamView>, Refusal> {
    let admin = admin.clone();
    let read = app.store.read(move |tx| {
        let teams = admin.teams(tx)?;
        teams.iter().map(|team| view(tx, team)).collect()
    });
    read.await
}

/// One team, by id or name; without either the own one.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    wanted: Option<&str>,
) -> Result<TeamView, Refusal> {
    let (admin, wanted) = (admin.clone(), wanted.map(str::to_owned));
    let read = app.store.read(move |tx| {
        let team = admin.team(tx, wanted.as_deref())?;
        view(tx, &team)
    });
    read.await
}

/// Makes a team. Only the machine's administrator may, because it is outside of all teams.
pub(crate) async fn create(app: &App, admin: &Admin, wanted: NewTeam) -> Result<TeamView, Refusal> {
    let admin = admin.clone();
    let made = change(app, move |tx| {
        let team = teams::create(tx, &wanted.name, &admin.new_id(), admin.at)?;
        let what = (Category::Admin, "create");
        admin.record_in(tx, &team.id, what, &object(&team), None)?;
        view(tx, &team)
    });
    made.await
}

/// Renames a team, or says which directory is the active one.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    wanted_team: Option<&str>,
    wanted: TeamChange,
) -> Result<TeamView, Refusal> {
    let (admin, which) = (admin.clone(), wanted_team.map(str::to_owned));
    let changed = change(app, move |tx| {
        let mut team = admin.team(tx, which.as_deref())?;
        let before = view(tx, &team)?;
        admin.expect(What::Team, &before.version())?;
        if let Some(name) = &wanted.name {
            admin.must_have(Permission::TeamWrite)?;
            team = teams::rename(tx, &team, name)?;
        }
        if let Some(directory) = &wanted.active_directory_id {
            let id = directory_id(tx, &team, directory.as_deref())?;
            if let Some(before) = team
                .active_directory_id
                .as_ref()
                .filter(|it| Some(*it) != id.as_ref())
            {
                let cause = admin.cause(&team.id, Some(before));
                revocations::revoke(tx, &cause, Revoke::Directory(before), "directory_inactive")?;
            }
            team = teams::activate(tx, &team, id.as_deref())?;
        }
        let after = view(tx, &team)?;
        let changes = events::diff(&members_of(&before), &members_of(&after));
        if changes.is_some() {
            let what = (Category::Admin, "update");
            admin.record_in(tx, &team.id, what, &object(&team), changes.as_deref())?;
        }
        Ok(after)
    });
    changed.await
}

/// What it would come to if another directory were the active one.
pub(crate) async fn preview(
    app: &App,
    admin: &Admin,
    wanted_team: Option<&str>,
    directory: Option<&str>,
) -> Result<SwitchPreview, Refusal> {
    admin.must_have(Permission::UserRead)?;
    let (admin, which) = (admin.clone(), wanted_team.map(str::to_owned));
    let directory = directory.map(str::to_owned);
    let read = app.store.read(move |tx| {
        let team = admin.team(tx, which.as_deref())?;
        let to = directory_id(tx, &team, directory.as_deref())?;
        let switch = teams::preview(tx, &team, to.as_deref())?;
        Ok(SwitchPreview {
            losing: switch.losing.into(),
            gaining: switch.gaining.into(),
        })
    });
    read.await
}

fn directory_id(
    tx: &mut Tx<'_>,
    team: &Team,
    id_or_name: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let Some(wanted) = id_or_name else {
        return Ok(None);
    };
    Ok(Some(directories::find_in(tx, &team.id, wanted)?.id))
}

fn view(tx: &mut Tx<'_>, team: &Team) -> Result<TeamView, Refusal> {
    let active = match &team.active_directory_id {
        None => None,
        Some(id) => Some(directories::find_in(tx, &team.id, id)?),
    };
    Ok(TeamView {
        id: team.id.clone(),
        name: team.name.clone(),
        active_directory: active.map(|directory| DirectoryName {
            id: directory.id,
            name: directory.name,
        }),
        created_at: At(team.created_at),
    })
}

fn object(team: &Team) -> Object<'_> {
    Object {
        kind: "Team",
        id: &team.id,
        name: &team.name,
    }
}
