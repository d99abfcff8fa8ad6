//! SSH certificates: the list, one certificate, and revoking it.

use super::access;
use super::happening::time;
use super::hosts::page as host_page;
use super::people::{PAGE, user_page};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::certificates::{
    self, CertificateKind, CertificateState, CertificateView, RevokeRequest, Which,
};
use crate::admin::holders::HolderView;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::certificates::{Certificate, List};
use portreeve_console::parts::{
    Alert, Badge, Certificate as Row, Certificates, Confirm, Copyable, Empty, Fact, Facts, Field,
    Filter, Icon, Link, Pager, Search, Shown, Tone, Toolbar,
};
use portreeve_console::{Address, Section};
use portreeve_directory::certificates::{Kind, State};
use portreeve_directory::{Permission, Refusal, What};

/// How many certificates of one person or host are shown.
const LATEST: u64 = 10;

pub(super) fn page(serial: &str) -> Address {
    Section::Certificates.address().join(serial)
}

/// The latest certificates of those that are wanted.
pub(super) async fn of(visit: &Visit, which: Which, name: &str) -> Result<Certificates, Trouble> {
    let part = (None, LATEST);
    let (found, _) = certificates::list(&visit.app, &visit.admin, None, which, part).await?;
    let may = visit.may(Permission::CertificateRead);
    Ok(Certificates {
        caption: format!("Certificates of {name}"),
        rows: found.iter().map(|one| row(one, false, may)).collect(),
    })
}

fn row(one: &CertificateView, shows_who: bool, may: bool) -> Row {
    Row {
        serial: one.serial.clone(),
        href: may.then(|| page(&one.serial)),
        key_id: one.key_id.clone(),
        principals: one.principals.join(", "),
        who: whose(one).filter(|_| shows_who),
        state: state(one),
        issued: time(one.issued_at.0),
        ends: time(one.valid_before.0),
    }
}

/// Whose it is.
fn whose(one: &CertificateView) -> Option<Link> {
    if let Some(host) = &one.host {
        let name = host
            .name
            .clone()
            .unwrap_or_else(|| "a host that is gone".to_owned());
        return Some(Link::new(name, host_page(&host.id)));
    }
    one.holder.as_ref().map(holder)
}

/// Somebody who holds something.
pub(super) fn holder(holder: &HolderView) -> Link {
    let name = holder
        .name
        .clone()
        .unwrap_or_else(|| "somebody who is gone".to_owned());
    let href = match (&holder.directory_id, holder.kind) {
        (Some(directory), _) => user_page(directory, &holder.id),
        (None, "owner") => Address::new("/console/settings/owners"),
        (None, _) => Address::new("/console/settings/service-accounts"),
    };
    Link::new(name, href)
}

fn state(one: &CertificateView) -> Badge {
    match one.state {
        CertificateState::Live => Badge::new(Tone::Good, "Live"),
        CertificateState::Expired => Badge::new(Tone::Neutral, "Expired"),
        CertificateState::Revoked => Badge::new(Tone::Bad, "Revoked"),
    }
}

/// The certificates of the team.
pub(super) async fn list(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<List, Trouble> {
    let text = visit.query("q").trim().to_owned();
    let kept = ["q", "state", "kind"];
    let address = kept
        .iter()
        .fold(Section::Certificates.address(), |address, name| {
            address.with(*name, visit.query(name))
        });
    let (found, next, problem) = match find(visit, &text).await {
        Ok((found, next)) => (found, next, None),
        Err(Refusal::NotFound(..)) => (Vec::new(), None, Some(unknown(&text))),
        Err(refusal) => (Vec::new(), None, Some(Trouble::from(refusal).problem()?)),
    };
    let narrowed = kept.iter().any(|name| !visit.query(name).is_empty());
    let after = visit.query("after");
    Ok(List {
        shell: visit.shell(),
        toolbar: Toolbar {
            search: Search {
                address: address.clone(),
                label: "User name, host, serial number or SHA256:…",
            },
            filters: filters(&address),
            clear: narrowed.then(|| Section::Certificates.address()),
        },
        problem,
        empty: empty(narrowed),
        pager: Pager {
            total: None,
            shown: found.len(),
            noun: ("certificate", "certificates"),
            previous: (!after.is_empty()).then(|| address.clone()),
            next: next.map(|(at, serial)| address.with("after", format!("{at}-{serial}"))),
        },
        certificates: Certificates {
            caption: "Certificates".to_owned(),
            rows: found.iter().map(|one| row(one, true, true)).collect(),
        },
    })
}

fn filters(address: &Address) -> Vec<Filter> {
    let pairs = |all: &[(&str, &str)]| {
        let all = all.iter();
        let all = all.map(|(value, label)| ((*value).to_owned(), (*label).to_owned()));
        all.collect::<Vec<_>>()
    };
    let states = pairs(&[
        ("live", "Live"),
        ("expired", "Expired"),
        ("revoked", "Revoked"),
    ]);
    let kinds = pairs(&[("user", "People"), ("host", "Hosts")]);
    vec![
        Filter::new("State", address, "state", states),
        Filter::new("For", address, "kind", kinds),
    ]
}

fn empty(narrowed: bool) -> Empty {
    let (title, text) = match narrowed {
        true => ("No certificate found", "None is like that."),
        false => (
            "No certificates yet",
            "They appear when people log in with portreeve ssh login or step ssh login, and when hosts get theirs.",
        ),
    };
    Empty {
        icon: Icon::Certificate,
        title: title.to_owned(),
        text: text.to_owned(),
        link: None,
    }
}

fn unknown(text: &str) -> Alert {
    Alert::new(
        Tone::Warn,
        format!("There is nothing called {text}"),
        "Write the user name as it stands under Users, the name of a host, a serial number, or the fingerprint of a key (SHA256:…).",
    )
}

type Found = (Vec<CertificateView>, Option<(i64, i64)>);

/// Those that are looked for: by person or host, serial number or key.
async fn find(visit: &Visit, text: &str) -> Result<Found, Refusal> {
    let mut which = Which {
        kind: match visit.query("kind") {
            "user" => Some(Kind::User),
            "host" => Some(Kind::Host),
            _ => None,
        },
        state: match visit.query("state") {
            "live" => Some(State::Live),
            "expired" => Some(State::Expired),
            "revoked" => Some(State::Revoked),
            _ => None,
        },
        ..Which::default()
    };
    let after = visit.query("after").split_once('-');
    let after = after.and_then(|(at, serial)| Some((at.parse().ok()?, serial.parse().ok()?)));
    let part = (after, u64::try_from(PAGE).unwrap_or(50));
    let (app, admin) = (&visit.app, &visit.admin);
    if text.is_empty() {
        return certificates::list(app, admin, None, which, part).await;
    }
    if text.starts_with("SHA256:") {
        which.fingerprint = Some(text.to_owned());
        return certificates::list(app, admin, None, which, part).await;
    }
    if text.len() > 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let one = certificates::get(app, admin, None, text).await?;
        return Ok((vec![one], None));
    }
    let host = Which {
        host: Some(text.to_owned()),
        ..which.clone()
    };
    which.user = Some(text.to_owned());
    match certificates::list(app, admin, None, which, part).await {
        Err(Refusal::NotFound(What::User, _)) => {
            certificates::list(app, admin, None, host, part).await
        }
        found => found,
    }
}

/// The certificate that the path names.
pub(super) async fn show(visit: Visit) -> Response {
    let shown = async { one(&visit, &get(&visit).await?, None).await };
    visit.answer(shown.await)
}

async fn get(visit: &Visit) -> Result<CertificateView, Trouble> {
    Ok(certificates::get(&visit.app, &visit.admin, None, &visit.param("serial")).await?)
}

async fn one(
    visit: &Visit,
    shown: &CertificateView,
    problem: Option<Alert>,
) -> Result<Certificate, Trouble> {
    let grants = match shown.kind {
        CertificateKind::User if visit.may(Permission::GrantRead) => {
            let names = access::names(visit, shown.grants.iter()).await?;
            let link = |id: &String| {
                let label = names.get(id).map(|name| format!("The grant of {name}"));
                let label = label.unwrap_or_else(|| "A grant that is gone".to_owned());
                Link::new(label, access::page(id))
            };
            Some(shown.grants.iter().map(link).collect())
        }
        _ => None,
    };
    let may = visit.may(Permission::CertificateWrite) && shown.state == CertificateState::Live;
    Ok(Certificate {
        shell: visit.shell(),
        name: shown.key_id.clone(),
        state: state(shown),
        problem,
        facts: facts(shown),
        grants,
        revoke: may.then(|| revoke_question(shown)),
    })
}

fn facts(one: &CertificateView) -> Facts {
    let copyable = |label: &'static str, value: &str| {
        let value = Copyable::new(label.to_lowercase(), value);
        Fact::new(label, Shown::Copyable(value))
    };
    let mut facts = Vec::new();
    if let Some(link) = whose(one) {
        let label = if one.host.is_some() { "Host" } else { "Who" };
        facts.push(Fact::new(label, Shown::Link(link)));
    }
    facts.push(Fact::text("Principals", one.principals.join(", ")));
    facts.push(copyable("Key", &one.fingerprint).note(one.key_type.clone()));
    facts.push(copyable("Serial", &one.serial));
    let from = match one.address.is_empty() {
        true => "on the server's machine".to_owned(),
        false => format!("from {}", one.address),
    };
    facts.push(Fact::new("Issued", Shown::Time(time(one.issued_at.0))).note(from));
    facts.push(Fact::new(
        "Valid from",
        Shown::Time(time(one.valid_after.0)),
    ));
    facts.push(Fact::new(
        "Valid until",
        Shown::Time(time(one.valid_before.0)),
    ));
    let by = one
        .provisioner
        .clone()
        .unwrap_or_else(|| "Portreeve".to_owned());
    facts.push(Fact::text("Asked for through", by));
    if let Some(serial) = &one.replaces {
        let link = Link::new(serial.clone(), page(serial));
        facts.push(Fact::new("In place of", Shown::Link(link)));
    }
    if let Some(at) = one.revoked_at {
        let why = one.revoked_why.clone().unwrap_or_default();
        facts.push(Fact::new("Revoked", Shown::Time(time(at.0))).note(why));
    }
    Facts(facts)
}

fn revoke_question(one: &CertificateView) -> Confirm {
    Confirm {
        id: "revoke".to_owned(),
        opener: "Revoke…".to_owned(),
        title: format!("Revoke the certificate {}?", one.key_id),
        effect: "Hosts refuse it as soon as they have fetched the list of what is revoked. Another one can be issued; who is to stay out is suspended, or loses the grant.".to_owned(),
        action: page(&one.serial).join("revoke"),
        label: "Revoke".to_owned(),
        values: Vec::new(),
        fields: vec![
            Field::line("revoke", "reason", "Why", "")
                .example("laptop lost")
                .help("For the log."),
        ],
        danger: true,
    }
}

/// Revokes a certificate.
pub(super) async fn revoke(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let shown = get(&visit).await?;
        let wanted = RevokeRequest {
            serial: Some(shown.serial.clone()),
            reason: form.filled("reason"),
            ..RevokeRequest::default()
        };
        match certificates::revoke(&visit.app, &visit.admin, wanted).await {
            Ok(_) => Ok(visit.done(&page(&shown.serial), "The certificate is revoked.")),
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                Ok(visit.again(&one(&visit, &shown, Some(problem)).await?))
            }
        }
    };
    visit.or_trouble(done.await)
}
