//! Who is in the house.

use super::visits::visited;
use super::{clock, locations_of};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::response::Response;
use portreeve_console::pages::visitors::{Present, RollCall};
use portreeve_console::parts::{Empty, Filter, Icon, Link};
use portreeve_console::{Address, Section};
use portreeve_directory::visit_locations::Location;
use portreeve_directory::visits::{self, State, Visit as Stay};

fn here() -> Address {
    Section::Visitors.address().join("roll-call")
}

/// The visitors at a location: at the one that was chosen, else at the first where there is somebody.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<RollCall, Trouble> {
    let all = locations_of(visit).await?;
    let wanted = visit.query("location");
    let mut chosen = all.iter().find(|location| location.id == wanted);
    let mut there = Vec::new();
    for location in &all {
        if chosen.is_none_or(|chosen| chosen.id == location.id) {
            there = present(visit, location).await?;
            if chosen.is_some() || !there.is_empty() {
                chosen = Some(location);
                break;
            }
        }
    }
    let chosen = chosen.or(all.first());
    let address = chosen.map_or_else(here, |location| {
        here().with("location", location.id.clone())
    });
    let choices = all
        .iter()
        .map(|location| (location.id.clone(), location.name.clone()));
    let several = all.len() > 1;
    let at = chosen.map(|location| {
        let zone = &location.settings.time_zone;
        format!("{} ({zone})", clock(visit.admin.at, zone))
    });
    Ok(RollCall {
        shell: visit.shell(),
        filters: several
            .then(|| Filter::new("Location", &address, "location", choices))
            .into_iter()
            .collect(),
        location: chosen.map(|one| one.name.clone()).unwrap_or_default(),
        at: at.unwrap_or_default(),
        rows: there,
        empty: empty(chosen),
    })
}

async fn present(visit: &Visit, location: &Location) -> Result<Vec<Present>, Trouble> {
    let (team, id) = (visit.team.id.clone(), location.id.clone());
    let open = visit.read(move |tx| visits::open(tx, &team, &id)).await?;
    let mut here: Vec<Stay> = open
        .into_iter()
        .filter(|stay| stay.state == State::Here)
        .collect();
    here.sort_by_cached_key(|stay| stay.visitor_name.to_lowercase());
    let zone = &location.settings.time_zone;
    let row = |stay: Stay| Present {
        came: clock(stay.came_at.unwrap_or(stay.at), zone),
        visited: visited(
            stay.host
                .as_ref()
                .map(|(directory, id)| (directory.as_str(), id.as_str())),
            &stay.host_name,
            (stay.host_gone_at.is_some(), None),
        ),
        visitor: stay.visitor_name,
        company: stay.company,
    };
    Ok(here.into_iter().map(row).collect())
}

fn empty(chosen: Option<&Location>) -> Empty {
    let (title, text, link) = match chosen {
        Some(location) => (
            format!("Nobody is at {}", location.name),
            "No visitor is signed in there.",
            None,
        ),
        None => (
            "No location yet".to_owned(),
            "Visitors are received at locations.",
            Some(Link::new(
                "Locations",
                Section::Visitors.address().join("locations"),
            )),
        ),
    };
    Empty {
        icon: Icon::Visitor,
        title,
        text: text.to_owned(),
        link,
    }
}
