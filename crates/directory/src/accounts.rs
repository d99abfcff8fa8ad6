//! Accounts on hosts: the names and numbers that people and service accounts of a team have there.
//!
//! A name follows `userName` by the rule of the directory. What cannot be a name, or is another's already, is reported and
//! changed no further: there is no account then. Numbers come from the team's pool or from the provider, and are never
//! given again, because files on hosts keep them.

use crate::directories::Directory;
use crate::service_accounts::ServiceAccount;
use crate::users::User;
use crate::{Refusal, What, grants, users};
use portreeve_access::posix::{NameRule, NumberError, Part, Pool, PosixProblem, check_number};
use portreeve_scim::schema::POSIX;
use portreeve_scim::text::user_name_key;
use portreeve_store::{Row, Tx, params, statements};

pub(crate) mod follow;
pub(crate) mod numbers;
pub(crate) mod population;

pub use follow::{Needing, begin, look, look_at_all, settle};
pub use population::{NAMED, Person, Preview, page, preview};

statements! {
    ONE = "SELECT name, uid, gid, home FROM posix_accounts WHERE team_id = $1 AND holder_id = $2";
    TAKEN = "SELECT holder_id, directory_id FROM posix_accounts WHERE team_id = $1 AND name = $2 AND gone_at IS NULL AND holder_id <> $3 AND (directory_id = $4 OR directory_id = '' OR $4 = '') LIMIT 1";
    INSERT = "INSERT INTO posix_accounts (team_id, holder_id, directory_id, name, uid, gid, home, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    RENAME = "UPDATE posix_accounts SET name = $3, home = COALESCE(home, $4) WHERE team_id = $1 AND holder_id = $2";
    /// Whether somebody else has files in a home of that name.
    HOME = "SELECT 1 FROM posix_accounts WHERE team_id = $1 AND home = $2 AND uid <> $3 LIMIT 1";
    GONE = "UPDATE posix_accounts SET gone_at = $3 WHERE team_id = $1 AND holder_id = $2";
    /// The number of the same person in another directory of the team: the same person has the same `userName`.
    SAME_PERSON = "SELECT a.uid FROM directories d JOIN users u ON u.directory_id = d.id AND u.user_name_key = $3 JOIN posix_accounts a ON a.team_id = d.team_id AND a.holder_id = u.id WHERE d.team_id = $1 AND d.id <> $2 ORDER BY a.created_at, a.holder_id LIMIT 1";
}

/// An account that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name, or why it has none.
    pub name: Result<String, Problem>,
    /// Number of the user.
    pub uid: u32,
    /// Number of the user's own group: the same, unless the provider says another one.
    pub gid: u32,
    /// What the provider says of the number and is not so.
    pub number: Option<Problem>,
}

/// What somebody's account is, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name, or why it has none.
    pub name: Result<String, Problem>,
    /// Its numbers, where they were given: of the user and of the user's own group.
    pub numbers: Option<(u32, u32)>,
    /// The name of its home, where it was given. It stays when the account is renamed, because files are in it.
    pub home: Option<String>,
    /// What the provider says of the number and is not so.
    pub number: Option<Problem>,
    /// The name as it was written down.
    written: Option<String>,
}

/// What is wrong with an account, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// What comes of the rule cannot be the name of an account.
    #[error("\"{name}\" cannot be an account name: {problem}")]
    Name {
        /// What comes of it.
        name: String,
        /// Why not.
        problem: PosixProblem,
    },
    /// Somebody else has it.
    #[error("the account name \"{name}\" belongs to {by} already")]
    Taken {
        /// The name.
        name: String,
        /// `userName` of whoever has it, or the name of a service account.
        by: String,
    },
    /// A grant lets people log in as it.
    #[error(
        "\"{name}\" is a shared account, as which a grant lets people log in; rename the person, or change the grant"
    )]
    Shared {
        /// The name.
        name: String,
    },
    /// The number that the provider sends cannot be given.
    #[error("the provider sends the number {number}, which was not taken over: {problem}")]
    Number {
        /// The number.
        number: i64,
        /// Why not.
        problem: NumberError,
    },
    /// The account was given another number before the provider sent one.
    #[error(
        "the provider sends the number {number}, and the account has {given} already; a number does not change, because files on hosts keep it"
    )]
    Other {
        /// The number that is sent.
        number: i64,
        /// The one that the account has.
        given: u32,
    },
}

impl Problem {
    /// A code that does not change with the wording.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name { problem, .. } => match problem {
                PosixProblem::Empty => "empty",
                PosixProblem::TooLong => "too_long",
                PosixProblem::Start => "start",
                PosixProblem::Character(_) => "character",
                PosixProblem::Reserved => "reserved",
            },
            Self::Taken { .. } => "taken",
            Self::Shared { .. } => "shared",
            Self::Number { .. } => "number",
            Self::Other { .. } => "other_number",
        }
    }
}

/// Whose account it is, and what is asked for it.
struct Asking<'a> {
    team_id: &'a str,
    holder_id: &'a str,
    /// Empty for service accounts.
    directory_id: &'a str,
    name: Result<String, Problem>,
    /// By which the same person is known in other directories; `None` for service accounts.
    user_name_key: Option<String>,
    /// The numbers that the provider sends.
    sent: (Option<i64>, Option<i64>),
}

/// What the account of a user is, or would be if it were given now.
pub fn find(tx: &mut Tx<'_>, directory: &Directory, user: &User) -> Result<Found, Refusal> {
    found(tx, &Asking::of_user(directory, user)?)
}

/// As [`find`], for a service account.
pub fn find_of_service(
    tx: &mut Tx<'_>,
    team_id: &str,
    account: &ServiceAccount,
) -> Result<Found, Refusal> {
    found(tx, &Asking::of_service(team_id, account))
}

/// Gives a user a name and numbers where they are missing, and another name where `userName` or the rule has changed.
pub fn ensure(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory: &Directory,
    user: &User,
    now: i64,
) -> Result<Account, Refusal> {
    if directory.team_id != team_id {
        return Err(Refusal::NotFound(What::Directory, directory.id.clone()));
    }
    give(tx, &Asking::of_user(directory, user)?, now)
}

/// As [`ensure`], for a service account.
pub fn ensure_service(
    tx: &mut Tx<'_>,
    team_id: &str,
    account: &ServiceAccount,
    now: i64,
) -> Result<Account, Refusal> {
    give(tx, &Asking::of_service(team_id, account), now)
}

/// Frees the name of somebody who is gone. The numbers stay theirs.
pub(crate) fn forget(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    now: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(GONE, &params![team_id, holder_id, now])?)
}

impl Found {
    /// Whether it was given, as it is.
    pub fn is_given(&self) -> bool {
        self.numbers.is_some() && self.written.as_deref() == self.name.as_deref().ok()
    }
}

impl<'a> Asking<'a> {
    fn of_user(directory: &'a Directory, user: &'a User) -> Result<Self, Refusal> {
        let resource = user.parsed()?;
        let user_name = resource.user_name().unwrap_or_default();
        let posix = resource.as_map().get(POSIX);
        let number = |name: &str| posix.and_then(|posix| posix.get(name)?.as_i64());
        Ok(Self {
            team_id: &directory.team_id,
            holder_id: &user.id,
            directory_id: &directory.id,
            name: made(directory.settings.posix_names, user_name),
            user_name_key: Some(user_name_key(user_name)),
            sent: (number("uid"), number("gid")),
        })
    }

    fn of_service(team_id: &'a str, account: &'a ServiceAccount) -> Self {
        let rule = NameRule {
            part: Part::Whole,
            ..NameRule::default()
        };
        Self {
            team_id,
            holder_id: &account.id,
            directory_id: "",
            name: made(rule, &account.name),
            user_name_key: None,
            sent: (None, None),
        }
    }
}

/// What comes of a rule.
fn made(rule: NameRule, user_name: &str) -> Result<String, Problem> {
    rule.name(user_name)
        .map_err(|(name, problem)| Problem::Name { name, problem })
}

fn found(tx: &mut Tx<'_>, asking: &Asking<'_>) -> Result<Found, Refusal> {
    let row = tx.query_one(ONE, &params![asking.team_id, asking.holder_id])?;
    let (written, numbers, home) = match row {
        None => (None, None, None),
        Some(mut row) => {
            let numbers = (numbers::of(&row, 1)?, numbers::of(&row, 2)?);
            (row.take_opt_text(0)?, Some(numbers), row.take_opt_text(3)?)
        }
    };
    let name = match &asking.name {
        Ok(name) if written.as_ref() != Some(name) => free(tx, asking, name)?,
        other => other.clone(),
    };
    let number = match (asking.sent.0, numbers) {
        (Some(number), Some((given, _))) if number != i64::from(given) => {
            Some(Problem::Other { number, given })
        }
        _ => None,
    };
    Ok(Found {
        name,
        numbers,
        home,
        number,
        written,
    })
}

/// A name, if it is nobody's. That of a shared account is the same as somebody else's: whoever a grant lets in there would
/// be let in as the person.
fn free(
    tx: &mut Tx<'_>,
    asking: &Asking<'_>,
    name: &str,
) -> Result<Result<String, Problem>, Refusal> {
    let place = (asking.team_id, asking.directory_id);
    let name = name.to_owned();
    if let Some(by) = taken(tx, place, asking.holder_id, &name)? {
        return Ok(Err(Problem::Taken { name, by }));
    }
    Ok(match grants::is_shared(tx, asking.team_id, &name)? {
        true => Err(Problem::Shared { name }),
        false => Ok(name),
    })
}

fn give(tx: &mut Tx<'_>, asking: &Asking<'_>, now: i64) -> Result<Account, Refusal> {
    let found = found(tx, asking)?;
    let name = found.name.as_deref().ok();
    let (numbers, number) = match found.numbers {
        Some(numbers) => {
            if found.written.as_deref() != name {
                let home = home(tx, asking.team_id, name, numbers.0)?;
                let row = params![asking.team_id, asking.holder_id, name, home.as_deref()];
                tx.exec(RENAME, &row)?;
            }
            (numbers, found.number)
        }
        None => {
            let (numbers, problem) = numbers(tx, asking)?;
            let home = home(tx, asking.team_id, name, numbers.0)?;
            tx.exec(
                INSERT,
                &params![
                    asking.team_id,
                    asking.holder_id,
                    asking.directory_id,
                    name,
                    i64::from(numbers.0),
                    i64::from(numbers.1),
                    home.as_deref(),
                    now
                ],
            )?;
            (numbers, problem)
        }
    };
    Ok(Account {
        name: found.name,
        uid: numbers.0,
        gid: numbers.1,
        number,
    })
}

/// The numbers of a new account: those that the provider sends, those that the same person has already, or new ones.
fn numbers(tx: &mut Tx<'_>, asking: &Asking<'_>) -> Result<((u32, u32), Option<Problem>), Refusal> {
    let known = match &asking.user_name_key {
        None => None,
        Some(key) => {
            let row = params![asking.team_id, asking.directory_id, key];
            let found = tx.query_one(SAME_PERSON, &row)?;
            found.map(|row| numbers::of(&row, 0)).transpose()?
        }
    };
    let sent = asking
        .sent
        .0
        .filter(|sent| known.map(i64::from) != Some(*sent));
    let (uid, problem) = match (sent, known) {
        (Some(number), Some(given)) => (given, Some(Problem::Other { number, given })),
        (None, Some(given)) => (given, None),
        (Some(number), None) => match numbers::import(tx, asking.team_id, number)? {
            Ok(number) => (number, None),
            Err(problem) => (
                numbers::give(tx, asking.team_id)?,
                Some(Problem::Number { number, problem }),
            ),
        },
        (None, None) => (numbers::give(tx, asking.team_id)?, None),
    };
    // People may share the group that a provider names.
    let gid = asking.sent.1.and_then(|gid| u32::try_from(gid).ok());
    let gid = gid.filter(|gid| check_number(*gid, false).is_ok());
    Ok(((uid, gid.unwrap_or(uid)), problem))
}

/// What the home of an account is called: as the account, unless somebody else has files in a home of that name, who was
/// called so before.
fn home(
    tx: &mut Tx<'_>,
    team_id: &str,
    name: Option<&str>,
    uid: u32,
) -> Result<Option<String>, Refusal> {
    let Some(name) = name else {
        return Ok(None);
    };
    let other = tx.query_one(HOME, &params![team_id, name, i64::from(uid)])?;
    Ok(Some(match other {
        None => name.to_owned(),
        Some(_) => format!("{name}-{uid}"),
    }))
}

/// Who else has a name, as seen from a directory, or from the whole team where that is empty.
pub(crate) fn taken(
    tx: &mut Tx<'_>,
    (team_id, directory_id): (&str, &str),
    holder_id: &str,
    name: &str,
) -> Result<Option<String>, Refusal> {
    let row = params![team_id, name, holder_id, directory_id];
    let Some(row) = tx.query_one(TAKEN, &row)? else {
        return Ok(None);
    };
    let (holder_id, directory_id) = (row.text(0)?, row.text(1)?);
    Ok(Some(match directory_id {
        "" => "a service account".to_owned(),
        directory_id => match users::by_id(tx, directory_id, holder_id) {
            Ok(user) => user.parsed()?.user_name().unwrap_or_default().to_owned(),
            Err(Refusal::NotFound(..)) => "somebody who is gone".to_owned(),
            Err(error) => return Err(error),
        },
    }))
}

fn pool_of(row: &Row) -> Result<Pool, Refusal> {
    Ok(Pool {
        range: numbers::of(row, 0)?..=numbers::of(row, 1)?,
        next: numbers::of(row, 2)?,
    })
}
