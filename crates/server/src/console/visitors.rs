//! Visitors: visits, roll call, locations with their devices, and the people whom visitors find.

mod devices;
mod expect;
mod hours;
mod locations;
mod people;
mod person;
mod roll_call;
mod settings;
mod visits;

pub(super) use devices::{create as create_device, revoke as revoke_device};
pub(super) use expect::create;
pub(super) use locations::{
    create as create_location, delete as delete_location, list as locations, new as new_location,
    save as save_location, show as location, show_secret,
};
pub(super) use people::list as people;
pub(super) use person::{save as save_person, show as person};
pub(super) use roll_call::show as roll_call;
pub(super) use visits::{csv, json, list, photo, show, sign_out};

use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::users::UserView;
use portreeve_console::parts::{Badge, Tone};
use portreeve_console::{Address, Section};
use portreeve_directory::visit_locations::{self, Location};
use portreeve_directory::visitor_hosts::{self, Visibility};
use portreeve_directory::{Permission, Refusal, directories};
use portreeve_store::Tx;

/// Whether a team receives visitors, so that its console shows what concerns them.
pub(super) fn are_received(tx: &mut Tx<'_>, team_id: &str) -> Result<bool, Refusal> {
    Ok(!visitor_hosts::directories(tx, team_id)?.is_empty()
        || !visit_locations::list(tx, team_id)?.is_empty())
}

/// The page of a visitor host.
pub(super) fn page_of(directory: &str, person: &str) -> Address {
    let people = Section::Visitors.address().join("people");
    people.join(directory).join(person)
}

/// The page of a location.
pub(super) fn location_page(id: &str) -> Address {
    Section::Visitors.address().join("locations").join(id)
}

/// The page of a visit.
fn visit_page(id: &str) -> Address {
    Section::Visitors.address().join("visits").join(id)
}

/// The locations of the team by name.
async fn locations_of(visit: &Visit) -> Result<Vec<Location>, Trouble> {
    let team = visit.team.id.clone();
    visit.read(move |tx| visit_locations::list(tx, &team)).await
}

/// Whether visitors find somebody, for a page.
fn visibility(visibility: Visibility) -> Badge {
    match visibility {
        Visibility::Visible => Badge::new(Tone::Good, "Visible"),
        Visibility::Unassigned => Badge::new(Tone::Neutral, "Not visible: unassigned"),
        Visibility::Suspended => Badge::new(Tone::Bad, "Not visible: suspended"),
        Visibility::HiddenByHand => Badge::new(Tone::Warn, "Not visible: hidden by hand"),
    }
}

/// Whether visitors find a user, and their page as a visitor host; `None` in directories that are not for visitors, and for
/// whoever may not know.
pub(super) async fn of_user(
    visit: &Visit,
    user: &UserView,
) -> Result<Option<(Badge, Address)>, Trouble> {
    if !visit.may(Permission::VisitorRead) {
        return Ok(None);
    }
    let (directory, id, status) = (user.directory_id.clone(), user.id.clone(), user.status);
    let read = visit.read(move |tx| {
        let directory = directories::by_id(tx, &directory)?;
        match directory.settings.visitors {
            true => visitor_hosts::visibility(tx, &directory, &id, status).map(Some),
            false => Ok(None),
        }
    });
    let found = read.await?;
    Ok(found.map(|found| (visibility(found), page_of(&user.directory_id, &user.id))))
}

/// A moment by the clock on the wall of a place.
fn clock(at: i64, zone: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zone = visit_locations::zone(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let there = at.to_zoned(zone);
    there.strftime("%-d %b %Y, %H:%M").to_string()
}
