//! Reading the log: one event, a page by filter, a stretch of the feed.

use super::{BY_ID, PLACE, STREAMABLE, TIME};
use crate::{Refusal, What, teams};
use portreeve_scim::time;
use portreeve_store::{Param, Row, Tx, params};
use serde_json::{Map, Value, json};

/// One entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the feed of its team: from 1 on in the order of commits.
    pub position: i64,
    /// UUID.
    pub id: String,
    /// Which directory it concerns.
    pub directory_id: Option<String>,
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// `SCIM_SYNC`, `ADMIN`, ….
    pub category: String,
    /// The verb.
    pub action: String,
    /// `ok` or `refused`.
    pub outcome: String,
    /// `User`, `Group`, ….
    pub object_kind: Option<String>,
    /// Id of the object.
    pub object_id: Option<String>,
    /// Name of the object for people.
    pub object_name: Option<String>,
    /// `token`, `local`, `system`, `anonymous`.
    pub actor_kind: String,
    /// Id of the token, or the user id of the local process.
    pub actor_id: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// From the arrival of the request to the decision, without the wait for the disk.
    pub duration_us: Option<i64>,
    /// The version the object has afterwards.
    pub version: Option<i64>,
    /// Reason code of a refusal.
    pub reason: Option<String>,
    /// Sentence of a refusal.
    pub detail: Option<String>,
    /// `[{attribute, old, new}]`.
    pub changes: Vec<Value>,
}

/// A place in the log of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The event at this position. There need not be one: 0 is before every event.
    Position(i64),
    /// The event with this id.
    Event(String),
}

impl Place {
    /// A place as people write it: a number is a position, nothing the beginning, anything else the id of an event.
    pub fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(position) => Self::Position(position),
            Err(_) if text.is_empty() => Self::Position(0),
            Err(_) => Self::Event(text.to_owned()),
        }
    }
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only of this directory.
    pub directory_id: Option<String>,
    /// Only about this object.
    pub object_id: Option<String>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only this verb.
    pub action: Option<String>,
    /// Only `ok` or `refused`.
    pub outcome: Option<String>,
    /// Only caused by this user, owner or service account. (A provider is known by its directory.)
    pub actor_id: Option<String>,
    /// Only refused for this reason.
    pub reason: Option<String>,
    /// Only of the request with this id, or the event with it.
    pub request: Option<String>,
    /// Not before this time (microseconds since 1970 UTC).
    pub from: Option<i64>,
    /// Not after it.
    pub to: Option<i64>,
    /// Only later than this place: then oldest first, which is how one follows the log.
    pub after: Option<Place>,
    /// Only earlier than this place: the next page of a list that is newest first.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// One event of a team.
pub fn get(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Event, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Event, id.to_owned()))
        .and_then(from_row)
}

/// Events of a team: newest first, or oldest first when following (`after`).
pub fn list(tx: &mut Tx<'_>, team_id: &str, query: &Query) -> Result<Vec<Event>, Refusal> {
    let mut resolve = |place: &Option<Place>| match place {
        None => Ok(None),
        Some(place) => position(tx, team_id, place).map(Some),
    };
    let (after, before) = (resolve(&query.after)?, resolve(&query.before)?);
    let from = query
        .from
        .map(|at| near(tx, team_id, at, -SLACK))
        .transpose()?;
    let to = query
        .to
        .map(|at| near(tx, team_id, at, SLACK))
        .transpose()?;
    let places = [
        ("position >", after.map(Param::Int)),
        ("position <", before.map(Param::Int)),
        ("position >=", from.map(Param::Int)),
        ("position <=", to.map(Param::Int)),
    ];
    let order = match after {
        Some(_) => "position ASC",
        None => "position DESC",
    };
    select(tx, team_id, query, &places, order)
}

/// Events of all teams, newest first by the times in their ids, because positions of several teams cannot be compared. The
/// list goes on before an event, and cannot be followed.
pub fn list_all(tx: &mut Tx<'_>, query: &Query) -> Result<Vec<Event>, Refusal> {
    let before = match (&query.after, &query.before) {
        (None, None) => None,
        (None, Some(Place::Event(id))) => Some(Param::from(id)),
        _ => {
            return Err(Refusal::Invalid {
                attribute: "team",
                reason: "several teams have no common order of events; say which team, or which directory".to_owned(),
            });
        }
    };
    let mut all = Vec::new();
    for team in teams::list(tx)? {
        all.extend(select(tx, &team.id, query, &[("id <", before)], "id DESC")?);
    }
    all.sort_by(|a, b| b.id.cmp(&a.id));
    all.truncate(usize::try_from(query.limit).unwrap_or(0));
    Ok(all)
}

fn position(tx: &mut Tx<'_>, team_id: &str, place: &Place) -> Result<i64, Refusal> {
    match place {
        Place::Position(position) => Ok(*position),
        Place::Event(id) => match tx.query_one(PLACE, &params![team_id, id])? {
            Some(row) => Ok(row.int(0)?),
            None => Err(Refusal::NotFound(What::Event, id.clone())),
        },
    }
}

fn select(
    tx: &mut Tx<'_>,
    team_id: &str,
    query: &Query,
    places: &[(&str, Option<Param<'_>>)],
    order: &str,
) -> Result<Vec<Event>, Refusal> {
    let (sql, given) = statement(team_id, query, places, order);
    tx.query(&sql, &given)?.into_iter().map(from_row).collect()
}

/// The statement, written so that the narrowest index there is for the query can be used, and no wider one. Plans do not
/// depend on values, so a partial index is used only where the text says that its condition holds.
fn statement<'a>(
    team_id: &'a str,
    query: &'a Query,
    places: &[(&str, Option<Param<'a>>)],
    order: &str,
) -> (String, Vec<Param<'a>>) {
    let mut sql = concat!("SELECT ", columns!(), " FROM events WHERE team_id = $1").to_owned();
    let mut given: Vec<Param<'_>> = vec![team_id.into()];
    let category = query.category.as_deref();
    let is_rare = category.is_some_and(|category| category != "SCIM_SYNC");
    let is_refused = query.outcome.as_deref() == Some("refused") || query.reason.is_some();
    if is_rare {
        sql.push_str(" AND category <> 'SCIM_SYNC'");
    }
    if is_refused {
        sql.push_str(" AND outcome = 'refused'");
    }
    if let Some(request) = &query.request {
        given.push(request.into());
        let place = given.len();
        sql.push_str(&format!(
            " AND position IN (SELECT position FROM events WHERE team_id = $1 AND request_id = ${place} UNION ALL SELECT position FROM events WHERE team_id = $1 AND id = ${place})"
        ));
    }
    let is_narrow = is_rare
        || is_refused
        || query.request.is_some()
        || query.object_id.is_some()
        || query.actor_id.is_some();
    let action = match is_narrow {
        // No column, so no index of it: there are many events of each action.
        true => "action || '' =",
        false => "action =",
    };
    let filters = [
        ("directory_id =", &query.directory_id),
        ("object_id =", &query.object_id),
        ("category =", &query.category),
        (action, &query.action),
        ("outcome =", &query.outcome),
        ("actor_kind <> 'token' AND actor_id =", &query.actor_id),
        ("reason =", &query.reason),
    ]
    .map(|(condition, value)| (condition, value.as_ref().map(Param::from)));
    let times = [
        ("at >=", query.from.map(Param::Int)),
        ("at <=", query.to.map(Param::Int)),
    ];
    for (condition, value) in filters.iter().chain(&times).chain(places) {
        if let Some(value) = value {
            given.push(*value);
            sql.push_str(&format!(" AND {condition} ${}", given.len()));
        }
    }
    given.push(query.limit.into());
    sql.push_str(&format!(" ORDER BY {order} LIMIT ${}", given.len()));
    (sql, given)
}

/// Times of events differ from the order of their positions by what requests take; this many positions are looked at
/// besides.
const SLACK: i64 = 1000;

/// A position near the first event of that time or later, found by halving; `slack` positions beside it.
fn near(tx: &mut Tx<'_>, team_id: &str, at: i64, slack: i64) -> Result<i64, Refusal> {
    let (mut low, mut high) = (0, super::last(tx, team_id)?);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = tx.query_one(TIME, &params![team_id, middle])?;
        match found.map(|row| row.int(0)).transpose()? {
            Some(time) if time < at => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low.saturating_add(slack))
}

/// One event of whichever team.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Event, Refusal> {
    for team in teams::list(tx)? {
        match get(tx, &team.id, id) {
            Err(Refusal::NotFound(..)) => {}
            found => return found,
        }
    }
    Err(Refusal::NotFound(What::Event, id.to_owned()))
}

/// The next committed SCIM changes of a directory after a position, oldest first.
pub fn streamable(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory_id: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Event>, Refusal> {
    tx.query(STREAMABLE, &params![team_id, after, directory_id, limit])?
        .into_iter()
        .map(from_row)
        .collect()
}

impl Event {
    /// The event as the API and the command line show it. Absent members are left out.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), json!(self.id));
        out.insert("position".into(), json!(self.position));
        out.insert("time".into(), json!(time::format(self.at)));
        out.insert("category".into(), json!(self.category));
        out.insert("action".into(), json!(self.action));
        out.insert("outcome".into(), json!(self.outcome));
        let object = [
            ("type", &self.object_kind),
            ("id", &self.object_id),
            ("name", &self.object_name),
        ];
        let actor = [
            ("type", &Some(self.actor_kind.clone())),
            ("id", &self.actor_id),
        ];
        let present = |list: &[(&str, &Option<String>)]| -> Map<String, Value> {
            list.iter()
                .filter_map(|(name, value)| Some(((*name).to_owned(), json!(value.as_ref()?))))
                .collect()
        };
        if self.object_kind.is_some() {
            out.insert("object".into(), Value::Object(present(&object)));
        }
        out.insert("actor".into(), Value::Object(present(&actor)));
        out.extend(present(&[
            ("directory_id", &self.directory_id),
            ("request_id", &self.request_id),
            ("reason", &self.reason),
            ("detail", &self.detail),
        ]));
        if let Some(micros) = self.duration_us {
            out.insert("duration_us".into(), json!(micros));
        }
        if let Some(version) = self.version {
            out.insert("version".into(), json!(version));
        }
        if !self.changes.is_empty() {
            out.insert("changes".into(), Value::Array(self.changes.clone()));
        }
        Value::Object(out)
    }
}

/// How much text of changes (bytes) a row has, which is what can be long in it.
pub(super) fn weight(row: &Row) -> usize {
    let changes = row.opt_text(16);
    changes.map_or(0, |text| text.map_or(0, str::len))
}

/// The event in a row of the columns of this module.
pub(super) fn from_row(mut row: Row) -> Result<Event, Refusal> {
    Ok(Event {
        position: row.int(17)?,
        at: row.int(2)?,
        duration_us: row.opt_int(12)?,
        version: row.opt_int(13)?,
        changes: row.opt_text(16)?.map_or_else(Vec::new, changes),
        id: row.take_text(0)?,
        directory_id: row.take_opt_text(1)?,
        category: row.take_text(3)?,
        action: row.take_text(4)?,
        outcome: row.take_text(5)?,
        object_kind: row.take_opt_text(6)?,
        object_id: row.take_opt_text(7)?,
        object_name: row.take_opt_text(8)?,
        actor_kind: row.take_text(9)?,
        actor_id: row.take_opt_text(10)?,
        request_id: row.take_opt_text(11)?,
        reason: row.take_opt_text(14)?,
        detail: row.take_opt_text(15)?,
    })
}

/// Stored changes are a list, or the whole resource of a `create`, which is unfolded only here, when somebody looks.
fn changes(text: &str) -> Vec<Value> {
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        Ok(Value::Object(resource)) => resource
            .into_iter()
            .filter(|(name, _)| name != "schemas")
            .map(|(attribute, new)| json!({"attribute": attribute, "new": new}))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
