//! Events: the append-only audit log, which is also the ordered feed of committed changes.
//!
//! One row serves both, because they are the same fact: whoever follows the feed reads what the auditor reads, and a
//! change costs one write less. Each team counts its events; their positions rise in the order of commits without gaps,
//! so `after a position` is a place in the feed. Ids name events to the outside and say nothing of their order.

/// What [`read::from_row`] takes.
macro_rules! columns {
    () => {
        "id, directory_id, at, category, action, outcome, object_kind, object_id, object_name, actor_kind, actor_id, request_id, duration_us, version, reason, detail, changes, position"
    };
}

/// What makes an event a change. An answer only tells a client what came of changes that have events themselves.
macro_rules! is_change {
    () => {
        "outcome = 'ok' AND category IN ('SCIM_SYNC', 'ADMIN', 'PROVISIONING', 'ACCESS') AND action <> 'answer'"
    };
}

mod feed;
mod read;

pub use feed::{Changes, Log, Page, changes, last, prune, pruned_to};
pub use read::{Event, Place, Query, find, get, list, list_all, streamable};

pub(crate) use feed::begin;

use crate::{Actor, Call, Clock, Ids, Refusal};
use portreeve_store::{Tx, params, statements};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

statements! {
    INSERT = concat!("INSERT INTO events (team_id, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, (SELECT position FROM feeds WHERE team_id = $1))");
    BY_ID = concat!("SELECT ", columns!(), " FROM events WHERE team_id = $1 AND id = $2");
    PLACE = "SELECT position FROM events WHERE team_id = $1 AND id = $2";
    STREAMABLE = concat!("SELECT ", columns!(), " FROM events WHERE team_id = $1 AND position > $2 AND directory_id = $3 AND outcome = 'ok' AND (category = 'SCIM_SYNC' OR category = 'ADMIN' AND object_kind IN ('User', 'Group')) AND action IN ('create', 'replace', 'patch', 'delete', 'answer') ORDER BY position LIMIT $4");
    TIME = "SELECT at FROM events WHERE team_id = $1 AND position >= $2 ORDER BY position LIMIT 1";
    BEGIN = "INSERT INTO feeds (team_id, position, floor) VALUES ($1, 0, 0)";
    ADVANCE = "UPDATE feeds SET position = position + 1 WHERE team_id = $1";
    EXTENT = "SELECT position, floor FROM feeds WHERE team_id = $1";
    RAISE = "UPDATE feeds SET floor = $2 WHERE team_id = $1 AND floor < $2";
    CHANGES = concat!("SELECT ", columns!(), " FROM events WHERE team_id = $1 AND position > $2 AND position <= $3 AND ", is_change!(), " ORDER BY position LIMIT $4");
    CHANGES_OF = concat!("SELECT ", columns!(), " FROM events WHERE team_id = $1 AND position > $2 AND position <= $3 AND directory_id = $5 AND ", is_change!(), " ORDER BY position LIMIT $4");
    PRUNE_AUDIT = concat!("DELETE FROM events WHERE team_id = $1 AND position IN (SELECT position FROM (SELECT position, at FROM events WHERE team_id = $1 AND at <= $4 AND NOT (outcome = 'refused' AND category = 'SCIM_SYNC') ORDER BY position LIMIT $3) AS oldest WHERE at < $2) RETURNING CASE WHEN ", is_change!(), " THEN position ELSE 0 END");
    PRUNE_REQUESTS = "DELETE FROM events WHERE team_id = $1 AND position IN (SELECT position FROM (SELECT position, at FROM events WHERE team_id = $1 AND at <= $4 AND outcome = 'refused' AND category = 'SCIM_SYNC' ORDER BY position LIMIT $3) AS oldest WHERE at < $2) RETURNING 0";
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// A provider changed something, or was refused.
    ScimSync,
    /// An admin changed something.
    Admin,
    /// An application was declared, changed, started or stopped, or its job changed its state by itself.
    Provisioning,
    /// Somebody signed in, was refused, or got a way to sign in.
    Auth,
    /// A session ended otherwise than by its own time, or a host tells of a login, sudo or logout.
    Session,
    /// Who may log in to which hosts was changed, or has changed because time has passed.
    Access,
    /// A certificate was issued, renewed, revoked or refused.
    SshCert,
    /// A visitor is expected, came or left, or whoever is visited has answered.
    Visitor,
}

impl Category {
    /// The name in the log and in filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScimSync => "SCIM_SYNC",
            Self::Admin => "ADMIN",
            Self::Provisioning => "PROVISIONING",
            Self::Auth => "AUTH",
            Self::Session => "SESSION",
            Self::Access => "ACCESS",
            Self::SshCert => "SSH_CERT",
            Self::Visitor => "VISITOR",
        }
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Done and committed with the event.
    Ok,
    /// Not done, for this reason code and sentence.
    Refused {
        /// A code that does not change with the wording: a `scimType`, or one of ours such as `token_expired`.
        reason: &'a str,
        /// The sentence the client was given.
        detail: &'a str,
    },
}

/// An event to be written.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// What it is about.
    pub category: Category,
    /// The verb: `create`, `replace`, `patch`, `delete`, `rotate`, ….
    pub action: &'a str,
    /// How it went.
    pub outcome: Outcome<'a>,
    /// `User`, `Group`, `Directory`, `Token`, ….
    pub object_kind: Option<&'a str>,
    /// Id of the object.
    pub object_id: Option<&'a str>,
    /// A name for people that stays readable after the object is gone.
    pub object_name: Option<&'a str>,
    /// The version the object has afterwards.
    pub version: Option<i64>,
    /// What changed: a list made by [`diff`], or the whole new resource (an object) of a `create`. A `delete` lists the
    /// memberships that ended with it.
    pub changes: Option<&'a str>,
}

/// Who caused an event of a team, and when.
#[derive(Clone, Copy)]
pub struct Cause<'a> {
    /// In whose log it stands.
    pub team_id: &'a str,
    /// The directory that it concerns, where it concerns one.
    pub directory_id: Option<&'a str>,
    /// Who caused it.
    pub actor: &'a Actor,
    /// The request that caused it.
    pub request_id: Option<&'a str>,
    /// When that began (microseconds since 1970 UTC).
    pub at: i64,
    /// Where the time comes from.
    pub clock: &'a dyn Clock,
    /// Where ids come from.
    pub ids: &'a Ids,
}

impl<'a> Cause<'a> {
    /// A request on one directory.
    pub fn of(call: &'a Call) -> Self {
        Self {
            team_id: &call.directory.team_id,
            directory_id: Some(&call.directory.id),
            actor: &call.actor,
            request_id: Some(&call.request_id),
            at: call.at,
            clock: &*call.clock,
            ids: &call.ids,
        }
    }
}

/// Writes an event in the transaction of the change it tells of.
///
/// It gets its position at the end of that transaction, and cannot be read in it.
pub fn record(tx: &mut Tx<'_>, call: &Call, new: &New<'_>) -> Result<(), Refusal> {
    record_of(tx, &Cause::of(call), new)
}

/// As [`record`], for what need not concern a directory.
pub fn record_of(tx: &mut Tx<'_>, cause: &Cause<'_>, new: &New<'_>) -> Result<(), Refusal> {
    let now = cause.clock.now();
    let id = cause.ids.next(now).to_string();
    insert(tx, &id, now, cause, new)
}

/// As [`record_of`], with an id that somebody is told before the event is committed.
pub fn record_as(
    tx: &mut Tx<'_>,
    id: &str,
    cause: &Cause<'_>,
    new: &New<'_>,
) -> Result<(), Refusal> {
    insert(tx, id, cause.clock.now(), cause, new)
}

fn insert(
    tx: &mut Tx<'_>,
    id: &str,
    now: i64,
    cause: &Cause<'_>,
    new: &New<'_>,
) -> Result<(), Refusal> {
    let (outcome, reason, detail) = match new.outcome {
        Outcome::Ok => ("ok", None, None),
        Outcome::Refused { reason, detail } => ("refused", Some(reason), Some(detail)),
    };
    let actor_id = cause.actor.id();
    let row = params![
        cause.team_id,
        id,
        cause.directory_id,
        now,
        new.category.name(),
        new.action,
        outcome,
        new.object_kind,
        new.object_id,
        new.object_name,
        cause.actor.kind(),
        actor_id.as_deref(),
        cause.request_id,
        (now - cause.at).max(0),
        new.version,
        reason,
        detail,
        new.changes,
    ];
    tx.exec_at_commit(ADVANCE, &params![cause.team_id])?;
    Ok(tx.exec_at_commit(INSERT, &row)?)
}

/// What differs between two resources, as `[{attribute, old, new}]` with sub-attributes of complex values named by path.
/// `None` when nothing does.
pub fn diff(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    let mut changes = Vec::new();
    compare("", '.', old, new, &mut changes);
    to_text(changes)
}

/// The most ids that the event of a removal names.
pub const NAMED: usize = 1000;

/// The entry for memberships that ended with a removal: the first [`NAMED`] ids, and `count` where there were more.
/// `None` when there were none.
pub(crate) fn lost(attribute: &str, ids: &[String], count: usize) -> Option<Value> {
    let named = ids.get(..NAMED).unwrap_or(ids);
    let mut entry = json!({"attribute": attribute, "old": named});
    if count > named.len() {
        entry["count"] = count.into();
    }
    (count > 0).then_some(entry)
}

/// Entries as the text that [`New::changes`] takes; `None` when there are none.
pub(crate) fn to_text(entries: impl IntoIterator<Item = Value>) -> Option<String> {
    let list: Vec<Value> = entries.into_iter().collect();
    (!list.is_empty()).then(|| Value::Array(list).to_string())
}

fn compare(
    prefix: &str,
    separator: char,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    out: &mut Vec<Value>,
) {
    let named = |name: &str| {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}{separator}{name}")
        }
    };
    for (name, before) in old {
        match (before, new.get(name)) {
            (before, Some(after)) if before == after => {}
            _ if name == "schemas" => {}
            (Value::Object(before), Some(Value::Object(after))) => {
                let separator = if name.contains(':') { ':' } else { '.' };
                compare(&named(name), separator, before, after, out);
            }
            (before, Some(after)) => {
                out.push(json!({"attribute": named(name), "old": before, "new": after}))
            }
            (before, None) => out.push(json!({"attribute": named(name), "old": before})),
        }
    }
    for (name, after) in new
        .iter()
        .filter(|(name, _)| !old.contains_key(*name) && *name != "schemas")
    {
        out.push(json!({"attribute": named(name), "new": after}));
    }
}
