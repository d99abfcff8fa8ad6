//! What somebody should look at, although nothing fails.

use super::happening::time;
use super::hosts;
use portreeve_console::parts::{Alert, Link, Tone};
use portreeve_console::{Address, Section};
use portreeve_directory::applications::{self, Application, Status};
use portreeve_directory::directories::{self, Directory, Provider};
use portreeve_directory::{Refusal, host_agents, tokens, users};
use portreeve_store::Tx;

const DAY: i64 = 24 * 3_600_000_000;
/// Entra's provisioning service comes every 40 minutes; after so many rounds without it something is wrong.
const SILENCE: i64 = DAY / 8;
/// How long before its end a token is to be rotated.
const TOKEN_ENDS: i64 = 14 * DAY;

/// What needs attention in a team, the worst first.
pub(super) fn list(tx: &mut Tx<'_>, team_id: &str, now: i64) -> Result<Vec<Alert>, Refusal> {
    let mut alerts = Vec::new();
    for directory in of_team(tx, team_id)? {
        of_directory(tx, &directory, now, &mut alerts)?;
    }
    alerts.extend(of_hosts(host_agents::silent(
        tx,
        team_id,
        now - hosts::SILENCE,
    )?));
    for application in applications::list(tx, team_id)? {
        alerts.extend(of_application(&application));
    }
    alerts.sort_by_key(|alert| alert.tone != Tone::Bad);
    Ok(alerts)
}

/// The directories of a team, by name.
pub(super) fn of_team(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Directory>, Refusal> {
    let mut all = directories::list(tx)?;
    all.retain(|directory| directory.team_id == team_id);
    Ok(all)
}

/// The page of a directory.
pub(super) fn page(directory: &Directory) -> Address {
    Address::new("/console/directories").join(&directory.id)
}

/// What needs attention about one directory.
pub(super) fn of_directory(
    tx: &mut Tx<'_>,
    directory: &Directory,
    now: i64,
    alerts: &mut Vec<Alert>,
) -> Result<(), Refusal> {
    if directory.provider == Provider::Native {
        return Ok(());
    }
    let name = &directory.name;
    if let Some(last) = directory.last_contact_at
        && last < now - SILENCE
    {
        let text = format!(
            "The last request came at {}. Look into the provisioning log of the provider; its job may be stopped or in quarantine.",
            time(last).text()
        );
        let alert = Alert::new(Tone::Bad, format!("{name} is silent"), text);
        alerts.push(alert.link(Link::new(
            "Latest requests",
            page(directory).join("requests"),
        )));
    }
    alerts.extend(of_tokens(tx, directory, now)?);
    if users::active_is_never_sent(tx, &directory.id)? {
        let text = "People who are disabled at the provider stay active here. Map active in the provider (in Entra: Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")).";
        let alert = Alert::new(Tone::Warn, format!("{name} never sends “active”"), text);
        alerts.push(alert.link(Link::new("The mapping", page(directory))));
    }
    Ok(())
}

/// Whether the provider can get in, and for how long.
fn of_tokens(tx: &mut Tx<'_>, directory: &Directory, now: i64) -> Result<Option<Alert>, Refusal> {
    let name = &directory.name;
    let live = tokens::list(tx, &directory.id)?;
    let mut live = live
        .iter()
        .filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now));
    let tokens_page = Link::new("Secret tokens", page(directory).join("tokens"));
    Ok(
        match live
            .clone()
            .map(|token| token.expires_at.unwrap_or(i64::MAX))
            .max()
        {
            None => {
                let text = "Whatever the provider sends is refused until it has a new one.";
                let alert = Alert::new(Tone::Bad, format!("{name} has no secret token"), text);
                Some(alert.link(tokens_page))
            }
            Some(end) if end < now + TOKEN_ENDS => {
                let text = format!(
                    "It works until {}. Rotate it, and give the new one to the provider.",
                    time(end).text()
                );
                let alert = Alert::new(
                    Tone::Warn,
                    format!("The secret token of {name} ends soon"),
                    text,
                );
                Some(alert.link(tokens_page))
            }
            Some(_)
                if live.all(|token| token.last_used_at.is_none())
                    && directory.last_contact_at.is_none() =>
            {
                let text = "Give tenant URL and secret token to the provider, and start provisioning there.";
                let alert = Alert::new(Tone::Info, format!("{name} waits for its provider"), text);
                Some(alert.link(Link::new("How to connect it", page(directory))))
            }
            Some(_) => None,
        },
    )
}

/// Whether hosts go by what they heard long ago.
fn of_hosts(silent: i64) -> Option<Alert> {
    let title = match silent {
        ..=0 => return None,
        1 => "A host is silent".to_owned(),
        count => format!("{count} hosts are silent"),
    };
    let text = "Until the lease is over, it goes by what it heard last: who was shut out since then is not out there. Look whether it runs and reaches the server.";
    let fleet = Section::Hosts
        .address()
        .join("fleet")
        .with("state", "silent");
    Some(Alert::new(Tone::Bad, title, text).link(Link::new("Silent hosts", fleet)))
}

fn of_application(application: &Application) -> Option<Alert> {
    let name = &application.name;
    let (title, text) = match (&application.quarantine, application.status) {
        (Some(_), _) => (
            format!("Application {name} is in quarantine"),
            format!(
                "Its cycles are rare until it works again. See why: portreeve app status '{name}'"
            ),
        ),
        (None, Status::Disabled) => (
            format!("Application {name} is disabled"),
            format!(
                "Its quarantine lasted too long. When the cause is mended: portreeve app start '{name}'"
            ),
        ),
        _ => return None,
    };
    Some(Alert::new(Tone::Bad, title, text))
}
