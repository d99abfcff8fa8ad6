//! Escrows: objects and references that failed, and when they are tried again.

use super::Kind;
use crate::Refusal;
use crate::members::{CHUNK, placeholders};
use portreeve_store::{Param, Row, Tx, params, statements};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "kind, source_key, attribute, code, detail, attempts, first_at, next_at"
    };
}

statements! {
    PUT = concat!("INSERT INTO escrows (", columns!(), ", application_id) VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $1) ON CONFLICT (application_id, kind, source_key, attribute) DO UPDATE SET code = excluded.code, detail = excluded.detail, attempts = excluded.attempts, first_at = excluded.first_at, next_at = excluded.next_at");
    REMOVE = "DELETE FROM escrows WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4";
    CLEAR = "DELETE FROM escrows WHERE application_id = $1";
    PAGE = concat!("SELECT ", columns!(), " FROM escrows WHERE application_id = $1 AND (kind, source_key, attribute) > ($2, $3, $4) ORDER BY kind, source_key, attribute LIMIT $5");
    WAKE = "UPDATE links SET dirty = TRUE WHERE application_id = $1 AND kind = $2 AND NOT dirty AND source_key IN (SELECT source_key FROM escrows WHERE application_id = $1 AND kind = $2 AND attribute = '' AND (next_at <= $3 OR next_at > $4))";
    DUE = "SELECT kind, source_key, attribute FROM escrows WHERE application_id = $1 AND attribute <> '' AND (next_at <= $2 OR next_at > $3)";
    WAKE_REFERENCES = "UPDATE link_references SET due = TRUE WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4 AND wanted <> applied AND NOT due";
    COUNT = "SELECT code, attribute <> '', count(*) FROM escrows WHERE application_id = $1 GROUP BY code, attribute <> ''";
}

/// A failure that is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escrow {
    /// User or group.
    pub kind: Kind,
    /// Its key at the source.
    pub source_key: String,
    /// Which of its references failed; empty for the object itself.
    pub attribute: String,
    /// The error code.
    pub code: String,
    /// What happened, in a sentence.
    pub detail: String,
    /// How often it was tried again.
    pub attempts: i64,
    /// When it failed first (microseconds since 1970 UTC).
    pub first_at: i64,
    /// Not before this time is it tried again; `None` where only a change can help.
    pub next_at: Option<i64>,
}

/// Failures of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The error code.
    pub code: String,
    /// Whether they are about references, and not about objects.
    pub of_references: bool,
    /// How many there are.
    pub count: i64,
}

/// Notes a failure, in place of an earlier one.
pub fn put(tx: &mut Tx<'_>, application_id: &str, escrow: &Escrow) -> Result<(), Refusal> {
    let row = params![
        application_id,
        escrow.kind.name(),
        &escrow.source_key,
        &escrow.attribute,
        &escrow.code,
        &escrow.detail,
        escrow.attempts,
        escrow.first_at,
        escrow.next_at
    ];
    Ok(tx.exec(PUT, &row)?)
}

/// Forgets a failure: it came through, or it is given up.
pub fn remove(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
    attribute: &str,
) -> Result<(), Refusal> {
    let row = params![application_id, kind.name(), source_key, attribute];
    Ok(tx.exec(REMOVE, &row)?)
}

/// Forgets all failures.
pub fn clear(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(CLEAR, &params![application_id])?)
}

/// The failures of these objects, those of their references included.
pub fn of(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<Vec<Escrow>, Refusal> {
    let mut found = Vec::new();
    for chunk in source_keys.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![application_id, kind.name()].to_vec();
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM escrows WHERE application_id = $1 AND kind = $2 AND source_key IN ({})"
            ),
            list
        );
        for row in tx.query(&sql, &given)? {
            found.extend(from_row(row)?);
        }
    }
    Ok(found)
}

/// The next `limit` failures after one of them (`None` for the first), for people.
pub fn page(
    tx: &mut Tx<'_>,
    application_id: &str,
    after: Option<&Escrow>,
    limit: i64,
) -> Result<Vec<Escrow>, Refusal> {
    let (kind, key, attribute) = after.map_or(("", "", ""), |last| {
        (last.kind.name(), &*last.source_key, &*last.attribute)
    });
    let rows = tx.query(PAGE, &params![application_id, kind, key, attribute, limit])?;
    rows.into_iter()
        .filter_map(|row| from_row(row).transpose())
        .collect()
}

/// Has everything tried again whose time has come (`now` in microseconds since 1970 UTC), or lies further ahead than
/// anything waits (`longest`, microseconds): that was written when the clock was wrong.
pub fn wake(tx: &mut Tx<'_>, application_id: &str, now: i64, longest: i64) -> Result<(), Refusal> {
    let beyond = now.saturating_add(longest);
    for kind in [Kind::User, Kind::Group] {
        tx.exec(WAKE, &params![application_id, kind.name(), now, beyond])?;
    }
    for row in tx.query(DUE, &params![application_id, now, beyond])? {
        let (kind, key, attribute) = (row.text(0)?, row.text(1)?, row.text(2)?);
        tx.exec(
            WAKE_REFERENCES,
            &params![application_id, kind, key, attribute],
        )?;
    }
    Ok(())
}

/// How many failures there are of each code.
pub fn count(tx: &mut Tx<'_>, application_id: &str) -> Result<Vec<Count>, Refusal> {
    tx.query(COUNT, &params![application_id])?
        .into_iter()
        .map(|mut row| {
            Ok(Count {
                of_references: row.bool(1)?,
                count: row.int(2)?,
                code: row.take_text(0)?,
            })
        })
        .collect()
}

fn from_row(mut row: Row) -> Result<Option<Escrow>, Refusal> {
    let Some(kind) = Kind::by_name(row.text(0)?) else {
        return Ok(None);
    };
    Ok(Some(Escrow {
        kind,
        attempts: row.int(5)?,
        first_at: row.int(6)?,
        next_at: row.opt_int(7)?,
        source_key: row.take_text(1)?,
        attribute: row.take_text(2)?,
        code: row.take_text(3)?,
        detail: row.take_text(4)?,
    }))
}
