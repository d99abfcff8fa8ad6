//! Visits: who came to see whom, and who is in the house.
//!
//! What the log says of a visit names its location and no visitor: visits become anonymous after a while, and the log does not
//! change.

use crate::bearer::{self, Kind, Presented};
use crate::events::{self, Category, Cause, Outcome};
use crate::{Refusal, What, names};
use portreeve_scim::text::fold;
use portreeve_store::{Param, Row, Tx, params, statements};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "v.id, v.location_id, v.state, v.directory_id, v.host_id, v.host_name, v.visitor_name, v.company, v.purpose, v.photo IS NOT NULL, v.expected_at, v.came_at, v.left_at, v.answer, v.answered_at, v.at, v.is_anonymous"
    };
}

statements! {
    INSERT = "INSERT INTO visits (team_id, id, location_id, state, directory_id, host_id, host_name, visitor_name, company, purpose, hash, photo, expected_at, came_at, at, is_anonymous) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, FALSE)";
    BY_ID = concat!("SELECT ", columns!(), ", v.hash FROM visits v WHERE v.team_id = $1 AND v.id = $2");
    PHOTO = "SELECT photo FROM visits WHERE team_id = $1 AND id = $2 AND photo IS NOT NULL";
    OPEN = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1 AND v.location_id = $2 AND v.state <> 'gone' ORDER BY v.at, v.id LIMIT $3");
    OF_HOST = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1 AND v.host_id = $2 AND v.state <> 'gone' ORDER BY v.at, v.id");
    ARRIVE = "UPDATE visits SET state = 'here', came_at = $3, at = $3, company = $4, purpose = $5, photo = $6 WHERE team_id = $1 AND id = $2 AND state = 'expected'";
    LEAVE = "UPDATE visits SET state = 'gone', left_at = $3 WHERE team_id = $1 AND id = $2 AND state <> 'gone'";
    ANSWER = "UPDATE visits SET answer = $3, answered_at = $4 WHERE team_id = $1 AND id = $2";
    OLD = "SELECT team_id, id FROM visits WHERE at < $1 AND NOT is_anonymous ORDER BY at LIMIT $2";
    ANONYMISE = "UPDATE visits SET visitor_name = '', company = '', purpose = '', photo = NULL, directory_id = NULL, host_id = NULL, host_name = '', state = 'gone', is_anonymous = TRUE WHERE team_id = $1 AND id = $2";
}

/// The largest picture, in bytes.
pub const LARGEST_PHOTO: usize = 500_000;
/// The most people on a roll call.
pub const MOST_OPEN: i64 = 10_000;

/// Where a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Announced.
    Expected,
    /// Signed in.
    Here,
    /// Signed out, or never came.
    Gone,
}

/// What somebody answers who was told of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// They come and fetch the visitor.
    OnMyWay,
    /// The visitor may wait a little.
    InFiveMinutes,
    /// They cannot come; the reception is asked to help.
    CannotCome,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Here => "here",
            Self::Gone => "gone",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "expected" => Self::Expected,
            "here" => Self::Here,
            _ => Self::Gone,
        }
    }
}

impl Answer {
    /// As it stands in the database and in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnMyWay => "on_my_way",
            Self::InFiveMinutes => "in_five_minutes",
            Self::CannotCome => "cannot_come",
        }
    }

    /// The answer of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::OnMyWay, Self::InFiveMinutes, Self::CannotCome]
            .into_iter()
            .find(|answer| answer.name() == name)
    }
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// UUID.
    pub id: String,
    /// Where.
    pub location_id: String,
    /// Where it stands.
    pub state: State,
    /// The directory and id of whoever is visited; `None`: whoever is told where nobody is known.
    pub host: Option<(String, String)>,
    /// Their name at the time.
    pub host_name: String,
    /// The visitor; empty once it is anonymous.
    pub visitor_name: String,
    /// Whom the visitor works for.
    pub company: String,
    /// What for.
    pub purpose: String,
    /// Whether there is a picture.
    pub has_photo: bool,
    /// Microseconds since 1970 UTC, as the following ones.
    pub expected_at: Option<i64>,
    /// When the visitor signed in.
    pub came_at: Option<i64>,
    /// When the visitor signed out.
    pub left_at: Option<i64>,
    /// What the one who is visited has answered, and when.
    pub answer: Option<(Answer, i64)>,
    /// By which it is listed: when the visitor came, or is expected.
    pub at: i64,
    /// Whether nobody knows any more who it was.
    pub is_anonymous: bool,
}

/// What a visitor says, or somebody who expects one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guest<'a> {
    /// 1 to 100 characters.
    pub name: &'a str,
    /// At most 100 characters.
    pub company: &'a str,
    /// At most 200 characters.
    pub purpose: &'a str,
    /// JPEG or PNG of at most [`LARGEST_PHOTO`] bytes, with the visitor's consent.
    pub photo: Option<&'a [u8]>,
}

/// Where, whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// UUID, made by the caller.
    pub id: &'a str,
    /// The location with its name.
    pub location: (&'a str, &'a str),
    /// The directory and id of whoever is visited.
    pub host: Option<(&'a str, &'a str)>,
    /// Their name.
    pub host_name: &'a str,
    /// When the visitor is expected; `None`: they are here.
    pub expected_at: Option<i64>,
}

/// Writes a visit down. The secret is on the badge and in the mail, and nowhere else.
pub fn create(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    new: &New<'_>,
    guest: &Guest<'_>,
) -> Result<(Visit, SecretString), Refusal> {
    let guest = checked(guest)?;
    let (secret, hash) = bearer::make(Kind::Visit, cause.team_id, new.id)?;
    let (state, came_at) = match new.expected_at {
        Some(_) => (State::Expected, None),
        None => (State::Here, Some(cause.at)),
    };
    let at = new.expected_at.unwrap_or(cause.at);
    let row = params![
        cause.team_id,
        new.id,
        new.location.0,
        state.name(),
        new.host.map(|(directory, _)| directory),
        new.host.map(|(_, id)| id),
        new.host_name,
        guest.name,
        guest.company,
        guest.purpose,
        hash.as_ref(),
        guest.photo,
        new.expected_at,
        came_at,
        at
    ];
    tx.exec(INSERT, &row)?;
    let visit = Visit {
        id: new.id.to_owned(),
        location_id: new.location.0.to_owned(),
        state,
        host: new
            .host
            .map(|(directory, id)| (directory.to_owned(), id.to_owned())),
        host_name: new.host_name.to_owned(),
        visitor_name: guest.name.to_owned(),
        company: guest.company.to_owned(),
        purpose: guest.purpose.to_owned(),
        has_photo: guest.photo.is_some(),
        expected_at: new.expected_at,
        came_at,
        left_at: None,
        answer: None,
        at,
        is_anonymous: false,
    };
    let verb = if came_at.is_some() {
        "sign_in"
    } else {
        "expect"
    };
    tell(tx, cause, verb, (new.id, new.location.1), None)?;
    Ok((visit, secret))
}

/// A visitor who was expected has come. `false`: they were not expected any more.
pub fn arrive(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    (visit, location): (&Visit, &str),
    guest: &Guest<'_>,
) -> Result<bool, Refusal> {
    let guest = checked(guest)?;
    if visit.state != State::Expected {
        return Ok(false);
    }
    let row = params![
        cause.team_id,
        &visit.id,
        cause.at,
        guest.company,
        guest.purpose,
        guest.photo
    ];
    tx.exec(ARRIVE, &row)?;
    tell(tx, cause, "sign_in", (&visit.id, location), None)?;
    Ok(true)
}

/// A visitor has left, or does not come. `false`: that was so before.
pub fn leave(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    (visit, location): (&Visit, &str),
) -> Result<bool, Refusal> {
    if visit.state == State::Gone {
        return Ok(false);
    }
    tx.exec(LEAVE, &params![cause.team_id, &visit.id, cause.at])?;
    let verb = match visit.state {
        State::Expected => "cancel",
        _ => "sign_out",
    };
    tell(tx, cause, verb, (&visit.id, location), None)?;
    Ok(true)
}

/// Whoever is visited has answered.
pub fn answer(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    (visit, location): (&Visit, &str),
    answer: Answer,
) -> Result<(), Refusal> {
    let row = params![cause.team_id, &visit.id, answer.name(), cause.at];
    tx.exec(ANSWER, &row)?;
    let changes = json!([{"attribute": "answer", "new": answer.name()}]).to_string();
    tell(tx, cause, "answer", (&visit.id, location), Some(&changes))
}

/// The visit of a presented secret; `None` when it is none, or the visit is anonymous.
pub fn verify(tx: &mut Tx<'_>, presented: &Presented) -> Result<Option<Visit>, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![&presented.team_id, &presented.id])? else {
        return Ok(None);
    };
    if !presented.is(row.bytes(17)?) {
        return Ok(None);
    }
    let visit = from_row(row)?;
    Ok((!visit.is_anonymous).then_some(visit))
}

/// One visit.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Visit, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Visit, id.to_owned()))
        .and_then(from_row)
}

/// The picture of a visitor, where there is one.
pub fn photo(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let row = tx.query_one(PHOTO, &params![team_id, id])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

/// Who is in the house or expected at a location, by when they came or should; at most [`MOST_OPEN`].
pub fn open(tx: &mut Tx<'_>, team_id: &str, location_id: &str) -> Result<Vec<Visit>, Refusal> {
    let rows = tx.query(OPEN, &params![team_id, location_id, MOST_OPEN])?;
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

/// Forgets who came, in the oldest visits from before a time; how many there were. Visitors who never signed out have left.
pub fn anonymise(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<usize, Refusal> {
    let old = tx.query(OLD, &params![before, limit])?;
    let count = old.len();
    for row in old {
        tx.exec(ANONYMISE, &params![row.text(0)?, row.text(1)?])?;
    }
    Ok(count)
}

/// Whether a text means a visitor: all of its words are in the name, in any letter case.
pub fn is_named(visit: &Visit, text: &str) -> bool {
    let name = fold(&visit.visitor_name).into_owned();
    let text = fold(text).into_owned();
    let mut words = text.split_whitespace().peekable();
    words.peek().is_some() && words.all(|word| name.contains(word))
}

fn checked<'a>(guest: &Guest<'a>) -> Result<Guest<'a>, Refusal> {
    let name = names::checked("a visitor", guest.name, 100)?;
    let company = names::checked_if_any("a company", guest.company, 100)?;
    let purpose = names::checked_if_any("a purpose", guest.purpose, 200)?;
    if let Some(photo) = guest.photo {
        let is_picture =
            photo.starts_with(b"\xFF\xD8\xFF") || photo.starts_with(b"\x89PNG\r\n\x1A\n");
        if !is_picture || photo.len() > LARGEST_PHOTO {
            return Err(Refusal::Invalid {
                attribute: "photo",
                reason: format!("a JPEG or PNG of at most {LARGEST_PHOTO} bytes"),
            });
        }
    }
    Ok(Guest {
        name,
        company,
        purpose,
        photo: guest.photo,
    })
}

fn tell(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    action: &str,
    (id, location): (&str, &str),
    changes: Option<&str>,
) -> Result<(), Refusal> {
    let event = events::New {
        category: Category::Visitor,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("Visit"),
        object_id: Some(id),
        object_name: Some(location),
        version: None,
        changes,
    };
    events::record_of(tx, cause, &event)
}

fn from_row(mut row: Row) -> Result<Visit, Refusal> {
    let answer = row.opt_text(13)?.and_then(Answer::parse);
    let answered_at = row.opt_int(14)?;
    let host = match (row.opt_text(3)?, row.opt_text(4)?) {
        (Some(directory), Some(id)) => Some((directory.to_owned(), id.to_owned())),
        _ => None,
    };
    Ok(Visit {
        state: State::parse(row.text(2)?),
        host,
        has_photo: row.bool(9)?,
        expected_at: row.opt_int(10)?,
        came_at: row.opt_int(11)?,
        left_at: row.opt_int(12)?,
        answer: answer.zip(answered_at),
        at: row.int(15)?,
        is_anonymous: row.bool(16)?,
        id: row.take_text(0)?,
        location_id: row.take_text(1)?,
        host_name: row.take_text(5)?,
        visitor_name: row.take_text(6)?,
        company: row.take_text(7)?,
        purpose: row.take_text(8)?,
    })
}
