//! Outcomes of requests that were answered before they were carried out (RFC 9967 section 2.5.1).
//!
//! An accepted request is remembered before the client hears of it, so that not even a crash makes it vanish: what was
//! not finished when the server stopped is told as a failure when it starts again.

use crate::events::{self, Category};
use crate::{Actor, Call, Clock, Ids, Refusal, What, directories};
use portreeve_store::{Tx, params, statements};
use serde_json::{Value, json};
use std::sync::Arc;

statements! {
    INSERT = "INSERT INTO outcomes (directory_id, id, bulk, results, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    EXPIRE = "DELETE FROM outcomes WHERE expires_at <= $1";
    SETTLE = "UPDATE outcomes SET results = $3, settled_at = $4 WHERE directory_id = $1 AND id = $2 AND settled_at IS NULL RETURNING bulk";
    WITHDRAW = "DELETE FROM outcomes WHERE directory_id = $1 AND id = $2";
    BY_ID = "SELECT bulk, results, settled_at FROM outcomes WHERE directory_id = $1 AND id = $2 AND expires_at > $3";
    UNSETTLED = "SELECT directory_id, id, results FROM outcomes WHERE settled_at IS NULL ORDER BY directory_id, id";
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

/// Remembers an accepted request under an id that is also its transaction. `asked` has the `method`, the
/// `uri`, and the `bulkId` or `location` where there is one, of each operation.
pub fn accept(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    bulk: bool,
    asked: &[Value],
) -> Result<(), Refusal> {
    tx.exec(EXPIRE, &params![call.at])?;
    let asked = Value::from(asked).to_string();
    let row = params![
        &call.directory.id,
        id,
        bulk,
        &asked,
        call.at,
        call.at + LIFE_US
    ];
    Ok(tx.exec(INSERT, &row)?)
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

/// Settles what a server that ended in the middle of it has left, with `result` for each operation beside what it asked
/// for. To be called once before requests are taken. Returns how many requests there were.
pub fn interrupted(
    tx: &mut Tx<'_>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<Ids>,
    result: &Value,
) -> Result<usize, Refusal> {
    let left = tx.query(UNSETTLED, &params![])?;
    let count = left.len();
    for mut row in left {
        let directory = Arc::new(directories::by_id(tx, row.text(0)?)?);
        let mut results = operations(row.text(2)?)?;
        for operation in &mut results {
            if let (Value::Object(operation), Value::Object(result)) = (operation, result) {
                operation.extend(result.clone());
            }
        }
        let id = row.take_text(1)?;
        let call = Call {
            directory,
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
