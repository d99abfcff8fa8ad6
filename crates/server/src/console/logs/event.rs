//! One event, with everything about it.

use crate::console::attention;
use crate::console::happening::{sentence, time, word};
use crate::console::people::{group_page, user_page, values};
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::response::Response;
use portreeve_console::pages::logs::Event as Page;
use portreeve_console::parts::{Alert, Copyable, Fact, Facts, Link, Shown, Tone};
use portreeve_console::{Address, Section};
use portreeve_directory::Refusal;
use portreeve_directory::actors::Actors;
use portreeve_directory::directories;
use portreeve_directory::events::{self, Event};
use portreeve_store::Tx;

/// What to do about a refusal, by its reason code. What has no line here says it in its own sentence.
const REMEDIES: &[(&str, &str)] = &[
    (
        "no_email_claim",
        "Add the optional claim email to the token at the provider, or find people by objectId as externalId.",
    ),
    (
        "unknown_user",
        "Assign the person to the provisioning application at the provider, and wait for the next cycle; or look at how people are found, under Sign-in of the directory.",
    ),
    (
        "suspended",
        "Restore the person at the provider, or reinstate them here.",
    ),
    (
        "wrong_tenant",
        "The person belongs to another tenant of the provider. Is the tenant id of the connection right?",
    ),
    (
        "domain_not_allowed",
        "Add the domain to those that are allowed, under Sign-in of the directory.",
    ),
    (
        "token_expired",
        "The secret token has ended: rotate it, and give the new one to the provider.",
    ),
    (
        "token_revoked",
        "The secret token was revoked: make another one, and give it to the provider.",
    ),
    (
        "token_unknown",
        "The token belongs to another directory, or was typed wrongly: look at tenant URL and token at the provider.",
    ),
    (
        "token_malformed",
        "What the provider sends is none of our tokens: paste it again.",
    ),
    (
        "uniqueness",
        "Somebody else has that value already. Look for them, and change one of the two at the source.",
    ),
];

/// The event that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    let (team, id) = (visit.team.id.clone(), visit.param("event"));
    let read = visit.read(move |tx| {
        let event = events::get(tx, &team, &id)?;
        let actors = Actors::of(tx, &team, std::slice::from_ref(&event))?;
        let directory = event.directory_id.as_deref();
        let directory = directory.map(|id| self::directory(tx, &team, id));
        let directory = directory.transpose()?;
        Ok((event, actors, directory))
    });
    let (event, actors, directory) = read.await?;
    let request = event.request_id.clone().filter(|id| !id.is_empty());
    Ok(visit.page(&Page {
        shell: visit.shell(),
        text: sentence(&event, &actors),
        refusal: refusal(&event),
        changes: values(&event),
        same_request: request.map(|id| {
            Link::new(
                "Everything of the same request",
                Section::Logs.address().with("request", id),
            )
        }),
        facts: facts(&event, &actors, directory),
    }))
}

/// The name of a directory and the way to it; its id, once it is removed.
fn directory(tx: &mut Tx<'_>, team: &str, id: &str) -> Result<Fact, Refusal> {
    let shown = match directories::find_in(tx, team, id) {
        Ok(directory) => Shown::Link(Link::new(
            directory.name.clone(),
            attention::page(&directory),
        )),
        Err(Refusal::NotFound(..)) => Shown::Copyable(Copyable::new("directory", id)),
        Err(refusal) => return Err(refusal),
    };
    Ok(Fact::new("Directory", shown))
}

fn refusal(event: &Event) -> Option<Alert> {
    let reason = event.reason.as_deref()?;
    let detail = event.detail.clone().unwrap_or_default();
    let remedy = REMEDIES.iter().find(|(code, _)| *code == reason);
    let text = match remedy {
        Some((_, remedy)) => format!("{detail} {remedy}"),
        None => detail,
    };
    Some(Alert::new(
        Tone::Bad,
        format!("Refused: {reason}"),
        text.trim().to_owned(),
    ))
}

fn facts(event: &Event, actors: &Actors, directory: Option<Fact>) -> Facts {
    let copyable = |label: &'static str, value: &str| {
        Fact::new(label, Shown::Copyable(Copyable::new(label, value)))
    };
    let by = Section::Logs
        .address()
        .with("actor", event.actor_id.clone().unwrap_or_default());
    let mut facts = vec![
        Fact::new("When", Shown::Time(time(event.at))),
        Fact::text("Category", event.category.clone()),
        Fact::text("Action", event.action.clone()),
        Fact::new("By", Shown::Link(Link::new(actors.name(event), by)))
            .note(event.actor_kind.clone()),
    ];
    facts.extend(object(event));
    facts.extend(directory);
    if let Some(id) = event.request_id.as_deref().filter(|id| !id.is_empty()) {
        facts.push(copyable("Request", id));
    }
    if let Some(micros) = event.duration_us {
        facts.push(Fact::text(
            "Took",
            format!("{}.{:03} ms", micros / 1000, micros % 1000),
        ));
    }
    facts.push(copyable("Event", &event.id));
    facts.push(Fact::text("Position", event.position.to_string()));
    Facts(facts)
}

/// What the event is about, with its page where it has one.
fn object(event: &Event) -> Option<Fact> {
    let (kind, id) = (event.object_kind.as_deref()?, event.object_id.clone());
    let name = event
        .object_name
        .clone()
        .or_else(|| id.clone())
        .unwrap_or_default();
    let page = match (kind, &event.directory_id, &id) {
        ("User", Some(directory), Some(id)) => Some(user_page(directory, id)),
        ("Group", Some(directory), Some(id)) => Some(group_page(directory, id)),
        ("Directory", _, Some(id)) => Some(Address::new("/console/directories").join(id)),
        _ => None,
    };
    let fact = match page {
        Some(page) => Fact::new("About", Shown::Link(Link::new(name, page))),
        None => Fact::text("About", name),
    };
    Some(fact.note(word(kind)))
}
