//! Visits: see who came to see whom and who is in the house, announce visitors, and sign them out.

mod export;
mod view;

use super::{Admin, users, visitor_hosts as people};
use crate::app::App;
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::mails;
use portreeve_directory::teams::Team;
use portreeve_directory::users::User;
use portreeve_directory::visit_locations::{self, Location};
use portreeve_directory::visit_notices::{self, Notice};
use portreeve_directory::visitor_hosts;
use portreeve_directory::visits::{self, Guest, New, State, Visit, Wanted};
use portreeve_directory::{Refusal, What, webhooks};
use portreeve_scim::time;
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::HashMap;

pub(crate) use export::export;
pub(crate) use view::{NoticesView, Place, VisitPlace, VisitView};

/// For how long after its time a visit can still be announced (microseconds): visitors are late, and so are those who
/// announce them.
const LATE: i64 = 24 * 3_600_000_000;
/// How far ahead visitors are announced (microseconds).
const AHEAD: i64 = 366 * 24 * 3_600_000_000;

/// Which visits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    /// At the location with this id or name.
    pub(crate) location: Option<String>,
    /// In this state.
    pub(crate) state: Option<State>,
    /// With the person with this id or `userName`.
    pub(crate) visitor_host: Option<String>,
    /// Not before this time (microseconds since 1970 UTC).
    pub(crate) from: Option<i64>,
    /// Before this time.
    pub(crate) until: Option<i64>,
}

/// A visitor to be announced.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVisit {
    /// Id or name of the location.
    pub(crate) location: String,
    /// Id or `userName` of whoever is visited; without it, whoever the location has for that is told.
    pub(crate) visitor_host: Option<String>,
    /// Id or name of their directory; needed only where several have such a person.
    pub(crate) directory: Option<String>,
    /// The visitor.
    pub(crate) name: String,
    /// Whom the visitor works for.
    pub(crate) company: Option<String>,
    /// What for.
    pub(crate) purpose: Option<String>,
    /// When (RFC 3339).
    pub(crate) expected_at: String,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// The next visits of a team after a place, the latest first.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    chosen: Chosen,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<VisitView>, Refusal> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = admin.read(app, team, move |tx, admin, team| {
        page(tx, admin, team, &chosen, (after.as_ref(), limit))
    });
    read.await
}

/// One visit.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<VisitView, Refusal> {
    let id = id.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        let found = visits::by_id(tx, &team.id, &id)?;
        let location = location_of(tx, team, &found)?;
        Ok(VisitView::of(found, Some(&location)))
    });
    read.await
}

/// The picture of a visitor, where there is one.
pub(crate) async fn photo(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<Option<Vec<u8>>, Refusal> {
    let id = id.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        visits::by_id(tx, &team.id, &id)?;
        visits::photo(tx, &team.id, &id)
    });
    read.await
}

/// Announces a visitor: whoever is visited is told, and the reception knows of them.
pub(crate) async fn create(
    app: &App,
    admin: &Admin,
    wanted: NewVisit,
) -> Result<VisitView, Refusal> {
    let (base, mails, of) = (app.public_url(), app.mailer.is_some(), wanted.team.clone());
    let expected_at = expected_at(&wanted.expected_at, admin.at)?;
    let made = admin.change(app, of.as_deref(), move |tx, admin, team| {
        let location = visit_locations::find(tx, &team.id, &wanted.location)?;
        let visited = match &wanted.visitor_host {
            Some(which) => {
                let from = wanted.directory.as_deref();
                let (directory, user) = find(tx, admin, team, (from, which))?;
                receives(tx, admin, &location, (&directory, &user))?;
                let name = people::name(&user.parsed()?);
                Some((directory.id, user.id, name))
            }
            None => None,
        };
        let new = New {
            id: &admin.new_id(),
            location: (&location.id, &location.name),
            host: visited
                .as_ref()
                .map(|(in_, id, _)| (in_.as_str(), id.as_str())),
            host_name: visited.as_ref().map_or("", |(.., name)| name.as_str()),
            expected_at: Some(expected_at),
        };
        let guest = Guest {
            name: &wanted.name,
            company: wanted.company.as_deref().unwrap_or_default(),
            purpose: wanted.purpose.as_deref().unwrap_or_default(),
            photo: None,
        };
        let cause = admin.cause(&team.id, None);
        let (visit, _) = visits::create(tx, &cause, &new, &guest)?;
        let notice = Notice {
            base: &base,
            mails,
            location: &location,
            visit: &visit,
        };
        visit_notices::expected(tx, &cause, &notice)?;
        Ok(VisitView::of(visit, Some(&location.name)))
    });
    made.await
}

/// Signs a visitor out, or takes back that one is expected. Doing it twice changes nothing.
pub(crate) async fn sign_out(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    id: &str,
) -> Result<VisitView, Refusal> {
    let id = id.to_owned();
    let done = admin.change(app, team, move |tx, admin, team| {
        let before = visits::by_id(tx, &team.id, &id)?;
        let location = location_of(tx, team, &before)?;
        visits::leave(tx, &admin.cause(&team.id, None), (&before, &location))?;
        let after = visits::by_id(tx, &team.id, &id)?;
        Ok(VisitView::of(after, Some(&location)))
    });
    done.await
}

/// What people and programs of a team are still to be told.
pub(crate) async fn notices(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<NoticesView, Refusal> {
    let read = admin.read(app, team, |tx, _, team| {
        Ok(NoticesView {
            mails: mails::waiting(tx, &team.id)?.into(),
            webhooks: webhooks::waiting(tx, &team.id)?.into(),
        })
    });
    read.await
}

fn page(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    chosen: &Chosen,
    (after, limit): (Option<&Place>, i64),
) -> Result<Vec<VisitView>, Refusal> {
    let names: HashMap<String, String> = visit_locations::list(tx, &team.id)?
        .into_iter()
        .map(|location| (location.id, location.name))
        .collect();
    let location = match chosen.location.as_deref() {
        None => None,
        Some(wanted) => Some(match visit_locations::find(tx, &team.id, wanted) {
            Ok(location) => location.id,
            Err(missing) => {
                let theirs = Wanted {
                    location_id: Some(wanted),
                    ..Wanted::default()
                };
                id_of_gone(tx, team, (wanted, &theirs), missing)?
            }
        }),
    };
    let host = match chosen.visitor_host.as_deref() {
        None => None,
        Some(wanted) => Some(match find(tx, admin, team, (None, wanted)) {
            Ok((_, user)) => user.id,
            Err(missing) => {
                let theirs = Wanted {
                    host_id: Some(wanted),
                    ..Wanted::default()
                };
                id_of_gone(tx, team, (wanted, &theirs), missing)?
            }
        }),
    };
    let wanted = Wanted {
        location_id: location.as_deref(),
        state: chosen.state,
        host_id: host.as_deref(),
        from: chosen.from,
        until: chosen.until,
    };
    let after = after.map(|place| (place.at, place.id.as_str()));
    let found = visits::list(tx, &team.id, &wanted, after, limit)?;
    let view = |visit: Visit| {
        let name = names.get(&visit.location_id).map(String::as_str);
        VisitView::of(visit, name)
    };
    Ok(found.into_iter().map(view).collect())
}

/// The id of a location or of somebody that there are visits of still, although it was removed.
fn id_of_gone(
    tx: &mut Tx<'_>,
    team: &Team,
    (id, theirs): (&str, &Wanted<'_>),
    missing: Refusal,
) -> Result<String, Refusal> {
    let is_gone = matches!(missing, Refusal::NotFound(..))
        && !visits::list(tx, &team.id, theirs, None, 1)?.is_empty();
    match is_gone {
        true => Ok(id.to_owned()),
        false => Err(missing),
    }
}

/// The name of the location of a visit; empty once that is gone.
fn location_of(tx: &mut Tx<'_>, team: &Team, visit: &Visit) -> Result<String, Refusal> {
    match visit_locations::find(tx, &team.id, &visit.location_id) {
        Err(Refusal::NotFound(..)) => Ok(String::new()),
        found => Ok(found?.name),
    }
}

/// Somebody with that id or `userName`, in that directory, or in whichever has one that is for visitors.
fn find(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    (directory, wanted): (Option<&str>, &str),
) -> Result<(Directory, User), Refusal> {
    let mut directories = visitor_hosts::directories(tx, &team.id)?;
    if let Some(which) = directory {
        let named = directories::find_in(tx, &team.id, which)?;
        directories.retain(|directory| directory.id == named.id);
    }
    let mut found = Vec::new();
    for directory in directories {
        match users::find(tx, &directory, wanted, admin.at) {
            Err(Refusal::NotFound(..)) => {}
            user => found.push((directory, user?)),
        }
    }
    match (found.pop(), found.pop()) {
        (Some(_), Some(_)) => Err(Refusal::Invalid {
            attribute: "visitor_host",
            reason: format!("several directories have \"{wanted}\"; say which, or give the id"),
        }),
        (found, _) => found.ok_or_else(|| Refusal::NotFound(What::User, wanted.to_owned())),
    }
}

/// Refuses to announce a visitor of somebody whom they would not find at that location.
fn receives(
    tx: &mut Tx<'_>,
    admin: &Admin,
    location: &Location,
    whom: (&Directory, &User),
) -> Result<(), Refusal> {
    match people::why_not(tx, whom, location, admin.at)? {
        None => Ok(()),
        Some(why) => Err(Refusal::Invalid {
            attribute: "visitor_host",
            reason: format!(
                "visitors of {} do not find them: {}",
                location.name,
                why.sentence()
            ),
        }),
    }
}

fn expected_at(text: &str, now: i64) -> Result<i64, Refusal> {
    let invalid = |reason| Refusal::Invalid {
        attribute: "expected_at",
        reason,
    };
    let at = time::parse(text).ok_or_else(|| {
        invalid(format!(
            "\"{text}\" is no time; write it as 2027-01-31T09:30:00Z"
        ))
    })?;
    match (now - LATE..now + AHEAD).contains(&at) {
        true => Ok(at),
        false => Err(invalid(
            "a day that is not over, at most a year ahead".to_owned(),
        )),
    }
}
