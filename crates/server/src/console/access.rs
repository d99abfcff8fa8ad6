//! Access: grants, temporary access, and why somebody may log in somewhere or may not.

mod editor;
mod explain;
mod preview;

pub(super) use editor::{create, new, save, show};
pub(super) use explain::explain;

use super::happening::time;
use super::people::{PAGE, group_page, user_page};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::grants::{self, GrantState, GrantView, LevelName, ToView, Which};
use axum::response::Response;
use portreeve_console::pages::access::{List, Row};
use portreeve_console::parts::{Alert, Badge, Confirm, Empty, Filter, Icon, Link, Pager, Tone};
use portreeve_console::{Address, Section};
use portreeve_directory::grants as stored;
use portreeve_directory::{Permission, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// The page of a grant.
pub(super) fn page(id: &str) -> Address {
    Section::Access.address().join(id)
}

/// Who has a grant.
pub(super) fn holder(to: &ToView) -> Link {
    let name = to
        .name
        .clone()
        .unwrap_or_else(|| "somebody who is gone".to_owned());
    let href = match (to.kind, &to.directory_id) {
        ("group", Some(directory)) => group_page(directory, &to.id),
        (_, Some(directory)) => user_page(directory, &to.id),
        _ => Address::new("/console/settings/service-accounts"),
    };
    Link::new(name, href)
}

/// Who has some grants, as people call them, by the grant's id.
pub(super) async fn names<'a>(
    visit: &Visit,
    ids: impl Iterator<Item = &'a String>,
) -> Result<BTreeMap<String, String>, Trouble> {
    let team = visit.team.id.clone();
    let ids: BTreeSet<String> = ids.cloned().collect();
    let read = visit.read(move |tx| {
        let mut names = BTreeMap::new();
        for id in &ids {
            let name = match stored::by_id(tx, &team, id) {
                Ok(record) => record.subject.name(tx, &team)?,
                Err(Refusal::NotFound(..)) => None,
                Err(refusal) => return Err(refusal),
            };
            names.extend(name.map(|name| (id.clone(), name)));
        }
        Ok(names)
    });
    read.await
}

/// The grants of the team.
pub(super) async fn list(visit: Visit) -> Response {
    visit.answer(make(&visit, None).await)
}

async fn make(visit: &Visit, problem: Option<Alert>) -> Result<List, Trouble> {
    let (state, after) = (visit.query("state"), visit.query("after"));
    let address = Section::Access.address().with("state", state);
    let which = Which {
        subject: None,
        ended: state == "all",
    };
    let limit = u64::try_from(PAGE).unwrap_or(50);
    let mut found = grants::list(&visit.app, &visit.admin, None, which, (after, limit + 1)).await?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found.last().filter(|_| has_more);
    let next = next.map(|last| address.clone().with("after", last.id.clone()));
    let may = visit.may(Permission::GrantWrite);
    let (groups, ones): (Vec<_>, Vec<_>) = found.iter().partition(|grant| grant.to.kind == "group");
    let all = [("all".to_owned(), "Also those that are over".to_owned())];
    Ok(List {
        shell: visit.shell(),
        filters: vec![Filter::new("Show", &address, "state", all)],
        problem,
        grants: groups.into_iter().map(|grant| row(grant, may)).collect(),
        temporary: ones.into_iter().map(|grant| row(grant, may)).collect(),
        empty: Empty {
            icon: Icon::Shield,
            title: "No grants yet".to_owned(),
            text: "A grant says that the people of a group may log in to the hosts that a tag expression chooses, with sudo or without. One person gets temporary access, which ends by itself.".to_owned(),
            link: may.then(|| Link::new("New grant", Address::new("/console/access/new"))),
        },
        pager: Pager {
            total: None,
            shown: found.len(),
            noun: ("grant", "grants"),
            previous: (!after.is_empty()).then(|| address.clone()),
            next,
        },
        create: may.then(|| Address::new("/console/access/new")),
    })
}

fn row(grant: &GrantView, may: bool) -> Row {
    let is_over = matches!(grant.state, GrantState::Expired | GrantState::Revoked);
    Row {
        id: grant.id.clone(),
        href: page(&grant.id),
        who: holder(&grant.to),
        hosts: grant.hosts.clone(),
        sudo: grant.level == LevelName::LoginSudo,
        note: grant.note.clone(),
        state: match grant.state {
            GrantState::Current => None,
            _ => Some(state(grant)),
        },
        until: grant.until.map(|at| time(at.0)),
        revoke: (may && !is_over).then(|| revoke_question(grant)),
    }
}

/// Whether a grant counts.
fn state(grant: &GrantView) -> Badge {
    match grant.state {
        GrantState::Ahead => Badge::new(Tone::Info, "Begins later"),
        GrantState::Current => Badge::new(Tone::Good, "In force"),
        GrantState::Expired => Badge::new(Tone::Neutral, "Over"),
        GrantState::Revoked => Badge::new(Tone::Neutral, "Revoked"),
    }
}

fn revoke_question(grant: &GrantView) -> Confirm {
    let who = holder(&grant.to).label;
    Confirm {
        id: format!("revoke-{}", grant.id),
        opener: "Revoke…".to_owned(),
        title: format!("Revoke the access of {who}?"),
        effect: format!(
            "From now on {who} cannot log in to the hosts {} by this grant. Other grants stay.",
            grant.hosts
        ),
        action: page(&grant.id).join("revoke"),
        label: "Revoke".to_owned(),
        values: Vec::new(),
        fields: Vec::new(),
        danger: true,
    }
}

/// Ends a grant.
pub(super) async fn revoke(visit: Visit) -> Response {
    let done = async {
        match grants::revoke(&visit.app, &visit.admin, None, &visit.param("grant")).await {
            Ok(grant) => {
                let said = format!("The access of {} is revoked.", holder(&grant.to).label);
                Ok(visit.done(&Section::Access.address(), &said))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&make(&visit, Some(problem)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}
