//! Sessions on pages.

use super::happening::time;
use crate::admin::holders::HolderView;
use crate::admin::sessions::SessionView;
use portreeve_console::Address;
use portreeve_console::parts::{Link, PostButton, Session, Sessions};

/// Some sessions; `who` says whose each is, `may_end` whether they can be ended here.
pub(super) fn table(caption: &str, all: &[SessionView], who: bool, may_end: bool) -> Sessions {
    let row = |session: &SessionView| Session {
        id: session.id.clone(),
        command_line: session.kind == "cli",
        device: device(&session.agent),
        who: who.then(|| whose(&session.holder)),
        address: session.address.clone(),
        started: time(session.created_at.0),
        last_seen: time(session.last_seen_at.0),
        ends: time(session.expires_at.0),
        current: session.current,
        end: (may_end && !session.current).then(|| PostButton {
            action: Address::new("/console/sessions")
                .join(&session.id)
                .join("end"),
            label: "Sign out".to_owned(),
            values: Vec::new(),
            class: "small",
        }),
    };
    Sessions {
        caption: caption.to_owned(),
        rows: all.iter().map(row).collect(),
    }
}

fn whose(holder: &HolderView) -> Link {
    let href = match &holder.directory_id {
        Some(directory) => super::people::user_page(directory, &holder.id),
        None => Address::new("/console/settings/owners"),
    };
    Link::new(
        holder.name.clone().unwrap_or_else(|| holder.id.clone()),
        href,
    )
}

/// The program and the system, of what a browser calls itself.
fn device(agent: &str) -> String {
    let programs = [
        ("portreeve", "Command line"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let systems = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let first = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, name)| *name)
    };
    match (first(&programs), first(&systems)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if agent.is_empty() => "Unknown program".to_owned(),
        (None, None) => agent.to_owned(),
    }
}
