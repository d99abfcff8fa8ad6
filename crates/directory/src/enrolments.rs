//! Enrolment tokens: whoever has one makes a machine a host of the team. Shown once, stored hashed, with an end and a number
//! of uses.

use crate::bearer::{self, Kind, Presented};
use crate::hosts::{tags_of, tags_text};
use crate::{Refusal, What, names};
use portreeve_access::tags::Tags;
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};
use secrecy::SecretString;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "id, name, tags, pattern, may_replace, uses, used, created_at, expires_at, last_used_at, revoked_at"
    };
}

statements! {
    INSERT = "INSERT INTO enrolment_tokens (team_id, id, name, hash, tags, pattern, may_replace, uses, used, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)";
    BY_ID = concat!("SELECT ", columns!(), ", hash FROM enrolment_tokens WHERE team_id = $1 AND id = $2");
    LIST = concat!("SELECT ", columns!(), " FROM enrolment_tokens WHERE team_id = $1 ORDER BY id");
    REVOKE = "UPDATE enrolment_tokens SET revoked_at = $3 WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL";
    USE = "UPDATE enrolment_tokens SET used = used + 1, last_used_at = $3 WHERE team_id = $1 AND id = $2 AND used < uses AND revoked_at IS NULL AND expires_at > $3 RETURNING used";
    PRUNE = "DELETE FROM enrolment_tokens WHERE expires_at < $1";
}

/// The most machines that one token lets enrol.
pub const MOST_USES: i64 = 100_000;

/// The longest pattern of names, in bytes: that of a name.
const LONGEST_PATTERN: usize = 253;

/// A token as it may be shown: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentToken {
    /// UUID.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What hosts are tagged with that enrol with it, whatever they ask for.
    pub tags: Tags,
    /// What their names must be like; `*` stands for anything.
    pub pattern: String,
    /// Whether it may take the place of a host that is enrolled.
    pub may_replace: bool,
    /// How many machines it lets enrol.
    pub uses: i64,
    /// How many have.
    pub used: i64,
    /// Microseconds since 1970 UTC, as the following ones.
    pub created_at: i64,
    /// When it stops working.
    pub expires_at: i64,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// UUID.
    pub id: &'a str,
    /// What people call it; at most 100 characters.
    pub name: &'a str,
    /// As [`EnrolmentToken::tags`].
    pub tags: &'a Tags,
    /// As [`EnrolmentToken::pattern`].
    pub pattern: &'a str,
    /// As [`EnrolmentToken::may_replace`].
    pub may_replace: bool,
    /// 1 to [`MOST_USES`].
    pub uses: i64,
    /// When it stops working.
    pub expires_at: i64,
}

/// Why a token lets nobody enrol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is none like it in this team.
    #[error("this is no enrolment token of this server; copy it again, or make another one")]
    Unknown,
    /// Revoked.
    #[error("this enrolment token was revoked; make another one")]
    Revoked,
    /// Past its end.
    #[error("this enrolment token has expired; make another one")]
    Expired,
    /// As many machines have enrolled with it as may.
    #[error("this enrolment token is used up; make another one, or one for several machines")]
    UsedUp,
}

impl Denied {
    /// The reason code for answers and events.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "token_unknown",
            Self::Revoked => "token_revoked",
            Self::Expired => "token_expired",
            Self::UsedUp => "token_used_up",
        }
    }
}

impl EnrolmentToken {
    /// Why it lets nobody enrol at that time; `None`: it does.
    pub fn denied(&self, now: i64) -> Option<Denied> {
        if self.revoked_at.is_some() {
            Some(Denied::Revoked)
        } else if self.used >= self.uses {
            Some(Denied::UsedUp)
        } else if self.expires_at <= now {
            Some(Denied::Expired)
        } else {
            None
        }
    }

    /// Whether a host may have that name, in any letter case.
    pub fn allows(&self, name: &str) -> bool {
        is_like(fold(&self.pattern).as_bytes(), fold(name).as_bytes())
    }
}

/// Makes a token. The secret is returned this once; only its hash is stored.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    new: &New<'_>,
    now: i64,
) -> Result<(EnrolmentToken, SecretString), Refusal> {
    let name = names::checked_if_any("an enrolment token", new.name, 100)?;
    let pattern = valid_pattern(new.pattern)?;
    if !(1..=MOST_USES).contains(&new.uses) {
        return Err(invalid(
            "uses",
            format!("a token is for 1 to {MOST_USES} machines"),
        ));
    }
    if new.expires_at <= now {
        return Err(invalid(
            "expires_at",
            "the end of a token must lie in the future".to_owned(),
        ));
    }
    let (secret, hash) = bearer::make(Kind::Enrolment, team_id, new.id)?;
    tx.exec(
        INSERT,
        &params![
            team_id,
            new.id,
            name,
            hash.as_ref(),
            &tags_text(new.tags)?,
            pattern,
            new.may_replace,
            new.uses,
            now,
            new.expires_at
        ],
    )?;
    let token = EnrolmentToken {
        id: new.id.to_owned(),
        name: name.to_owned(),
        tags: new.tags.clone(),
        pattern: pattern.to_owned(),
        may_replace: new.may_replace,
        uses: new.uses,
        used: 0,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    Ok((token, secret))
}

/// The token of a presented secret, if it lets somebody enrol in this team. It is not used by this.
pub fn verify(
    tx: &mut Tx<'_>,
    team_id: &str,
    presented: &Presented,
    now: i64,
) -> Result<Result<EnrolmentToken, Denied>, Refusal> {
    if presented.team_id != team_id {
        return Ok(Err(Denied::Unknown));
    }
    let Some(row) = tx.query_one(BY_ID, &params![team_id, &presented.id])? else {
        return Ok(Err(Denied::Unknown));
    };
    if !presented.is(row.bytes(11)?) {
        return Ok(Err(Denied::Unknown));
    }
    let token = from_row(row)?;
    Ok(match token.denied(now) {
        Some(denied) => Err(denied),
        None => Ok(token),
    })
}

/// Uses a token for one machine. `false`: it lets nobody enrol any more.
pub fn use_one(tx: &mut Tx<'_>, team_id: &str, id: &str, now: i64) -> Result<bool, Refusal> {
    Ok(tx.query_one(USE, &params![team_id, id, now])?.is_some())
}

/// One token of a team.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<EnrolmentToken, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::EnrolmentToken, id.to_owned()))
        .and_then(from_row)
}

/// The tokens of a team, oldest first, those included that do not work any more.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<EnrolmentToken>, Refusal> {
    let rows = tx.query(LIST, &params![team_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Ends a token now. Revoking twice changes nothing.
pub fn revoke(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    now: i64,
) -> Result<EnrolmentToken, Refusal> {
    tx.exec(REVOKE, &params![team_id, id, now])?;
    by_id(tx, team_id, id)
}

/// Forgets tokens that ended before that time.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}

fn valid_pattern(pattern: &str) -> Result<&str, Refusal> {
    let pattern = pattern.trim();
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*');
    match (1..=LONGEST_PATTERN).contains(&pattern.len()) && pattern.chars().all(ok) {
        true => Ok(pattern),
        false => Err(invalid(
            "name_pattern",
            format!(
                "\"{pattern}\" is no pattern of names; write a name with * for anything, such as web-*"
            ),
        )),
    }
}

/// Whether a name is like a pattern. It takes as long as the two are long, multiplied, at most.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // After the last star: where the pattern goes on, and how far the star has reached.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                star = Some((p, n));
            }
            Some(same) if same == letter => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((after, reached)) = star else {
                    return false;
                };
                (p, n) = (after, reached + 1);
                star = Some((after, reached + 1));
            }
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

fn invalid(attribute: &'static str, reason: String) -> Refusal {
    Refusal::Invalid { attribute, reason }
}

fn from_row(mut row: Row) -> Result<EnrolmentToken, Refusal> {
    Ok(EnrolmentToken {
        tags: tags_of(row.text(2)?)?,
        may_replace: row.bool(4)?,
        uses: row.int(5)?,
        used: row.int(6)?,
        created_at: row.int(7)?,
        expires_at: row.int(8)?,
        last_used_at: row.opt_int(9)?,
        revoked_at: row.opt_int(10)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
        pattern: row.take_text(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_like_a_pattern_or_not() {
        for (pattern, name, expected) in [
            ("*", "web-1", true),
            ("web-1", "web-1", true),
            ("web-1", "web-10", false),
            ("web-*", "web-1", true),
            ("web-*", "web-", true),
            ("web-*", "db-1", false),
            ("web-*", "my-web-1", false),
            ("*.example.com", "web-1.example.com", true),
            ("*.example.com", "web-1.example.com.evil", false),
            ("web-*.*.com", "web-1.example.com", true),
            ("*web*1*", "my-web-21-b", true),
            ("a*b*c", "acb", false),
            ("", "web", false),
        ] {
            assert_eq!(
                is_like(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    proptest! {
        /// As one would say it at length: the first star takes some of the name, and the rest fits the rest.
        #[test]
        fn stars_stand_for_anything(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            fn fits(pattern: &[u8], name: &[u8]) -> bool {
                match pattern.split_first() {
                    None => name.is_empty(),
                    Some((b'*', rest)) => (0..=name.len()).any(|n| fits(rest, &name[n..])),
                    Some((letter, rest)) => {
                        name.first() == Some(letter) && fits(rest, &name[1..])
                    }
                }
            }
            let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(is_like(pattern, name), fits(pattern, name));
        }
    }
}
