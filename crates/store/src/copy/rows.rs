//! Reading, writing and summing up the rows of a table.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};

use super::Copied;
use super::schema::Table;
use crate::{Param, Result, Row, Tx, Value};

/// Rows that are handed over together, unless they are large.
const ROWS: usize = 2000;

/// Bytes of text from which rows are handed over at once.
const BYTES: usize = 4 * 1024 * 1024;

/// Rows in one statement, unless they are wide. More save little, and make the text of the statement long.
const ROWS_PER_STATEMENT: usize = 100;

/// Parameters in one statement. SQLite takes 32,766, PostgreSQL 65,535.
const PARAMS_PER_STATEMENT: usize = 2000;

/// Rows on their way.
#[derive(Default)]
pub(super) struct Batch {
    rows: Vec<Row>,
    bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, row: Row) {
        let bytes = row.values().iter().map(|value| match value {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        });
        self.bytes += bytes.sum::<usize>();
        self.rows.push(row);
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= ROWS || self.bytes >= BYTES
    }

    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }
}

/// What the rows of a table are, in few digits.
pub(super) struct Sum {
    rows: u64,
    digest: Context,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            rows: 0,
            digest: Context::new(&SHA256),
        }
    }
}

impl Sum {
    /// Each value goes in with its type and length, so that no two rows look alike. Where one database has a truth
    /// value, the other has 0 or 1.
    pub(super) fn add(&mut self, row: &Row) {
        self.rows += 1;
        for value in row.values() {
            match value {
                Value::Null => self.digest.update(b"n"),
                Value::Bool(value) => self.put(b"i", &i64::from(*value).to_le_bytes()),
                Value::Int(value) => self.put(b"i", &value.to_le_bytes()),
                Value::Text(text) => self.put(b"t", text.as_bytes()),
                Value::Bytes(bytes) => self.put(b"b", bytes),
            }
        }
    }

    fn put(&mut self, kind: &[u8], bytes: &[u8]) {
        self.digest.update(kind);
        self.digest.update(&(bytes.len() as u64).to_le_bytes());
        self.digest.update(bytes);
    }

    pub(super) fn finish(self, table: &Table) -> Copied {
        let mut checksum = String::new();
        for byte in self.digest.finish().as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(checksum, "{byte:02x}");
        }
        Copied {
            table: table.name.clone(),
            rows: self.rows,
            checksum,
        }
    }
}

/// Every row in the order of the primary key, which is the same on every database: text is ordered by its bytes.
pub(super) fn select(table: &Table) -> String {
    format!(
        "SELECT {} FROM {} ORDER BY {}",
        columns(table),
        quoted(&table.name),
        list(&table.key)
    )
}

pub(super) fn count(tx: &mut Tx<'_>, table: &Table) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM {}", quoted(&table.name));
    let row = tx.query_one(&sql, &[])?;
    row.map_or(Ok(0), |row| Ok(row.int(0)?.unsigned_abs()))
}

pub(super) fn is_empty(tx: &mut Tx<'_>, table: &Table) -> Result<bool> {
    let sql = format!("SELECT 1 FROM {} LIMIT 1", quoted(&table.name));
    Ok(tx.query(&sql, &[])?.is_empty())
}

/// Writes the rows and waits until the database has them.
pub(super) fn insert(tx: &mut Tx<'_>, table: &Table, batch: Batch) -> Result<()> {
    let width = table.columns.len();
    let together = (PARAMS_PER_STATEMENT / width).clamp(1, ROWS_PER_STATEMENT);
    let (many, one) = (insert_text(table, together), insert_text(table, 1));
    let rows = batch.rows;
    let whole = rows.len() - rows.len() % together;
    let chunks = rows[..whole].chunks(together).map(|chunk| (&many, chunk));
    let rest = rows[whole..].chunks(1).map(|chunk| (&one, chunk));
    for (sql, chunk) in chunks.chain(rest) {
        let params: Vec<Param<'_>> = chunk.iter().flat_map(|row| params(table, row)).collect();
        tx.exec(sql, &params)?;
    }
    // A driver may have held them back: memory is bounded by sending what is there.
    tx.query("SELECT 1", &[]).map(drop)
}

fn params<'a>(table: &'a Table, row: &'a Row) -> impl Iterator<Item = Param<'a>> {
    let values = row.values().iter().zip(&table.columns);
    values.map(|(value, column)| match value {
        Value::Int(number @ (0 | 1)) if column.is_bool => Param::Bool(*number == 1),
        value => Param::from(value),
    })
}

fn insert_text(table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let mut sql = format!(
        "INSERT INTO {} ({}) VALUES ",
        quoted(&table.name),
        columns(table)
    );
    for row in 0..rows {
        let places = (1..=width).map(|place| format!("${}", row * width + place));
        let places = places.collect::<Vec<_>>().join(", ");
        let comma = if row == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(sql, "{comma}({places})");
    }
    sql
}

fn columns(table: &Table) -> String {
    list(table.columns.iter().map(|column| &column.name))
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names = names.into_iter().map(|name| quoted(name));
    names.collect::<Vec<_>>().join(", ")
}

/// A name as SQL has it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
