//! Streams: the receivers of a directory's security events (RFC 9967), each with its place in the feed.
//!
//! A stream writes nothing when something changes. It remembers the place up to which its receiver has everything, and
//! beyond that the single events that were acknowledged out of order; what lies between is read from the events
//! themselves when it is delivered.

mod delivery;

pub use delivery::{Pending, delivered, failed, pending, pushes, settle, told};

use crate::directories::Directory;
use crate::tokens::hash;
use crate::{Refusal, What, events};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;

statements! {
    INSERT = "INSERT INTO event_streams (directory_id, id, delivery, endpoint, secret, audience, content, position, failures, next_attempt_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)";
    BY_ID = "SELECT directory_id, id, delivery, endpoint, audience, content, position, failures, next_attempt_at, last_error, last_delivered_at, created_at FROM event_streams WHERE directory_id = $1 AND id = $2";
    LIST = "SELECT directory_id, id, delivery, endpoint, audience, content, position, failures, next_attempt_at, last_error, last_delivered_at, created_at FROM event_streams WHERE directory_id = $1 ORDER BY id";
    PUSHES = "SELECT directory_id, id, delivery, endpoint, audience, content, position, failures, next_attempt_at, last_error, last_delivered_at, created_at, (SELECT feeds.position FROM feeds JOIN directories ON directories.team_id = feeds.team_id WHERE directories.id = event_streams.directory_id) FROM event_streams WHERE delivery = 'push' ORDER BY directory_id, id";
    SECRET = "SELECT secret FROM event_streams WHERE directory_id = $1 AND id = $2";
    DELETE_ACKS = "DELETE FROM event_acks WHERE directory_id = $1 AND stream_id = $2";
    DELETE = "DELETE FROM event_streams WHERE directory_id = $1 AND id = $2";
    STREAMABLE_PLACES = "SELECT position FROM events WHERE team_id = $1 AND position > $2 AND directory_id = $3 AND outcome = 'ok' AND (category = 'SCIM_SYNC' OR category = 'ADMIN' AND object_kind IN ('User', 'Group')) AND action IN ('create', 'replace', 'patch', 'delete', 'answer') ORDER BY position LIMIT $4";
    ACK = "INSERT INTO event_acks (directory_id, stream_id, position) SELECT directory_id, $3, position FROM events WHERE team_id = $1 AND id = $4 AND position > $5 AND directory_id = $2 AND outcome = 'ok' AND (category = 'SCIM_SYNC' OR category = 'ADMIN' AND object_kind IN ('User', 'Group')) AND action IN ('create', 'replace', 'patch', 'delete', 'answer') ON CONFLICT DO NOTHING";
    ACKED = "SELECT position FROM event_acks WHERE directory_id = $1 AND stream_id = $2 AND position > $3 AND position <= $4";
    FORGET_ACKS = "DELETE FROM event_acks WHERE directory_id = $1 AND stream_id = $2 AND position <= $3";
    MOVE = "UPDATE event_streams SET position = $3 WHERE directory_id = $1 AND id = $2 AND position < $3";
    DELIVERED = "UPDATE event_streams SET failures = 0, next_attempt_at = 0, last_error = NULL, last_delivered_at = $3 WHERE directory_id = $1 AND id = $2";
    FAILED = "UPDATE event_streams SET failures = failures + 1, next_attempt_at = $3, last_error = $4 WHERE directory_id = $1 AND id = $2";
    TOLD = "UPDATE event_streams SET failures = 0, next_attempt_at = 0, last_error = $3 WHERE directory_id = $1 AND id = $2";
}

/// What every secret of a polled stream starts with, so that secret scanners recognise it.
pub const PREFIX: &str = "prv_poll_";

/// The most streams of one directory.
pub const LIMIT: usize = 20;

/// How events reach their receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// The receiver fetches them (RFC 8936).
    Poll,
    /// They are sent to the receiver (RFC 8935).
    Push,
}

impl Delivery {
    /// The name in the database and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Push => "push",
        }
    }
}

/// How much an event tells (RFC 9967 section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// The names of what changed; the receiver reads the values over SCIM.
    #[default]
    Notice,
    /// The values too.
    Full,
}

impl Content {
    /// The name in the database, on screens and at the end of an event's URI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Full => "full",
        }
    }
}

/// A receiver of a directory's events. Its secret is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The directory whose events it receives.
    pub directory_id: String,
    /// UUID.
    pub id: String,
    /// How events reach the receiver.
    pub delivery: Delivery,
    /// Where they are pushed to.
    pub endpoint: Option<String>,
    /// The `aud` claim.
    pub audience: String,
    /// How much they tell.
    pub content: Content,
    /// Everything up to this position in the feed has been received.
    pub position: i64,
    /// How many deliveries have failed in a row.
    pub failures: i64,
    /// Not before this time (microseconds since 1970 UTC) is delivery tried again.
    pub next_attempt_at: i64,
    /// Why the last delivery failed, or what the receiver said of an event that it could not use.
    pub last_error: Option<String>,
    /// When the receiver last took an event.
    pub last_delivered_at: Option<i64>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// An `Authorization` value, encrypted by the caller. Only its bytes are kept here.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// How a new stream delivers.
#[derive(Debug, Clone)]
pub enum NewDelivery {
    /// The receiver fetches; a secret is made for it.
    Poll,
    /// To this endpoint, with this `Authorization` if any.
    Push {
        /// An absolute URL, checked by the caller.
        endpoint: String,
        /// The sealed `Authorization` value.
        authorization: Option<Sealed>,
    },
}

/// What an admin says of a new stream.
#[derive(Debug, Clone)]
pub struct New {
    /// UUID, made by the caller.
    pub id: String,
    /// How it delivers.
    pub delivery: NewDelivery,
    /// The `aud` claim.
    pub audience: String,
    /// How much the events tell.
    pub content: Content,
}

/// Makes a stream that begins with the next change. The secret of a polled one is returned this once; its hash is stored.
pub fn create(
    tx: &mut Tx<'_>,
    directory: &Directory,
    new: &New,
    now: i64,
) -> Result<(Stream, Option<SecretString>), Refusal> {
    if list(tx, &directory.id)?.len() >= LIMIT {
        return Err(invalid(
            "stream",
            format!("a directory has at most {LIMIT} streams; delete one that is not used"),
        ));
    }
    if !(1..=500).contains(&new.audience.chars().count())
        || new.audience.chars().any(char::is_control)
    {
        return Err(invalid(
            "audience",
            "an audience has 1 to 500 characters and no control characters".into(),
        ));
    }
    let (delivery, endpoint, stored, secret) = match &new.delivery {
        NewDelivery::Poll => {
            let secret = random_secret()?;
            let hash = hash(secret.expose_secret()).to_vec();
            (Delivery::Poll, None, Some(hash), Some(secret))
        }
        NewDelivery::Push {
            endpoint,
            authorization,
        } => {
            let sealed = authorization.as_ref().map(|sealed| sealed.0.clone());
            (Delivery::Push, Some(endpoint.clone()), sealed, None)
        }
    };
    let position = events::last(tx, &directory.team_id)?;
    tx.exec(
        INSERT,
        &params![
            &directory.id,
            &new.id,
            delivery.name(),
            endpoint.as_deref(),
            stored.as_ref(),
            &new.audience,
            new.content.name(),
            position,
            now
        ],
    )?;
    let stream = Stream {
        directory_id: directory.id.clone(),
        id: new.id.clone(),
        delivery,
        endpoint,
        audience: new.audience.clone(),
        content: new.content,
        position,
        failures: 0,
        next_attempt_at: 0,
        last_error: None,
        last_delivered_at: None,
        created_at: now,
    };
    Ok((stream, secret))
}

/// The stream with that id.
pub fn by_id(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<Stream, Refusal> {
    let row = tx.query_one(BY_ID, &params![directory_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Stream, id.to_owned()))
        .and_then(from_row)
}

/// The streams of a directory, oldest first.
pub fn list(tx: &mut Tx<'_>, directory_id: &str) -> Result<Vec<Stream>, Refusal> {
    tx.query(LIST, &params![directory_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Ends a stream. Events that its receiver did not fetch are not kept for it.
pub fn delete(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<Stream, Refusal> {
    let stream = by_id(tx, directory_id, id)?;
    tx.exec(DELETE_ACKS, &params![directory_id, id])?;
    tx.exec(DELETE, &params![directory_id, id])?;
    Ok(stream)
}

/// The polled stream that a secret opens; `None` when it opens none. The comparison takes the same time wherever it
/// fails.
pub fn open(
    tx: &mut Tx<'_>,
    directory_id: &str,
    id: &str,
    presented: &str,
) -> Result<Option<Stream>, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![directory_id, id])? else {
        return Ok(None);
    };
    let stream = from_row(row)?;
    let stored = secret(tx, directory_id, id)?.unwrap_or_default();
    let fits = bool::from(stored.ct_eq(hash(presented).as_ref()));
    Ok((fits && stream.delivery == Delivery::Poll).then_some(stream))
}

/// The sealed `Authorization` value of a pushed stream, if it has one.
pub fn authorization(
    tx: &mut Tx<'_>,
    directory_id: &str,
    id: &str,
) -> Result<Option<Sealed>, Refusal> {
    Ok(secret(tx, directory_id, id)?.map(Sealed))
}

fn secret(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(row) = tx.query_one(SECRET, &params![directory_id, id])? else {
        return Ok(None);
    };
    Ok(row.opt_bytes(0)?.map(<[u8]>::to_vec))
}

fn random_secret() -> Result<SecretString, Refusal> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)
        .map_err(|_| invalid("stream", "the machine gives no random numbers".into()))?;
    Ok(SecretString::from(format!(
        "{PREFIX}{}",
        URL_SAFE_NO_PAD.encode(bytes)
    )))
}

fn invalid(attribute: &'static str, reason: String) -> Refusal {
    Refusal::Invalid { attribute, reason }
}

fn from_row(mut row: Row) -> Result<Stream, Refusal> {
    Ok(Stream {
        delivery: match row.text(2)? {
            "push" => Delivery::Push,
            _ => Delivery::Poll,
        },
        content: match row.text(5)? {
            "full" => Content::Full,
            _ => Content::Notice,
        },
        position: row.int(6)?,
        failures: row.int(7)?,
        next_attempt_at: row.int(8)?,
        last_delivered_at: row.opt_int(10)?,
        created_at: row.int(11)?,
        directory_id: row.take_text(0)?,
        id: row.take_text(1)?,
        endpoint: row.take_opt_text(3)?,
        audience: row.take_text(4)?,
        last_error: row.take_opt_text(9)?,
    })
}
