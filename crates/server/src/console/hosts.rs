//! Hosts: the list, one host, and what can be done about it.

mod agent;
mod enrolment;
mod fleet;
mod one;

pub(super) use agent::SILENCE;
pub(super) use enrolment::{create as create_token, revoke as revoke_token, show as enrolment};
pub(super) use fleet::show as fleet;
pub(super) use one::{delete, save, show};

use super::form::Form;
use super::happening::time;
use super::people::PAGE;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::entry::{self, Allowed};
use crate::admin::hosts::{self, Chosen, HostView, NewHost};
use axum::body::Body;
use axum::response::Response;
use portreeve_access::Expression;
use portreeve_access::expression::ParseError;
use portreeve_console::pages::hosts::{List, Misread, Row};
use portreeve_console::pages::new::{Kind, New};
use portreeve_console::parts::{
    Alert, Choice, Code, Count, Empty, Field, Form as Input, Icon, Link, Pager, Search, Tags,
};
use portreeve_console::{Address, Section};
use portreeve_directory::certificates;
use portreeve_directory::{Permission, Refusal};
use std::collections::{BTreeMap, HashMap};

/// The page of a host.
pub(super) fn page(id: &str) -> Address {
    Section::Hosts.address().join(id)
}

/// The tags of a host, each leading to the hosts that have it.
pub(super) fn tags(host: &HostView) -> Tags {
    let tag = |(key, value): (&String, &String)| {
        let expression = match value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c))
        {
            true => format!("{key}={value}"),
            false => format!(
                "{key}=\"{}\"",
                value.replace('\\', "\\\\").replace('"', "\\\"")
            ),
        };
        let href = Section::Hosts.address().with("q", expression);
        Link::new(format!("{key}={value}"), href)
    };
    Tags(host.tags.iter().map(tag).collect())
}

/// A tag expression that cannot be read, with the place marked.
pub(super) fn misread(text: &str, error: &ParseError) -> Misread {
    let place = text.char_indices().nth(error.position.saturating_sub(1));
    let (before, after) = text.split_at(place.map_or(text.len(), |(at, _)| at));
    let why = error.problem.to_string();
    let mut letters = why.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    Misread {
        before: before.to_owned(),
        after: after.to_owned(),
        why: first.chain(letters).collect(),
    }
}

/// The hosts of the team.
pub(super) async fn list(visit: Visit) -> Response {
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    let text = visit.query("q").trim().to_owned();
    let (chosen, problem) = match text.parse::<Expression>() {
        _ if !is_expression(&text) => (
            Chosen {
                search: Some(text.clone()).filter(|text| !text.is_empty()),
                ..Chosen::default()
            },
            None,
        ),
        Ok(_) => (
            Chosen {
                hosts: Some(text.clone()),
                ..Chosen::default()
            },
            None,
        ),
        Err(error) => (Chosen::default(), Some(misread(&text, &error))),
    };
    let address = Section::Hosts.address().with("q", text.clone());
    let after = visit.query("after");
    let limit = u64::try_from(PAGE).unwrap_or(50);
    let mut found = match problem {
        Some(_) => Vec::new(),
        // One more than is shown says whether there are more.
        None => hosts::list(&visit.app, &visit.admin, None, chosen, (after, limit + 1)).await?,
    };
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found.last().filter(|_| has_more);
    let next = next.map(|last| address.clone().with("after", last.name.clone()));
    let rows = rows(visit, &found).await?;
    let may = visit.may(Permission::HostWrite);
    let is_none = rows.is_empty() && text.is_empty() && after.is_empty();
    Ok(visit.page(&List {
        shell: visit.shell(),
        search: Search {
            address: address.clone(),
            label: "Name, or tags: env=prod and not legacy",
        },
        problem,
        empty: empty(is_none, may),
        commands: is_none.then(|| Code {
            what: "commands".to_owned(),
            text: "portreeve host create web-1 --tag env=prod --tag role=web\nportreeve grant create --group web-ops --hosts 'role=web' --sudo\nportreeve explain ada web-1".to_owned(),
        }),
        pager: Pager {
            total: None,
            shown: rows.len(),
            noun: ("host", "hosts"),
            previous: (!after.is_empty()).then_some(address),
            next,
        },
        rows,
        create: may.then(|| Address::new("/console/hosts/new")),
    }))
}

/// Whether somebody writes a tag expression and not a part of a name.
fn is_expression(text: &str) -> bool {
    let words = ["and", "or", "not"];
    text.contains(['=', '(', ')', '"', '*', '!'])
        || text
            .split_whitespace()
            .any(|word| words.contains(&word.to_ascii_lowercase().as_str()))
}

async fn rows(visit: &Visit, found: &[HostView]) -> Result<Vec<Row>, Trouble> {
    let people = match visit.may(Permission::GrantRead) {
        true => entry::counts(&visit.app, &visit.admin, found).await?,
        false => HashMap::new(),
    };
    let ends = match visit.may(Permission::CertificateRead) {
        true => ends(visit, found).await?,
        false => HashMap::new(),
    };
    let row = |host: &HostView| {
        let (people, more) = match people.get(&host.id) {
            None => (None, false),
            Some(Allowed::Exactly(count)) => (Some(*count), false),
            Some(Allowed::MoreThan(count)) => (Some(*count), true),
        };
        let through = host.bastion.as_ref().map(|name| format!("through {name}"));
        let bastion = host.is_bastion.then(|| "a bastion".to_owned());
        Row {
            id: host.id.clone(),
            href: page(&host.id),
            name: host.name.clone(),
            note: through.or(bastion).unwrap_or_default(),
            tags: tags(host),
            people: people.map(|count| Count(u64::try_from(count).unwrap_or(u64::MAX))),
            is_more: more,
            certificate: ends.get(&host.id).map(|end| time(*end)),
            contact: host.last_contact_at.map(|at| time(at.0)),
        }
    };
    Ok(found.iter().map(row).collect())
}

/// When the certificates of some hosts run out, by the host's id.
async fn ends(visit: &Visit, found: &[HostView]) -> Result<HashMap<String, i64>, Trouble> {
    let (team, now) = (visit.team.id.clone(), visit.admin.at);
    let ids: Vec<String> = found.iter().map(|host| host.id.clone()).collect();
    let read = visit.read(move |tx| {
        let mut ends = HashMap::new();
        for id in &ids {
            if let Some(last) = certificates::last_of(tx, &team, id, now)? {
                ends.insert(id.clone(), last.valid_before);
            }
        }
        Ok(ends)
    });
    read.await
}

fn empty(is_none: bool, may: bool) -> Empty {
    let (title, text) = match is_none {
        true => (
            "No hosts yet",
            "A host is a machine that people log in to. Give it a name, as ssh will be given it, and tags, by which grants choose it. Here, or on the command line:",
        ),
        false => ("No host found", "No host is like that."),
    };
    Empty {
        icon: Icon::Host,
        title: title.to_owned(),
        text: text.to_owned(),
        link: (is_none && may).then(|| Link::new("New host", Address::new("/console/hosts/new"))),
    }
}

/// The form for a new one.
pub(super) async fn new(visit: Visit) -> Response {
    visit.answer(form(&visit, &Form::default(), None).await)
}

/// Makes a host.
pub(super) async fn create(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let made = async {
            let wanted = NewHost {
                name: form.text("name").to_owned(),
                tags: written_tags(form.text("tags"))?,
                is_bastion: form.is_on("is_bastion"),
                bastion: form.filled("bastion"),
                host_key: None,
                team: None,
            };
            hosts::create(&visit.app, &visit.admin, wanted).await
        };
        match made.await {
            Ok(host) => Ok(visit.done(&page(&host.id), &format!("{} is made.", host.name))),
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&self::form(&visit, &form, Some(problem)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

async fn form(visit: &Visit, sent: &Form, problem: Option<Alert>) -> Result<New, Trouble> {
    Ok(New {
        shell: visit.shell(),
        kind: Kind::Host,
        problem,
        fields: fields(visit, sent, None).await?,
    })
}

/// What is to be filled in about a host.
async fn fields(visit: &Visit, sent: &Form, own: Option<&str>) -> Result<Vec<Field>, Trouble> {
    let team = visit.team.id.clone();
    let bastions = visit
        .read(move |tx| portreeve_directory::hosts::bastions(tx, &team))
        .await?;
    let chosen = sent.text("bastion").to_owned();
    let others = bastions.iter().filter(|host| own != Some(host.id.as_str()));
    let others = others.map(|host| {
        let is_it = chosen == host.name || chosen == host.id;
        Choice::new(host.name.clone(), host.name.clone(), is_it)
    });
    let directly = Choice::new("", "Directly", chosen.is_empty());
    let through: Vec<Choice> = std::iter::once(directly).chain(others).collect();
    let tags = Input::Text {
        value: sent.text("tags").to_owned(),
        rows: 4,
    };
    let mut fields = vec![
        Field::line("host", "name", "Name", sent.text("name"))
            .example("web-1")
            .help("What ssh is given.")
            .required(),
        Field::new("host", "tags", "Tags", tags)
            .help("One in each line: key=value.")
            .code(),
        Field::new("host", "bastion", "Reached", Input::Select(through)),
        Field::new(
            "host",
            "is_bastion",
            "It is a bastion",
            Input::Switch(sent.is_on("is_bastion")),
        )
        .help("Other hosts are reached through it."),
    ];
    if own.is_none() {
        let key = Input::Text {
            value: sent.text("host_key").to_owned(),
            rows: 2,
        };
        let help = "The line of its .pub file, such as /etc/ssh/ssh_host_ed25519_key.pub. A machine that has the key enrols without a token.";
        fields.push(
            Field::new("host", "host_key", "Key of its sshd", key)
                .help(help)
                .code(),
        );
    }
    Ok(fields)
}

/// Tags as they are written in a form.
fn written_tags(text: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(portreeve_access::tags::Tags::parse(lines)?.into())
}
