//! Accounts on hosts: their names, made from `userName`, and their numbers.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The longest name of an account.
const MAX_LENGTH: usize = 32;

/// Accounts that systems bring along, and groups that give power over them: nobody may be named like one.
const RESERVED: [&str; 62] = [
    "_apt",
    "adm",
    "admin",
    "administrator",
    "avahi",
    "backup",
    "bin",
    "centos",
    "chrony",
    "daemon",
    "dbus",
    "debian",
    "disk",
    "docker",
    "ec2-user",
    "fedora",
    "ftp",
    "games",
    "gnats",
    "halt",
    "http",
    "irc",
    "kmem",
    "kvm",
    "libvirt",
    "list",
    "lp",
    "lxd",
    "mail",
    "man",
    "messagebus",
    "mysql",
    "news",
    "nfsnobody",
    "nobody",
    "nogroup",
    "ntp",
    "operator",
    "polkitd",
    "postfix",
    "postgres",
    "proxy",
    "root",
    "rpc",
    "rpcuser",
    "shadow",
    "shutdown",
    "sshd",
    "staff",
    "sudo",
    "sync",
    "sys",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "toor",
    "tss",
    "ubuntu",
    "uucp",
    "wheel",
    "www-data",
    "www",
];

/// Why a name cannot be the name of an account on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PosixProblem {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// More than 32 characters.
    #[error("it is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// A digit, a hyphen or something else at the start.
    #[error("it does not start with a small letter or _")]
    Start,
    /// Anything but small letters, digits, `_` and `-`.
    #[error("{0:?} cannot be in it")]
    Character(char),
    /// The system has such an account already.
    #[error("it is reserved: systems have an account or a group of that name")]
    Reserved,
}

/// What is wrong with a name for an account: it must be `[a-z_][a-z0-9_-]*`, at most 32 characters, and no account
/// of the system.
pub fn posix_problem(name: &str) -> Option<PosixProblem> {
    let foreign =
        |c: &char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    let first = name.chars().next();
    match first {
        None => Some(PosixProblem::Empty),
        _ if RESERVED.contains(&name) => Some(PosixProblem::Reserved),
        _ => match name.chars().find(foreign) {
            Some(c) => Some(PosixProblem::Character(c)),
            None if first.is_some_and(|c| c.is_ascii_digit() || c == '-') => {
                Some(PosixProblem::Start)
            }
            None if name.len() > MAX_LENGTH => Some(PosixProblem::TooLong),
            None => None,
        },
    }
}

/// How the name of an account is made from a `userName`. What comes of it is shown before it is used, and a name that
/// cannot be one is reported, never changed further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct NameRule {
    /// Which part of it.
    pub part: Part,
    /// What becomes of dots, which account names cannot have.
    pub dots: Dots,
}

/// Which part of a `userName` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What stands before the last `@`.
    #[default]
    Local,
    /// All of it.
    Whole,
}

/// What becomes of dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dots {
    /// They are left out, as Smallstep does: `ada.lovelace` is `adalovelace`.
    #[default]
    Drop,
    /// `ada_lovelace`.
    Underscore,
    /// `ada-lovelace`.
    Hyphen,
    /// They stay, so that the name is reported as one that cannot be used.
    Refuse,
}

impl NameRule {
    /// The name for a `userName`, in small letters.
    ///
    /// # Errors
    /// What comes of the rule, and why it cannot be a name.
    pub fn name(self, user_name: &str) -> Result<String, (String, PosixProblem)> {
        let part = match self.part {
            Part::Local => user_name
                .rsplit_once('@')
                .map_or(user_name, |(local, _)| local),
            Part::Whole => user_name,
        };
        let lower = part.to_lowercase();
        let name = match self.dots {
            Dots::Drop => lower.replace('.', ""),
            Dots::Underscore => lower.replace('.', "_"),
            Dots::Hyphen => lower.replace('.', "-"),
            Dots::Refuse => lower,
        };
        match posix_problem(&name) {
            None => Ok(name),
            Some(problem) => Err((name, problem)),
        }
    }
}

/// Numbers for users and groups together: a user's own group has the user's number. A number that was given is never
/// given again, because files on hosts keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// What may be given. The default lies above those of services and below those of containers.
    pub range: RangeInclusive<u32>,
    /// The next one to give, where nothing was imported.
    pub next: u32,
}

/// Why a number cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// None left.
    #[error("all numbers of the pool are given; widen the pool")]
    Exhausted,
    /// One that systems use themselves, or -1.
    #[error(
        "{0} cannot be the number of a person's account: systems use numbers below 1000 and from 4294967294 themselves, and 65534 and 65535 stand for nobody"
    )]
    System(u32),
    /// Somebody has it, or had it.
    #[error("{0} is given already, or was; a number is never given again")]
    Given(u32),
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            range: 65_536..=99_999,
            next: 65_536,
        }
    }
}

impl Pool {
    /// Gives the next number that nobody has or had. `given` are all numbers from `next` on that were imported.
    ///
    /// # Errors
    /// When none is left.
    pub fn give(&mut self, given: &BTreeSet<u32>) -> Result<u32, NumberError> {
        let from = self.next.max(*self.range.start());
        let mut free = (from..=*self.range.end()).filter(|number| !given.contains(number));
        let number = free.next().ok_or(NumberError::Exhausted)?;
        self.next = number.saturating_add(1);
        Ok(number)
    }
}

/// Whether a number that a provider sends can be an account's.
///
/// # Errors
/// Why not.
pub fn check_number(number: u32, is_given: bool) -> Result<(), NumberError> {
    match number {
        0..1_000 | 65_534 | 65_535 | 4_294_967_294.. => Err(NumberError::System(number)),
        _ if is_given => Err(NumberError::Given(number)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_made_by_the_rule() {
        let dots = |dots| NameRule {
            dots,
            ..NameRule::default()
        };
        let whole = NameRule {
            part: Part::Whole,
            ..NameRule::default()
        };
        let cases = [
            ("ada@contoso.example", NameRule::default(), "ada"),
            (
                "Ada.Lovelace@contoso.example",
                NameRule::default(),
                "adalovelace",
            ),
            (
                "Ada.Lovelace@contoso.example",
                dots(Dots::Underscore),
                "ada_lovelace",
            ),
            (
                "Ada.Lovelace@contoso.example",
                dots(Dots::Hyphen),
                "ada-lovelace",
            ),
            ("Ada.L", whole, "adal"),
        ];
        for (user_name, rule, name) in cases {
            assert_eq!(rule.name(user_name).as_deref(), Ok(name), "{user_name}");
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_reported_as_it_is() {
        let refuse = NameRule {
            dots: Dots::Refuse,
            ..NameRule::default()
        };
        let whole = NameRule {
            part: Part::Whole,
            ..NameRule::default()
        };
        let cases = [
            ("ada.l", refuse, "ada.l", PosixProblem::Character('.')),
            ("ada@x", whole, "ada@x", PosixProblem::Character('@')),
            (
                "a@b@x",
                NameRule::default(),
                "a@b",
                PosixProblem::Character('@'),
            ),
            (
                "root@x",
                NameRule::default(),
                "root",
                PosixProblem::Reserved,
            ),
            ("1st@x", NameRule::default(), "1st", PosixProblem::Start),
            ("@x", NameRule::default(), "", PosixProblem::Empty),
            (
                "Zo\u{eb}@x",
                NameRule::default(),
                "zo\u{eb}",
                PosixProblem::Character('\u{eb}'),
            ),
        ];
        for (user_name, rule, made, problem) in cases {
            assert_eq!(
                rule.name(user_name),
                Err((made.to_owned(), problem)),
                "{user_name}"
            );
        }
    }

    #[test]
    fn numbers_of_systems_are_refused() {
        for number in [0, 999, 65_534, 65_535, u32::MAX - 1, u32::MAX] {
            assert_eq!(
                check_number(number, false),
                Err(NumberError::System(number))
            );
        }
        assert_eq!(check_number(1_000, false), Ok(()));
        assert_eq!(check_number(70_000, true), Err(NumberError::Given(70_000)));
    }

    proptest! {
        #[test]
        fn no_number_is_given_twice(imported in prop::collection::btree_set(100_u32..140, 0..40)) {
            let mut pool = Pool { range: 100..=139, next: 100 };
            let mut all = imported.clone();
            while let Ok(number) = pool.give(&imported) {
                prop_assert!(all.insert(number), "{number} was given already");
            }
            prop_assert_eq!(all.len(), 40);
            prop_assert_eq!(pool.give(&imported), Err(NumberError::Exhausted));
        }
    }
}
