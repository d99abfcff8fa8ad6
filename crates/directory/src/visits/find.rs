//! Finding visits: who is in the house, who is expected, whom a name means, and what a list asks for.

use super::{AWAITED, MOST_OPEN, NOTABLE, OF_HOST, OPEN, State, Visit, from_row};
use crate::Refusal;
use crate::visitor_hosts::words;
use portreeve_scim::text::fold;
use portreeve_store::{Param, Tx, params};

/// How long before and after the announced time a visitor may come to be the one who is expected (microseconds).
const ABOUT: i64 = 12 * 3600 * 1_000_000;

/// Who is in the house or expected at a location, by when they came or should; at most [`MOST_OPEN`].
pub fn open(tx: &mut Tx<'_>, team_id: &str, location_id: &str) -> Result<Vec<Visit>, Refusal> {
    let rows = tx.query(OPEN, &params![team_id, location_id, MOST_OPEN])?;
    rows.into_iter().map(from_row).collect()
}

/// The open visits of a location of which the reception is to know something: since that time whoever is visited cannot be
/// found any more, or has answered. Those in the house come first, then the latest of those who are expected before a time.
pub fn notable(
    tx: &mut Tx<'_>,
    team_id: &str,
    location_id: &str,
    (since, before): (i64, i64),
    limit: i64,
) -> Result<Vec<Visit>, Refusal> {
    let given = params![team_id, location_id, since, before, limit];
    let rows = tx.query(NOTABLE, &given)?;
    rows.into_iter().map(from_row).collect()
}

/// Who is in the house or expected with somebody.
pub fn of_host(tx: &mut Tx<'_>, team_id: &str, user_id: &str) -> Result<Vec<Visit>, Refusal> {
    let rows = tx.query(OF_HOST, &params![team_id, user_id])?;
    rows.into_iter().map(from_row).collect()
}

/// What visits are looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// At this location.
    pub location_id: Option<&'a str>,
    /// In this state.
    pub state: Option<State>,
    /// With this person.
    pub host_id: Option<&'a str>,
    /// Not before this time (microseconds since 1970 UTC).
    pub from: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
}

/// The next visits of a team, the latest first, after that time and id.
pub fn list(
    tx: &mut Tx<'_>,
    team_id: &str,
    wanted: &Wanted<'_>,
    after: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<Visit>, Refusal> {
    let conditions = [
        ("v.location_id =", wanted.location_id.map(Param::Text)),
        (
            "v.state =",
            wanted.state.map(|state| Param::Text(state.name())),
        ),
        ("v.host_id =", wanted.host_id.map(Param::Text)),
        ("v.at >=", wanted.from.map(Param::Int)),
        ("v.at <", wanted.until.map(Param::Int)),
    ];
    let mut given: Vec<Param<'_>> = vec![team_id.into()];
    let mut sql = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1").to_owned();
    for (condition, value) in conditions {
        if let Some(value) = value {
            given.push(value);
            sql += &format!(" AND {condition} ${}", given.len());
        }
    }
    if let Some((at, id)) = after {
        given.extend([Param::Int(at), Param::Text(id)]);
        sql += &format!(
            " AND (v.at, v.id) < (${}, ${})",
            given.len() - 1,
            given.len()
        );
    }
    given.push(Param::Int(limit));
    sql += &format!(" ORDER BY v.at DESC, v.id DESC LIMIT ${}", given.len());
    let rows = tx.query(&sql, &given)?;
    rows.into_iter().map(from_row).collect()
}

/// The visit on which a visitor of that name is expected about now: with that person (by id), or where one of both names
/// nobody. The one with that person comes first, then the nearest.
pub fn awaited(
    tx: &mut Tx<'_>,
    team_id: &str,
    location_id: &str,
    (name, host_id): (&str, Option<&str>),
    now: i64,
) -> Result<Option<Visit>, Refusal> {
    let about = params![
        team_id,
        location_id,
        now.saturating_sub(ABOUT),
        now.saturating_add(ABOUT),
        MOST_OPEN
    ];
    let mut best: Option<((bool, i64), Visit)> = None;
    for row in tx.query(AWAITED, &about)? {
        let visit = from_row(row)?;
        let with = visit.host.as_ref().map(|(_, id)| id.as_str());
        let is_other = with.zip(host_id).is_some_and(|(one, other)| one != other);
        if is_other || !is_name_of(&visit, name) {
            continue;
        }
        let far = (with != host_id, (visit.at - now).abs());
        if best.as_ref().is_none_or(|(least, _)| far < *least) {
            best = Some((far, visit));
        }
    }
    Ok(best.map(|(_, visit)| visit))
}

/// Whether a text is the name of a visitor, however its letters are typed.
pub fn is_name_of(visit: &Visit, text: &str) -> bool {
    let (name, text) = (visit.visitor_name.trim(), text.trim());
    let (of_name, of_text) = (words::of(name), words::of(text));
    fold(name) == fold(text) || !of_name.is_empty() && of_name == of_text
}

/// Whether a text means a visitor: each of its words is one of the name, however its letters are typed.
pub fn is_named(visit: &Visit, text: &str) -> bool {
    let (of_name, of_text) = (words::of(&visit.visitor_name), words::of(text));
    !of_text.is_empty() && of_text.is_subset(&of_name)
}
