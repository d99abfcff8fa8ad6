//! A visitor signs in: written down, told to whoever is visited, and given a badge, all in one transaction or not at all.

use super::ask::{Ask, answer, read};
use super::{badge, people};
use crate::admin;
use crate::api::{Problem, once};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use portreeve_directory::Refusal;
use portreeve_directory::events::Cause;
use portreeve_directory::idempotency::Claim;
use portreeve_directory::visit_locations::Settings;
use portreeve_directory::visit_notices::{self, Notice, Told};
use portreeve_directory::visitor_hosts;
use portreeve_directory::visits::{self, Guest, LARGEST_PHOTO, New, Secrets, Visit};
use portreeve_store::{Scope, Tx};
use serde::{Deserialize, Serialize};

/// What a visitor says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The id of whoever is visited; `null` where the visitor does not know.
    visitor_host: Option<String>,
    name: String,
    #[serde(default)]
    company: String,
    #[serde(default)]
    purpose: String,
    /// JPEG or PNG in base64.
    photo: Option<String>,
    /// Whether the visitor consents to the picture, by the text of the location.
    #[serde(default)]
    consents: bool,
}

#[derive(Serialize)]
struct SignedInView {
    id: String,
    badge: badge::BadgeView,
    told: Told,
}

/// Why a visitor is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("visitors are not received at this time; the state of the location says when they are")]
    Closed,
    #[error("nobody of this id can be visited here; search again")]
    NotThere,
    #[error(
        "nobody is there to be told: name whom you visit, because the location has no fallback for those who do not know"
    )]
    NobodyToTell,
    #[error("a picture needs a text of consent at the location, and the consent of the visitor")]
    NoConsent,
    #[error("photo: a JPEG or PNG in base64, of at most {LARGEST_PHOTO} bytes")]
    NoPhoto,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (status, code) = match refused {
            Refused::Closed => (StatusCode::CONFLICT, "location_closed"),
            Refused::NotThere => (StatusCode::NOT_FOUND, "visitor_host_unknown"),
            Refused::NobodyToTell => (StatusCode::CONFLICT, "nobody_to_tell"),
            Refused::NoConsent => (StatusCode::BAD_REQUEST, "no_consent"),
            Refused::NoPhoto => (StatusCode::BAD_REQUEST, "invalid"),
        };
        Self::new(status, code, refused.to_string())
    }
}

/// Signs a visitor in, once for each `Idempotency-Key`.
pub(super) async fn sign_in(ask: Ask, body: Body) -> Result<Response, Problem> {
    let (whole, wanted) = read::<SignIn>(&ask.app, &ask.headers, body).await?;
    let Some(key) = once::key(&ask.headers)? else {
        return come(ask, wanted, None).await;
    };
    let id = once::id(("device", &ask.device.id), "/visits", &key);
    let fingerprint = once::fingerprint(&whole);
    drop(whole);
    let (app, team_id) = (ask.app.clone(), ask.team_id.clone());
    let work = |claim: Claim| async move {
        match come(ask, wanted, Some(claim)).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    };
    once::carry_out(&app, team_id, (id, fingerprint), work).await
}

async fn come(ask: Ask, wanted: SignIn, claim: Option<Claim>) -> Result<Response, Problem> {
    if !ask.is_open()? {
        return Err(Refused::Closed.into());
    }
    let photo = photo(&ask, &wanted)?;
    let asking = ask.clone();
    let written = ask.app.write(Scope::of(&ask.team_id), move |tx| {
        let done = write(tx, &asking, &wanted, photo.as_deref())?;
        admin::confirm(tx, claim.as_ref())?;
        Ok(done)
    });
    let (visit, secrets, told) = written.await??;
    let view = SignedInView {
        badge: badge::of(&ask, &visit, &secrets.badge)?,
        id: visit.id,
        told,
    };
    answer(StatusCode::CREATED, &view)
}

/// The picture, where it was agreed to.
fn photo(ask: &Ask, wanted: &SignIn) -> Result<Option<Vec<u8>>, Refused> {
    let Some(photo) = &wanted.photo else {
        return Ok(None);
    };
    if !wanted.consents || ask.location.settings.photo_consent.is_none() {
        return Err(Refused::NoConsent);
    }
    match STANDARD.decode(photo) {
        Ok(photo) if photo.len() <= LARGEST_PHOTO => Ok(Some(photo)),
        Ok(_) | Err(_) => Err(Refused::NoPhoto),
    }
}

fn write(
    tx: &mut Tx<'_>,
    ask: &Ask,
    wanted: &SignIn,
    photo: Option<&[u8]>,
) -> Result<Result<(Visit, Secrets, Told), Refused>, Refusal> {
    let by = ask.by();
    let cause = by.cause(&ask.team_id, None);
    let (location, at) = (&ask.location, ask.at);
    let visited = match &wanted.visitor_host {
        None => None,
        Some(id) => match people::receives(tx, &ask.team_id, location, (id, at))? {
            None => return Ok(Err(Refused::NotThere)),
            Some((directory, user)) => {
                let seen = visitor_hosts::seen(&user.parsed()?, &Settings::default());
                Some(((directory.id, user.id), seen.name))
            }
        },
    };
    let visited_id = visited.as_ref().map(|((_, id), _)| id.as_str());
    let sought = (wanted.name.as_str(), visited_id);
    let awaited = visits::awaited(tx, &ask.team_id, &location.id, sought, at)?;
    let is_known = visited.is_some() || awaited.as_ref().is_some_and(|it| it.host.is_some());
    if !is_known && location.settings.fallback.is_none() {
        return Ok(Err(Refused::NobodyToTell));
    }
    let guest = Guest {
        name: &wanted.name,
        company: &wanted.company,
        purpose: &wanted.purpose,
        photo,
    };
    let (visit, secrets) = arrive(tx, &cause, ask, (visited, awaited), &guest)?;
    let notice = Notice {
        base: &ask.app.public_url(),
        mails: ask.app.mailer.is_some(),
        location,
        visit: &visit,
    };
    let told = visit_notices::arrived(tx, &cause, &notice, &secrets.answer)?;
    Ok(Ok((visit, secrets, told)))
}

/// Whoever is visited (directory and id), and their name.
type Visited = ((String, String), String);

/// Writes the visit down: the one that was announced, or a new one.
fn arrive(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    ask: &Ask,
    (visited, awaited): (Option<Visited>, Option<Visit>),
    guest: &Guest<'_>,
) -> Result<(Visit, Secrets), Refusal> {
    let location = &ask.location;
    if let Some(mut visit) = awaited {
        if let Some((host, name)) = visited.clone() {
            (visit.host, visit.host_name) = (Some(host), name);
        }
        if let Some(arrived) = visits::arrive(tx, cause, (&visit, &location.name), guest)? {
            return Ok(arrived);
        }
    }
    let id = ask.app.ids.next(ask.at).to_string();
    let new = New {
        id: &id,
        location: (&location.id, &location.name),
        host: visited
            .as_ref()
            .map(|((directory, user), _)| (directory.as_str(), user.as_str())),
        host_name: visited.as_ref().map_or("", |(_, name)| name),
        expected_at: None,
    };
    visits::create(tx, cause, &new, guest)
}
