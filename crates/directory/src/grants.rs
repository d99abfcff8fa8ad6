//! Grants: who may log in to which hosts, as what, from when until when. A grant to one person is temporary access.
//!
//! One that is revoked or over stays for a while, so that it can be said what somebody had; it does not count any more.

use crate::events::{self, Category, Cause, Outcome};
use crate::holders::Holder;
use crate::{Refusal, What, access, accounts, directories, groups, service_accounts, users};
use jiff::Timestamp;
use portreeve_access::Grant;
use portreeve_access::expression::ParseError;
use portreeve_access::grant::{GrantError, Level, Subject};
use portreeve_store::{Row, Tx, params, statements};
use serde_json::json;

/// What [`from_row`] takes.
macro_rules! select {
    () => {
        "SELECT id, subject_kind, directory_id, subject_id, hosts, level, posix_groups, principals, from_at, until_at, note, made_by, ended, version, created_at, updated_at FROM grants WHERE team_id = $1"
    };
}

statements! {
    BY_ID = concat!(select!(), " AND id = $2");
    PAGE = concat!(select!(), " AND id > $2 ORDER BY id LIMIT $3");
    OF_SUBJECT = concat!(select!(), " AND subject_id = $2 ORDER BY id");
    ALL_OF_TEAM = concat!(select!(), " ORDER BY id");
    INSERT = "INSERT INTO grants (team_id, id, subject_kind, directory_id, subject_id, hosts, level, posix_groups, principals, from_at, until_at, note, made_by, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $14)";
    UPDATE = "UPDATE grants SET hosts = $3, level = $4, posix_groups = $5, principals = $6, from_at = $7, until_at = $8, note = $9, ended = $10, version = version + 1, updated_at = $11 WHERE team_id = $1 AND id = $2";
    UNTOLD = "SELECT DISTINCT team_id FROM (SELECT team_id FROM grants WHERE until_at IS NOT NULL AND ended IS NULL AND until_at <= $1 ORDER BY until_at LIMIT $2) AS over";
    UNTOLD_OF_TEAM = concat!(select!(), " AND until_at IS NOT NULL AND ended IS NULL AND until_at <= $2 ORDER BY until_at LIMIT $3");
    EXPIRED = "UPDATE grants SET ended = 'expired' WHERE team_id = $1 AND id = $2";
    SHARED = "SELECT principals FROM grants WHERE team_id = $1 AND ended IS NULL AND principals <> ''";
    PRUNE = "DELETE FROM grants WHERE ended IS NOT NULL AND until_at < $1";
}

/// The most characters of a note.
const LONGEST_NOTE: usize = 500;

/// A grant with what is known of it besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The grant itself.
    pub grant: Grant,
    /// Who has it.
    pub subject: To,
    /// Why, for people; may be empty.
    pub note: String,
    /// The name of whoever made it.
    pub made_by: String,
    /// How it ended, once that has been told.
    pub ended: Option<Ended>,
    /// Rises with every change.
    pub version: i64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
}

/// Who has a grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum To {
    /// Whoever is in a group.
    Group {
        /// The directory of the group.
        directory_id: String,
        /// The group.
        id: String,
    },
    /// A user of a directory.
    User {
        /// The directory.
        directory_id: String,
        /// The user.
        id: String,
    },
    /// A service account.
    Service(String),
}

/// How a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody took it away.
    Revoked,
    /// Its time was over.
    Expired,
}

impl To {
    /// `group`, `user` or `service`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Group { .. } => "group",
            Self::User { .. } => "user",
            Self::Service(_) => "service",
        }
    }

    /// The id of the group, user or service account.
    pub fn id(&self) -> &str {
        match self {
            Self::Group { id, .. } | Self::User { id, .. } | Self::Service(id) => id,
        }
    }

    /// The directory of a group or user.
    pub fn directory_id(&self) -> Option<&str> {
        match self {
            Self::Group { directory_id, .. } | Self::User { directory_id, .. } => {
                Some(directory_id)
            }
            Self::Service(_) => None,
        }
    }

    /// The one person or service account that has it; `None` for a group.
    pub fn holder(&self) -> Option<Holder> {
        match self {
            Self::Group { .. } => None,
            Self::User { directory_id, id } => Some(Holder::User {
                directory_id: directory_id.clone(),
                id: id.clone(),
            }),
            Self::Service(id) => Some(Holder::Service(id.clone())),
        }
    }

    /// As decisions know it.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Group { id, .. } => Subject::Group(id.clone()),
            Self::User { id, .. } | Self::Service(id) => Subject::User(id.clone()),
        }
    }

    /// What people call the group, user or service account; `None` when gone.
    pub fn name(&self, tx: &mut Tx<'_>, team_id: &str) -> Result<Option<String>, Refusal> {
        let found = match self {
            Self::Group { directory_id, id } => {
                groups::by_id(tx, directory_id, id).map(|group| group.display_name)
            }
            Self::User { directory_id, id } => {
                users::by_id(tx, directory_id, id).and_then(|user| user.name())
            }
            Self::Service(id) => {
                service_accounts::by_id(tx, team_id, id).map(|account| account.name)
            }
        };
        match found {
            Ok(name) => Ok(Some(name)),
            Err(Refusal::NotFound(..)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Ended {
    /// The word in the database and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// Makes a grant.
///
/// # Errors
/// It breaks a rule of [`Grant::check`], or there is no such group, user or service account in the team.
pub fn create(tx: &mut Tx<'_>, team_id: &str, record: &Record, now: i64) -> Result<(), Refusal> {
    let Record { grant, subject, .. } = record;
    grant.check(access::moment(now))?;
    check_note(&record.note)?;
    check_principals(tx, team_id, grant)?;
    if let Some(directory_id) = subject.directory_id() {
        directories::find_in(tx, team_id, directory_id)?;
    }
    if subject.name(tx, team_id)?.is_none() {
        let what = match subject {
            To::Group { .. } => What::Group,
            To::User { .. } => What::User,
            To::Service(_) => What::ServiceAccount,
        };
        return Err(Refusal::NotFound(what, subject.id().to_owned()));
    }
    let (posix_groups, principals) = (grant.posix_groups.join(" "), grant.principals.join(" "));
    let hosts = grant.hosts.to_string();
    tx.exec(
        INSERT,
        &params![
            team_id,
            &grant.id,
            subject.kind(),
            subject.directory_id(),
            subject.id(),
            &hosts,
            level_name(grant.level),
            &posix_groups,
            &principals,
            grant.from.map(Timestamp::as_microsecond),
            grant.until.map(Timestamp::as_microsecond),
            &record.note,
            &record.made_by,
            now
        ],
    )?;
    access::changed(tx, team_id)
}

/// Writes a grant that has changed. Who has it stays.
///
/// # Errors
/// It breaks a rule of [`Grant::check`], unless it has ended.
pub fn update(
    tx: &mut Tx<'_>,
    team_id: &str,
    record: &Record,
    now: i64,
) -> Result<Record, Refusal> {
    let grant = &record.grant;
    if record.ended.is_none() {
        grant.check(access::moment(now))?;
        check_principals(tx, team_id, grant)?;
    }
    check_note(&record.note)?;
    let (posix_groups, principals) = (grant.posix_groups.join(" "), grant.principals.join(" "));
    let hosts = grant.hosts.to_string();
    tx.exec(
        UPDATE,
        &params![
            team_id,
            &grant.id,
            &hosts,
            level_name(grant.level),
            &posix_groups,
            &principals,
            grant.from.map(Timestamp::as_microsecond),
            grant.until.map(Timestamp::as_microsecond),
            &record.note,
            record.ended.map(Ended::name),
            now
        ],
    )?;
    access::changed(tx, team_id)?;
    Ok(Record {
        version: record.version + 1,
        updated_at: now,
        ..record.clone()
    })
}

/// Takes a grant away: it ends now. `None` when it had ended already.
pub fn revoke(
    tx: &mut Tx<'_>,
    team_id: &str,
    record: &Record,
    now: i64,
) -> Result<Option<Record>, Refusal> {
    let at = access::moment(now);
    if record.ended.is_some() || record.grant.until.is_some_and(|until| until <= at) {
        return Ok(None);
    }
    let mut over = record.clone();
    over.grant.until = Some(at);
    over.ended = Some(Ended::Revoked);
    update(tx, team_id, &over, now).map(Some)
}

/// The grant with that id.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Record, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Grant, id.to_owned()))
        .and_then(from_row)
}

/// The next `limit` grants after an id (empty for the first), in the order in which they were made.
pub fn list(
    tx: &mut Tx<'_>,
    team_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Record>, Refusal> {
    let rows = tx.query(PAGE, &params![team_id, after, limit])?;
    rows.into_iter().map(from_row).collect()
}

/// The grants of one group, user or service account, in the order in which they were made.
pub fn of_subject(
    tx: &mut Tx<'_>,
    team_id: &str,
    subject_id: &str,
) -> Result<Vec<Record>, Refusal> {
    let rows = tx.query(OF_SUBJECT, &params![team_id, subject_id])?;
    rows.into_iter().map(from_row).collect()
}

/// All grants of a team, as decisions know them; those that have ended lately too, so that it can be said that they have.
pub(crate) fn of_team(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Grant>, Refusal> {
    let rows = tx.query(ALL_OF_TEAM, &params![team_id])?;
    rows.into_iter()
        .map(|row| Ok(from_row(row)?.grant))
        .collect()
}

/// Teams with grants whose end has come by that time and was not told yet, among the first so many of those.
pub fn untold(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(UNTOLD, &params![now, limit])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// Tells of grants of a team whose end has come, at most so many, with an event each. How many there were.
pub fn tell_expired(tx: &mut Tx<'_>, cause: &Cause<'_>, limit: i64) -> Result<usize, Refusal> {
    let rows = tx.query(UNTOLD_OF_TEAM, &params![cause.team_id, cause.at, limit])?;
    let count = rows.len();
    for row in rows {
        let record = from_row(row)?;
        tx.exec(EXPIRED, &params![cause.team_id, &record.grant.id])?;
        let name = record.subject.name(tx, cause.team_id)?;
        let name = title(&record.grant, name.as_deref());
        let changes = json!([{"attribute": "until", "old": record.grant.until}]).to_string();
        let of = Cause {
            directory_id: record.subject.directory_id(),
            ..*cause
        };
        let event = events::New {
            category: Category::Access,
            action: "expired",
            outcome: Outcome::Ok,
            object_kind: Some("Grant"),
            object_id: Some(&record.grant.id),
            object_name: Some(&name),
            version: Some(record.version),
            changes: Some(&changes),
        };
        events::record_of(tx, &of, &event)?;
    }
    Ok(count)
}

/// Whether a grant that has not ended lets people log in as an account beside their own.
pub(crate) fn is_shared(tx: &mut Tx<'_>, team_id: &str, name: &str) -> Result<bool, Refusal> {
    for row in tx.query(SHARED, &params![team_id])? {
        if row.text(0)?.split_whitespace().any(|one| one == name) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What events and screens call a grant.
pub fn title(grant: &Grant, subject: Option<&str>) -> String {
    let level = match grant.level {
        Level::Login => "login",
        Level::LoginSudo => "login and sudo",
    };
    format!("{}: {level} on {}", subject.unwrap_or("gone"), grant.hosts)
}

/// Forgets grants of all teams that have ended before that time.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}

/// `login` or `login+sudo`.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Login => "login",
        Level::LoginSudo => "login+sudo",
    }
}

fn check_note(note: &str) -> Result<(), Refusal> {
    match note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control) {
        true => Err(Refusal::Invalid {
            attribute: "note",
            reason: format!("a note has at most {LONGEST_NOTE} characters, and no line breaks"),
        }),
        false => Ok(()),
    }
}

/// Principals are names of shared accounts. As oneself one logs in anyway, as somebody else nobody does, and who is to be
/// root uses `sudo`.
fn check_principals(tx: &mut Tx<'_>, team_id: &str, grant: &Grant) -> Result<(), Refusal> {
    for name in &grant.principals {
        let wrong = match name.as_str() {
            "root" | "toor" => "grant sudo instead".to_owned(),
            name => match accounts::taken(tx, (team_id, ""), "", name)? {
                Some(by) => {
                    format!("it is the account of {by}, and nobody logs in as somebody else")
                }
                None => continue,
            },
        };
        return Err(Refusal::Invalid {
            attribute: "principals",
            reason: format!("\"{name}\" cannot be one: {wrong}"),
        });
    }
    Ok(())
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        let attribute = match error {
            GrantError::Endless | GrantError::TooLong | GrantError::Backwards => "until",
            GrantError::Name(_) => "principals",
        };
        Self::Invalid {
            attribute,
            reason: error.to_string(),
        }
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Invalid {
            attribute: "hosts",
            reason: error.to_string(),
        }
    }
}

fn from_row(mut row: Row) -> Result<Record, Refusal> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let subject_id = row.take_text(3)?;
    let directory_id = row.take_opt_text(2)?.unwrap_or_default();
    let subject = match row.text(1)? {
        "group" => To::Group {
            directory_id,
            id: subject_id,
        },
        "service" => To::Service(subject_id),
        _ => To::User {
            directory_id,
            id: subject_id,
        },
    };
    Ok(Record {
        grant: Grant {
            to: subject.subject(),
            hosts: row.text(4)?.parse()?,
            level: match row.text(5)? {
                "login+sudo" => Level::LoginSudo,
                _ => Level::Login,
            },
            posix_groups: words(row.text(6)?),
            principals: words(row.text(7)?),
            from: row.opt_int(8)?.map(access::moment),
            until: row.opt_int(9)?.map(access::moment),
            id: row.take_text(0)?,
        },
        subject,
        note: row.take_text(10)?,
        made_by: row.take_text(11)?,
        ended: row.opt_text(12)?.map(|word| match word {
            "revoked" => Ended::Revoked,
            _ => Ended::Expired,
        }),
        version: row.int(13)?,
        created_at: row.int(14)?,
        updated_at: row.int(15)?,
    })
}
