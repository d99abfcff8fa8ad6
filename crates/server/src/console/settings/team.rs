//! The team, and the server that it is on.

use super::{again, badge, question, settings, text};
use crate::admin::teams::{self, People, TeamChange};
use crate::config::SETTINGS;
use crate::console::attention::page;
use crate::console::happening::time;
use crate::console::people;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::settings::{Block, Content, Row, Settings, Table};
use portreeve_console::parts::{Alert, Copyable, Fact, Facts, Field, Link, Shown, Tone};
use portreeve_directory::Permission;

/// How many people a question names.
const NAMED: usize = 8;

fn here() -> Address {
    Address::new("/console/settings/team")
}

/// The team, the directory that decides, and the server.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Settings, Trouble> {
    let team = teams::get(&visit.app, &visit.admin, None).await?;
    let mut rename = question(
        "rename".to_owned(),
        "Rename…",
        "Another name for the team".to_owned(),
        "It stands in the address where people sign in; the former address does not work any more.",
        here(),
    );
    rename.danger = false;
    rename.fields = vec![Field::line("team", "name", "Name", team.name.clone()).required()];
    let facts = vec![
        Fact::text("Name", team.name.clone()),
        Fact::new("Made", Shown::Time(time(team.created_at.0))),
        Fact::new(
            "Id",
            Shown::Copyable(Copyable::new("team id", team.id.clone())),
        ),
    ];
    let blocks = vec![
        Block {
            id: "team",
            title: "Team",
            lead: String::new(),
            actions: visit
                .may(Permission::TeamWrite)
                .then_some(rename)
                .into_iter()
                .collect(),
            content: Content::Facts(Facts(facts)),
            live: "Team",
        },
        active(visit, team.active_directory.map(|directory| directory.id)).await?,
        server(visit),
    ];
    let mut page = settings(visit, "Team and server", blocks);
    page.problem = warning(visit);
    Ok(page)
}

/// Which directory decides who may reach machines; each switch says beforehand whom it concerns.
async fn active(visit: &Visit, active: Option<String>) -> Result<Block, Trouble> {
    let may = visit.may(Permission::SettingsWrite) && visit.may(Permission::UserRead);
    let mut rows = Vec::new();
    for directory in people::directories(visit).await? {
        let is_active = active.as_deref() == Some(directory.id.as_str());
        let mut actions = Vec::new();
        if may && !is_active {
            let preview =
                teams::preview(&visit.app, &visit.admin, None, Some(&directory.id)).await?;
            let effect = format!(
                "{} {}",
                said(&preview.losing, "lose what it gives them"),
                said(&preview.gaining, "gain it")
            );
            let costs = preview.losing.count > 0;
            let mut switch = question(
                format!("switch-{}", directory.id),
                "Switch…",
                format!("Let {} decide who may reach machines?", directory.name),
                &effect,
                here().join("active"),
            );
            switch.danger = costs;
            switch.values = vec![("directory", directory.id.clone())];
            actions.push(switch);
        }
        let state = match is_active {
            true => badge(Tone::Good, "Yes"),
            false => text("No"),
        };
        rows.push(Row {
            cells: vec![
                Shown::Link(Link::new(directory.name.clone(), page(&directory))),
                state,
            ],
            actions,
        });
    }
    Ok(Block {
        id: "active",
        title: "Active directory for machines",
        lead: "The people of one directory of the team may reach machines.".to_owned(),
        actions: Vec::new(),
        content: Content::Table(Table {
            head: vec!["Directory", "Decides"],
            rows,
            empty: "There is no directory yet.",
        }),
        live: "Directory Team",
    })
}

fn said(people: &People, what: &str) -> String {
    if people.count == 0 {
        return format!("Nobody would {what}.");
    }
    let mut named: Vec<_> = people.names.iter().take(NAMED).cloned().collect();
    let more = usize::try_from(people.count)
        .unwrap_or(usize::MAX)
        .saturating_sub(named.len());
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    format!("{} would {what}: {}.", people.count, named.join(", "))
}

fn server(visit: &Visit) -> Block {
    let rows = SETTINGS.iter().map(|setting| {
        let (value, origin) = visit.app.config.show(setting);
        Row {
            cells: vec![text(setting.name), text(value), text(origin.to_string())],
            actions: Vec::new(),
        }
    });
    Block {
        id: "server",
        title: "Server",
        lead: format!(
            "Portreeve {}, at {}. Settings are changed where they come from, and hold after a restart.",
            env!("CARGO_PKG_VERSION"),
            visit.app.public_url()
        ),
        actions: Vec::new(),
        content: Content::Table(Table {
            head: vec!["Setting", "Value", "From"],
            rows: rows.collect(),
            empty: "",
        }),
        live: "nothing",
    }
}

/// What is wrong with the address that people are told.
fn warning(visit: &Visit) -> Option<Alert> {
    let url = reqwest::Url::parse(&visit.app.public_url()).ok()?;
    let host = url.host_str().unwrap_or_default();
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match (url.scheme(), local) {
        ("https", _) => None,
        (_, true) => Some(Alert::new(
            Tone::Info,
            "Only this machine reaches the server",
            "Start it with --public-url https://… when providers and people are to reach it.",
        )),
        (_, false) => Some(Alert::new(
            Tone::Bad,
            "The public URL is not encrypted",
            "Browsers keep no session and know no passkeys without https. Put a reverse proxy with a certificate before the server.",
        )),
    }
}

async fn change(visit: &Visit, wanted: TeamChange, said: &str) -> Result<Response, Trouble> {
    match teams::update(&visit.app, &visit.admin, None, wanted).await {
        Ok(_) => Ok(visit.done(&here(), said)),
        Err(refusal) => again(visit, refusal, make(visit)).await,
    }
}

/// Gives the team another name.
pub(in crate::console) async fn rename(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = TeamChange {
            name: form.filled("name"),
            ..TeamChange::default()
        };
        change(&visit, wanted, "The team has another name now.").await
    };
    visit.or_trouble(done.await)
}

/// Switches the directory that decides.
pub(in crate::console) async fn activate(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let wanted = TeamChange {
            active_directory_id: Some(form.filled("directory")),
            ..TeamChange::default()
        };
        change(&visit, wanted, "The directory is switched.").await
    };
    visit.or_trouble(done.await)
}
