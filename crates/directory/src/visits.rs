//! Visits: who came to see whom, and who is in the house.
//!
//! What the log says of a visit names its location and no visitor: visits become anonymous after a while, and the log does not
//! change.

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "v.id, v.location_id, v.state, v.directory_id, v.host_id, v.host_name, v.visitor_name, v.company, v.purpose, v.photo IS NOT NULL, v.expected_at, v.came_at, v.left_at, v.answer, v.answered_at, v.at, v.is_anonymous, v.host_gone_at"
    };
}

mod find;

pub use find::{Wanted, awaited, is_name_of, is_named, list, notable, of_host, open};

use crate::bearer::{self, Kind, Presented};
use crate::events::{self, Category, Cause, Outcome};
use crate::{Refusal, What, names};
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

statements! {
    INSERT = "INSERT INTO visits (team_id, id, location_id, state, directory_id, host_id, host_name, visitor_name, company, purpose, hash, answer_hash, photo, expected_at, came_at, at, is_anonymous) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, FALSE)";
    BY_ID = concat!("SELECT ", columns!(), ", v.hash, v.answer_hash FROM visits v WHERE v.team_id = $1 AND v.id = $2");
    PHOTO = "SELECT photo FROM visits WHERE team_id = $1 AND id = $2 AND photo IS NOT NULL";
    OPEN = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1 AND v.location_id = $2 AND v.state <> 'gone' ORDER BY v.at, v.id LIMIT $3");
    NOTABLE = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1 AND v.location_id = $2 AND v.state <> 'gone' AND v.at < $4 AND (v.host_gone_at >= $3 OR v.answered_at >= $3) ORDER BY CASE v.state WHEN 'here' THEN 0 ELSE 1 END, v.at DESC, v.id DESC LIMIT $5");
    OF_HOST = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1 AND v.host_id = $2 AND v.state <> 'gone' ORDER BY v.at, v.id");
    AWAITED = concat!("SELECT ", columns!(), " FROM visits v WHERE v.team_id = $1 AND v.location_id = $2 AND v.state = 'expected' AND v.at >= $3 AND v.at <= $4 ORDER BY v.at, v.id LIMIT $5");
    ARRIVE = "UPDATE visits SET state = 'here', came_at = $3, at = $3, company = $4, purpose = $5, photo = $6, hash = $7, answer_hash = $8, directory_id = $9, host_id = $10, host_name = $11 WHERE team_id = $1 AND id = $2 AND state = 'expected'";
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
    /// As it stands in the database and in addresses.
    pub fn name(self) -> &'static str {
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
    /// Since when whoever is visited cannot be found by visitors any more.
    pub host_gone_at: Option<i64>,
}

/// What proves something about a visit. They are different ones, so that visitors do not answer for whom they visit.
#[derive(Debug)]
pub struct Secrets {
    /// On the badge: whoever shows it leaves.
    pub badge: SecretString,
    /// In the mail to whoever is visited: whoever shows it answers.
    pub answer: SecretString,
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

/// Writes a visit down. The secrets are on the badge and in the mail, and nowhere else.
pub fn create(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    new: &New<'_>,
    guest: &Guest<'_>,
) -> Result<(Visit, Secrets), Refusal> {
    let guest = checked(guest)?;
    let (secrets, badge, answer) = secrets(cause.team_id, new.id)?;
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
        badge.as_ref(),
        answer.as_ref(),
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
        host_gone_at: None,
    };
    let verb = if came_at.is_some() {
        "sign_in"
    } else {
        "expect"
    };
    tell(tx, cause, verb, (new.id, new.location.1), None)?;
    Ok((visit, secrets))
}

/// A visitor who was expected has come, to whoever the given visit says; what they do not say stays as it was announced. The
/// secrets of before are good for nothing any more. `None`: they were not expected any more.
pub fn arrive(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    (visit, location): (&Visit, &str),
    guest: &Guest<'_>,
) -> Result<Option<(Visit, Secrets)>, Refusal> {
    let guest = checked(guest)?;
    if visit.state != State::Expected {
        return Ok(None);
    }
    let (secrets, badge, answer) = secrets(cause.team_id, &visit.id)?;
    let said = |now: &str, before: &str| match now {
        "" => before.to_owned(),
        now => now.to_owned(),
    };
    let visit = Visit {
        state: State::Here,
        company: said(guest.company, &visit.company),
        purpose: said(guest.purpose, &visit.purpose),
        has_photo: guest.photo.is_some(),
        came_at: Some(cause.at),
        at: cause.at,
        ..visit.clone()
    };
    let row = params![
        cause.team_id,
        &visit.id,
        cause.at,
        &visit.company,
        &visit.purpose,
        guest.photo,
        badge.as_ref(),
        answer.as_ref(),
        visit.host.as_ref().map(|(directory, _)| directory.as_str()),
        visit.host.as_ref().map(|(_, id)| id.as_str()),
        &visit.host_name
    ];
    tx.exec(ARRIVE, &row)?;
    tell(tx, cause, "sign_in", (&visit.id, location), None)?;
    Ok(Some((visit, secrets)))
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

/// The visit of the secret on a badge; `None` when it is none, or the visit is anonymous.
pub fn verify(tx: &mut Tx<'_>, presented: &Presented) -> Result<Option<Visit>, Refusal> {
    verified(tx, presented, |row| Ok(Some(row.bytes(18)?)))
}

/// The visit of the secret in a mail to whoever is visited; `None` when it is none, or the visit is anonymous.
pub fn verify_answer(tx: &mut Tx<'_>, presented: &Presented) -> Result<Option<Visit>, Refusal> {
    verified(tx, presented, |row| Ok(row.opt_bytes(19)?))
}

fn verified(
    tx: &mut Tx<'_>,
    presented: &Presented,
    hash: impl Fn(&Row) -> Result<Option<&[u8]>, Refusal>,
) -> Result<Option<Visit>, Refusal> {
    let Some(row) = tx.query_one(BY_ID, &params![&presented.team_id, &presented.id])? else {
        return Ok(None);
    };
    if !hash(&row)?.is_some_and(|hash| presented.is(hash)) {
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

/// Forgets who came, in the oldest visits from before a time; how many there were. Visitors who never signed out have left.
pub fn anonymise(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<usize, Refusal> {
    let old = tx.query(OLD, &params![before, limit])?;
    let count = old.len();
    for row in old {
        tx.exec(ANONYMISE, &params![row.text(0)?, row.text(1)?])?;
    }
    Ok(count)
}

/// New secrets of a visit, and the hashes of that on the badge and that in the mail.
fn secrets(team_id: &str, id: &str) -> Result<(Secrets, [u8; 32], [u8; 32]), Refusal> {
    let (badge, badge_hash) = bearer::make(Kind::Visit, team_id, id)?;
    let (answer, answer_hash) = bearer::make(Kind::Visit, team_id, id)?;
    Ok((Secrets { badge, answer }, badge_hash, answer_hash))
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
        host_gone_at: row.opt_int(17)?,
        id: row.take_text(0)?,
        location_id: row.take_text(1)?,
        host_name: row.take_text(5)?,
        visitor_name: row.take_text(6)?,
        company: row.take_text(7)?,
        purpose: row.take_text(8)?,
    })
}
