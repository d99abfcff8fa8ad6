//! Who is in the house, for when everybody has to leave it.

use super::ask::{Ask, answer, time};
use super::badge;
use crate::api::Problem;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use portreeve_directory::visits::{self, State};
use serde::Serialize;

#[derive(Serialize)]
struct RollCallView {
    location: String,
    /// By which clock its times are read, for a page that has nothing but this.
    time_zone: String,
    /// When it was so.
    at: Timestamp,
    people: Vec<PresentView>,
}

#[derive(Serialize)]
struct PresentView {
    visitor_name: String,
    company: String,
    visitor_host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    came_at: Option<Timestamp>,
}

/// Everybody who has signed in and not out.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team_id, location_id) = (ask.team_id.clone(), ask.location.id.clone());
    let open = ask
        .app
        .store
        .read(move |tx| visits::open(tx, &team_id, &location_id));
    let names = ask.location.settings.names;
    let here = open.await?.into_iter();
    let here = here.filter(|visit| visit.state == State::Here);
    let people = here.map(|visit| PresentView {
        visitor_host: badge::shown(&visit.host_name, names),
        came_at: visit.came_at.map(time),
        visitor_name: visit.visitor_name,
        company: visit.company,
    });
    let view = RollCallView {
        location: ask.location.name.clone(),
        time_zone: ask.location.settings.time_zone.clone(),
        at: ask.now(),
        people: people.collect(),
    };
    answer(StatusCode::OK, &view)
}
