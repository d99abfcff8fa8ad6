//! Why somebody may log in to a host, or may not.

use crate::admin::explain::{self, Explanation, StepName, VerdictName};
use crate::console::happening::time;
use crate::console::people::directories;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::access::{Answer, Explain};
use portreeve_console::parts::{
    Alert, Chain, ChainStep, Code, Fact, Facts, Field, Link, Sentence, Shown, Tone,
};
use portreeve_directory::{Permission, Refusal, What, hosts, search};

/// How many names are offered.
const OFFERED: usize = 8;

/// Whether somebody may log in to a host, and how that comes about.
pub(in crate::console) async fn explain(visit: Visit) -> Response {
    visit.answer(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Explain, Trouble> {
    let (user, host) = (visit.query("user").trim(), visit.query("host").trim());
    let (mut answer, mut problem) = (None, None);
    if !user.is_empty() && !host.is_empty() {
        match explain::explain(&visit.app, &visit.admin, None, user, host).await {
            Ok(found) => answer = Some(said(&found, user, host)),
            Err(refusal) => problem = Some(unknown(refusal)?),
        }
    }
    Ok(Explain {
        shell: visit.shell(),
        fields: vec![
            Field::line("explain", "user", "Who", user)
                .example("ada@contoso.com")
                .help("User name, or a service account.")
                .list("known-user")
                .required(),
            Field::line("explain", "host", "Host", host)
                .example("web-1")
                .help("Its name.")
                .list("known-host")
                .required(),
        ],
        known: vec![
            ("known-user", people(visit, user).await?),
            ("known-host", machines(visit, host).await?),
        ],
        problem,
        answer,
    })
}

/// Whom or what there is not.
fn unknown(refusal: Refusal) -> Result<Alert, Trouble> {
    match refusal {
        Refusal::NotFound(What::Host, name) => Ok(Alert::new(
            Tone::Bad,
            format!("There is no host {name}"),
            "Look for its name under Hosts.",
        )),
        Refusal::NotFound(_, name) => Ok(Alert::new(
            Tone::Bad,
            format!("There is nobody called {name}"),
            "Write the user name as it stands under Users, or the name of a service account.",
        )),
        refusal => Trouble::from(refusal).problem(),
    }
}

fn said(found: &Explanation, user: &str, host: &str) -> Answer {
    let verdict = found.reasons.last().map_or("", |last| last.why.as_str());
    // The verdict is a sentence, and what follows says the nearest change.
    let (title, text) = verdict.split_once(". ").unwrap_or((verdict, ""));
    let tone = if found.allowed { Tone::Good } else { Tone::Bad };
    let word = if found.allowed { "Yes" } else { "No" };
    let title = format!("{word}: {}.", title.trim_end_matches('.'));
    let steps = found.reasons.iter().map(|reason| ChainStep {
        step: step(reason.step),
        yes: reason.verdict == VerdictName::Yes,
        why: Sentence(reason.why.clone()),
        href: reason.link.as_deref().and_then(address),
    });
    Answer {
        verdict: Alert::new(tone, title, text),
        chain: Chain(steps.collect()),
        details: found.allowed.then(|| details(found)),
        command: Code {
            what: "command".to_owned(),
            text: format!("portreeve explain {} {}", quoted(user), quoted(host)),
        },
    }
}

/// A word as shells take it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn step(step: StepName) -> &'static str {
    match step {
        StepName::Directory => "Directory",
        StepName::User => "User",
        StepName::Group => "Group",
        StepName::Grant => "Grant",
        StepName::Tags => "Tags",
        StepName::Principals => "Principals",
        StepName::Verdict => "Verdict",
    }
}

/// A page of the console that a reason links to.
fn address(link: &str) -> Option<Address> {
    let rest = link.strip_prefix("/console/")?;
    let (root, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let root = match root {
        "directories" => "/console/directories",
        "users" => "/console/users",
        "groups" => "/console/groups",
        "access" => "/console/access",
        "hosts" => "/console/hosts",
        "settings" => "/console/settings",
        _ => return None,
    };
    let segments = rest.split('/').filter(|segment| !segment.is_empty());
    Some(segments.fold(Address::new(root), Address::join))
}

fn details(found: &Explanation) -> Facts {
    let grants = found.grants.iter().map(|id| {
        let link = Link::new("A grant", super::page(id));
        Fact::new("By", Shown::Link(link))
    });
    let mut facts = vec![
        Fact::text(
            "Account",
            found.principals.first().cloned().unwrap_or_default(),
        ),
        Fact::text("sudo", if found.sudo { "yes" } else { "no" }),
        Fact::text("Principals", found.principals.join(", ")),
        Fact::text("POSIX groups", found.posix_groups.join(", ")),
    ];
    facts.extend(grants);
    if let Some(at) = found.changes_at {
        facts.push(Fact::new("May change", Shown::Time(time(at.0))));
    }
    Facts(facts)
}

/// User names that begin or go on like that.
pub(super) async fn people(visit: &Visit, text: &str) -> Result<Vec<String>, Trouble> {
    if !visit.may(Permission::UserRead) {
        return Ok(Vec::new());
    }
    let (all, text) = (directories(visit).await?, text.to_owned());
    let read = visit.read(move |tx| {
        let mut names = Vec::new();
        for directory in &all {
            for user in search::users(tx, &directory.id, &text, OFFERED)? {
                names.extend(user.parsed()?.user_name().map(str::to_owned));
            }
        }
        names.truncate(OFFERED);
        Ok(names)
    });
    read.await
}

async fn machines(visit: &Visit, text: &str) -> Result<Vec<String>, Trouble> {
    let (team, text) = (visit.team.id.clone(), text.to_owned());
    if !visit.may(Permission::HostRead) || text.is_empty() {
        return Ok(Vec::new());
    }
    let read = visit.read(move |tx| {
        let all = portreeve_access::Expression::all();
        let found = hosts::list(tx, &team, (&all, &text), "", OFFERED)?;
        Ok(found.into_iter().map(|host| host.name).collect())
    });
    read.await
}
