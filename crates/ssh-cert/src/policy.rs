//! What a certificate says: who, for how long, and with which options.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::subject::SubjectKey;

/// The most principals of one certificate: OpenSSH reads no more.
pub const MAX_PRINCIPALS: usize = 256;

/// The longest key id, principal, and option, in bytes.
pub const MAX_TEXT: usize = 1_024;

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody who logs in.
    User,
    /// A machine to which they log in.
    Host,
}

/// The rules for all certificates of an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// For people.
    pub user: Rules,
    /// For machines.
    pub host: Rules,
    /// How far before now a certificate begins where nobody said otherwise, so that a clock that is slow does not refuse
    /// it. It is not counted towards the lifetime.
    pub backdate: SignedDuration,
}

/// The rules for one kind of certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// How long where nobody asks for anything.
    pub default: SignedDuration,
    /// The shortest that may be asked for.
    pub shortest: SignedDuration,
    /// The longest that may be asked for.
    pub longest: SignedDuration,
    /// Extensions, such as `permit-pty`. Servers ignore those that they do not know.
    #[serde(default)]
    pub extensions: BTreeMap<String, String>,
    /// Critical options, such as `source-address` and `force-command`. Servers refuse a certificate with one that they do
    /// not know.
    #[serde(default)]
    pub critical_options: BTreeMap<String, String>,
}

/// As `step-ca` has them, so that clients which rely on it see no difference.
impl Default for Policy {
    fn default() -> Self {
        let permits = [
            "permit-X11-forwarding",
            "permit-agent-forwarding",
            "permit-port-forwarding",
            "permit-pty",
            "permit-user-rc",
        ];
        let rules = |default, longest| Rules {
            default,
            shortest: SignedDuration::from_mins(5),
            longest,
            extensions: BTreeMap::new(),
            critical_options: BTreeMap::new(),
        };
        let day = SignedDuration::from_hours(24);
        Self {
            user: Rules {
                extensions: permits.map(|name| (name.to_owned(), String::new())).into(),
                ..rules(SignedDuration::from_hours(16), day)
            },
            host: rules(day * 30, day * 30),
            backdate: SignedDuration::from_mins(1),
        }
    }
}

/// Whom a certificate names. Callers take it from the directory, never from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What the logs of servers show: for people.
    pub key_id: String,
    /// The accounts, or the names of the machine.
    pub principals: Vec<String>,
}

/// When a certificate should be valid. What is not asked for follows from the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// From when.
    pub valid_after: Option<Timestamp>,
    /// Until when.
    pub valid_before: Option<Timestamp>,
    /// The latest end that there can be, whatever is asked: the end of the access that it rests on.
    pub no_later_than: Option<Timestamp>,
}

/// A certificate that was decided on and is not signed. [`decide`](Policy::decide) makes them and nothing else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    pub(crate) kind: Kind,
    pub(crate) key: SubjectKey,
    pub(crate) named: Named,
    pub(crate) valid_after: Timestamp,
    pub(crate) valid_before: Timestamp,
    pub(crate) extensions: BTreeMap<String, String>,
    pub(crate) critical_options: BTreeMap<String, String>,
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A certificate without principals is refused by `sshd`, or worse, taken for one with all.
    #[error(
        "the certificate would name nobody; the person needs an account name, or access to a host"
    )]
    NoPrincipals,
    /// Too many.
    #[error(
        "the certificate would have {0} principals, and OpenSSH reads at most {MAX_PRINCIPALS}"
    )]
    TooManyPrincipals(usize),
    /// One that `sshd` could take for something else.
    #[error(
        "{0:?} cannot be a principal: it is empty or too long, or has a comma, white space or control characters in it"
    )]
    Principal(String),
    /// The key id is empty or has control characters, which would forge lines of servers' logs.
    #[error("{0:?} cannot be a key id: it is empty or too long, or has control characters in it")]
    KeyId(String),
    /// It would end before it begins.
    #[error("the certificate would end before it begins, or has ended already; correct the times")]
    Backwards,
    /// Too short.
    #[error("the certificate would be valid for less than {}; ask for a longer time", minutes(.0))]
    TooShort(SignedDuration),
    /// Too long.
    #[error("the certificate would be valid for more than {}; ask for a shorter time", minutes(.0))]
    TooLong(SignedDuration),
    /// It begins too far away.
    #[error("the certificate would begin more than {} from now; ask for it then", minutes(.0))]
    TooEarly(SignedDuration),
}

fn minutes(time: &SignedDuration) -> String {
    match time.as_mins() {
        minutes if minutes >= 120 => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    }
}

impl Policy {
    /// The rules for a kind.
    pub fn of(&self, kind: Kind) -> &Rules {
        match kind {
            Kind::User => &self.user,
            Kind::Host => &self.host,
        }
    }

    /// Decides what a certificate says.
    ///
    /// # Errors
    /// Why there is none.
    pub fn decide(
        &self,
        kind: Kind,
        key: SubjectKey,
        named: Named,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Unsigned, Refusal> {
        check_names(&named)?;
        let rules = self.of(kind);
        let (valid_after, valid_before) = self.times(rules, asked, now)?;
        Ok(Unsigned {
            kind,
            key,
            named,
            valid_after,
            valid_before,
            extensions: rules.extensions.clone(),
            critical_options: rules.critical_options.clone(),
        })
    }

    /// From when until when, both in whole seconds, as certificates count.
    fn times(
        &self,
        rules: &Rules,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<(Timestamp, Timestamp), Refusal> {
        let begins = asked.valid_after.unwrap_or(now);
        if begins.duration_since(now) > rules.longest {
            return Err(Refusal::TooEarly(rules.longest));
        }
        let ends = asked
            .valid_before
            .unwrap_or_else(|| later(begins, rules.default));
        let lasts = ends.duration_since(begins);
        if ends <= begins || ends <= now {
            return Err(Refusal::Backwards);
        }
        if lasts < rules.shortest {
            return Err(Refusal::TooShort(rules.shortest));
        }
        // Who says when it begins may mean a moment ago, for the sake of slow clocks.
        if lasts > later_duration(rules.longest, self.backdate) {
            return Err(Refusal::TooLong(rules.longest));
        }
        let ends = asked.no_later_than.map_or(ends, |latest| ends.min(latest));
        if ends <= now || ends <= begins {
            return Err(Refusal::Backwards);
        }
        let from = match asked.valid_after {
            Some(begins) => begins,
            None => later(begins, -self.backdate),
        };
        Ok((whole_seconds(from), whole_seconds(ends)))
    }
}

impl Unsigned {
    /// Whom it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whose key it is.
    pub fn key(&self) -> &SubjectKey {
        &self.key
    }

    /// Whom it names.
    pub fn named(&self) -> &Named {
        &self.named
    }

    /// From when until when it is valid.
    pub fn valid(&self) -> (Timestamp, Timestamp) {
        (self.valid_after, self.valid_before)
    }

    /// Adds a critical option for this certificate alone, such as the addresses that somebody may come from. One that the
    /// policy has is not changed by it.
    #[must_use]
    pub fn with_critical_option(mut self, name: &str, value: &str) -> Self {
        self.critical_options
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
        self
    }
}

fn check_names(named: &Named) -> Result<(), Refusal> {
    let Named { key_id, principals } = named;
    if key_id.is_empty() || key_id.len() > MAX_TEXT || key_id.chars().any(char::is_control) {
        return Err(Refusal::KeyId(key_id.clone()));
    }
    if principals.len() > MAX_PRINCIPALS {
        return Err(Refusal::TooManyPrincipals(principals.len()));
    }
    let foreign = |c: char| c == ',' || c.is_whitespace() || c.is_control();
    let wrong = |name: &&String| name.is_empty() || name.len() > MAX_TEXT || name.contains(foreign);
    match (principals.iter().find(wrong), principals.is_empty()) {
        (Some(name), _) => Err(Refusal::Principal(name.clone())),
        (None, true) => Err(Refusal::NoPrincipals),
        (None, false) => Ok(()),
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

fn later_duration(time: SignedDuration, by: SignedDuration) -> SignedDuration {
    time.saturating_add(by)
}

fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
