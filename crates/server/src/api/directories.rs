//! `/directories`: make, see, change and remove directories.

use super::ask::{Ask, Object};
use super::problem::Problem;
use super::rules::{self, Rules};
use super::{reply, tokens};
use crate::{contact, neighbours};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderValue};
use portreeve_directory::directories::{self, Directory, Provider, Settings};
use portreeve_directory::{Refusal, events, groups, teams, unknown, users};
use portreeve_store::Tx;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a request for a new directory says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    provider: Option<String>,
    team: Option<String>,
    profile: Option<String>,
    users: Option<String>,
    groups: Option<String>,
    unique_group_names: Option<bool>,
    security_events: Option<bool>,
    user_extensions: Option<Vec<Value>>,
    group_extensions: Option<Vec<Value>>,
}

/// Makes a directory, with a first token unless it is edited in Portreeve itself.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Wanted = ask.body(body).await?;
    let provider = rules::provider(wanted.provider.as_deref().unwrap_or("generic"))?;
    let mut settings = Settings::of(provider);
    let rules = Rules {
        profile: wanted.profile,
        users: wanted.users,
        groups: wanted.groups,
        unique_group_names: wanted.unique_group_names,
        security_events: wanted.security_events,
        user_extensions: wanted.user_extensions,
        group_extensions: wanted.group_extensions,
    };
    rules.apply(&mut settings)?;
    let (admin, base) = (ask.admin.clone(), ask.app.public_url());
    let body = ask.change(move |tx| {
        let team = admin.ensure_team(tx, wanted.team.as_deref())?;
        let new = directories::New {
            id: admin.new_id(),
            team_id: team.id,
            name: wanted.name.clone(),
            provider,
            settings: settings.clone(),
        };
        let directory = directories::create(tx, &new, admin.at)?;
        let changes = Value::Object(rules::decided(&directory)).to_string();
        admin.record(
            tx,
            &directory,
            "create",
            &object(&directory),
            Some(&changes),
        )?;
        let mut view = rules::view(&directory, &team.name, &base);
        if provider != Provider::Native {
            let (token, secret) = tokens::make(tx, &admin, &directory, "first", None)?;
            view.insert("token_id".into(), json!(token.id));
            view.insert("secret_token".into(), json!(secret));
        }
        Ok(Value::Object(view))
    });
    let body = body.await?;
    let location = format!(
        "{}/directories/{}",
        super::ROOT,
        body["id"].as_str().unwrap_or_default()
    );
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    Ok((headers, reply::object(StatusCode::CREATED, &body)).into_response())
}

/// All directories by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    contact::flush(&ask.app).await;
    let (admin, base) = (ask.admin.clone(), ask.app.public_url());
    let items = ask.read(move |tx| {
        let teams = admin.teams(tx)?;
        let views = directories::list(tx)?.into_iter().filter_map(|directory| {
            let team = teams.iter().find(|team| team.id == directory.team_id)?;
            Some(Value::Object(rules::view(&directory, &team.name, &base)))
        });
        Ok(views.collect())
    });
    Ok(reply::list(items.await?))
}

/// One directory with what is in it, what its provider sends that nobody understands, and what to worry about.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    contact::flush(&ask.app).await;
    let (admin, wanted, base) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.app.public_url(),
    );
    let body = ask.read(move |tx| {
        let directory = admin.directory(tx, &wanted)?;
        let mut view = rules::view(&directory, &team_name(tx, &directory)?, &base);
        let counts = directories::counts(tx, &directory.id)?;
        view.insert("counts".into(), json!(counts));
        let unknown = unknown::list(tx, &directory.id)?;
        view.insert("unknown_attributes".into(), json!(unknown));
        view.insert("warnings".into(), json!(warnings(tx, &directory)?));
        Ok(Value::Object(view))
    });
    Ok(reply::object(StatusCode::OK, &body.await?))
}

/// Changes name and rules.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: Option<String>,
        profile: Option<String>,
        users: Option<String>,
        groups: Option<String>,
        unique_group_names: Option<bool>,
        security_events: Option<bool>,
        user_extensions: Option<Vec<Value>>,
        group_extensions: Option<Vec<Value>>,
    }
    let wanted: Wanted = ask.body(body).await?;
    let rules = Rules {
        profile: wanted.profile,
        users: wanted.users,
        groups: wanted.groups,
        unique_group_names: wanted.unique_group_names,
        security_events: wanted.security_events,
        user_extensions: wanted.user_extensions,
        group_extensions: wanted.group_extensions,
    };
    let (admin, which, base) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.app.public_url(),
    );
    let body = ask.change(move |tx| {
        let before = admin.directory(tx, &which)?;
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
        Ok(Value::Object(rules::view(&after, &team, &base)))
    });
    Ok(reply::object(StatusCode::OK, &body.await?))
}

/// Removes a directory with everything in it. Its events stay.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (admin, which) = (ask.admin.clone(), ask.param("directory"));
    let gone = ask.change(move |tx| {
        let directory = admin.directory(tx, &which)?;
        directories::delete(tx, &directory.id)?;
        admin.record(tx, &directory, "delete", &object(&directory), None)?;
        Ok(directory.id)
    });
    let gone = gone.await?;
    neighbours::tell_gone(&ask.app, &gone);
    Ok(StatusCode::NO_CONTENT.into_response())
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

/// What an admin should know although nothing fails.
fn warnings(tx: &mut Tx<'_>, directory: &Directory) -> Result<Vec<Value>, Refusal> {
    let mut warnings = Vec::new();
    let fed = directory.provider != Provider::Native;
    if fed && users::active_is_never_sent(tx, &directory.id)? {
        warnings.push(json!({
            "code": "active_never_sent",
            "detail": "the provider does not send \"active\", so people who are disabled there stay active here; map active in the provider (in Entra: Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\"))",
        }));
    }
    Ok(warnings)
}

/// The directory that the path names.
pub(super) async fn of(ask: &Ask) -> Result<Arc<Directory>, Problem> {
    let (admin, wanted) = (ask.admin.clone(), ask.param("directory"));
    let found = ask.app.store.lookup(move |tx| admin.directory(tx, &wanted));
    Ok(Arc::new(found.await?))
}
