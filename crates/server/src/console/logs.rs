//! The log: narrowed down, exported, and one event with everything about it.

mod event;
mod export;
mod filter;

pub(super) use event::show;
pub(super) use export::{csv, json};

use super::happening::{page, sentence, time};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::views;
use axum::body::Body;
use axum::response::Response;
use filter::{Filters, PARAMETERS};
use http::StatusCode;
use portreeve_console::pages::logs::{List, Row, View};
use portreeve_console::parts::{
    Alert, Confirm, Empty, Field, Filter, Icon, Link, Pager, PostButton, Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;
use portreeve_directory::actors::Actors;
use portreeve_directory::events::{self, Event};

/// How many events are on a page.
const PAGE: i64 = 50;

/// The categories, as chips.
const CATEGORIES: &[(&str, &str)] = &[
    ("SCIM_SYNC", "Sync"),
    ("AUTH", "Sign-in"),
    ("SESSION", "Sessions"),
    ("ADMIN", "Admin"),
    ("PROVISIONING", "Provisioning"),
    ("VISITOR", "Visitors"),
];

/// How things can have ended.
const OUTCOMES: &[(&str, &str)] = &[("ok", "Done"), ("refused", "Refused")];

/// The log.
pub(super) async fn list(visit: Visit) -> Response {
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    let filters = Filters::of(visit);
    let (found, actors, problem) = find(visit, &filters).await?;
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let address = filters.address();
    let start = address.clone().without("before");
    let is_first = visit.query("before").is_empty();
    let full = i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
    let next = found.last().filter(|_| full);
    let may_save = visit.may(Permission::SettingsWrite);
    let page = List {
        shell: visit.shell(),
        filters: chips(&start),
        fields: filters.fields(),
        kept: filters.chips(),
        is_narrowed: filters.any_written(),
        clear: filters.any().then(|| Section::Logs.address()),
        problem,
        pager: Pager {
            total: None,
            shown: found.len(),
            noun: ("event", "events"),
            previous: (!is_first).then(|| start.clone()),
            next: next.map(|last| address.with("before", last.position.to_string())),
        },
        rows: found.iter().map(|event| row(event, &actors)).collect(),
        empty: Empty {
            icon: Icon::Log,
            title: match filters.any() {
                true => "Nothing found",
                false => "Nothing has happened yet",
            }
            .to_owned(),
            text: "Every change, every sign-in and every refusal appears here, with who did it and why.".to_owned(),
            link: None,
        },
        is_live: is_first,
        exports: vec![
            Link::new("Export CSV", start.clone().under("/console/logs.csv")),
            Link::new("Export JSON", start.clone().under("/console/logs.json")),
        ],
        views: saved(visit, may_save).await?,
        save: (may_save && filters.any()).then(|| save_question(&start)),
    };
    Ok(visit.page_as(status, &page))
}

/// A page of events, or what is wrong with what is looked for.
async fn find(
    visit: &Visit,
    filters: &Filters,
) -> Result<(Vec<Event>, Actors, Option<Alert>), Trouble> {
    let query = match filters.query(PAGE) {
        Ok(query) => query,
        Err(said) => {
            let alert = Alert::new(Tone::Bad, "That cannot be looked for", said);
            return Ok((Vec::new(), Actors::default(), Some(alert)));
        }
    };
    let team = visit.team.id.clone();
    let read = visit.read(move |tx| {
        let found = events::list(tx, &team, &query)?;
        let actors = Actors::of(tx, &team, &found)?;
        Ok((found, actors, None))
    });
    read.await
}

fn row(event: &Event, actors: &Actors) -> Row {
    Row {
        id: event.id.clone(),
        href: page(event),
        at: time(event.at),
        category: event.category.clone(),
        text: sentence(event, actors),
        reason: event.reason.clone().unwrap_or_default(),
    }
}

fn chips(start: &Address) -> Vec<Filter> {
    let own = |(value, label): &(&str, &str)| ((*value).to_owned(), (*label).to_owned());
    vec![
        Filter::new("Category", start, "category", CATEGORIES.iter().map(own)),
        Filter::new("Outcome", start, "outcome", OUTCOMES.iter().map(own)),
    ]
}

async fn saved(visit: &Visit, may: bool) -> Result<Vec<View>, Trouble> {
    let all = views::list(&visit.app, &visit.admin).await?;
    let view = |view: views::ViewView| View {
        href: PARAMETERS
            .iter()
            .fold(Section::Logs.address(), |address, name| {
                let pairs = url::form_urlencoded::parse(view.query.as_bytes());
                let value = pairs
                    .filter(|(found, _)| found == name)
                    .map(|(_, value)| value.into_owned());
                address.with(*name, value.last().unwrap_or_default())
            }),
        remove: may.then(|| PostButton {
            action: Address::new("/console/logs/views")
                .join(&view.id)
                .join("remove"),
            label: "Remove".to_owned(),
            values: Vec::new(),
            class: "quiet small",
        }),
        name: view.name,
    };
    Ok(all.into_iter().map(view).collect())
}

fn save_question(address: &Address) -> Confirm {
    let text = address.to_string();
    let query = text.split_once('?').map_or("", |(_, query)| query);
    Confirm {
        id: "save".to_owned(),
        opener: "Save this view…".to_owned(),
        title: "A name for what is shown".to_owned(),
        effect: "The whole team finds it above the log.".to_owned(),
        action: Address::new("/console/logs/views"),
        label: "Save".to_owned(),
        values: vec![("query", query.to_owned())],
        fields: vec![
            Field::line("view", "name", "Name", "")
                .example("Refused sign-ins")
                .required(),
        ],
        danger: false,
    }
}

/// Gives what is shown a name.
pub(super) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = views::NewView {
            name: form.text("name").to_owned(),
            query: form.text("query").to_owned(),
        };
        let view = views::create(&visit.app, &visit.admin, wanted).await?;
        Ok(visit.done(
            &Section::Logs.address(),
            &format!("The view “{}” is saved.", view.name),
        ))
    };
    visit.or_trouble(done.await)
}

/// Forgets a saved view.
pub(super) async fn forget(visit: Visit) -> Response {
    let done = async {
        views::delete(&visit.app, &visit.admin, &visit.param("view")).await?;
        Ok(visit.done(&Section::Logs.address(), "The view is removed."))
    };
    visit.or_trouble(done.await)
}
