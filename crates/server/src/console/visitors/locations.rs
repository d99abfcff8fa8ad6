//! Locations: the list, one of them with its settings and devices, and what can be done about it.

use super::settings::{
    change, decided, fallback, fallback_fields, name_field, parts, stored, zone_field,
};
use super::{devices, location_page};
use crate::admin::visit_locations::{self, LocationView, NewLocation};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::people::history;
use crate::console::settings::question;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::pages::visitors::{Location, LocationRow, Locations};
use portreeve_console::parts::{
    Alert, Badge, Copyable, Count, Empty, Fact, Facts, Icon, Link, PostButton, Secret, Shown, Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::visits::{self, State};
use portreeve_directory::{Permission, Refusal, What, visit_devices, visitor_hosts};
use secrecy::ExposeSecret;

fn here() -> Address {
    Section::Visitors.address().join("locations")
}

/// The locations of the team.
pub(in crate::console) async fn list(visit: Visit) -> Response {
    visit.answer(make_list(&visit).await)
}

async fn make_list(visit: &Visit) -> Result<Locations, Trouble> {
    let all = visit_locations::list(&visit.app, &visit.admin, None).await?;
    let team = visit.team.id.clone();
    let ids: Vec<String> = all.iter().map(|one| one.id.clone()).collect();
    let counts = visit.read(move |tx| {
        let mut counts = Vec::with_capacity(ids.len());
        for id in &ids {
            let open = visits::open(tx, &team, id)?;
            let here = open.iter().filter(|stay| stay.state == State::Here).count();
            let devices = visit_devices::list(tx, &team, id)?;
            let devices = devices.iter().filter(|one| one.revoked_at.is_none());
            counts.push([here, open.len() - here, devices.count()].map(count));
        }
        Ok(counts)
    });
    let row = |(one, [here, expected, devices]): (&LocationView, [Count; 3])| LocationRow {
        id: one.id.clone(),
        href: location_page(&one.id),
        name: one.name.clone(),
        state: state(one),
        time_zone: one.settings.time_zone.clone(),
        here,
        expected,
        devices,
    };
    let may = visit.may(Permission::VisitorWrite);
    let new = here().join("new");
    Ok(Locations {
        shell: visit.shell(),
        rows: all.iter().zip(counts.await?).map(row).collect(),
        empty: Empty {
            icon: Icon::Visitor,
            title: "No location yet".to_owned(),
            text: "A location is where visitors are received: an entrance with a tablet, its opening hours, and the people whom visitors find there.".to_owned(),
            link: may.then(|| Link::new("New location", new.clone())),
        },
        create: may.then_some(new),
    })
}

fn count(number: usize) -> Count {
    Count(u64::try_from(number).unwrap_or(u64::MAX))
}

fn state(location: &LocationView) -> Badge {
    match location.is_open {
        true => Badge::new(Tone::Good, "Open"),
        false => Badge::new(Tone::Neutral, "Closed"),
    }
}

/// The form for a new one.
pub(in crate::console) async fn new(visit: Visit) -> Response {
    visit.page(&form(&visit, &Form::default(), None))
}

fn form(visit: &Visit, sent: &Form, problem: Option<Alert>) -> New {
    let [fallback, email] = fallback_fields(sent);
    New {
        shell: visit.shell(),
        kind: Kind::Location,
        problem,
        fields: vec![name_field(sent), zone_field(sent), fallback, email],
    }
}

/// Makes a location.
pub(in crate::console) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = NewLocation {
            name: form.text("name").to_owned(),
            time_zone: form.filled("time_zone"),
            fallback: fallback(&form),
            ..NewLocation::default()
        };
        match visit_locations::create(&visit.app, &visit.admin, wanted).await {
            Ok(made) => {
                let said = format!("{} is made. Make the device for its door next.", made.name);
                Ok(visit.done(&location_page(&made.id), &said))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&self::form(&visit, &form, Some(problem))))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// The location that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let location = find(&visit).await?;
        make(&visit, &location, None).await
    };
    visit.answer(shown.await)
}

pub(super) async fn find(visit: &Visit) -> Result<LocationView, Trouble> {
    let wanted = visit.param("location");
    Ok(visit_locations::get(&visit.app, &visit.admin, None, &wanted).await?)
}

/// The page of a location; with what was wrong with what was sent, and that again.
pub(super) async fn make(
    visit: &Visit,
    location: &LocationView,
    refused: Option<(Alert, Option<&Form>)>,
) -> Result<Location, Trouble> {
    let may = visit.may(Permission::VisitorWrite);
    let stored = stored(location);
    let (problem, sent) = match refused {
        Some((alert, sent)) => (Some(alert), sent),
        None => (None, None),
    };
    let here = location_page(&location.id);
    Ok(Location {
        shell: visit.shell(),
        name: location.name.clone(),
        state: state(location),
        problem,
        alerts: alerts(visit, location).await?,
        secrets: Vec::<Secret>::new(),
        profile: profile(location, may),
        show_secret: (may && location.settings.webhook.is_some()).then(|| PostButton {
            action: here.clone().join("webhook-secret"),
            label: "Show the secret of the webhook".to_owned(),
            values: Vec::new(),
            class: "small",
        }),
        roll_call: Link::new(
            "Roll call",
            Section::Visitors
                .address()
                .join("roll-call")
                .with("location", location.id.clone()),
        ),
        devices: devices::block(visit, location).await?,
        edit: may.then(|| (here.clone(), parts(sent.unwrap_or(&stored)))),
        history: history(visit, &location.id).await?,
        all_history: Section::Logs
            .address()
            .with("object", location.id.clone()),
        delete: may.then(|| {
            question(
                "delete".to_owned(),
                "Delete…",
                format!("Delete {}?", location.name),
                "Its devices show nothing any more. Its past visits stay. While visitors are signed in or expected there, it is not deleted.",
                here.join("delete"),
            )
        }),
    })
}

async fn alerts(visit: &Visit, location: &LocationView) -> Result<Vec<Alert>, Trouble> {
    let team = visit.team.id.clone();
    let directories = visit.read(move |tx| visitor_hosts::directories(tx, &team));
    let mut alerts = Vec::new();
    if directories.await?.is_empty() {
        let people = Section::Visitors.address().join("people");
        alerts.push(
            Alert::new(
                Tone::Warn,
                "Visitors find nobody here",
                "No directory of the team is for visitors.",
            )
            .link(Link::new("Visitor hosts", people)),
        );
    }
    if location.settings.fallback.is_none() {
        alerts.push(Alert::new(
            Tone::Info,
            "Nobody is told of visitors who do not know whom they come to see",
            "Say below who is.",
        ));
    }
    Ok(alerts)
}

/// What is known; with what is decided, where it is not in a form beside it.
fn profile(location: &LocationView, in_form: bool) -> Facts {
    let url = Copyable::new("the address of its page", location.url.clone());
    let mut facts = vec![Fact::new("Page for the device", Shown::Copyable(url))];
    if !in_form {
        facts.extend(decided(location));
    }
    facts.extend([
        Fact::new(
            "Id",
            Shown::Copyable(Copyable::new("id", location.id.clone())),
        ),
        Fact::new("Made", Shown::Time(time(location.created_at.0))),
        Fact::new("Changed", Shown::Time(time(location.updated_at.0))),
    ]);
    Facts(facts)
}

/// Shows with what messages to its program are signed.
pub(in crate::console) async fn show_secret(visit: Visit) -> Response {
    let shown = async {
        let location = find(&visit).await?;
        let (app, admin) = (&visit.app, &visit.admin);
        let shown = visit_locations::webhook_secret(app, admin, None, &location.id).await?;
        let secret = Copyable::new("the secret", shown.secret.0.expose_secret());
        let fact = Fact::new("Secret of the webhook", Shown::Copyable(secret));
        let mut page = make(&visit, &location, None).await?;
        let note = "Messages are signed with it (Standard Webhooks).";
        page.profile.0.insert(1, fact.note(note));
        page.show_secret = None;
        Ok(page)
    };
    visit.answer(shown.await)
}

/// Changes it.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let location = find(&visit).await?;
        let changed = async {
            let wanted = change(&form)?;
            let (app, admin) = (&visit.app, &visit.admin);
            let changed = visit_locations::update(app, admin, None, &location.id, wanted);
            changed.await.map_err(trouble)
        };
        match changed.await {
            Ok(changed) => Ok(visit.done(&location_page(&changed.id), "The settings are saved.")),
            Err(trouble) => {
                let refused = (trouble.problem()?, Some(&form));
                Ok(visit.again(&make(&visit, &location, Some(refused)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// A group that is not there is no page that is not there.
fn trouble(refusal: Refusal) -> Trouble {
    match refusal {
        Refusal::NotFound(What::Group, name) => Trouble::Invalid(format!(
            "no directory for visitors has a group “{name}”; write one in each line"
        )),
        other => other.into(),
    }
}

/// Removes it.
pub(in crate::console) async fn delete(visit: Visit) -> Response {
    let done = async {
        let location = find(&visit).await?;
        match visit_locations::delete(&visit.app, &visit.admin, None, &location.id).await {
            Ok(()) => Ok(visit.done(&here(), &format!("{} is deleted.", location.name))),
            Err(refusal) => {
                let refused = (Trouble::from(refusal).problem()?, None);
                Ok(visit.again(&make(&visit, &location, Some(refused)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}
