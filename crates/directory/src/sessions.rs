//! Sessions: who is signed in, where, since when and until when. They live in the database, so that each can be ended from
//! everywhere.

use crate::bearer::{self, Kind, Presented};
use crate::events::{self, Category, Cause, Outcome};
use crate::holders::Holder;
use crate::{Refusal, What};
use portreeve_store::{Param, Row, Tx, params, statements};
use secrecy::SecretString;
use serde_json::json;
use std::collections::HashMap;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "id, kind, holder_kind, directory_id, holder_id, method, address, agent, created_at, seen_at, idle_at, expires_at, ended_at, ended_why, passkey_id"
    };
}

statements! {
    INSERT = "INSERT INTO sessions (team_id, id, kind, hash, holder_kind, directory_id, holder_id, method, address, agent, provider, created_at, seen_at, idle_at, expires_at, passkey_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15)";
    BY_ID = concat!("SELECT ", columns!(), ", hash FROM sessions WHERE team_id = $1 AND id = $2");
    PROVIDER = "SELECT provider FROM sessions WHERE team_id = $1 AND id = $2";
    LIVE = concat!("SELECT ", columns!(), " FROM sessions WHERE team_id = $1 AND ended_at IS NULL AND idle_at > $2 AND expires_at > $2 AND id < $3 ORDER BY id DESC LIMIT $4");
    OF_HOLDER = concat!("SELECT ", columns!(), " FROM sessions WHERE team_id = $1 AND holder_id = $2 ORDER BY id DESC LIMIT $3");
    SEEN = "UPDATE sessions SET seen_at = $3, idle_at = $4 WHERE team_id = $1 AND id = $2 AND ended_at IS NULL AND seen_at < $3";
    END = "UPDATE sessions SET ended_at = $3, ended_why = $4 WHERE team_id = $1 AND id = $2 AND ended_at IS NULL";
    END_OF_HOLDER = "UPDATE sessions SET ended_at = $3, ended_why = $4 WHERE team_id = $1 AND holder_id = $2 AND ended_at IS NULL AND idle_at > $3 AND expires_at > $3 RETURNING id";
    END_OF_PASSKEY = "UPDATE sessions SET ended_at = $3, ended_why = $4 WHERE team_id = $1 AND holder_id = $2 AND passkey_id = $5 AND id <> $6 AND ended_at IS NULL AND idle_at > $3 AND expires_at > $3 RETURNING id";
    DELETE_OF_HOLDER = "DELETE FROM sessions WHERE team_id = $1 AND holder_id = $2";
    PRUNE = "DELETE FROM sessions WHERE expires_at < $1";
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// The most characters of a browser's name that are kept.
const AGENT: usize = 200;

/// How a session is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The cookie of a browser.
    Browser,
    /// The bearer secret of the command line.
    Cli,
}

impl Carrier {
    /// The name in the database and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Cli => "cli",
        }
    }

    /// The kind of its secret.
    pub fn secret(self) -> Kind {
        match self {
            Self::Browser => Kind::Session,
            Self::Cli => Kind::Cli,
        }
    }

    /// For how long it lives without a request (microseconds).
    pub fn idle(self) -> i64 {
        match self {
            Self::Browser => 12 * HOUR,
            Self::Cli => 7 * DAY,
        }
    }

    /// For how long it lives in any case (microseconds).
    pub fn lifetime(self) -> i64 {
        match self {
            Self::Browser => 7 * DAY,
            Self::Cli => 30 * DAY,
        }
    }
}

/// A session as it may be shown: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// UUID.
    pub id: String,
    /// How it is carried.
    pub carrier: Carrier,
    /// Who is signed in.
    pub holder: Holder,
    /// How they signed in: `oidc`, `link`, `passkey`, `browser`.
    pub method: String,
    /// The passkey that it goes back to.
    pub passkey_id: Option<String>,
    /// The address that they signed in from.
    pub address: String,
    /// What their program called itself then.
    pub agent: String,
    /// Microseconds since 1970 UTC, as the following ones.
    pub created_at: i64,
    /// The last request, to the minute.
    pub seen_at: i64,
    /// When it ends without a request.
    pub idle_at: i64,
    /// When it ends in any case.
    pub expires_at: i64,
    /// When it was ended.
    pub ended_at: Option<i64>,
    /// Why: `sign_out`, `revoked`, `rotated`, `suspended`, ….
    pub ended_why: Option<String>,
}

impl Session {
    /// Whether it lets anybody in at that time.
    pub fn is_live(&self, now: i64) -> bool {
        self.ended_at.is_none() && now < self.idle_at && now < self.expires_at
    }
}

/// A session to be started. Only a verified sign-in may lead to one.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// UUID.
    pub id: &'a str,
    /// How it is carried.
    pub carrier: Carrier,
    /// Who has signed in.
    pub holder: &'a Holder,
    /// How: `oidc`, `link`, `passkey`, `browser`.
    pub method: &'a str,
    /// The passkey that it goes back to: their own, or that of the session by which they let a command line in.
    pub passkey_id: Option<&'a str>,
    /// From which address.
    pub address: &'a str,
    /// What the program calls itself.
    pub agent: &'a str,
    /// What signing out at the provider needs, sealed.
    pub provider: Option<&'a [u8]>,
}

/// Starts a session. The secret is returned this once.
pub fn start(
    tx: &mut Tx<'_>,
    team_id: &str,
    new: &New<'_>,
    now: i64,
) -> Result<(Session, SecretString), Refusal> {
    let (secret, hash) = bearer::make(new.carrier.secret(), team_id, new.id)?;
    let agent: String = new
        .agent
        .chars()
        .filter(|c| !c.is_control())
        .take(AGENT)
        .collect();
    let session = Session {
        id: new.id.to_owned(),
        carrier: new.carrier,
        holder: new.holder.clone(),
        method: new.method.to_owned(),
        passkey_id: new.passkey_id.map(str::to_owned),
        address: new.address.to_owned(),
        agent,
        created_at: now,
        seen_at: now,
        idle_at: now + new.carrier.idle(),
        expires_at: now + new.carrier.lifetime(),
        ended_at: None,
        ended_why: None,
    };
    tx.exec(
        INSERT,
        &params![
            team_id,
            new.id,
            new.carrier.name(),
            hash.as_ref(),
            new.holder.kind(),
            new.holder.directory_id(),
            new.holder.id(),
            new.method,
            new.address,
            session.agent.as_str(),
            new.provider,
            now,
            session.idle_at,
            session.expires_at,
            new.passkey_id
        ],
    )?;
    Ok((session, secret))
}

/// The live session of a presented secret. Whether its holder may still come in is [`crate::holders::standing`]'s to say.
pub fn verify(
    tx: &mut Tx<'_>,
    presented: &Presented,
    now: i64,
) -> Result<Option<Session>, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![&presented.team_id, &presented.id])? else {
        return Ok(None);
    };
    if !presented.is(row.bytes(15)?) {
        return Ok(None);
    }
    Ok(Some(from_row(row)?).filter(|session| session.is_live(now)))
}

/// One session of a team, live or not.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Session, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Session, id.to_owned()))
        .and_then(from_row)
}

/// What signing out at the provider needs, sealed.
pub fn provider(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Option<Vec<u8>>, Refusal> {
    match tx.query_one(PROVIDER, &params![team_id, id])? {
        Some(row) => Ok(row.opt_bytes(0)?.map(<[u8]>::to_vec)),
        None => Ok(None),
    }
}

/// The next `limit` live sessions of a team after an id, newest first.
pub fn live(
    tx: &mut Tx<'_>,
    team_id: &str,
    now: i64,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Session>, Refusal> {
    // Ids are of hexadecimal digits.
    let before = after.unwrap_or("~");
    tx.query(LIVE, &params![team_id, now, before, limit])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// The sessions of one holder, newest first, ended ones included.
pub fn of_holder(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    limit: i64,
) -> Result<Vec<Session>, Refusal> {
    tx.query(OF_HOLDER, &params![team_id, holder_id, limit])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// When each of some holders last signed in.
pub fn last_started(
    tx: &mut Tx<'_>,
    team_id: &str,
    holders: &[String],
) -> Result<HashMap<String, i64>, Refusal> {
    if holders.is_empty() {
        return Ok(HashMap::new());
    }
    let mut given: Vec<Param<'_>> = vec![team_id.into()];
    given.extend(holders.iter().map(Param::from));
    let places: Vec<_> = (2..=given.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT holder_id, max(created_at) FROM sessions WHERE team_id = $1 AND holder_id IN ({}) GROUP BY holder_id",
        places.join(", ")
    );
    let rows = tx.query(&sql, &given)?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, row.int(1)?)))
        .collect()
}

/// Remembers that a session was used; it lives on from here.
pub fn seen(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    carrier: Carrier,
    at: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(SEEN, &params![team_id, id, at, at + carrier.idle()])?)
}

/// Ends a session. Ending it twice changes nothing.
pub fn end(tx: &mut Tx<'_>, team_id: &str, id: &str, why: &str, now: i64) -> Result<(), Refusal> {
    Ok(tx.exec(END, &params![team_id, id, now, why])?)
}

/// Ends all live sessions of a holder; their ids.
pub fn end_of_holder(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    why: &str,
    now: i64,
) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(END_OF_HOLDER, &params![team_id, holder_id, now, why])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// As [`end_of_holder`], with an event for each session. `why` is told in it.
pub fn cut(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    holder_id: &str,
    why: &str,
) -> Result<usize, Refusal> {
    let ended = end_of_holder(tx, cause.team_id, holder_id, why, cause.at)?;
    for id in &ended {
        told(tx, cause, id, holder_id, why)?;
    }
    Ok(ended.len())
}

/// Ends all live sessions of a holder that go back to a passkey which is removed, but for one, with an event for each.
pub fn cut_of_passkey(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    holder_id: &str,
    passkey_id: &str,
    but: Option<&str>,
) -> Result<(), Refusal> {
    let (why, but) = ("passkey_removed", but.unwrap_or_default());
    let row = params![cause.team_id, holder_id, cause.at, why, passkey_id, but];
    for mut row in tx.query(END_OF_PASSKEY, &row)? {
        told(tx, cause, &row.take_text(0)?, holder_id, why)?;
    }
    Ok(())
}

/// Ends all live sessions of a holder who is gone, with an event for each, and keeps nothing else of any.
pub(crate) fn forget_of_holder(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    holder_id: &str,
) -> Result<(), Refusal> {
    cut(tx, cause, holder_id, "removed")?;
    Ok(tx.exec(DELETE_OF_HOLDER, &params![cause.team_id, holder_id])?)
}

/// Ends one session with its event.
pub fn cut_one(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    session: &Session,
    why: &str,
) -> Result<(), Refusal> {
    end(tx, cause.team_id, &session.id, why, cause.at)?;
    told(tx, cause, &session.id, session.holder.id(), why)
}

fn told(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    id: &str,
    holder_id: &str,
    why: &str,
) -> Result<(), Refusal> {
    let changes =
        json!([{"attribute": "ended", "new": why}, {"attribute": "holder", "old": holder_id}]);
    let changes = changes.to_string();
    let event = events::New {
        category: Category::Session,
        action: "end",
        outcome: Outcome::Ok,
        object_kind: Some("Session"),
        object_id: Some(id),
        object_name: None,
        version: None,
        changes: Some(&changes),
    };
    events::record_of(tx, cause, &event)
}

/// Forgets sessions that ended by themselves before that time.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}

fn from_row(mut row: Row) -> Result<Session, Refusal> {
    Ok(Session {
        holder: Holder::from_row(&mut row, 2, 3, 4)?,
        carrier: if row.text(1)? == "cli" {
            Carrier::Cli
        } else {
            Carrier::Browser
        },
        created_at: row.int(8)?,
        seen_at: row.int(9)?,
        idle_at: row.int(10)?,
        expires_at: row.int(11)?,
        ended_at: row.opt_int(12)?,
        ended_why: row.take_opt_text(13)?,
        passkey_id: row.take_opt_text(14)?,
        id: row.take_text(0)?,
        method: row.take_text(5)?,
        address: row.take_text(6)?,
        agent: row.take_text(7)?,
    })
}
