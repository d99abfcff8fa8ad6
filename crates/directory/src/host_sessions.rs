//! Sessions on hosts, as their agents tell of them: each login, sudo and logout becomes an event once, and what has not ended
//! is known.

use crate::certificates::{self, Kind, Whose};
use crate::events::{self, Category, Cause, Outcome};
use crate::holders::Holder;
use crate::hosts::Host;
use crate::{Actor, Refusal};
use jiff::Timestamp;
use portreeve_store::{Row, Tx, params, statements};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "host_id, id, account, holder_kind, directory_id, holder_id, serial, address, began_at"
    };
}

statements! {
    OF_HOST = concat!("SELECT ", columns!(), " FROM host_sessions WHERE team_id = $1 AND host_id = $2 ORDER BY began_at, id");
    BEGIN = concat!("INSERT INTO host_sessions (team_id, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (team_id, host_id, id) DO NOTHING");
    END = "DELETE FROM host_sessions WHERE team_id = $1 AND host_id = $2 AND id = $3";
    END_ALL = "DELETE FROM host_sessions WHERE team_id = $1 AND host_id = $2";
    END_OF = "DELETE FROM host_sessions WHERE team_id = $1 AND host_id = $2 AND holder_id = $3";
    /// Whose account it is, where it is one that was made there for somebody.
    OWNER = "SELECT directory_id, holder_id FROM host_accounts WHERE team_id = $1 AND host_id = $2 AND name = $3 ORDER BY state LIMIT 1";
    TOLD = "INSERT INTO host_session_events (team_id, host_id, id, told_at) VALUES ($1, $2, $3, $4) ON CONFLICT (team_id, host_id, id) DO NOTHING RETURNING told_at";
    FORGET = "DELETE FROM host_session_events WHERE team_id = $1 AND host_id = $2";
    PRUNE = "DELETE FROM host_session_events WHERE told_at < $1";
    PRUNE_OPEN = "DELETE FROM host_sessions WHERE began_at < $1";
}

/// What happened in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It began.
    Login,
    /// Something was run as another user.
    Sudo,
    /// It ended.
    Logout,
}

impl Happened {
    /// What events call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Sudo => "sudo",
            Self::Logout => "logout",
        }
    }
}

/// Something that an agent tells of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The same when it is told again.
    pub id: String,
    /// Names the session; `None`: the agent could not tell which it is.
    pub session: Option<String>,
    /// What.
    pub what: Happened,
    /// When (microseconds since 1970 UTC).
    pub at: i64,
    /// The account on the host.
    pub account: String,
    /// The serial number of the certificate that opened the session.
    pub serial: Option<i64>,
    /// What the host's log calls that.
    pub key_id: Option<String>,
    /// Where the client is.
    pub address: Option<String>,
    /// What was run.
    pub command: Option<String>,
}

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The host.
    pub host_id: String,
    /// What the host calls it.
    pub id: String,
    /// The account on the host.
    pub account: String,
    /// Whose it is.
    pub holder: Option<Holder>,
    /// The serial number of the certificate that opened it.
    pub serial: Option<i64>,
    /// Where the client is.
    pub address: Option<String>,
    /// When it began (microseconds since 1970 UTC).
    pub began_at: i64,
}

/// Writes down what an agent tells, with an event each; what was told before is passed over. How many were new.
pub fn tell(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    host: &Host,
    all: &[Told],
) -> Result<usize, Refusal> {
    let mut owners: HashMap<(Option<i64>, &str), Option<Holder>> = HashMap::new();
    let mut new = 0;
    for told in all {
        let row = params![cause.team_id, &host.id, &told.id, cause.at];
        if tx.query_one(TOLD, &row)?.is_none() {
            continue;
        }
        new += 1;
        let key = (told.serial, told.account.as_str());
        let holder = match owners.get(&key) {
            Some(known) => known.clone(),
            None => {
                let found = owner(tx, cause.team_id, host, told)?;
                owners.insert(key, found.clone());
                found
            }
        };
        match (told.what, &told.session) {
            (Happened::Login, Some(id)) => begin(tx, cause.team_id, host, (id, told), &holder)?,
            (Happened::Logout, Some(id)) => tx.exec(END, &params![cause.team_id, &host.id, id])?,
            _ => {}
        }
        record(tx, cause, host, told, holder.as_ref())?;
    }
    Ok(new)
}

/// The sessions on a host that have not ended, the oldest first.
pub fn of_host(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<Vec<Open>, Refusal> {
    let rows = tx.query(OF_HOST, &params![team_id, host_id])?;
    rows.into_iter().map(from_row).collect()
}

/// All sessions of a host have ended, because it was started anew.
pub fn end_all(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(END_ALL, &params![team_id, host_id])?)
}

/// All sessions of somebody on a host have ended.
pub fn end_of(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    holder_id: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(END_OF, &params![team_id, host_id, holder_id])?)
}

/// Forgets what a host has told, which is gone or begins anew. The events stay.
pub fn forget(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    end_all(tx, team_id, host_id)?;
    Ok(tx.exec(FORGET, &params![team_id, host_id])?)
}

/// Forgets what was told before that time, which nobody tells again, and sessions whose end was never told.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    tx.exec(PRUNE, &params![before])?;
    Ok(tx.exec(PRUNE_OPEN, &params![before])?)
}

/// Whose session it is: the certificate's holder, else whoever has the account.
fn owner(
    tx: &mut Tx<'_>,
    team_id: &str,
    host: &Host,
    told: &Told,
) -> Result<Option<Holder>, Refusal> {
    if let Some(serial) = told.serial {
        match certificates::by_serial(tx, team_id, serial) {
            Ok(found) if found.kind == Kind::User => {
                return Ok(match found.whose {
                    Whose::Holder(holder) => Some(holder),
                    Whose::Host(_) | Whose::Nobody => None,
                });
            }
            Ok(_) | Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    let row = tx.query_one(OWNER, &params![team_id, &host.id, &told.account])?;
    row.map(|mut row| {
        let (directory_id, id) = (row.take_text(0)?, row.take_text(1)?);
        Ok(match directory_id.is_empty() {
            true => Holder::Service(id),
            false => Holder::User { directory_id, id },
        })
    })
    .transpose()
}

fn begin(
    tx: &mut Tx<'_>,
    team_id: &str,
    host: &Host,
    (id, told): (&str, &Told),
    holder: &Option<Holder>,
) -> Result<(), Refusal> {
    let holder = holder.as_ref();
    let row = params![
        team_id,
        &host.id,
        id,
        &told.account,
        holder.map(Holder::kind),
        holder.and_then(Holder::directory_id),
        holder.map(Holder::id),
        told.serial,
        told.address.as_ref(),
        told.at,
    ];
    Ok(tx.exec(BEGIN, &row)?)
}

/// Leaves the event. It says when it happened, which may be long before it was told.
fn record(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    host: &Host,
    told: &Told,
    holder: Option<&Holder>,
) -> Result<(), Refusal> {
    let actor = holder.map_or(Actor::Anonymous, Holder::actor);
    let at = Timestamp::from_microsecond(told.at).unwrap_or_default();
    let facts = [
        ("account", Some(json!(told.account))),
        (
            "serial",
            told.serial.map(|serial| json!(serial.to_string())),
        ),
        ("key_id", told.key_id.as_ref().map(|id| json!(id))),
        ("address", told.address.as_ref().map(|from| json!(from))),
        ("command", told.command.as_ref().map(|run| json!(run))),
        ("session", told.session.as_ref().map(|id| json!(id))),
        ("at", Some(json!(at.to_string()))),
    ];
    let facts: Vec<Value> = facts
        .into_iter()
        .filter_map(|(name, value)| Some(json!({"attribute": name, "new": value?})))
        .collect();
    let changes = Value::from(facts).to_string();
    let cause = Cause {
        directory_id: holder.and_then(Holder::directory_id),
        actor: &actor,
        ..*cause
    };
    let event = events::New {
        category: Category::Session,
        action: told.what.name(),
        outcome: Outcome::Ok,
        object_kind: Some("Host"),
        object_id: Some(&host.id),
        object_name: Some(&host.name),
        version: None,
        changes: Some(&changes),
    };
    events::record_of(tx, &cause, &event)
}

fn from_row(mut row: Row) -> Result<Open, Refusal> {
    let holder = match row.opt_text(3)? {
        None => None,
        Some(_) => Some(Holder::from_row(&mut row, 3, 4, 5)?),
    };
    Ok(Open {
        holder,
        serial: row.opt_int(6)?,
        began_at: row.int(8)?,
        host_id: row.take_text(0)?,
        id: row.take_text(1)?,
        account: row.take_text(2)?,
        address: row.take_opt_text(7)?,
    })
}
