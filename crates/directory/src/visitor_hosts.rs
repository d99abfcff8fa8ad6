//! Visitor hosts: people whom visitors come to see, in the directories that are for it. Whoever may be found is found by
//! words; whoever may not has none, so that no search has to leave anybody out.

mod seen;
pub(crate) mod words;

pub use seen::{Seen, called, is_in, seen};
pub use words::is_of_department;

use crate::directories::{self, Directory};
use crate::list::{Kind, Users};
use crate::members;
use crate::suspensions;
use crate::users::{self, Status, User};
use crate::{Refusal, What};
use portreeve_scim::Resource;
use portreeve_store::{Param, Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

statements! {
    OWN = "SELECT is_hidden, alternates, only_alternates, nicknames FROM visitor_hosts WHERE directory_id = $1 AND user_id = $2";
    SET = "INSERT INTO visitor_hosts (directory_id, user_id, is_hidden, alternates, only_alternates, nicknames, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (directory_id, user_id) DO UPDATE SET is_hidden = $3, alternates = $4, only_alternates = $5, nicknames = $6, updated_at = $7";
    FORGET = "DELETE FROM visitor_hosts WHERE directory_id = $1 AND user_id = $2";
    FORGET_ALL = "DELETE FROM visitor_hosts WHERE directory_id = $1";
    WORDS = "SELECT word FROM visitor_words WHERE directory_id = $1 AND user_id = $2";
    ADD_WORD = "INSERT INTO visitor_words (directory_id, word, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DROP_WORD = "DELETE FROM visitor_words WHERE directory_id = $1 AND word = $2 AND user_id = $3";
    DROP_WORDS = "DELETE FROM visitor_words WHERE directory_id = $1";
    SWEEP = "INSERT INTO visitor_sweeps (directory_id, after) VALUES ($1, '') ON CONFLICT (directory_id) DO UPDATE SET after = ''";
    SWEEPS = "SELECT directory_id, after FROM visitor_sweeps ORDER BY directory_id";
    SWEPT = "UPDATE visitor_sweeps SET after = $2 WHERE directory_id = $1";
    END_SWEEP = "DELETE FROM visitor_sweeps WHERE directory_id = $1";
    NEXT = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND id > $2 ORDER BY id LIMIT $3";
}

/// The fewest letters that are searched for: with fewer, everybody could be listed.
pub const FEWEST: usize = 2;
/// People per transaction of a sweep.
const BATCH: i64 = 500;
/// The most alternate addresses of a person.
const MOST_ALTERNATES: usize = 10;

/// Whether visitors can find somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// They can.
    Visible,
    /// The provider has deactivated or removed them.
    Unassigned,
    /// Suspended here.
    Suspended,
    /// Hidden here.
    HiddenByHand,
}

/// What is decided here about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Own {
    /// Not to be found, although the provider would have it.
    pub is_hidden: bool,
    /// Further addresses that are told of visitors, beside those that the provider says.
    pub alternates: Vec<String>,
    /// Whether the address at work is not told.
    pub only_alternates: bool,
    /// What visitors may call the person as well.
    pub nicknames: String,
}

/// What is decided here about somebody; the default where nothing is.
pub fn own(tx: &mut Tx<'_>, directory_id: &str, user_id: &str) -> Result<Own, Refusal> {
    let row = tx.query_one(OWN, &params![directory_id, user_id])?;
    row.map_or_else(|| Ok(Own::default()), read)
}

/// Decides about somebody.
///
/// # Errors
/// [`Refusal::Invalid`] for addresses that are none, or too many.
pub fn decide(
    tx: &mut Tx<'_>,
    directory: &Directory,
    user: &User,
    own: &Own,
    now: i64,
) -> Result<(), Refusal> {
    check(own)?;
    let alternates = serde_json::to_string(&own.alternates).unwrap_or_default();
    let row = params![
        &directory.id,
        &user.id,
        own.is_hidden,
        &alternates,
        own.only_alternates,
        &own.nicknames,
        now
    ];
    tx.exec(SET, &row)?;
    follow(tx, directory, &user.id, user.status, &user.parsed()?)
}

/// The addresses that are told of a visitor: the one at work, else the first; the other ones that the provider says, of type
/// `other`; and the alternates. Each once.
pub fn told(user: &Resource, own: &Own) -> Vec<String> {
    let list = user.as_map().get("emails").and_then(Value::as_array);
    let all = list.map(Vec::as_slice).unwrap_or_default();
    let is = |email: &Value, kind: &str| email.get("type").and_then(Value::as_str) == Some(kind);
    let value = |email: &Value| Some(email.get("value")?.as_str()?.to_owned());
    let at_work = all.iter().find(|email| is(email, "work"));
    let primary = at_work.or(all.first()).and_then(value);
    let others = all.iter().filter(|email| is(email, "other"));
    let said = primary
        .filter(|_| !own.only_alternates)
        .into_iter()
        .chain(others.filter_map(value));
    let mut told: Vec<String> = Vec::new();
    for address in said.chain(own.alternates.iter().cloned()) {
        if is_address(&address)
            && !told
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&address))
        {
            told.push(address);
        }
    }
    told
}

/// The directories of a team that are for visitors, by name.
pub fn directories(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Directory>, Refusal> {
    let mut all = directories::list(tx)?;
    all.retain(|directory| directory.team_id == team_id && directory.settings.visitors);
    Ok(all)
}

/// Whether visitors can find somebody, and why not.
pub fn visibility(
    tx: &mut Tx<'_>,
    directory: &Directory,
    user_id: &str,
    status: Status,
) -> Result<Visibility, Refusal> {
    Ok(match status {
        Status::Suspended | Status::Hidden => Visibility::Unassigned,
        Status::Active if suspensions::is_suspended(tx, &directory.id, user_id)? => {
            Visibility::Suspended
        }
        Status::Active if own(tx, &directory.id, user_id)?.is_hidden => Visibility::HiddenByHand,
        Status::Active => Visibility::Visible,
    })
}

/// Keeps the words of somebody as they are now. Costs nothing in directories that are not for visitors.
pub(crate) fn follow(
    tx: &mut Tx<'_>,
    directory: &Directory,
    user_id: &str,
    status: Status,
    resource: &Resource,
) -> Result<(), Refusal> {
    if !directory.settings.visitors {
        return Ok(());
    }
    let wanted = match visibility(tx, directory, user_id, status)? {
        Visibility::Visible => {
            words::of_user(resource, &own(tx, &directory.id, user_id)?.nicknames)
        }
        _ => BTreeSet::new(),
    };
    let mut had = BTreeSet::new();
    for mut row in tx.query(WORDS, &params![&directory.id, user_id])? {
        had.insert(row.take_text(0)?);
    }
    for word in wanted.difference(&had) {
        tx.exec(ADD_WORD, &params![&directory.id, word, user_id])?;
    }
    for word in had.difference(&wanted) {
        tx.exec(DROP_WORD, &params![&directory.id, word, user_id])?;
    }
    Ok(())
}

/// Forgets somebody who is gone.
pub(crate) fn forget(tx: &mut Tx<'_>, directory: &Directory, user_id: &str) -> Result<(), Refusal> {
    tx.exec(FORGET, &params![&directory.id, user_id])?;
    if !directory.settings.visitors {
        return Ok(());
    }
    for mut row in tx.query(WORDS, &params![&directory.id, user_id])? {
        let word = row.take_text(0)?;
        tx.exec(DROP_WORD, &params![&directory.id, &word, user_id])?;
    }
    Ok(())
}

/// A directory is for visitors from now on, or no longer. Those who are in it are found once a [`sweep`] has been there.
pub(crate) fn turn(tx: &mut Tx<'_>, directory_id: &str, on: bool) -> Result<(), Refusal> {
    match on {
        true => tx.exec(SWEEP, &params![directory_id])?,
        false => {
            tx.exec(END_SWEEP, &params![directory_id])?;
            tx.exec(DROP_WORDS, &params![directory_id])?;
        }
    }
    Ok(())
}

/// Forgets a directory that is gone.
pub(crate) fn forget_all(tx: &mut Tx<'_>, directory_id: &str) -> Result<(), Refusal> {
    turn(tx, directory_id, false)?;
    Ok(tx.exec(FORGET_ALL, &params![directory_id])?)
}

/// The directories that are to be swept.
pub fn sweeps(tx: &mut Tx<'_>) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(SWEEPS, &params![])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// Looks for words in the next people of a directory; whether there may be more. Servers that do it at once do nothing
/// twice that matters.
pub fn sweep(tx: &mut Tx<'_>, directory: &Directory) -> Result<bool, Refusal> {
    let rows = tx.query(SWEEPS, &params![])?;
    let mut at = None;
    for mut row in rows {
        if row.text(0)? == directory.id {
            at = Some(row.take_text(1)?);
        }
    }
    let Some(after) = at else { return Ok(false) };
    let next = tx.query(NEXT, &params![&directory.id, &after, BATCH])?;
    let next = next
        .into_iter()
        .map(users::from_row)
        .collect::<Result<Vec<User>, _>>()?;
    let Some(last) = next.last() else {
        tx.exec(END_SWEEP, &params![&directory.id])?;
        return Ok(false);
    };
    tx.exec(SWEPT, &params![&directory.id, &last.id])?;
    for user in &next {
        follow(tx, directory, &user.id, user.status, &user.parsed()?)?;
    }
    Ok(true)
}

/// The people whom a text means: each of its words is the beginning of one of theirs. In no particular order, `limit` at
/// most, and nobody where it has too few letters. `groups`: ids of groups in one of which they must be at that time; empty:
/// in any.
pub fn search(
    tx: &mut Tx<'_>,
    directory_id: &str,
    text: &str,
    (groups, now): (&[String], i64),
    limit: i64,
) -> Result<Vec<User>, Refusal> {
    let mut sought: Vec<String> = words::of(text).into_iter().collect();
    // The longest word leaves the fewest people.
    sought.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let Some(first) = sought.first().filter(|word| word.chars().count() >= FEWEST) else {
        return Ok(Vec::new());
    };
    let mut given: Vec<Param<'_>> = vec![directory_id.into()];
    let ends: Vec<String> = sought
        .iter()
        .map(|word| format!("{word}{}", char::MAX))
        .collect();
    let mut range = |column: &str, word, end| {
        given.push(Param::Text(word));
        given.push(Param::Text(end));
        format!(
            "{column} >= ${} AND {column} < ${}",
            given.len() - 1,
            given.len()
        )
    };
    let mut wanted = range("w.word", first, &ends[0]);
    for (word, end) in sought.iter().zip(&ends).skip(1) {
        let also = range("o.word", word, end);
        wanted += &format!(
            " AND EXISTS (SELECT 1 FROM visitor_words o WHERE o.directory_id = $1 AND o.user_id = w.user_id AND {also})"
        );
    }
    if !groups.is_empty() {
        let ids: Vec<&str> = groups.iter().map(String::as_str).collect();
        let list = members::placeholders(&ids, &mut given);
        given.push(Param::Int(now));
        let now = given.len();
        wanted += &format!(
            " AND (EXISTS (SELECT 1 FROM members m WHERE m.directory_id = $1 AND m.member_id = w.user_id AND m.group_id IN ({list})) OR EXISTS (SELECT 1 FROM local_members l WHERE l.directory_id = $1 AND l.member_id = w.user_id AND l.group_id IN ({list}) AND (l.expires_at IS NULL OR l.expires_at > ${now})))"
        );
    }
    given.push(Param::Int(limit));
    let sql = format!(
        "SELECT {} FROM users t WHERE t.directory_id = $1 AND t.id IN (SELECT DISTINCT w.user_id FROM visitor_words w WHERE w.directory_id = $1 AND {wanted} LIMIT ${})",
        Users::COLUMNS,
        given.len()
    );
    let rows = tx.query(&sql, &given)?;
    rows.into_iter().map(users::from_row).collect()
}

fn check(own: &Own) -> Result<(), Refusal> {
    let invalid = |reason: String| Refusal::Invalid {
        attribute: "alternates",
        reason,
    };
    if own.alternates.len() > MOST_ALTERNATES {
        return Err(invalid(format!(
            "at most {MOST_ALTERNATES} addresses can be told of a visitor"
        )));
    }
    if let Some(wrong) = own.alternates.iter().find(|one| !is_address(one)) {
        return Err(invalid(format!("\"{wrong}\" is no mail address")));
    }
    if own.only_alternates && own.alternates.is_empty() {
        return Err(invalid("nobody would be told: name an address".to_owned()));
    }
    Ok(())
}

/// Whether a text can be the address of a mailbox, and of no more than one.
pub(crate) fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 254
        && parts.is_some_and(|(name, at)| !name.is_empty() && at.contains('.') && !at.contains('@'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || ",;<>".contains(c))
}

fn read(mut row: Row) -> Result<Own, Refusal> {
    Ok(Own {
        is_hidden: row.bool(0)?,
        alternates: serde_json::from_str(row.text(1)?).map_err(|error| Refusal::Invalid {
            attribute: "alternates",
            reason: error.to_string(),
        })?,
        only_alternates: row.bool(2)?,
        nicknames: row.take_text(3)?,
    })
}

/// The one with that id, in a directory that is for visitors.
pub fn find(tx: &mut Tx<'_>, directory: &Directory, id: &str) -> Result<User, Refusal> {
    match directory.settings.visitors {
        true => users::by_id(tx, &directory.id, id),
        false => Err(Refusal::NotFound(What::User, id.to_owned())),
    }
}
