//! Visits: the list, one visit, and signing a visitor out.

use super::expect::expectation;
use super::{location_page, page_of, visit_page};
use crate::admin::visits::{self, Chosen, NoticesView, Place, VisitView};
use crate::console::happening::time;
use crate::console::people::{PAGE, history};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use crate::download;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use portreeve_console::pages::visitors::{Row, Visit as Shown, Visited, Visits};
use portreeve_console::parts::{
    Alert, Badge, Empty, Fact, Facts, Field, Filter, Icon, Link, Pager, PostButton, Shown as Value,
    Tone,
};
use portreeve_console::{Address, Section};
use portreeve_directory::visits::{Answer, State};
use portreeve_directory::{Permission, Refusal, What};
use portreeve_scim::time::{format, parse};

/// What of the address the list goes by: what is chosen by a click, what is written, and the place in the list.
const CHIPS: &[&str] = &["state", "location"];
const WRITTEN: &[&str] = &["visitor_host", "from", "until"];
const PLACE: &str = "after";

/// How a visit stands: how it is said in addresses, and to people.
const STATES: &[(State, &str)] = &[
    (State::Here, "Here"),
    (State::Expected, "Expected"),
    (State::Gone, "Gone"),
];

/// The list with all that narrows it down.
fn address(visit: &Visit) -> Address {
    let names = CHIPS.iter().chain(WRITTEN).chain([&PLACE]);
    names.fold(Section::Visitors.address(), |address, name| {
        address.with(*name, visit.query(name).trim())
    })
}

/// Which visits the address asks for.
fn chosen(visit: &Visit) -> Result<Chosen, Refusal> {
    let some = |name: &str| {
        let text = visit.query(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let moment = |name: &'static str| {
        let text = some(name).map(|text| match text.len() {
            16 => format!("{text}:00Z"),
            _ => text,
        });
        let read = text.map(|text| {
            parse(&text).ok_or_else(|| Refusal::Invalid {
                attribute: name,
                reason: format!("“{text}” is no moment; write it as 2026-11-22T08:00"),
            })
        });
        read.transpose()
    };
    let state = STATES
        .iter()
        .find(|(state, _)| state.name() == visit.query("state"));
    Ok(Chosen {
        location: some("location"),
        state: state.map(|(state, _)| *state),
        visitor_host: some("visitor_host"),
        from: moment("from")?,
        until: moment("until")?,
    })
}

/// The visits of the team.
pub(in crate::console) async fn list(visit: Visit) -> Response {
    visit.or_trouble(show_list(&visit, None).await)
}

/// The same; with what was wrong with what was sent from there.
pub(super) async fn show_list(visit: &Visit, refused: Option<Alert>) -> Result<Response, Trouble> {
    let (found, problem) = match find(visit).await {
        Ok(found) => (found, refused),
        Err(refusal) => (Vec::new(), Some(not_found(refusal)?)),
    };
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = make(visit, found, problem).await?;
    Ok(visit.page_as(status, &page))
}

/// One more than a page, which says whether there are more.
async fn find(visit: &Visit) -> Result<Vec<VisitView>, Refusal> {
    let after = match visit.query(PLACE) {
        "" => None,
        place => Some(Place::parse(place)?),
    };
    let limit = u64::try_from(PAGE).unwrap_or(50) + 1;
    let chosen = chosen(visit)?;
    visits::list(&visit.app, &visit.admin, None, chosen, (after, limit)).await
}

/// What was wrong with what was looked for.
fn not_found(refusal: Refusal) -> Result<Alert, Trouble> {
    let alert = match refusal {
        Refusal::NotFound(What::User, name) => nobody(&name),
        Refusal::NotFound(What::Location, _) => {
            Alert::new(Tone::Bad, "", "There is no such location.")
        }
        other => Trouble::from(other).problem()?,
    };
    Ok(Alert {
        title: "That cannot be looked for".to_owned(),
        ..alert
    })
}

/// Somebody whom no directory for visitors has is no page that is not there.
pub(super) fn nobody(name: &str) -> Alert {
    let said = format!("No directory for visitors has anybody with the user name “{name}”.");
    Alert::new(Tone::Bad, "This was not done", said)
}

async fn make(
    visit: &Visit,
    mut found: Vec<VisitView>,
    problem: Option<Alert>,
) -> Result<Visits, Trouble> {
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let address = address(visit);
    let start = address.clone().without(PLACE);
    let next = found.last().filter(|_| has_more);
    let next = next.map(|last| address.clone().with(PLACE, last.place.text()));
    let is_first = visit.query(PLACE).is_empty();
    let is_written = WRITTEN.iter().any(|name| !visit.query(name).is_empty());
    let is_any = is_written || CHIPS.iter().any(|name| !visit.query(name).is_empty());
    let locations = super::locations_of(visit).await?;
    let named = locations
        .iter()
        .map(|location| (location.id.clone(), location.name.clone()));
    let named: Vec<(String, String)> = named.collect();
    let may = visit.may(Permission::VisitorWrite);
    let export = |label: &str, path: &'static str| Link::new(label, start.clone().under(path));
    Ok(Visits {
        shell: visit.shell(),
        alerts: waiting(&visits::notices(&visit.app, &visit.admin, None).await?),
        problem,
        filters: chips(&start, &named),
        fields: fields(visit),
        kept: kept(visit, CHIPS.iter()),
        is_narrowed: is_written,
        clear: is_any.then(|| Section::Visitors.address()),
        pager: Pager {
            total: None,
            shown: found.len(),
            noun: ("visit", "visits"),
            previous: (!is_first).then(|| start.clone()),
            next,
        },
        rows: found.iter().map(|one| row(visit, one, may)).collect(),
        empty: empty(is_any, named.is_empty()),
        is_live: is_first,
        exports: vec![
            export("Export CSV", "/console/visitors.csv"),
            export("Export JSON", "/console/visitors.json"),
        ],
        expect: (may && !named.is_empty()).then(|| expectation(&named, None)),
    })
}

/// What of that the address says, with its values.
fn kept(
    visit: &Visit,
    names: impl Iterator<Item = &'static &'static str>,
) -> Vec<(&'static str, String)> {
    let values = names.map(|name| (*name, visit.query(name).to_owned()));
    values.filter(|(_, value)| !value.is_empty()).collect()
}

fn chips(start: &Address, locations: &[(String, String)]) -> Vec<Filter> {
    let states = STATES
        .iter()
        .map(|(state, label)| (state.name().to_owned(), (*label).to_owned()));
    let mut chips = vec![Filter::new("State", start, "state", states)];
    if locations.len() > 1 {
        let locations = locations.iter().cloned();
        chips.push(Filter::new("Location", start, "location", locations));
    }
    chips
}

fn fields(visit: &Visit) -> Vec<Field> {
    let line = |name, label: &str| Field::line("visits", name, label, visit.query(name));
    let moment = |name, label: &str| line(name, label).kind("datetime-local").help("In UTC.");
    vec![
        line("visitor_host", "Comes to see")
            .example("ada@contoso.com")
            .help("User name or id."),
        moment("from", "From"),
        moment("until", "Until"),
    ]
}

fn empty(is_any: bool, is_nowhere: bool) -> Empty {
    let (title, text, link) = match (is_any, is_nowhere) {
        (true, _) => ("Nothing found", "No visit is like that.", None),
        (false, true) => (
            "Nobody is received yet",
            "Make a location first: where visitors come in, and who is told.",
            Some(Link::new(
                "Locations",
                Section::Visitors.address().join("locations"),
            )),
        ),
        (false, false) => (
            "No visits yet",
            "Visitors appear here as they sign in at the door, and those who are announced.",
            None,
        ),
    };
    Empty {
        icon: Icon::Visitor,
        title: title.to_owned(),
        text: text.to_owned(),
        link,
    }
}

/// What waits to be told, and why. What is merely on its way has no error.
fn waiting(notices: &NoticesView) -> Vec<Alert> {
    let (mails, hooks) = (&notices.mails, &notices.webhooks);
    let mails = (mails.waiting, mails.oldest_at, mails.last_error.as_ref());
    let hooks = (hooks.waiting, hooks.oldest_at, hooks.last_error.as_ref());
    [
        (mails, ["mail waits", "mails wait"]),
        (hooks, ["webhook waits", "webhooks wait"]),
    ]
    .into_iter()
    .filter_map(|((count, oldest, error), [one, several])| {
        let what = if count == 1 { one } else { several };
        let title = format!("{count} {what} to be sent");
        let since = oldest.map(|at| format!(" since {}", format(at.0)));
        let since = since.unwrap_or_default();
        let text = format!(
            "It is tried again and again{since}. The last error: {}",
            error?
        );
        (count > 0).then(|| Alert::new(Tone::Bad, title, text))
    })
    .collect()
}

fn row(visit: &Visit, one: &VisitView, may: bool) -> Row {
    Row {
        id: one.id.clone(),
        href: visit_page(&one.id),
        visitor: (!one.is_anonymous).then(|| one.visitor_name.clone()),
        company: one.company.clone(),
        state: state(one.state),
        visited: visited_of(one),
        location: place(one),
        came: one.came_at.map(|at| time(at.0)),
        expected: one.expected_at.map(|at| time(at.0)),
        left: one.left_at.map(|at| time(at.0)),
        sign_out: may
            .then(|| sign_out_button(one, kept(visit, CHIPS.iter().chain(WRITTEN)), "small"))
            .flatten(),
    }
}

/// The button that ends a visit; `back`: what the list is narrowed down by to which it leads.
fn sign_out_button(
    one: &VisitView,
    back: Vec<(&'static str, String)>,
    class: &'static str,
) -> Option<PostButton> {
    let label = match one.state {
        State::Here => "Sign out",
        State::Expected => "Take back",
        State::Gone => return None,
    };
    Some(PostButton {
        action: visit_page(&one.id).join("sign-out"),
        label: label.to_owned(),
        values: back,
        class,
    })
}

/// How a visit stands, for a page.
pub(super) fn state(state: State) -> Badge {
    let tone = match state {
        State::Here => Tone::Good,
        State::Expected => Tone::Info,
        State::Gone => Tone::Neutral,
    };
    let word = STATES.iter().find(|(one, _)| *one == state);
    Badge::new(tone, word.map_or("", |(_, word)| word))
}

fn place(one: &VisitView) -> String {
    match one.location.name.as_str() {
        "" => "a location that is gone".to_owned(),
        name => name.to_owned(),
    }
}

fn visited_of(one: &VisitView) -> Visited {
    let host = one.visitor_host.as_ref();
    let answer = one.answer.as_ref().map(|answer| answer.what);
    let is_open = one.state != State::Gone;
    visited(
        host.map(|host| (host.directory_id.as_str(), host.id.as_str())),
        host.map_or("", |host| host.name.as_str()),
        (is_open && one.visitor_host_is_gone_since.is_some(), answer),
    )
}

/// Whom somebody comes to see: their directory and id, their name, whether visitors do not find them any more, and what they
/// have answered.
pub(super) fn visited(
    host: Option<(&str, &str)>,
    name: &str,
    (is_gone, said): (bool, Option<Answer>),
) -> Visited {
    let note = match (is_gone, said) {
        (true, _) => Some(Badge::new(Tone::Warn, "Not found any more")),
        (false, Some(said)) => Some(answer(said)),
        (false, None) => None,
    };
    Visited {
        name: name.to_owned(),
        href: host.map(|(directory, id)| page_of(directory, id)),
        note,
    }
}

fn answer(said: Answer) -> Badge {
    match said {
        Answer::OnMyWay => Badge::new(Tone::Good, "On my way"),
        Answer::InFiveMinutes => Badge::new(Tone::Info, "In five minutes"),
        Answer::CannotCome => Badge::new(Tone::Warn, "Cannot come"),
    }
}

/// The visit that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let id = visit.param("visit");
        let one = visits::get(&visit.app, &visit.admin, None, &id).await?;
        page(&visit, &one).await
    };
    visit.answer(shown.await)
}

async fn page(visit: &Visit, one: &VisitView) -> Result<Shown, Trouble> {
    let may = visit.may(Permission::VisitorWrite);
    let mut alerts = Vec::new();
    if let Some(at) = one
        .visitor_host_is_gone_since
        .filter(|_| one.state != State::Gone)
    {
        let text = format!(
            "Since {} visitors do not find them. Whom the location names for that was told.",
            format(at.0)
        );
        alerts.push(Alert::new(
            Tone::Warn,
            "Whom they come to see is gone",
            text,
        ));
    }
    Ok(Shown {
        shell: visit.shell(),
        visitor: match one.is_anonymous {
            true => "Anonymous visitor".to_owned(),
            false => one.visitor_name.clone(),
        },
        state: state(one.state),
        problem: None,
        alerts,
        facts: facts(one),
        photo: one.has_photo.then(|| visit_page(&one.id).join("photo")),
        history: history(visit, &one.id).await?,
        sign_out: may
            .then(|| sign_out_button(one, Vec::new(), "primary"))
            .flatten(),
    })
}

fn facts(one: &VisitView) -> Facts {
    let moment = |label: &str, at: Option<crate::admin::view::At>| match at {
        Some(at) => Fact::new(label, Value::Time(time(at.0))),
        None => Fact::text(label, ""),
    };
    let host = match &one.visitor_host {
        Some(host) => {
            let page = page_of(&host.directory_id, &host.id);
            Fact::new(
                "Comes to see",
                Value::Link(Link::new(host.name.clone(), page)),
            )
        }
        None if one.is_anonymous => Fact::text("Comes to see", ""),
        None => Fact::text("Comes to see", "nobody they knew"),
    };
    let location = match one.location.name.as_str() {
        "" => Fact::text("Location", place(one)),
        name => {
            let link = Link::new(name, location_page(&one.location.id));
            Fact::new("Location", Value::Link(link))
        }
    };
    let mut facts = vec![
        Fact::text("Company", one.company.clone()),
        Fact::text("Purpose", one.purpose.clone()),
        host,
        location,
    ];
    if one.expected_at.is_some() {
        facts.push(moment("Expected", one.expected_at));
    }
    facts.extend([moment("Came", one.came_at), moment("Left", one.left_at)]);
    if let Some(given) = &one.answer {
        let said = Fact::new("Answer", Value::Badge(answer(given.what)));
        let at = format(given.at.0);
        facts.push(said.note(at));
    }
    Facts(facts)
}

/// Signs a visitor out, or takes back that one is expected.
pub(in crate::console) async fn sign_out(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let id = visit.param("visit");
        let before = visits::get(&visit.app, &visit.admin, None, &id).await?;
        let one = visits::sign_out(&visit.app, &visit.admin, None, &id).await?;
        let said = match before.state {
            State::Expected => format!("{} is not expected any more.", one.visitor_name),
            _ => format!("{} is signed out.", one.visitor_name),
        };
        let list = CHIPS
            .iter()
            .chain(WRITTEN)
            .fold(Section::Visitors.address(), |address, name| {
                address.with(*name, form.text(name))
            });
        Ok::<_, Trouble>(visit.done(&list, &said))
    };
    visit.or_trouble(done.await)
}

/// The picture of a visitor.
pub(in crate::console) async fn photo(visit: Visit) -> Response {
    let found = async {
        let id = visit.param("visit");
        let photo = visits::photo(&visit.app, &visit.admin, None, &id).await?;
        let bytes = photo.ok_or(Trouble::NotFound)?;
        let media_type = match bytes.starts_with(b"\x89PNG") {
            true => "image/png",
            false => "image/jpeg",
        };
        let mut response = bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Ok(response)
    };
    visit.or_trouble(found.await)
}

/// The list as CSV.
pub(in crate::console) async fn csv(visit: Visit) -> Response {
    file(&visit, download::Form::Csv).await
}

/// The list as JSON, an object on each line.
pub(in crate::console) async fn json(visit: Visit) -> Response {
    file(&visit, download::Form::Json).await
}

async fn file(visit: &Visit, form: download::Form) -> Response {
    let made = async {
        let chosen = chosen(visit)?;
        visits::export(&visit.app, &visit.admin, None, chosen, form).await
    };
    match made.await {
        Ok(file) => file.into_response(),
        Err(refusal) => visit.trouble(&Trouble::from(refusal)),
    }
}
