//! Outcomes of requests that were answered before they were carried out (RFC 9967 section 2.5.1).
//!
//! An accepted request is remembered before the client hears of it, so that not even a crash makes it vanish: what a
//! server had not finished when it ended is told as a failure by another one, or by the next that starts.

use crate::events::{self, Category};
use crate::{Actor, Call, Clock, Ids, Refusal, What, directories, leases};
use portreeve_store::{Row, Tx, params, statements};
use serde_json::{Value, json};
use std::sync::Arc;

statements! {
    INSERT = "INSERT INTO outcomes (directory_id, id, bulk, results, created_at, expires_at, replica_id) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    EXPIRED = "SELECT DISTINCT directory_id FROM outcomes WHERE expires_at <= $1";
    EXPIRE = "DELETE FROM outcomes WHERE directory_id = $1 AND id IN (SELECT id FROM outcomes WHERE directory_id = $1 AND expires_at <= $2 LIMIT $3) RETURNING id";
    SETTLE = "UPDATE outcomes SET results = $3, settled_at = $4 WHERE directory_id = $1 AND id = $2 AND settled_at IS NULL RETURNING bulk";
    WITHDRAW = "DELETE FROM outcomes WHERE directory_id = $1 AND id = $2";
    BY_ID = "SELECT bulk, results, settled_at FROM outcomes WHERE directory_id = $1 AND id = $2 AND expires_at > $3";
    ORPHANED = "SELECT DISTINCT directory_id FROM outcomes WHERE settled_at IS NULL AND replica_id NOT IN (SELECT id FROM replicas)";
    ORPHANS = "SELECT id, results FROM outcomes WHERE directory_id = $1 AND settled_at IS NULL AND replica_id NOT IN (SELECT id FROM replicas) ORDER BY id LIMIT $2";
}

/// How long an outcome can be read, from the request on (microseconds).
pub const LIFE_US: i64 = 24 * 3600 * 1_000_000;

/// What became of an accepted request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether the request was a bulk request, so that each operation has a result of its own.
    pub bulk: bool,
    /// One result for each operation, as RFC 7644 section 3.7.3 has them, with the `uri` of what it is about below the
    /// tenant URL; before the end only what was asked for.
    pub results: Vec<Value>,
    /// When it was finished (microseconds since 1970 UTC).
    pub settled_at: Option<i64>,
}

/// A request that is to be answered before it is carried out.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// UUID; also the name of its transaction.
    pub id: &'a str,
    /// The replica (see [`leases`]) that will carry it out.
    pub replica_id: &'a str,
    /// Whether it is a bulk request.
    pub bulk: bool,
    /// The `method`, the `uri`, and the `bulkId` or `location` where there is one, of each operation.
    pub asked: &'a [Value],
}

/// Remembers an accepted request. `false`: nothing was remembered, because the others hold this replica to be dead, and
/// would tell that the request was interrupted.
pub fn accept(tx: &mut Tx<'_>, call: &Call, new: &New<'_>) -> Result<bool, Refusal> {
    if !leases::lives(tx, new.replica_id)? {
        return Ok(false);
    }
    let asked = Value::from(new.asked).to_string();
    let row = params![
        &call.directory.id,
        new.id,
        new.bulk,
        &asked,
        call.at,
        call.at + LIFE_US,
        new.replica_id,
    ];
    tx.exec(INSERT, &row)?;
    Ok(true)
}

/// Remembers what came of an accepted request, and leaves an event for each operation, from which the receivers of the
/// directory's security events hear of it. A second time changes nothing.
pub fn settle(tx: &mut Tx<'_>, call: &Call, id: &str, results: &[Value]) -> Result<(), Refusal> {
    let now = call.clock.now();
    let text = Value::from(results).to_string();
    let Some(row) = tx.query_one(SETTLE, &params![&call.directory.id, id, &text, now])? else {
        return Ok(());
    };
    let bulk = row.bool(0)?;
    for (index, result) in results.iter().enumerate() {
        let txn = transaction(id, bulk, index);
        let (kind, object_id) = object(result);
        let mut told = json!({ "txn": txn });
        if let (Value::Object(told), Value::Object(result)) = (&mut told, result) {
            told.extend(result.clone());
        }
        let event = events::New {
            category: Category::ScimSync,
            action: "answer",
            outcome: events::Outcome::Ok,
            object_kind: kind,
            object_id,
            object_name: None,
            version: None,
            changes: Some(&told.to_string()),
        };
        events::record(tx, call, &event)?;
    }
    Ok(())
}

/// The `txn` claim of the event that tells of one operation (RFC 9967 section 2.5.1.2).
pub fn transaction(id: &str, bulk: bool, index: usize) -> String {
    if bulk {
        format!("{id}:{index}")
    } else {
        id.to_owned()
    }
}

/// Forgets an accepted request, because its client was answered after all.
pub fn withdraw(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(WITHDRAW, &params![directory_id, id])?)
}

/// The outcome of that id, as long as it can be read.
pub fn by_id(tx: &mut Tx<'_>, directory_id: &str, id: &str, now: i64) -> Result<Outcome, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![directory_id, id, now])? else {
        return Err(Refusal::NotFound(What::Outcome, id.to_owned()));
    };
    Ok(Outcome {
        bulk: row.bool(0)?,
        results: operations(row.text(1)?)?,
        settled_at: row.opt_int(2)?,
    })
}

/// The directories with requests that a replica has left unfinished which is gone.
pub fn orphaned(tx: &mut Tx<'_>) -> Result<Vec<String>, Refusal> {
    directory_ids(tx.query(ORPHANED, &params![])?)
}

/// Settles requests of a directory that a replica has left unfinished which is gone, `limit` at most, with `result` for
/// each operation beside what it asked for. Returns how many there were.
pub fn interrupted(
    tx: &mut Tx<'_>,
    directory_id: &str,
    (clock, ids): (&Arc<dyn Clock>, &Arc<Ids>),
    result: &Value,
    limit: usize,
) -> Result<usize, Refusal> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let left = tx.query(ORPHANS, &params![directory_id, limit])?;
    let count = left.len();
    if count == 0 {
        return Ok(0);
    }
    let directory = Arc::new(directories::by_id(tx, directory_id)?);
    for mut row in left {
        let mut results = operations(row.text(1)?)?;
        for operation in &mut results {
            if let (Value::Object(operation), Value::Object(result)) = (operation, result) {
                operation.extend(result.clone());
            }
        }
        let id = row.take_text(0)?;
        let call = Call {
            directory: directory.clone(),
            actor: Actor::System,
            request_id: id.clone(),
            at: clock.now(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        settle(tx, &call, &id, &results)?;
    }
    Ok(count)
}

/// The directories with outcomes that cannot be read any more.
pub fn expired(tx: &mut Tx<'_>, now: i64) -> Result<Vec<String>, Refusal> {
    directory_ids(tx.query(EXPIRED, &params![now])?)
}

/// Removes outcomes of a directory that cannot be read any more, `limit` at most. Returns how many there were.
pub fn expire(
    tx: &mut Tx<'_>,
    directory_id: &str,
    now: i64,
    limit: usize,
) -> Result<usize, Refusal> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(tx.query(EXPIRE, &params![directory_id, now, limit])?.len())
}

fn directory_ids(rows: Vec<Row>) -> Result<Vec<String>, Refusal> {
    let ids = rows.into_iter().map(|mut row| Ok(row.take_text(0)?));
    ids.collect()
}

/// What a result is about, from its `uri`: `/Users/{id}`.
fn object(result: &Value) -> (Option<&'static str>, Option<&str>) {
    let uri = result.get("uri").and_then(Value::as_str);
    let mut parts = uri.unwrap_or_default().split('/').skip(1);
    let kind = match parts.next() {
        Some("Users") => Some("User"),
        Some("Groups") => Some("Group"),
        _ => None,
    };
    (kind, parts.next())
}

fn operations(text: &str) -> Result<Vec<Value>, Refusal> {
    serde_json::from_str(text).map_err(|error| {
        Refusal::Store(portreeve_store::Error::Failed(format!(
            "a stored outcome is not JSON: {error}; restore the database from a backup"
        )))
    })
}
