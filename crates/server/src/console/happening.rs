//! Events as sentences.

use portreeve_console::Address;
use portreeve_console::pages::overview::Happening;
use portreeve_console::parts::Time;
use portreeve_directory::actors::Actors;
use portreeve_directory::events::Event;

/// An event for a list of what happened.
pub(super) fn happening(event: &Event, actors: &Actors) -> Happening {
    Happening {
        href: page(event),
        category: event.category.clone(),
        text: sentence(event, actors),
        at: time(event.at),
        failed: event.outcome != "ok",
    }
}

/// The page of an event.
pub(super) fn page(event: &Event) -> Address {
    Address::new("/console/logs").join(&event.id)
}

/// A time of the database.
pub(super) fn time(micros: i64) -> Time {
    Time(jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

/// What people call by its name alone.
const KNOWN: &[&str] = &[
    "User",
    "Group",
    "Directory",
    "Owner",
    "Application",
    "Team",
    "Host",
    "Location",
    // By where it is: the log names no visitor.
    "Visit",
];

/// Who did what to whom: "Contoso Entra changed Jürgen Groß".
pub(super) fn sentence(event: &Event, actors: &Actors) -> String {
    let actor = actors.name(event);
    let object = match (&event.object_name, &event.object_kind) {
        // People, groups and directories are known by their names, other things by what they are.
        (Some(name), Some(kind)) if !name.is_empty() && !KNOWN.contains(&kind.as_str()) => {
            format!("the {} “{name}”", word(kind))
        }
        (Some(name), _) if !name.is_empty() => name.clone(),
        (_, Some(kind)) => format!("a {}", word(kind)),
        _ => String::new(),
    };
    let own = event.actor_id.is_some() && event.actor_id == event.object_id;
    let said = match event.outcome.as_str() {
        "ok" if own => format!("{actor} {}", verb(event)),
        "ok" => format!("{actor} {} {object}", verb(event)),
        // Nobody knows who somebody is who was not signed in.
        _ if event.action == "sign_in_refused" => format!("A sign-in was refused: {object}"),
        _ => format!("{actor} could not {} {object}", infinitive(&event.action)),
    };
    said.trim_end_matches([' ', ':']).to_owned()
}

/// What was not done. What has no word of its own says its action.
fn infinitive(action: &str) -> String {
    let said = match action {
        "replace" | "patch" | "update" => "change",
        "get" | "query" => "read",
        "request" => "send a request",
        "mail" => "send",
        "skip" => "deliver an event to",
        "level" => "change the level of",
        other => return other.replace('_', " "),
    };
    said.to_owned()
}

/// What was done, in the past tense. What has no word of its own says its action.
fn verb(event: &Event) -> String {
    let said = match (event.category.as_str(), event.action.as_str()) {
        ("AUTH", "sign_in") => "signed in",
        ("AUTH", "sign_out") => "signed out",
        ("AUTH", "link_made") => "made a sign-in link for",
        ("AUTH", "passkey_added") => "added a passkey for",
        ("AUTH", "passkey_removed") => "removed a passkey of",
        ("SESSION", "end") => "ended a session of",
        ("SESSION", "login") => "logged in to",
        ("SESSION", "logout") => "logged out of",
        ("SESSION", "sudo") => "used sudo on",
        ("ACCESS", "granted") => "made",
        ("ACCESS", "changed") => "changed",
        ("ACCESS", "revoked") => "revoked",
        ("ACCESS", "expired") => "told the end of",
        ("SSH_CERT", "issue") => "got",
        ("SSH_CERT", "renew") => "renewed",
        ("VISITOR", "sign_in") => "signed a visitor in at",
        ("VISITOR", "sign_out") => "signed a visitor out at",
        ("VISITOR", "expect") => "announced a visitor at",
        ("VISITOR", "cancel") => "took a visitor back who was announced at",
        ("VISITOR", "answer") => "answered a visitor who waits at",
        ("VISITOR", "visitor_host_gone") => "told that whom a visitor came to see is gone, at",
        (_, "visitors") => "decided what visitors find of",
        (_, "enroll") => "enrolled",
        (_, "leave") => "took leave",
        (_, "ask_removal") => "asked hosts to remove what is left of",
        (_, "list_data") => "said what is left of",
        (_, "remove_data") => "removed what was left of",
        (_, "test") => "tested",
        (_, "create") => "created",
        (_, "replace" | "patch" | "update") => "changed",
        (_, "delete") => "deleted",
        (_, "suspend") => "suspended",
        (_, "reinstate") => "reinstated",
        (_, "rotate") => "rotated",
        (_, "revoke") => "revoked",
        (_, "level") => "changed the level of",
        (_, "add_member") => "added a member to",
        (_, "remove_member") => "removed a member from",
        (_, "activate") => "activated",
        (_, "retire") => "retired",
        (_, "forget") => "forgot",
        (_, "expire_member") => "ended a membership in",
        (_, "pause") => "paused",
        (_, "start") => "started",
        (_, "restart") => "restarted",
        (_, other) => return format!("did “{}” with", other.replace('_', " ")),
    };
    said.to_owned()
}

/// The word for a kind of object.
pub(super) fn word(kind: &str) -> String {
    let mut out = String::new();
    for (index, letter) in kind.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            out.push(' ');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
