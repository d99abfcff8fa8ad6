//! Searching for whoever is visited, as one types.
//!
//! It is no way to the list of everybody: it needs two letters, gives a few people and no further page, only so often, and
//! takes as long whether somebody is found or nobody.

use super::ask::{Ask, answer};
use crate::api::Problem;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::Refusal;
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::users::User;
use portreeve_directory::visit_locations::Location;
use portreeve_directory::visitor_hosts::{self, FEWEST, Seen, Visibility};
use portreeve_store::Tx;
use serde::Serialize;
use std::time::Duration;

/// The most people who are shown.
const MOST: usize = 8;
/// How many times as many are looked at where some are left out.
const SPARE: usize = 8;
/// The most characters of what is searched for.
const LONGEST: usize = 100;
/// How long an answer takes, unless it takes longer.
const PACE: Duration = Duration::from_millis(25);

/// Somebody who can be visited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PersonView {
    id: String,
    #[serde(flatten)]
    seen: Seen,
}

/// The people of the location whom a text means.
pub(super) async fn search(ask: Ask) -> Result<Response, Problem> {
    let text = ask.query("q")?.unwrap_or_default();
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    if letters < FEWEST || text.chars().count() > LONGEST {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "too_short",
            format!("q: give {FEWEST} letters at least and {LONGEST} characters at most"),
        ));
    }
    ask.count_search().await?;
    let (team_id, location, now) = (ask.team_id.clone(), ask.location.clone(), ask.at);
    let found = ask
        .app
        .store
        .read(move |tx| find(tx, &team_id, &location, (&text, now)));
    let (found, ()) = tokio::join!(found, tokio::time::sleep(PACE));
    answer(StatusCode::OK, &found?)
}

fn find(
    tx: &mut Tx<'_>,
    team_id: &str,
    location: &Location,
    (text, now): (&str, i64),
) -> Result<Vec<PersonView>, Refusal> {
    let settings = &location.settings;
    let most = match settings.departments {
        true => MOST,
        // Some of them are found by what is not to be seen.
        false => MOST * SPARE,
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    for directory in for_visitors(tx, team_id)? {
        let of_these = (settings.groups.as_slice(), now);
        for user in visitor_hosts::search(tx, &directory.id, text, of_these, most)? {
            let resource = user.parsed()?;
            if settings.departments || !visitor_hosts::is_of_department(&resource, text) {
                all.push(PersonView {
                    seen: visitor_hosts::seen(&resource, settings),
                    id: user.id,
                });
            }
        }
    }
    all.sort_by(|one, other| (&one.seen.name, &one.id).cmp(&(&other.seen.name, &other.id)));
    all.truncate(MOST);
    Ok(all)
}

/// Whoever can be visited at a location at that time and has that id. It is `None` for all others alike: those who are
/// hidden, those of other groups, and those who do not exist.
pub(super) fn receives(
    tx: &mut Tx<'_>,
    team_id: &str,
    location: &Location,
    (id, now): (&str, i64),
) -> Result<Option<(Directory, User)>, Refusal> {
    for directory in for_visitors(tx, team_id)? {
        let user = match visitor_hosts::find(tx, &directory, id) {
            Err(Refusal::NotFound(..)) => continue,
            found => found?,
        };
        let visibility = visitor_hosts::visibility(tx, &directory, id, user.status)?;
        let groups = (location.settings.groups.as_slice(), now);
        let is_received = visibility == Visibility::Visible
            && visitor_hosts::is_in(tx, &directory.id, id, groups)?;
        return Ok(is_received.then_some((directory, user)));
    }
    Ok(None)
}

fn for_visitors(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Directory>, Refusal> {
    let mut all = directories::list(tx)?;
    all.retain(|directory| directory.team_id == team_id && directory.settings.visitors);
    Ok(all)
}
