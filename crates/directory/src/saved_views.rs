//! Filters of the log that somebody has given a name, for the whole team.

use crate::{Refusal, What, names};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};

statements! {
    INSERT = "INSERT INTO saved_views (team_id, id, name, name_key, query, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    BY_ID = "SELECT id, name, query, created_at FROM saved_views WHERE team_id = $1 AND id = $2";
    LIST = "SELECT id, name, query, created_at FROM saved_views WHERE team_id = $1 ORDER BY name_key LIMIT 100";
    DELETE = "DELETE FROM saved_views WHERE team_id = $1 AND id = $2";
}

/// The most characters of a filter.
const LONGEST: usize = 1000;

/// A filter with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// UUID.
    pub id: String,
    /// What people call it; unique in the team.
    pub name: String,
    /// The query of the log's address.
    pub query: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// Gives a filter a name.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    (name, query): (&str, &str),
    now: i64,
) -> Result<SavedView, Refusal> {
    let name = names::checked("a view", name, 60)?;
    if query.chars().count() > LONGEST {
        return Err(Refusal::Invalid {
            attribute: "query",
            reason: format!("at most {LONGEST} characters"),
        });
    }
    tx.exec(
        INSERT,
        &params![team_id, id, name, fold(name).as_ref(), query, now],
    )?;
    Ok(SavedView {
        id: id.to_owned(),
        name: name.to_owned(),
        query: query.to_owned(),
        created_at: now,
    })
}

/// The views of a team by name, a hundred at most.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<SavedView>, Refusal> {
    tx.query(LIST, &params![team_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Forgets a view.
pub fn delete(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<SavedView, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    let view = row
        .ok_or_else(|| Refusal::NotFound(What::View, id.to_owned()))
        .and_then(from_row)?;
    tx.exec(DELETE, &params![team_id, id])?;
    Ok(view)
}

fn from_row(mut row: Row) -> Result<SavedView, Refusal> {
    Ok(SavedView {
        created_at: row.int(3)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
        query: row.take_text(2)?,
    })
}
