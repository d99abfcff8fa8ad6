//! The provisioning log as people read it: the newest entries first or what is added, only those they look for, and
//! whole as JSON or as CSV.

mod filter;
mod json;
mod table;

use std::ops::ControlFlow;

use portreeve_directory::Refusal;
use portreeve_directory::applications::records;
use portreeve_store::Tx;
use serde::Serialize;

pub use filter::Filter;
pub use json::Json;
pub use table::{FILES, Tables};

use crate::engine::steps::Record;

/// Entries per read, at least and at most.
const BATCH: (usize, usize) = (50, 500);

/// How many entries one call of [`read`] looks at: a filter that finds little must not hold a reader for long.
const LOOKED_AT: usize = 5_000;

/// Where to read on, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Towards the newest entry, after that position; 0 for the whole log.
    After(i64),
    /// Towards the oldest entry, before that position; `i64::MAX` for the whole log.
    Before(i64),
}

/// Entries of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Each with its position, in the order in which they were read. There may be none although there are more to come.
    pub entries: Vec<(i64, Record)>,
    /// Where to read on.
    pub next: Place,
    /// Whether everything was read.
    pub ended: bool,
}

/// An entry as the database keeps it. Its position is given when it is written.
#[must_use]
pub fn row(record: &Record) -> records::Record {
    let status = &record.provisioning_status_info;
    let (source, target) = (&record.source_identity, record.target_identity.as_ref());
    records::Record {
        position: 0,
        id: record.id.clone(),
        cycle_id: record.cycle_id.clone(),
        change_id: record.change_id.clone(),
        at: record.activity_date_time.as_microsecond(),
        kind: word(&source.identity_type),
        action: word(&record.provisioning_action),
        status: word(&status.status),
        error_code: status
            .error_information
            .as_ref()
            .map(|error| word(&error.error_code)),
        source_key: source.id.clone(),
        target_id: target.map(|target| target.id.clone()),
        name: source.display_name.clone().unwrap_or_default(),
        body: serde_json::to_string(record).unwrap_or_default(),
    }
}

/// The next entries that a filter lets through, `limit` at most.
///
/// # Errors
/// Those of the database, and an entry that cannot be read.
pub fn read(
    tx: &mut Tx<'_>,
    application_id: &str,
    filter: &Filter,
    place: Place,
    limit: usize,
) -> Result<Page, Refusal> {
    let mut page = Page {
        entries: Vec::new(),
        next: place,
        ended: false,
    };
    let batch = limit.clamp(BATCH.0, BATCH.1);
    let rows_at_most = i64::try_from(batch).unwrap_or(i64::MAX);
    let mut looked_at = 0;
    while looked_at < LOOKED_AT {
        let rows = match page.next {
            Place::After(position) => records::after(tx, application_id, position, rows_at_most)?,
            Place::Before(position) => records::before(tx, application_id, position, rows_at_most)?,
        };
        let found = rows.len();
        looked_at += found;
        for row in rows {
            if page.entries.len() >= limit {
                return Ok(page);
            }
            if page.take(filter, &row)?.is_break() {
                return Ok(page);
            }
        }
        if found < batch {
            page.ended = true;
            break;
        }
    }
    Ok(page)
}

impl Page {
    /// Looks at one entry. Breaks where no older one can be of interest.
    fn take(&mut self, filter: &Filter, row: &records::Record) -> Result<ControlFlow<()>, Refusal> {
        self.next = match self.next {
            Place::After(_) => Place::After(row.position),
            Place::Before(_) if filter.is_past(row.at) => {
                self.ended = true;
                return Ok(ControlFlow::Break(()));
            }
            Place::Before(_) => Place::Before(row.position),
        };
        if filter.may_match(row) {
            let record: Record = serde_json::from_str(&row.body).map_err(|error| {
                Refusal::Store(portreeve_store::Error::Failed(format!(
                    "the entry {} of the provisioning log cannot be read: {error}; restore the database from a backup",
                    row.id
                )))
            })?;
            if filter.matches(&record) {
                self.entries.push((row.position, record));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A word of the log, such as a status, as JSON has it.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
