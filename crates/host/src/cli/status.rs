//! `portreeve-host status`.

use super::Global;
use super::failure::Failure;
use super::machine::Machine;
use super::output::{say, show};
use jiff::Timestamp;
use portreeve_host::config::Backend;
use portreeve_host::net::Socket;
use portreeve_host::status::{Status, status};
use portreeve_host::world::World;

pub(crate) fn run(global: &Global) -> Result<(), Failure> {
    let paths = global.paths();
    let status = status(&paths, &Socket::new(paths.apply_socket()))?;
    show(global.output, &status, &rows(&status, Machine::new().now()))?;
    if !status.is_running {
        say(
            global.output,
            "the half with root's rights does not answer; as root: systemctl status portreeve-host-apply, or portreeve-host run",
        );
    }
    Ok(())
}

fn rows(status: &Status, now: Timestamp) -> Vec<Vec<String>> {
    let backend = match status.backend {
        Backend::Userdb => "records for nss-systemd",
        Backend::Nss => "snapshots for the module portreeve",
    };
    let mut rows = vec![
        ("HOST", status.host.name.clone()),
        ("ID", status.host.id.clone()),
        ("TEAM", status.team.clone()),
        ("SERVER", status.url.clone().unwrap_or_default()),
        ("BACKEND", backend.to_owned()),
    ];
    if status.is_running {
        rows.extend(in_force(status, now));
    }
    if let Some(until) = status.identity_until {
        rows.push(("IDENTITY", format!("until {}", moment(until, now))));
    }
    let conflicts = status.conflicts.iter().map(|conflict| {
        let text = format!("{}: {}", conflict.account, conflict.detail);
        ("CONFLICT", text)
    });
    rows.extend(conflicts);
    if status.denied > 0 {
        rows.push(("SHUT OUT", status.denied.to_string()));
    }
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(name, value)| vec![name.to_owned(), value])
        .collect()
}

/// What the half with root's rights has in force.
fn in_force(status: &Status, now: Timestamp) -> [(&'static str, String); 4] {
    let policy = match status.applied {
        Some(applied) => format!("{}, since {}", applied.version, moment(applied.at, now)),
        None => "none yet".to_owned(),
    };
    let lease = match (status.applied, status.lease_until) {
        (Some(_), Some(until)) => moment(until, now),
        (Some(_), None) => "never ends".to_owned(),
        (None, _) => String::new(),
    };
    let revocations = match status.has_krl {
        true => "in force",
        false => "none that sshd can read: nobody gets in",
    };
    let certificate = match status.certificate {
        Some(shown) => format!(
            "{}, until {}",
            shown.serial,
            moment(shown.valid_before, now)
        ),
        None => "none".to_owned(),
    };
    [
        ("POLICY", policy),
        ("LEASE", lease),
        ("REVOCATIONS", revocations.to_owned()),
        ("CERTIFICATE", certificate),
    ]
}

fn moment(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", seconds(time), relative(time, now))
}

fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// As a person says it: "3 minutes ago", "in 12 days".
fn relative(time: Timestamp, now: Timestamp) -> String {
    let apart = now.duration_since(time).as_secs();
    let length = match apart.unsigned_abs() {
        0..=4 => return "just now".to_owned(),
        s @ 5..=119 => format!("{s} seconds"),
        s @ 120..=7_199 => format!("{} minutes", s / 60),
        s @ 7_200..=172_799 => format!("{} hours", s / 3_600),
        s => format!("{} days", s / 86_400),
    };
    match apart >= 0 {
        true => format!("{length} ago"),
        false => format!("in {length}"),
    }
}
