//! `/applications`: declare, see, change and remove applications of provisioning, and steer their jobs.
//!
//! A definition is the JSON form of what `portreeve app` reads from a file. Its secrets are in requests only.

mod control;
mod logs;
mod look;
mod trial;
mod view;

pub(super) use control::{RestartRequest, pause, restart, start};
pub(super) use logs::list as logs;
pub(super) use look::{LintAnswer, LintRequest, lint, status, test};
pub(super) use trial::{dry_run, on_demand};
pub(super) use view::{ApplicationDetail, ApplicationView};

use super::ask::{Admin, Ask, Object};
use super::problem::Problem;
use super::reply;
use crate::admin;
use crate::applications::{
    self as kept, Before, Declared, Opened, SealedSecrets, Unusable, document,
};
use crate::vault::Damaged;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_directory::applications::{self, Application, New, secrets};
use portreeve_directory::teams::Team;
use portreeve_directory::{Refusal, What, events};
use portreeve_provisioning::application::consequence;
use portreeve_store::Tx;
use serde_json::{Map, Value, json};

/// An application with the name of its team.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    application: Application,
    team: String,
}

/// Declares an application. Its first cycle begins at once.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let mut document: Map<String, Value> = ask.body(body).await?;
    let team = match document.shift_remove("team") {
        None => None,
        Some(Value::String(team)) => Some(team),
        Some(_) => return Err(Problem::invalid("team: give the name of a team")),
    };
    let id = ask.admin.new_id();
    let allowed = &ask.app.config.applications;
    let declared = Declared::check(Value::Object(document), &id, &Before::default(), allowed)?;
    Opened::check(&ask.app, &declared)?;
    let sealed = ask.app.applications.seal(&id, &declared.secrets)?;
    let admin = ask.admin.clone();
    let made = ask.change(move |tx| {
        let team = admin.ensure_team(tx, team.as_deref())?;
        let new = New {
            id: id.clone(),
            team_id: team.id,
            name: declared.application.name.clone(),
            definition: declared.document.to_string(),
        };
        let application = applications::create(tx, &new, admin.at)?;
        kept::keep(tx, &application, &sealed)?;
        let (team_id, object) = (&application.team_id, object(&application));
        admin.record_provisioning(tx, team_id, "create", &object, Some(&new.definition))?;
        let team = team.name;
        Ok((Found { application, team }, sealed.clone()))
    });
    let (found, sealed) = made.await?;
    let view = ApplicationDetail::of(&ask.app, &found, &sealed);
    ask.app.jobs.look();
    let answer = reply::object(StatusCode::CREATED, &view);
    Ok(reply::located(
        answer,
        &format!("/applications/{}", found.application.id),
    ))
}

/// All applications, or those of a team, by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let wanted = ask.query("team").map(str::to_owned);
    let admin = ask.admin.clone();
    let items = ask.read(move |tx| {
        let mut views = Vec::new();
        for team in teams_of(tx, &admin, wanted.as_deref())? {
            for application in applications::list(tx, &team.id)? {
                let team = team.name.clone();
                views.push(ApplicationView::of(&Found { application, team }));
            }
        }
        Ok(views)
    });
    reply::part(&ask, items.await?, ApplicationView::place)
}

/// One application with its definition.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (found, sealed) = read(&ask).await?;
    let view = ApplicationDetail::of(&ask.app, &found, &sealed);
    reply::tagged(&ask, &version(&found.application), &view)
}

/// The definition alone, as it may be declared again.
pub(super) async fn export(ask: Ask) -> Result<Response, Problem> {
    let (found, _) = read(&ask).await?;
    Ok(reply::object(StatusCode::OK, &document(&found.application)))
}

/// Puts another definition in the place of the one there is. Secrets that it does not say stay, unless they would be
/// sent to somebody else.
pub(super) async fn replace(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Map<String, Value> = ask.body(body).await?;
    change(&ask, |_| wanted.clone()).await
}

/// Changes members of the definition, each as a whole; `null` takes one away.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Map<String, Value> = ask.body(body).await?;
    change(&ask, |mut definition| {
        for (name, value) in &wanted {
            match value {
                Value::Null => definition.shift_remove(name),
                value => definition.insert(name.clone(), value.clone()),
            };
        }
        definition
    })
    .await
}

/// Changes the definition, again if somebody else has changed it meanwhile.
async fn change(
    ask: &Ask,
    change: impl Fn(Map<String, Value>) -> Map<String, Value>,
) -> Result<Response, Problem> {
    loop {
        let (found, sealed) = read(ask).await?;
        ask.admin
            .expect(What::Application, &version(&found.application))?;
        let id = found.application.id.clone();
        let before = Before {
            document: document(&found.application),
            secrets: ask.app.applications.readable(&id, &sealed),
        };
        let wanted = change(before.document.as_object().cloned().unwrap_or_default());
        let allowed = &ask.app.config.applications;
        let declared = Declared::check(Value::Object(wanted), &id, &before, allowed)?;
        Opened::check(&ask.app, &declared)?;
        let changes = changes(&before, &declared);
        let sealed = ask.app.applications.seal(&id, &declared.secrets)?;
        if let Some(found) = declare(ask, found, declared, sealed, changes).await? {
            ask.app.jobs.look();
            let view = ApplicationDetail::of(&ask.app, &found.0, &found.1);
            return reply::tagged(ask, &version(&found.0.application), &view);
        }
    }
}

/// Writes a changed definition; `None` when somebody else was quicker.
async fn declare(
    ask: &Ask,
    found: Found,
    declared: Declared,
    sealed: SealedSecrets,
    changes: Option<String>,
) -> Result<Option<(Found, SealedSecrets)>, Problem> {
    let admin = ask.admin.clone();
    let written = ask.change(move |tx| {
        let before = &found.application;
        let now = applications::by_id(tx, &before.team_id, &before.id)?;
        if (&now.definition, now.updated_at) != (&before.definition, before.updated_at) {
            return Ok(None);
        }
        let (name, text) = (&declared.application.name, declared.document.to_string());
        let after = applications::declare(tx, &now, name, &text, admin.at)?;
        kept::keep(tx, &after, &sealed)?;
        let earlier = document(before);
        if let Some(reset) = consequence(&earlier, &declared.document) {
            control::renew(tx, &after, &reset, admin.at)?;
        }
        if changes.is_some() {
            let object = object(&after);
            admin.record_provisioning(tx, &after.team_id, "update", &object, changes.as_deref())?;
        }
        let after = Found {
            application: applications::by_id(tx, &after.team_id, &after.id)?,
            team: found.team.clone(),
        };
        Ok(Some((after, sealed.clone())))
    });
    written.await
}

/// Removes an application with all that its job knows. Nothing is changed at its target.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (admin, wanted) = (ask.admin.clone(), ask.param("application"));
    let gone = ask.change(move |tx| {
        let application = find(tx, &admin, &wanted)?.application;
        admin.expect(What::Application, &version(&application))?;
        applications::delete(tx, &application)?;
        let object = object(&application);
        admin.record_provisioning(tx, &application.team_id, "delete", &object, None)
    });
    gone.await?;
    ask.app.jobs.look();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The application that the path names.
async fn read(ask: &Ask) -> Result<(Found, SealedSecrets), Problem> {
    let (admin, wanted) = (ask.admin.clone(), ask.param("application"));
    ask.read(move |tx| {
        let found = find(tx, &admin, &wanted)?;
        let sealed = secrets::all(tx, &found.application.id)?;
        Ok((found, sealed))
    })
    .await
}

/// The application with that id, or the only one with that name.
fn find(tx: &mut Tx<'_>, admin: &Admin, id_or_name: &str) -> Result<Found, Refusal> {
    let mut found: Vec<Found> = Vec::new();
    for team in admin.teams(tx)? {
        match applications::find(tx, &team.id, id_or_name) {
            Err(Refusal::NotFound(..)) => {}
            Err(refusal) => return Err(refusal),
            Ok(application) => found.push(Found {
                application,
                team: team.name,
            }),
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Refusal::NotFound(What::Application, id_or_name.to_owned())),
        (Some(_), false) => Err(Refusal::Invalid {
            attribute: "application",
            reason: format!(
                "several teams have an application \"{id_or_name}\"; say which by its id"
            ),
        }),
    }
}

/// The team of that name, or all.
fn teams_of(tx: &mut Tx<'_>, admin: &Admin, named: Option<&str>) -> Result<Vec<Team>, Refusal> {
    match named {
        Some(name) => Ok(vec![admin.team(tx, Some(name))?]),
        None => admin.teams(tx),
    }
}

/// What a change of an application depends on: its definition.
fn version(application: &Application) -> String {
    admin::version(&application.definition)
}

fn object(application: &Application) -> Object<'_> {
    Object {
        kind: "Application",
        id: &application.id,
        name: &application.name,
    }
}

/// What is different, as an event tells it: of secrets only that they are.
fn changes(before: &Before, now: &Declared) -> Option<String> {
    let (Some(earlier), Some(later)) = (before.document.as_object(), now.document.as_object())
    else {
        return None;
    };
    let entries = events::diff(earlier, later).and_then(|text| serde_json::from_str(&text).ok());
    let mut entries: Vec<Value> = entries.unwrap_or_default();
    let secrets = now.new_secrets(&before.secrets);
    entries.extend(secrets.map(|setting| json!({"attribute": setting})));
    (!entries.is_empty()).then(|| Value::Array(entries).to_string())
}

impl From<Unusable> for Problem {
    fn from(unusable: Unusable) -> Self {
        Self::invalid(unusable.to_string())
    }
}

impl From<Damaged> for Problem {
    fn from(damaged: Damaged) -> Self {
        Self::invalid(damaged.to_string())
    }
}
