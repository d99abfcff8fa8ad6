//! The pages behind links: the one on a badge, by which a visitor leaves, and the one in a mail, by which whoever is visited
//! answers. They need no script. Looking at one changes nothing, because whoever checks mails for viruses looks at them too.

use super::ask::{request_id, time};
use super::messages::Texts;
use super::{ROOT, page};
use crate::app::App;
use crate::body;
use crate::ca::By;
use crate::console;
use crate::limits::NotNow;
use crate::sso::page::see;
use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::visit_locations::{self, Location};
use portreeve_directory::visits::{self, Answer, State as Stands, Visit};
use portreeve_directory::{Actor, Refusal};
use portreeve_scim::query;
use portreeve_store::{Scope, Tx};
use std::sync::Arc;

/// The most bytes of an answer.
const LIMIT: usize = 1024;

/// One of the pages.
#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    language: &'static str,
    title: String,
    text: String,
    /// What is known of the visit, each with its name.
    facts: Vec<(String, String)>,
    /// What was done.
    done: Option<String>,
    /// What can be answered: a value and what it is called.
    buttons: Vec<(&'static str, String)>,
    style: &'static str,
    mark: String,
}

/// Whose secret a link has in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Visitor,
    VisitorHost,
}

impl Whose {
    fn verify(self, tx: &mut Tx<'_>, presented: &Presented) -> Result<Option<Visit>, Refusal> {
        match self {
            Self::Visitor => visits::verify(tx, presented),
            Self::VisitorHost => visits::verify_answer(tx, presented),
        }
    }
}

/// Asks a visitor whether they leave.
pub(super) async fn ask_out(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    parts: Parts,
) -> Response {
    show(&app, &parts, Whose::Visitor, &code).await
}

/// A visitor leaves.
pub(super) async fn out(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    parts: Parts,
) -> Response {
    let by = By::new(&app, Actor::Visitor, &request_id(&parts.extensions));
    let left = change(&app, Whose::Visitor, &code, move |tx, visit, location| {
        if visit.state == Stands::Here {
            let cause = by.cause(location.0, None);
            visits::leave(tx, &cause, (visit, &location.1.name))?;
        }
        Ok(())
    });
    match left.await {
        Ok(true) => see(&format!("{ROOT}/out/{code}"), None),
        Ok(false) => unknown(&parts),
        Err(refusal) => failed(&parts, &refusal),
    }
}

/// Asks whoever is visited what the visitor is told.
pub(super) async fn ask_answer(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    parts: Parts,
) -> Response {
    show(&app, &parts, Whose::VisitorHost, &secret).await
}

/// Whoever is visited answers.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    parts: Parts,
    body: Body,
) -> Response {
    let said = said(&app, &parts, body).await;
    let (here, request) = (app.clone(), request_id(&parts.extensions));
    let written = change(&app, Whose::VisitorHost, &secret, move |tx, visit, at| {
        let Some(said) = said.filter(|_| visit.state == Stands::Here) else {
            return Ok(());
        };
        // Who reads the mail of whoever is visited is they themselves, as far as anybody can tell.
        let actor = visit.host.as_ref().map(|(_, id)| Actor::User(id.clone()));
        let by = By::new(&here, actor.unwrap_or(Actor::Anonymous), &request);
        visits::answer(tx, &by.cause(at.0, None), (visit, &at.1.name), said)
    });
    match written.await {
        Ok(true) => see(&format!("{ROOT}/answer/{secret}"), None),
        Ok(false) => unknown(&parts),
        Err(refusal) => failed(&parts, &refusal),
    }
}

/// What a form says.
async fn said(app: &App, parts: &Parts, body: Body) -> Option<Answer> {
    let whole = body::read_form(app, &parts.headers, body, LIMIT)
        .await
        .ok()?;
    let pairs = query::pairs(std::str::from_utf8(&whole).ok()?).ok()?;
    let answer = pairs.into_iter().find(|(name, _)| name == "answer");
    answer.and_then(|(_, value)| Answer::parse(&value))
}

/// Changes the visit of a secret; `false` where it is none.
async fn change(
    app: &Arc<App>,
    whose: Whose,
    secret: &str,
    work: impl Fn(&mut Tx<'_>, &Visit, (&str, &Location)) -> Result<(), Refusal> + Send + 'static,
) -> Result<bool, Refusal> {
    let Some(presented) = Presented::parse(Kind::Visit, secret) else {
        return Ok(false);
    };
    let scope = Scope::of(&presented.team_id);
    let changed = app.write(scope, move |tx| {
        let Some((visit, location)) = find(tx, whose, &presented)? else {
            return Ok(false);
        };
        work(tx, &visit, (&presented.team_id, &location))?;
        Ok(true)
    });
    changed.await
}

fn find(
    tx: &mut Tx<'_>,
    whose: Whose,
    presented: &Presented,
) -> Result<Option<(Visit, Location)>, Refusal> {
    let Some(visit) = whose.verify(tx, presented)? else {
        return Ok(None);
    };
    match visit_locations::find(tx, &presented.team_id, &visit.location_id) {
        Ok(location) => Ok(Some((visit, location))),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

async fn show(app: &App, parts: &Parts, whose: Whose, secret: &str) -> Response {
    let Some(presented) = Presented::parse(Kind::Visit, secret) else {
        return unknown(parts);
    };
    let found = app.store.lookup(move |tx| find(tx, whose, &presented));
    let (visit, location) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(parts),
        Err(refusal) => return failed(parts, &refusal),
    };
    let texts = Texts::wanted(&parts.headers);
    let page = match whose {
        Whose::Visitor => of_visitor(texts, &visit, &location),
        Whose::VisitorHost => of_visitor_host(texts, &visit, &location),
    };
    render(StatusCode::OK, &page)
}

fn of_visitor(texts: Texts, visit: &Visit, location: &Location) -> LinkPage {
    let place: &[(&str, &str)] = &[("location", &location.name)];
    let is_here = visit.state == Stands::Here;
    let (title, text) = match is_here {
        true => (texts.say("out_title", place), texts.say("out_text", place)),
        false => (texts.say("out_done", place), texts.say("out_bye", &[])),
    };
    LinkPage {
        title,
        text,
        buttons: match is_here {
            true => vec![("out", texts.say("out_button", &[]))],
            false => Vec::new(),
        },
        ..plain(texts)
    }
}

fn of_visitor_host(texts: Texts, visit: &Visit, location: &Location) -> LinkPage {
    let name: &[(&str, &str)] = &[("name", &visit.visitor_name)];
    let facts = [
        ("company", visit.company.as_str()),
        ("purpose", visit.purpose.as_str()),
        ("where", location.name.as_str()),
        ("since", &since(visit, location)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts = facts
        .map(|(key, value)| (texts.say(key, &[]), value.to_owned()))
        .collect();
    if visit.state != Stands::Here {
        return LinkPage {
            title: texts.say("answer_over", name),
            text: texts.say("answer_over_text", &[]),
            ..plain(texts)
        };
    }
    let label = |answer: Answer| match answer {
        Answer::OnMyWay => texts.say("answer_on_my_way", &[]),
        Answer::InFiveMinutes => texts.say("answer_in_five_minutes", &[]),
        Answer::CannotCome => texts.say("answer_cannot_come", &[]),
    };
    let all = [Answer::OnMyWay, Answer::InFiveMinutes, Answer::CannotCome];
    let done = visit.answer.map(|(answer, _)| {
        let what = label(answer);
        texts.say("answer_told", &[("answer", &what)])
    });
    LinkPage {
        title: texts.say("answer_title", name),
        text: texts.say("answer_text", &[]),
        facts,
        done,
        buttons: all.map(|answer| (answer.name(), label(answer))).into(),
        ..plain(texts)
    }
}

/// Since when a visitor waits, by the clock on the wall there.
fn since(visit: &Visit, location: &Location) -> String {
    let zone = visit_locations::zone(&location.settings.time_zone);
    match (visit.came_at, zone) {
        (Some(at), Ok(zone)) => time(at).to_zoned(zone).strftime("%H:%M").to_string(),
        _ => String::new(),
    }
}

fn plain(texts: Texts) -> LinkPage {
    LinkPage {
        language: texts.code(),
        title: String::new(),
        text: String::new(),
        facts: Vec::new(),
        done: None,
        buttons: Vec::new(),
        style: page::style(),
        mark: page::mark(),
    }
}

/// What whoever follows a link hears that leads to no visit, or to one of which nobody knows any more whose it was.
fn unknown(parts: &Parts) -> Response {
    let texts = Texts::wanted(&parts.headers);
    let page = LinkPage {
        title: texts.say("link_unknown", &[]),
        text: texts.say("link_unknown_text", &[]),
        ..plain(texts)
    };
    render(StatusCode::NOT_FOUND, &page)
}

fn failed(parts: &Parts, refusal: &Refusal) -> Response {
    if let Refusal::Store(error) = refusal
        && let Some(not_now) = NotNow::of(error)
    {
        return console::not_now(not_now);
    }
    tracing::error!(%refusal, "a link of a visit could not be followed");
    let texts = Texts::wanted(&parts.headers);
    let page = LinkPage {
        title: texts.say("failed", &[]),
        text: texts.say("failed_text", &[]),
        ..plain(texts)
    };
    render(StatusCode::INTERNAL_SERVER_ERROR, &page)
}

fn render(status: StatusCode, page: &LinkPage) -> Response {
    match page.render() {
        Ok(html) => crate::sso::page::html(status, html),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
