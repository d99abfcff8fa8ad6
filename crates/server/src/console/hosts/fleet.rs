//! The agents of all hosts: who has heard of the newest policy, and who has not.

use super::agent::{State, lag, versions};
use super::page;
use crate::admin::hosts::{self, Chosen, HostView};
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::response::Response;
use portreeve_console::pages::hosts::{Fleet, FleetRow};
use portreeve_console::parts::{Empty, Filter, Icon, Pager, Search, Toolbar};
use portreeve_console::{Address, Section};
use std::cmp::Reverse;

/// How many hosts the page shows.
const SHOWN: usize = 200;

/// What narrows the list down: how it stands in an address, what people call it, and which hosts that are.
type Narrowed = (&'static str, &'static str, fn(State) -> bool);

const FILTERS: &[Narrowed] = &[
    ("behind", "Behind", |state| state == State::Behind),
    ("silent", "Silent", |state| state == State::Silent),
    ("never", "Never reported", |state| {
        state == State::NeverReported
    }),
    ("lease", "Lease over soon", |state| {
        state == State::LeaseEnds
    }),
    ("current", "Current", |state| state == State::Current),
    ("without", "No agent", |state| {
        matches!(state, State::Without | State::Left)
    }),
];

/// The hosts with what their agents have said, those first that are behind the longest.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Fleet, Trouble> {
    let kept = ["q", "state", "sort"];
    let address = kept.iter().fold(here(), |address, name| {
        address.with(*name, visit.query(name))
    });
    let text = visit.query("q").trim().to_owned();
    let chosen = Chosen {
        search: Some(text).filter(|text| !text.is_empty()),
        ..Chosen::default()
    };
    let all = hosts::list(&visit.app, &visit.admin, None, chosen, ("", u64::MAX)).await?;
    let now = visit.admin.at;
    let mut all: Vec<(State, HostView)> = all
        .into_iter()
        .map(|host| (State::of(&host, now), host))
        .collect();
    let summary = summary(&all);
    let filter = FILTERS.iter().find(|one| one.0 == visit.query("state"));
    if let Some((_, _, fits)) = filter {
        all.retain(|(state, _)| fits(*state));
    }
    sort(&mut all, visit.query("sort"));
    let narrowed = filter.is_some() || !visit.query("q").is_empty();
    let rows: Vec<FleetRow> = all.iter().take(SHOWN).map(row).collect();
    let choices = FILTERS
        .iter()
        .map(|(value, label, _)| ((*value).to_owned(), (*label).to_owned()));
    Ok(Fleet {
        shell: visit.shell(),
        toolbar: Toolbar {
            search: Search {
                address: address.clone(),
                label: "Name of a host",
            },
            filters: vec![Filter::new("State", &address, "state", choices)],
            clear: narrowed.then(here),
        },
        summary,
        pager: Pager {
            total: Some(u64::try_from(all.len()).unwrap_or(u64::MAX)),
            shown: rows.len(),
            noun: ("host", "hosts"),
            previous: None,
            next: None,
        },
        rows,
        empty: empty(narrowed),
        address,
    })
}

fn here() -> Address {
    Section::Hosts.address().join("fleet")
}

/// How many hosts stand how, those first that are as they should be.
fn summary(all: &[(State, HostView)]) -> String {
    let of = |state: State| all.iter().filter(|one| one.0 == state).count();
    let counted = [
        (of(State::Current), "current"),
        (of(State::Behind), "behind"),
        (of(State::Silent), "silent"),
        (of(State::NeverReported), "never reported"),
        (of(State::LeaseEnds), "with a lease that is over soon"),
        (of(State::Left), "left"),
        (of(State::Without), "without an agent"),
    ];
    let counted: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match all.len() {
        0 => "What the agents of hosts have said last.".to_owned(),
        1 => format!("1 host: {}.", counted.join(", ")),
        total => format!("{total} hosts: {}.", counted.join(", ")),
    }
}

/// By a column, else the worst first.
fn sort(all: &mut [(State, HostView)], by: &str) {
    let agent = |host: &HostView| host.agent.as_ref().map(|agent| agent.version.clone());
    let lag = |host: &HostView| host.agent.as_ref().and_then(|agent| agent.lag_seconds);
    let reported = |host: &HostView| host.agent.as_ref().and_then(|agent| agent.reported_at);
    let lease = |host: &HostView| host.agent.as_ref().and_then(|agent| agent.lease_until);
    let (by, descending) = match by.strip_prefix('-') {
        Some(by) => (by, true),
        None => (by, false),
    };
    // They come by name, and stay so where nothing else tells them apart.
    match by {
        "name" => {}
        "agent" => all.sort_by_cached_key(|(_, host)| agent(host)),
        "lag" => all.sort_by_key(|(_, host)| lag(host)),
        // Without an end: last.
        "lease" => all.sort_by_key(|(_, host)| (lease(host).is_none(), lease(host))),
        "reported" => all.sort_by_key(|(_, host)| reported(host)),
        _ => all.sort_by_key(|(state, host)| (rank(*state), Reverse(lag(host)))),
    }
    if descending {
        all.reverse();
    }
}

/// The worst first; hosts without an agent at the end.
fn rank(state: State) -> u8 {
    match state {
        State::Silent => 0,
        State::Behind => 1,
        State::NeverReported => 2,
        State::LeaseEnds => 3,
        State::Current => 4,
        State::Left => 5,
        State::Without => 6,
    }
}

fn row((state, host): &(State, HostView)) -> FleetRow {
    let agent = host.agent.as_ref();
    FleetRow {
        id: host.id.clone(),
        href: page(&host.id),
        name: host.name.clone(),
        state: state.badge(),
        agent: agent.map(|agent| agent.version.clone()).unwrap_or_default(),
        policy: agent.map(versions).unwrap_or_default(),
        lag: agent.map(lag).unwrap_or_default(),
        lease: agent
            .and_then(|agent| agent.lease_until)
            .map(|at| time(at.0)),
        reported: agent
            .and_then(|agent| agent.reported_at)
            .map(|at| time(at.0)),
        conflicts: agent.map_or(0, |agent| agent.conflicts.len()),
    }
}

fn empty(narrowed: bool) -> Empty {
    let (title, text) = match narrowed {
        true => ("No host found", "No host is like that."),
        false => (
            "No hosts yet",
            "A machine becomes a host when its agent enrols with a token.",
        ),
    };
    Empty {
        icon: Icon::Host,
        title: title.to_owned(),
        text: text.to_owned(),
        link: None,
    }
}
