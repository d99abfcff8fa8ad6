//! One host.

use super::{agent, fields, page, tags, written_tags};
use crate::admin::certificates::Which;
use crate::admin::entry;
use crate::admin::hosts::{self, AllowedView, HostChange, HostView};
use crate::console::form::Form;
use crate::console::happening::time;
use crate::console::people::history;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use crate::console::{access, certificates};
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::hosts::{Host, People, Person};
use portreeve_console::parts::{Alert, Confirm, Copyable, Count, Fact, Facts, Field, Link, Shown};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;

/// How many people the page shows.
const SHOWN: usize = 200;

/// The host that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let host = find(&visit).await?;
        Ok(visit.page(&make(&visit, &host, None).await?))
    };
    visit.or_trouble(shown.await)
}

async fn find(visit: &Visit) -> Result<HostView, Trouble> {
    Ok(hosts::get(&visit.app, &visit.admin, None, &visit.param("host")).await?)
}

async fn make(
    visit: &Visit,
    host: &HostView,
    problem: Option<(Alert, &Form)>,
) -> Result<Host, Trouble> {
    let here = page(&host.id);
    let may = visit.may(Permission::HostWrite);
    let may_know = visit.may(Permission::GrantRead);
    let stored = Form::of(vec![
        ("name".to_owned(), host.name.clone()),
        ("tags".to_owned(), lines(host)),
        (
            "bastion".to_owned(),
            host.bastion.clone().unwrap_or_default(),
        ),
        ("is_bastion".to_owned(), host.is_bastion.to_string()),
    ]);
    let sent = problem.as_ref().map_or(&stored, |(_, sent)| sent);
    let edit = match may {
        true => Some((here.clone(), fields(visit, sent, Some(&host.id)).await?)),
        false => None,
    };
    let people = match may_know {
        true => Some(people(visit, host).await?),
        false => None,
    };
    let certificates = match visit.may(Permission::CertificateRead) {
        true => {
            let which = Which {
                host: Some(host.id.clone()),
                ..Which::default()
            };
            Some(certificates::of(visit, which, &host.name).await?)
        }
        false => None,
    };
    Ok(Host {
        shell: visit.shell(),
        name: host.name.clone(),
        problem: problem.map(|(alert, _)| alert),
        profile: profile(host),
        edit,
        people,
        agent: agent::of(visit, host).await?,
        explain: may_know.then(|| {
            vec![
                Field::line("explain", "user", "Who", "")
                    .example("ada@contoso.com")
                    .help("User name, or a service account.")
                    .required(),
            ]
        }),
        certificates,
        history: history(visit, &host.id).await?,
        all_history: Section::Logs.address().with("object", host.id.clone()),
        delete: may.then(|| delete_question(host, &here)),
    })
}

fn lines(host: &HostView) -> String {
    let lines = host
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn profile(host: &HostView) -> Facts {
    let mut facts = vec![Fact::new("Tags", Shown::Tags(tags(host)))];
    facts.push(match (&host.bastion, host.is_bastion) {
        (Some(bastion), _) => {
            let link = Link::new(bastion.clone(), page(bastion));
            Fact::new("Reached through", Shown::Link(link))
        }
        (None, true) => Fact::text("Reached", "directly; others through it"),
        (None, false) => Fact::text("Reached", "directly"),
    });
    facts.push(match host.last_contact_at {
        Some(at) => Fact::new("Last contact", Shown::Time(time(at.0))),
        None => Fact::text("Last contact", ""),
    });
    facts.push(Fact::new(
        "Id",
        Shown::Copyable(Copyable::new("id", host.id.clone())),
    ));
    facts.push(Fact::new("Made", Shown::Time(time(host.created_at.0))));
    facts.push(Fact::new("Changed", Shown::Time(time(host.updated_at.0))));
    Facts(facts)
}

async fn people(visit: &Visit, host: &HostView) -> Result<People, Trouble> {
    let grant = visit.may(Permission::GrantWrite).then(|| {
        let this = format!("name={}", host.name);
        Address::new("/console/access/new").with("hosts", this)
    });
    let Some(all) = entry::people(&visit.app, &visit.admin, host).await? else {
        return Ok(People {
            rows: Vec::new(),
            total: Count(0),
            too_many: Some(entry::MOST),
            grant,
        });
    };
    let names = access::names(visit, all.iter().flat_map(|one| &one.grants)).await?;
    let row = |one: &AllowedView| Person {
        href: Address::new("/console/access/explain")
            .with("user", one.id.clone())
            .with("host", host.name.clone()),
        name: one.name.clone(),
        account: one.account.clone(),
        sudo: one.sudo,
        by: one
            .grants
            .iter()
            .map(|id| {
                let label = names.get(id).cloned();
                let label = label.unwrap_or_else(|| "a grant".to_owned());
                Link::new(label, Section::Access.address().join(id))
            })
            .collect(),
        until: one.until.map(|at| time(at.0)),
    };
    Ok(People {
        rows: all.iter().take(SHOWN).map(row).collect(),
        total: Count(u64::try_from(all.len()).unwrap_or(u64::MAX)),
        too_many: None,
        grant,
    })
}

fn delete_question(host: &HostView, here: &Address) -> Confirm {
    Confirm {
        id: "delete".to_owned(),
        opener: "Delete…".to_owned(),
        title: format!("Delete {}?", host.name),
        effect: "Its certificates are revoked at once. The machine itself stays as it is, and what happened stays in the log.".to_owned(),
        action: here.clone().join("delete"),
        label: "Delete".to_owned(),
        values: Vec::new(),
        fields: Vec::new(),
        danger: true,
    }
}

/// Changes it.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let host = find(&visit).await?;
        let changed = async {
            let wanted = HostChange {
                name: form.filled("name"),
                tags: Some(written_tags(form.text("tags"))?),
                is_bastion: Some(form.is_on("is_bastion")),
                bastion: Some(form.filled("bastion")),
            };
            hosts::update(&visit.app, &visit.admin, None, &host.id, wanted).await
        };
        match changed.await {
            Ok(host) => Ok(visit.done(&page(&host.id), "The changes are saved.")),
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&make(&visit, &host, Some((problem, &form))).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}

/// Removes it.
pub(in crate::console) async fn delete(visit: Visit) -> Response {
    let done = async {
        let host = find(&visit).await?;
        match hosts::delete(&visit.app, &visit.admin, None, &host.id).await {
            Ok(()) => Ok(visit.done(
                &Section::Hosts.address(),
                &format!("{} is deleted.", host.name),
            )),
            Err(refusal) => {
                let said = Trouble::from(refusal).problem()?;
                let mut page = make(&visit, &host, None).await?;
                page.problem = Some(said);
                Ok(visit.again(&page))
            }
        }
    };
    visit.or_trouble(done.await)
}
