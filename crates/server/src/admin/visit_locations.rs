//! Locations where visitors are received: make, see, change and remove them.

use super::people::{self, Change};
use super::view::{At, Shown};
use super::{Admin, Object, groups};
use crate::app::App;
use portreeve_directory::events::Category;
use portreeve_directory::teams::Team;
use portreeve_directory::visit_locations::{
    self, Fallback, Language, Location, NameStyle, Open, Settings, is_open, zone,
};
use portreeve_directory::{Refusal, What, groups as known_groups, visitor_hosts};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A location as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct LocationView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The name of the team.
    pub(crate) team: String,
    /// The page for the tablet at its door.
    pub(crate) url: String,
    #[serde(flatten)]
    pub(crate) settings: Settings,
    /// The names of the groups, in their order; empty for one that is gone.
    pub(crate) group_names: Vec<String>,
    /// Whether it receives visitors now.
    pub(crate) is_open: bool,
    pub(crate) version: i64,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
}

/// What a program verifies with that it was told by this server.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct WebhookSecret {
    /// As Standard Webhooks has it: `whsec_` and base64.
    pub(crate) secret: Shown,
}

/// A location to be made; what it leaves out is as usual.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLocation {
    /// What people call it; unique in the team.
    pub(crate) name: String,
    /// By which clock it opens (IANA), such as `Europe/Vienna`; `UTC` without it.
    pub(crate) time_zone: Option<String>,
    /// When it receives visitors; always without it.
    pub(crate) hours: Option<Vec<Open>>,
    /// Ids or names of the groups whose people can be visited; without it, everybody who is visible.
    pub(crate) groups: Option<Vec<String>>,
    /// How much of a name visitors see.
    pub(crate) names: Option<NameStyle>,
    /// Whether they see departments.
    pub(crate) departments: Option<bool>,
    /// Who is told where nobody else can be.
    pub(crate) fallback: Option<Fallback>,
    /// The languages that are offered, the first of them at first; all without it.
    pub(crate) languages: Option<Vec<Language>>,
    /// Whether visitors are asked whom they work for.
    pub(crate) ask_company: Option<bool>,
    /// Whether they are asked what they come for.
    pub(crate) ask_purpose: Option<bool>,
    /// What they consent to when a picture is taken; without it none is.
    pub(crate) photo_consent: Option<String>,
    /// Where each visit is told to a program (https).
    pub(crate) webhook: Option<String>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// What is to be different about a location; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocationChange {
    pub(crate) name: Option<String>,
    /// By which clock it opens (IANA), such as `Europe/Vienna`.
    pub(crate) time_zone: Option<String>,
    /// When it receives visitors, all of it; empty for always.
    pub(crate) hours: Option<Vec<Open>>,
    /// Ids or names of all groups whose people can be visited; empty for everybody who is visible.
    pub(crate) groups: Option<Vec<String>>,
    /// How much of a name visitors see.
    pub(crate) names: Option<NameStyle>,
    /// Whether they see departments.
    pub(crate) departments: Option<bool>,
    /// Who is told where nobody else can be; `null` for nobody.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<Fallback>")]
    pub(crate) fallback: Change<Fallback>,
    /// The languages that are offered, the first of them at first.
    pub(crate) languages: Option<Vec<Language>>,
    /// Whether visitors are asked whom they work for.
    pub(crate) ask_company: Option<bool>,
    /// Whether they are asked what they come for.
    pub(crate) ask_purpose: Option<bool>,
    /// What they consent to when a picture is taken; `null` for no pictures.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) photo_consent: Change<String>,
    /// Where each visit is told to a program (https); `null` for nowhere.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) webhook: Change<String>,
}

impl From<NewLocation> for LocationChange {
    fn from(new: NewLocation) -> Self {
        Self {
            name: Some(new.name),
            time_zone: new.time_zone,
            hours: new.hours,
            groups: new.groups,
            names: new.names,
            departments: new.departments,
            fallback: new.fallback.map(Some),
            languages: new.languages,
            ask_company: new.ask_company,
            ask_purpose: new.ask_purpose,
            photo_consent: new.photo_consent.map(Some),
            webhook: new.webhook.map(Some),
        }
    }
}

/// The locations of a team by name.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<Vec<LocationView>, Refusal> {
    let base = app.public_url();
    let read = admin.read(app, team, move |tx, admin, team| {
        let all = visit_locations::list(tx, &team.id)?;
        let views = all.iter().map(|one| view(tx, admin, team, (&base, one)));
        views.collect()
    });
    read.await
}

/// One location, by id or name.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: &str,
) -> Result<LocationView, Refusal> {
    let (base, wanted) = (app.public_url(), wanted.to_owned());
    let read = admin.read(app, team, move |tx, admin, team| {
        let found = visit_locations::find(tx, &team.id, &wanted)?;
        view(tx, admin, team, (&base, &found))
    });
    read.await
}

/// The secret that what the program of a location is told is signed with.
pub(crate) async fn webhook_secret(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: &str,
) -> Result<WebhookSecret, Refusal> {
    let wanted = wanted.to_owned();
    let read = admin.lookup(app, team, move |tx, _, team| {
        visit_locations::find(tx, &team.id, &wanted)
    });
    let location: Location = read.await?;
    Ok(WebhookSecret {
        secret: Shown(app.webhook_key.secret(&location.id)),
    })
}

/// Makes a location.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewLocation,
) -> Result<LocationView, Refusal> {
    let (base, of) = (app.public_url(), wanted.team.clone());
    let wanted = LocationChange::from(wanted);
    let made = admin.change(app, of.as_deref(), move |tx, admin, team| {
        let name = wanted.name.as_deref().unwrap_or_default();
        let settings = wanted.applied(tx, admin, (team, &Settings::default()))?;
        let new = (name, &settings);
        let made = visit_locations::create(tx, &team.id, &admin.new_id(), new, admin.at)?;
        let view = view(tx, admin, team, (&base, &made))?;
        admin.record_made(tx, &team.id, &object(&made), &view)?;
        Ok(view)
    });
    made.await
}

/// Changes a location.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
    wanted: LocationChange,
) -> Result<LocationView, Refusal> {
    let (base, which) = (app.public_url(), which.to_owned());
    let changed = admin.change(app, team, move |tx, admin, team| {
        let before = visit_locations::find(tx, &team.id, &which)?;
        admin.expect(What::Location, &before.version.to_string())?;
        let old = view(tx, admin, team, (&base, &before))?;
        let name = wanted.name.as_deref().unwrap_or(&before.name);
        let settings = wanted.applied(tx, admin, (team, &before.settings))?;
        if name.trim() == before.name && settings == before.settings {
            return Ok(old);
        }
        let after = visit_locations::update(tx, &team.id, &before, (name, &settings), admin.at)?;
        let view = view(tx, admin, team, (&base, &after))?;
        let what = ("update", &object(&after));
        // What changes by itself was not decided.
        let decided = LocationView {
            is_open: old.is_open,
            version: old.version,
            updated_at: old.updated_at,
            ..view.clone()
        };
        admin.record_changed(tx, &team.id, what, (&old, &decided))?;
        Ok(view)
    });
    changed.await
}

/// Removes a location with its devices. Its past visits stay.
pub(crate) async fn delete(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<(), Refusal> {
    let which = which.to_owned();
    let gone = admin.change(app, team, move |tx, admin, team| {
        let before = visit_locations::find(tx, &team.id, &which)?;
        admin.expect(What::Location, &before.version.to_string())?;
        visit_locations::delete(tx, &team.id, &before.id)?;
        let what = (Category::Admin, "delete");
        admin.record_in(tx, &team.id, what, &object(&before), None)
    });
    gone.await
}

impl LocationChange {
    /// What is decided about a location with this change.
    fn applied(
        &self,
        tx: &mut Tx<'_>,
        admin: &Admin,
        (team, before): (&Team, &Settings),
    ) -> Result<Settings, Refusal> {
        let kept = |wanted: Option<bool>, before: bool| wanted.unwrap_or(before);
        let groups = match &self.groups {
            Some(wanted) => ids(tx, admin, team, (wanted, &before.groups))?,
            None => before.groups.clone(),
        };
        let before = before.clone();
        Ok(Settings {
            time_zone: self.time_zone.clone().unwrap_or(before.time_zone),
            hours: self.hours.clone().unwrap_or(before.hours),
            groups,
            names: self.names.unwrap_or(before.names),
            departments: kept(self.departments, before.departments),
            fallback: self.fallback.clone().unwrap_or(before.fallback),
            languages: self.languages.clone().unwrap_or(before.languages),
            ask_company: kept(self.ask_company, before.ask_company),
            ask_purpose: kept(self.ask_purpose, before.ask_purpose),
            photo_consent: self.photo_consent.clone().unwrap_or(before.photo_consent),
            webhook: self.webhook.clone().unwrap_or(before.webhook),
        })
    }
}

/// The ids of groups in the directories of a team that are for visitors, each once. One that is there already may be gone
/// meanwhile.
fn ids(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    (wanted, before): (&[String], &[String]),
) -> Result<Vec<String>, Refusal> {
    let directories = visitor_hosts::directories(tx, &team.id)?;
    let mut ids: Vec<String> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let mut found = Vec::new();
        for directory in &directories {
            match groups::find(tx, directory, wanted, admin.at) {
                Err(Refusal::NotFound(..)) => {}
                group => found.push(group?.id),
            }
        }
        let id = match (found.pop(), found.pop()) {
            (Some(id), None) => id,
            (None, _) if before.contains(wanted) => wanted.clone(),
            (None, _) => return Err(Refusal::NotFound(What::Group, wanted.clone())),
            (Some(_), Some(_)) => {
                return Err(Refusal::Invalid {
                    attribute: "groups",
                    reason: format!("several are called \"{wanted}\"; say which by its id"),
                });
            }
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn view(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    (base, location): (&str, &Location),
) -> Result<LocationView, Refusal> {
    let settings = location.settings.clone();
    Ok(LocationView {
        id: location.id.clone(),
        name: location.name.clone(),
        team: team.name.clone(),
        url: format!("{base}/visit/{}", location.id),
        group_names: names(tx, team, &settings.groups)?,
        is_open: is_open(&settings.hours, &zone(&settings.time_zone)?, admin.time()),
        settings,
        version: location.version,
        created_at: At(location.created_at),
        updated_at: At(location.updated_at),
    })
}

fn names(tx: &mut Tx<'_>, team: &Team, ids: &[String]) -> Result<Vec<String>, Refusal> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let directories = visitor_hosts::directories(tx, &team.id)?;
    let mut names = vec![String::new(); ids.len()];
    for (id, name) in ids.iter().zip(&mut names) {
        for directory in &directories {
            match known_groups::by_id(tx, &directory.id, id) {
                Err(Refusal::NotFound(..)) => {}
                group => *name = group?.display_name,
            }
        }
    }
    Ok(names)
}

pub(super) fn object(location: &Location) -> Object<'_> {
    Object {
        kind: "Location",
        id: &location.id,
        name: &location.name,
    }
}
