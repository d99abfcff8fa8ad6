//! What became of the accounts of somebody on hosts.

use crate::admin::offboarding::{
    self, LeftView, OffboardedHostView, OffboardingState as State, OffboardingView, RemovalRequest,
    RemovalView,
};
use crate::console::happening::time;
use crate::console::hosts::page as host_page;
use crate::console::people::user_page;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::pages::users::{Account, Offboarding, Removal};
use portreeve_console::parts::{Alert, Badge, Choice, Confirm, Field, Form as Input, Link, Tone};
use portreeve_directory::Permission;

/// How many hosts a question offers one by one.
const OFFERED: usize = 40;

/// The report about the user that the path names.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let report = report(&visit).await?;
        Ok(visit.page(&page(&visit, &report, None)))
    };
    visit.or_trouble(shown.await)
}

async fn report(visit: &Visit) -> Result<OffboardingView, Trouble> {
    let who = (&*visit.param("directory"), &*visit.param("user"));
    Ok(offboarding::report(&visit.app, &visit.admin, who).await?)
}

/// Has hosts remove what is left there, or say what that would be.
pub(in crate::console) async fn remove(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let dry_run = form.is_on("dry_run");
        let wanted = RemovalRequest {
            dry_run,
            hosts: form.all("hosts").map(str::to_owned).collect(),
        };
        // Nothing chosen is not everything: that is asked for where hosts are too many to be offered.
        let chosen = match wanted.hosts.is_empty() && !form.is_on("everywhere") {
            true => Err(Trouble::Invalid("choose a host".to_owned())),
            false => Ok(wanted),
        };
        let asked = async {
            let who = (&*visit.param("directory"), &*visit.param("user"));
            Ok(offboarding::remove(&visit.app, &visit.admin, who, chosen?).await?)
        };
        match asked.await {
            Ok(report) => {
                let said = match dry_run {
                    true => {
                        "The hosts are asked. They say with their next report what they would remove."
                    }
                    false => {
                        "The hosts are told. They say with their next report what they have removed."
                    }
                };
                let here = user_page(&report.user.directory_id, &report.user.id);
                Ok(visit.done(&here.join("offboarding"), said))
            }
            Err(trouble) => {
                let trouble: Trouble = trouble;
                let problem = trouble.problem()?;
                let report = report(&visit).await?;
                Ok(visit.again(&page(&visit, &report, Some(problem))))
            }
        }
    };
    visit.or_trouble(done.await)
}

fn page(visit: &Visit, report: &OffboardingView, problem: Option<Alert>) -> Offboarding {
    let actions = match visit.may(Permission::HostWrite) {
        true => questions(report),
        false => Vec::new(),
    };
    Offboarding {
        shell: visit.shell(),
        name: report.user.name.clone(),
        user: user_page(&report.user.directory_id, &report.user.id),
        problem,
        summary: summary(report),
        rows: report.hosts.iter().map(row).collect(),
        actions,
    }
}

fn summary(report: &OffboardingView) -> Alert {
    let (tone, title) = match report {
        OffboardingView { total: 0, .. } => (Tone::Info, "No account"),
        OffboardingView { denied: 0, .. } => (Tone::Info, "They may log in"),
        OffboardingView {
            total,
            denied,
            acknowledged,
            ..
        } => match (denied == total, acknowledged == denied) {
            (true, true) => (Tone::Good, "Shut out everywhere"),
            (true, false) => (Tone::Warn, "Shut out; not every host has said so"),
            (false, true) => (Tone::Info, "Shut out on some hosts"),
            (false, false) => (
                Tone::Warn,
                "Shut out on some hosts; not each of them has said so",
            ),
        },
    };
    Alert::new(tone, title, report.summary.clone())
}

fn row(host: &OffboardedHostView) -> Account {
    Account {
        host: Link::new(host.name.clone(), host_page(&host.id)),
        name: host.account.clone(),
        state: match host.state {
            State::Allowed => Badge::new(Tone::Info, "May log in"),
            State::Denied if !host.has_agent => Badge::new(Tone::Neutral, "Denied, no agent"),
            State::Denied => Badge::new(Tone::Warn, "Denied"),
            State::Acknowledged => Badge::new(Tone::Good, "Denied there"),
            State::Removed => Badge::new(Tone::Neutral, "Removed"),
        },
        denied: host.denied_at.map(|at| time(at.0)),
        acknowledged: host.acknowledged_at.map(|at| time(at.0)),
        left: match host.state {
            State::Removed => Some("nothing".to_owned()),
            _ => host.left.as_ref().map(left),
        },
        had_sudo: host.had_sudo,
        removal: host.removal.as_ref().map(removal),
        reported: host.reported_at.map(|at| time(at.0)),
    }
}

/// What they have left, and what was running, in words.
fn left(left: &LeftView) -> String {
    let counted = |count: i64, one: &str, several: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {several}")),
    };
    let there = |is: bool, word: &str| is.then(|| word.to_owned());
    let all = [
        there(left.home, "home directory"),
        there(left.crontab, "crontab"),
        there(left.keys, "authorized keys"),
        counted(left.processes, "process", "processes"),
        counted(left.sessions_ended, "session ended", "sessions ended"),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    match all.is_empty() {
        true => "nothing".to_owned(),
        false => all.join(", "),
    }
}

fn removal(removal: &RemovalView) -> Removal {
    let badge = match (removal.answered_at, &removal.error, removal.dry_run) {
        (None, _, true) => Badge::new(Tone::Info, "Asked what would be"),
        (None, _, false) => Badge::new(Tone::Info, "Asked"),
        (Some(_), Some(_), _) => Badge::new(Tone::Bad, "Failed"),
        (Some(_), None, true) => Badge::new(Tone::Neutral, "Would be removed"),
        (Some(_), None, false) => Badge::new(Tone::Good, "Removed"),
    };
    Removal {
        said: badge,
        at: time(removal.answered_at.unwrap_or(removal.asked_at).0),
        lines: removal
            .error
            .iter()
            .chain(&removal.paths)
            .cloned()
            .collect(),
    }
}

/// What can be asked about the hosts that could remove something.
fn questions(report: &OffboardingView) -> Vec<Confirm> {
    let hosts: Vec<&OffboardedHostView> = report
        .hosts
        .iter()
        .filter(|host| host.is_removable)
        .collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let here = user_page(&report.user.directory_id, &report.user.id).join("removal");
    let name = &report.user.name;
    let question = |form: &'static str, opener: &str, title: String, effect: &str| {
        let (fields, everywhere) = match hosts.len() <= OFFERED {
            true => (vec![choose(form, &hosts)], None),
            false => (Vec::new(), Some(("everywhere", "true".to_owned()))),
        };
        Confirm {
            id: form.to_owned(),
            opener: opener.to_owned(),
            title,
            effect: effect.to_owned(),
            action: here.clone(),
            label: opener.trim_end_matches('…').to_owned(),
            values: everywhere.into_iter().collect(),
            fields,
            danger: true,
        }
    };
    let mut look = question(
        "look",
        "What would be removed…",
        format!("Ask hosts what they would remove of {name}?"),
        "Nothing is removed. Each host answers with its next report.",
    );
    look.danger = false;
    look.label = "Ask".to_owned();
    look.values.push(("dry_run", "true".to_owned()));
    let remove = question(
        "remove",
        "Remove data…",
        format!("Remove what {name} has left on hosts?"),
        "Home directory, mail and crontab are deleted there, for ever. Each host says with its next report what it has removed.",
    );
    vec![look, remove]
}

fn choose(form: &'static str, hosts: &[&OffboardedHostView]) -> Field {
    let choice = |host: &&OffboardedHostView| Choice::new(host.id.clone(), host.name.clone(), true);
    let choices = hosts.iter().map(choice).collect();
    Field::new(form, "hosts", "Hosts", Input::Any(choices))
}
