//! The keys of a team's certificate authority: which there are, which sign, and which are still trusted.
//!
//! A key begins as `next`: whoever asks for the keys to trust gets it, and it signs nothing yet. It becomes `current` when
//! everybody has had the time to hear of it, and the one before it `old`, which stays trusted until everything that it has
//! signed has run out. The keys themselves are sealed by whoever calls, or stay in a token.

use crate::events::{self, Category, Cause, Outcome};
use crate::{Refusal, certificates};
use portreeve_store::{Row, Tx, params, statements};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "id, purpose, key_type, state, sealed, token_key, public, cross_signed, created_at, activate_at, retired_at, keep_until"
    };
}

statements! {
    INSERT = concat!("INSERT INTO authorities (team_id, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    LIST = concat!("SELECT ", columns!(), " FROM authorities WHERE team_id = $1 ORDER BY created_at, id");
    STATES = "SELECT id, state FROM authorities WHERE team_id = $1 ORDER BY created_at, id";
    DUE = concat!("SELECT ", columns!(), " FROM authorities WHERE team_id = $1 AND (state = 'next' AND activate_at <= $2 OR state = 'old' AND keep_until <= $2) ORDER BY created_at, id");
    TEAMS_WITH_DUE = "SELECT DISTINCT team_id FROM authorities WHERE state = 'next' AND activate_at <= $1 OR state <> 'next' AND keep_until <= $1";
    RETIRE = "UPDATE authorities SET state = 'old', retired_at = $3, keep_until = $4 WHERE team_id = $1 AND id = $2";
    ACTIVATE = "UPDATE authorities SET state = 'current', activate_at = NULL WHERE team_id = $1 AND id = $2";
    KEEP = "UPDATE authorities SET keep_until = $3 WHERE team_id = $1 AND id = $2";
    DELETE = "DELETE FROM authorities WHERE team_id = $1 AND id = $2";
}

/// For how long an old key is trusted at least (microseconds): another server may still be signing with it.
const LEEWAY: i64 = 3_600_000_000;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It signs the SSH certificates of people.
    User,
    /// It signs the SSH certificates of hosts.
    Host,
    /// It signs intermediates (X.509).
    Root,
    /// It signs the certificates of the authority's own TLS, and identity certificates (X.509).
    Intermediate,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::User, Self::Host, Self::Root, Self::Intermediate];

    /// The name in the database, in the API and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host => "host",
            Self::Root => "root",
            Self::Intermediate => "intermediate",
        }
    }

    /// The purpose of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Trusted, and signs nothing yet.
    Next,
    /// Signs.
    Current,
    /// Trusted until all that it has signed has run out.
    Old,
}

impl State {
    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Old => "old",
        }
    }
}

/// A key of the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// UUID.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// `ed25519` or `ecdsa`.
    pub key_type: String,
    /// Where it is in its life.
    pub state: State,
    /// The private key, sealed; `None` where a token holds it.
    pub sealed: Option<Vec<u8>>,
    /// What the token calls it.
    pub token_key: Option<String>,
    /// SSH: the public key in its form on the wire. X.509: the certificate (DER).
    pub public: Vec<u8>,
    /// How the one before vouches for it. A root: its certificate by the root before it (DER). A key for people: what hosts
    /// are told of it and of those before it, as JSON.
    pub cross_signed: Option<Vec<u8>>,
    /// Microseconds since 1970 UTC, as the following ones.
    pub created_at: i64,
    /// When the one that is `next` takes over by itself.
    pub activate_at: Option<i64>,
    /// Since when it signs nothing any more.
    pub retired_at: Option<i64>,
    /// Old: until when it is trusted at least. Otherwise: when it is time for its successor.
    pub keep_until: Option<i64>,
}

/// All keys of a team, oldest first. Empty until the first use.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Authority>, Refusal> {
    let rows = tx.query(LIST, &params![team_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Which keys there are and where in their lives: what tells whether anything has changed.
pub fn states(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<(String, State)>, Refusal> {
    let rows = tx.query(STATES, &params![team_id])?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, state(row.text(1)?))))
        .collect()
}

/// Adds a key, with its event. There is one `current` and one `next` of each purpose at most.
pub fn add(tx: &mut Tx<'_>, cause: &Cause<'_>, new: &Authority) -> Result<(), Refusal> {
    let row = params![
        cause.team_id,
        &new.id,
        new.purpose.name(),
        &new.key_type,
        new.state.name(),
        new.sealed.as_ref(),
        new.token_key.as_ref(),
        &new.public,
        new.cross_signed.as_ref(),
        new.created_at,
        new.activate_at,
        new.retired_at,
        new.keep_until,
    ];
    tx.exec(INSERT, &row)?;
    told(tx, cause, "create", new)
}

/// The key that is `next` signs from now on, and the one that did is old. Returns whether there was one.
pub fn activate(tx: &mut Tx<'_>, cause: &Cause<'_>, purpose: Purpose) -> Result<bool, Refusal> {
    let all = list(tx, cause.team_id)?;
    let of = |state| move |one: &&Authority| one.purpose == purpose && one.state == state;
    let Some(next) = all.iter().find(of(State::Next)) else {
        return Ok(false);
    };
    if let Some(before) = all.iter().find(of(State::Current)) {
        let last = last_end(tx, cause, before)?;
        let keep = last.max(cause.at + LEEWAY);
        tx.exec(RETIRE, &params![cause.team_id, &before.id, cause.at, keep])?;
        told(tx, cause, "retire", before)?;
    }
    tx.exec(ACTIVATE, &params![cause.team_id, &next.id])?;
    told(tx, cause, "activate", next)?;
    Ok(true)
}

/// The teams with a key whose turn has come, that nobody needs any more, or whose successor is due.
pub fn teams_with_due(tx: &mut Tx<'_>, now: i64) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(TEAMS_WITH_DUE, &params![now])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// Lets those keys take over whose turn has come, and forgets the old ones that everything has run out of. Returns the
/// keys that were forgotten, whose tokens may forget them too.
pub fn turn(tx: &mut Tx<'_>, cause: &Cause<'_>) -> Result<Vec<Authority>, Refusal> {
    let mut gone = Vec::new();
    let rows = tx.query(DUE, &params![cause.team_id, cause.at])?;
    for due in rows.into_iter().map(from_row) {
        let due = due?;
        if due.state == State::Next {
            activate(tx, cause, due.purpose)?;
            continue;
        }
        let last = last_end(tx, cause, &due)?;
        if last > cause.at {
            tx.exec(KEEP, &params![cause.team_id, &due.id, last])?;
            continue;
        }
        tx.exec(DELETE, &params![cause.team_id, &due.id])?;
        told(tx, cause, "forget", &due)?;
        gone.push(due);
    }
    Ok(gone)
}

/// When the last thing that a key has signed runs out, as far as that is known here. What X.509 certificates say of their
/// own end, their chains do too.
fn last_end(tx: &mut Tx<'_>, cause: &Cause<'_>, of: &Authority) -> Result<i64, Refusal> {
    match of.purpose {
        Purpose::User | Purpose::Host => {
            let last = certificates::last_end(tx, cause.team_id, &of.id, cause.at)?;
            Ok(last.unwrap_or(0))
        }
        Purpose::Root | Purpose::Intermediate => {
            let age = cause.at - of.retired_at.unwrap_or(cause.at);
            Ok(cause.at + X509_KEPT - age)
        }
    }
}

/// For how long X.509 keys are trusted after they have signed for the last time (microseconds): longer than what they sign
/// is valid.
const X509_KEPT: i64 = 90 * 24 * 3_600_000_000;

fn told(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    action: &str,
    about: &Authority,
) -> Result<(), Refusal> {
    let event = events::New {
        category: Category::Admin,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("Authority"),
        object_id: Some(&about.id),
        object_name: Some(about.purpose.name()),
        version: None,
        changes: None,
    };
    events::record_of(tx, cause, &event)
}

fn state(name: &str) -> State {
    match name {
        "next" => State::Next,
        "current" => State::Current,
        _ => State::Old,
    }
}

fn from_row(mut row: Row) -> Result<Authority, Refusal> {
    let bytes = |row: &Row, at| Ok::<_, Refusal>(row.opt_bytes(at)?.map(<[u8]>::to_vec));
    Ok(Authority {
        purpose: Purpose::parse(row.text(1)?).unwrap_or(Purpose::User),
        state: state(row.text(3)?),
        sealed: bytes(&row, 4)?,
        public: row.bytes(6)?.to_vec(),
        cross_signed: bytes(&row, 7)?,
        created_at: row.int(8)?,
        activate_at: row.opt_int(9)?,
        retired_at: row.opt_int(10)?,
        keep_until: row.opt_int(11)?,
        id: row.take_text(0)?,
        key_type: row.take_text(2)?,
        token_key: row.take_opt_text(5)?,
    })
}
