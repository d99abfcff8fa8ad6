//! A visitor signs out: by the code on the badge, or by name.
//!
//! A name that fits more than one visitor, or not wholly, signs nobody out before it was chosen which; two of one name are
//! told apart by where they come from and since when they are here.

use super::ask::{Ask, answer, read, time};
use crate::api::Problem;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::visitor_hosts::FEWEST;
use portreeve_directory::visits::{self, State, Visit};
use portreeve_directory::{Refusal, What};
use portreeve_store::{Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The most visitors who are offered.
const MOST: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignOut {
    /// What is on the badge: the code, or the address that it is part of.
    code: Option<String>,
    /// The name, or words of it.
    name: Option<String>,
    /// The id of the one who was chosen of those that the name has offered.
    visit: Option<String>,
}

/// Who leaves.
enum Leaving {
    Badge(Presented),
    Named(String),
    Chosen(String, String),
}

/// What came of it.
enum Left {
    Done(Box<Visit>),
    Which(Vec<Visit>),
    Nobody,
}

#[derive(Serialize)]
struct SignedOutView {
    signed_out: LeftView,
}

#[derive(Serialize)]
struct LeftView {
    visit: String,
    name: String,
}

#[derive(Serialize)]
struct ChoiceView {
    visit: String,
    name: String,
    company: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    came_at: Option<Timestamp>,
}

/// Signs a visitor out, or says between whom it is to be chosen. Open or closed, whoever is in can leave.
pub(super) async fn sign_out(ask: Ask, body: Body) -> Result<Response, Problem> {
    let (_, wanted) = read::<SignOut>(&ask.app, &ask.headers, body).await?;
    let leaving = leaving(wanted)?;
    if !matches!(leaving, Leaving::Badge(_)) {
        ask.count_search().await?;
    }
    let is_badge = matches!(leaving, Leaving::Badge(_));
    let asking = ask.clone();
    let left = ask.app.write(Scope::of(&ask.team_id), move |tx| {
        leave(tx, &asking, &leaving)
    });
    match left.await? {
        Left::Done(visit) => {
            let signed_out = LeftView {
                visit: visit.id,
                name: visit.visitor_name,
            };
            answer(StatusCode::OK, &SignedOutView { signed_out })
        }
        Left::Which(visits) => Ok(which(visits)),
        Left::Nobody if is_badge => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "badge_unknown",
            "this is no badge of somebody who is here",
        )),
        Left::Nobody => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "nobody_here",
            "nobody of this name is signed in here; give the name as it is on the badge",
        )),
    }
}

fn leaving(wanted: SignOut) -> Result<Leaving, Problem> {
    match (wanted.code, wanted.name, wanted.visit) {
        (Some(code), None, None) => {
            // A scanner types the whole address.
            let code = code.trim().rsplit('/').next().unwrap_or_default();
            let presented = Presented::parse(Kind::Visit, code);
            presented.map(Leaving::Badge).ok_or_else(|| {
                Problem::new(
                    StatusCode::NOT_FOUND,
                    "badge_unknown",
                    "this is no code of a badge",
                )
            })
        }
        (None, Some(name), visit) => {
            let letters = name.chars().filter(|c| c.is_alphanumeric()).count();
            match visit {
                Some(visit) => Ok(Leaving::Chosen(visit, name)),
                None if letters < FEWEST => Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "too_short",
                    format!("name: give {FEWEST} letters at least"),
                )),
                None => Ok(Leaving::Named(name)),
            }
        }
        _ => Err(Problem::invalid(
            "give the code of the badge, or the name, or the name and the visit that was chosen",
        )),
    }
}

fn leave(tx: &mut Tx<'_>, ask: &Ask, leaving: &Leaving) -> Result<Left, Refusal> {
    let is_of_here =
        |visit: &Visit| visit.location_id == ask.location.id && visit.state != State::Expected;
    let visit = match leaving {
        Leaving::Badge(presented) if presented.team_id == ask.team_id => {
            visits::verify(tx, presented)?.filter(is_of_here)
        }
        Leaving::Badge(_) => None,
        Leaving::Chosen(id, name) => match visits::by_id(tx, &ask.team_id, id) {
            Err(Refusal::NotFound(What::Visit, _)) => None,
            found => Some(found?).filter(|it| is_of_here(it) && visits::is_named(it, name)),
        },
        Leaving::Named(name) => match named(tx, ask, name)? {
            Ok(visit) => visit,
            Err(choices) => return Ok(Left::Which(choices)),
        },
    };
    let Some(visit) = visit else {
        return Ok(Left::Nobody);
    };
    let by = ask.by();
    let cause = by.cause(&ask.team_id, None);
    visits::leave(tx, &cause, (&visit, &ask.location.name))?;
    Ok(Left::Done(Box::new(visit)))
}

/// The one of that name; or those between whom it is to be chosen, the latest first.
fn named(
    tx: &mut Tx<'_>,
    ask: &Ask,
    name: &str,
) -> Result<Result<Option<Visit>, Vec<Visit>>, Refusal> {
    let mut meant = visits::open(tx, &ask.team_id, &ask.location.id)?;
    meant.retain(|visit| {
        visit.state == State::Here
            && (visits::is_named(visit, name) || visits::is_name_of(visit, name))
    });
    if let [one] = meant.as_slice()
        && visits::is_name_of(one, name)
    {
        return Ok(Ok(meant.pop()));
    }
    meant.reverse();
    // Whoever has said the whole name means one of those who have it.
    meant.sort_by_key(|visit| !visits::is_name_of(visit, name));
    meant.truncate(MOST);
    match meant.is_empty() {
        true => Ok(Ok(None)),
        false => Ok(Err(meant)),
    }
}

/// The answer that says between whom it is to be chosen.
fn which(visits: Vec<Visit>) -> Response {
    let choices = visits.into_iter().map(|visit| ChoiceView {
        visit: visit.id,
        name: visit.visitor_name,
        company: visit.company,
        came_at: visit.came_at.map(time),
    });
    let body = json!({
        "title": "Conflict",
        "status": StatusCode::CONFLICT.as_u16(),
        "code": "which_visitor",
        "detail": "say who leaves: send the name again with the visit of one of the choices",
        "choices": choices.collect::<Vec<_>>(),
    });
    let mut response = (StatusCode::CONFLICT, body.to_string()).into_response();
    let headers = response.headers_mut();
    let problem = HeaderValue::from_static("application/problem+json");
    headers.insert(CONTENT_TYPE, problem);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
