//! Who may log in where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expression::Expression;

/// The longest that a grant on one person may last; who needs access for longer gets it by a group.
pub const LONGEST_TEMPORARY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 90);

/// Who may log in to which hosts, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// UUID.
    pub id: String,
    /// Who.
    pub to: Subject,
    /// Where.
    pub hosts: Expression,
    /// Whether `sudo` comes with it: `login` or `login+sudo`.
    pub level: Level,
    /// POSIX groups of the host that the person is in there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posix_groups: Vec<String>,
    /// Principals that certificates get besides the person's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
    /// From when; `None`: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when, not included; `None`: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Who has a grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Whoever is in a group, by its id.
    Group(String),
    /// One person or service account, by id, for a limited time: temporary access.
    User(String),
}

/// What may be done on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Logging in.
    #[serde(rename = "login")]
    Login,
    /// Logging in and using `sudo`.
    #[serde(rename = "login+sudo")]
    LoginSudo,
}

/// Whether a grant counts at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not yet.
    Ahead,
    /// Now.
    Current,
    /// Not any more.
    Over,
}

/// Why a grant cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// On a person and without an end.
    #[error("a grant to one person needs an end; give it --until, or grant it to a group")]
    Endless,
    /// On a person for too long.
    #[error("a grant to one person lasts at most 90 days; grant it to a group instead")]
    TooLong,
    /// It ends before it begins, or has ended already.
    #[error("the grant would end before it begins; correct from and until")]
    Backwards,
    /// No account name.
    #[error(
        "{0:?} cannot be a POSIX group or a principal; use letters, digits, '-', '_', '.', '@' or '+'"
    )]
    Name(String),
}

impl Grant {
    /// Whether it counts at a moment.
    pub fn phase(&self, now: Timestamp) -> Phase {
        match (self.from, self.until) {
            (_, Some(until)) if now >= until => Phase::Over,
            (Some(from), _) if now < from => Phase::Ahead,
            _ => Phase::Current,
        }
    }

    /// Whether it may be made at a moment.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, now: Timestamp) -> Result<(), GrantError> {
        let begins = self.from.map_or(now, |from| from.max(now));
        if self.until.is_some_and(|until| until <= begins) {
            return Err(GrantError::Backwards);
        }
        if let Subject::User(_) = self.to {
            let until = self.until.ok_or(GrantError::Endless)?;
            if until.duration_since(begins) > LONGEST_TEMPORARY {
                return Err(GrantError::TooLong);
            }
        }
        let mut names = self.posix_groups.iter().chain(&self.principals);
        match names.find(|name| !is_name(name)) {
            Some(name) => Err(GrantError::Name(name.clone())),
            None => Ok(()),
        }
    }
}

/// What may stand in a certificate and in a line of a principals file without meaning anything else there.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
    (1..=64).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn hours(hours: i64) -> Option<Timestamp> {
        Some(NOW + SignedDuration::from_hours(hours))
    }

    fn grant(to: Subject, from: Option<Timestamp>, until: Option<Timestamp>) -> Grant {
        Grant {
            id: "g".to_owned(),
            to,
            hosts: Expression::all(),
            level: Level::Login,
            posix_groups: Vec::new(),
            principals: Vec::new(),
            from,
            until,
        }
    }

    #[test]
    fn a_grant_counts_from_its_beginning_up_to_its_end() {
        let cases = [
            ("always", None, None, Phase::Current),
            ("begins now", hours(0), None, Phase::Current),
            ("ends now", None, hours(0), Phase::Over),
            ("later", hours(1), hours(2), Phase::Ahead),
            ("was", hours(-2), hours(-1), Phase::Over),
            ("within", hours(-1), hours(1), Phase::Current),
            ("over before it begins", hours(1), hours(-1), Phase::Over),
        ];
        for (name, from, until, phase) in cases {
            let grant = grant(Subject::Group("g".into()), from, until);
            assert_eq!(grant.phase(NOW), phase, "{name}");
        }
    }

    #[test]
    fn one_person_gets_access_for_a_limited_time_only() {
        let (group, user) = (Subject::Group("g".into()), Subject::User("u".into()));
        let cases = [
            ("a group for ever", &group, None, None, Ok(())),
            ("a person for an hour", &user, None, hours(1), Ok(())),
            (
                "a person for ever",
                &user,
                None,
                None,
                Err(GrantError::Endless),
            ),
            (
                "a person for a year",
                &user,
                None,
                hours(24 * 365),
                Err(GrantError::TooLong),
            ),
            (
                "90 days from next year",
                &user,
                hours(24 * 365),
                hours(24 * 455),
                Ok(()),
            ),
            (
                "backwards",
                &group,
                hours(2),
                hours(1),
                Err(GrantError::Backwards),
            ),
            (
                "already over",
                &group,
                None,
                hours(-1),
                Err(GrantError::Backwards),
            ),
        ];
        for (name, to, from, until, expected) in cases {
            assert_eq!(
                grant(to.clone(), from, until).check(NOW),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn names_that_mean_something_to_sshd_are_refused() {
        for name in ["", "a b", "a,b", "-x", "a\nb", "*", &"x".repeat(65)] {
            let mut grant = grant(Subject::Group("g".into()), None, None);
            grant.principals = vec!["deploy".to_owned(), name.to_owned()];
            assert_eq!(
                grant.check(NOW),
                Err(GrantError::Name(name.to_owned())),
                "{name:?}"
            );
        }
    }
}
