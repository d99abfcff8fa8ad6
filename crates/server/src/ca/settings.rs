//! What an admin decides about the certificates of a team.

use super::Error;
use jiff::SignedDuration;
use portreeve_ssh_cert::authority::KeyType;
use portreeve_ssh_cert::policy::{Policy, Rules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The longest that any certificate may be valid.
const LONGEST: u64 = 366 * 24 * 3600;

/// The shortest: less is over before anybody has connected, if a clock is a little wrong.
const SHORTEST: u64 = 60;

/// The longest that a new key is announced before it signs.
const LONGEST_OVERLAP: u64 = 90 * 24 * 3600;

/// Policy of a certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Settings {
    /// The type of new SSH keys of the authority.
    pub(crate) key_type: CaKeyType,
    /// How long a new key is announced before it signs, where whoever begins a rotation does not say.
    pub(crate) overlap_seconds: u64,
    /// Certificates of people.
    pub(crate) user: UserRules,
    /// Certificates of hosts.
    pub(crate) host: Lifetimes,
}

/// `ed25519`, or `ecdsa` on P-256. A token makes keys of the latter type always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CaKeyType {
    Ed25519,
    Ecdsa,
}

/// Rules for the certificates of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct UserRules {
    #[serde(flatten)]
    pub(crate) lifetimes: Lifetimes,
    /// Extensions with their values, such as `permit-pty`. Servers ignore those that they do not know.
    pub(crate) extensions: BTreeMap<String, String>,
    /// Critical options with their values, such as `source-address`.
    pub(crate) critical_options: BTreeMap<String, String>,
}

/// How long certificates are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Lifetimes {
    /// Where nobody asks for anything.
    pub(crate) default_seconds: u64,
    /// The shortest that may be asked for.
    pub(crate) shortest_seconds: u64,
    /// The longest that may be asked for.
    pub(crate) longest_seconds: u64,
}

/// What is to be different about the policy; what it leaves out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsChange {
    pub(crate) key_type: Option<CaKeyType>,
    pub(crate) overlap_seconds: Option<u64>,
    pub(crate) user: Option<RulesChange>,
    /// Extensions and options are for the certificates of people only.
    pub(crate) host: Option<RulesChange>,
}

/// What is to be different about the certificates of one kind; what it leaves out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RulesChange {
    pub(crate) default_seconds: Option<u64>,
    pub(crate) shortest_seconds: Option<u64>,
    pub(crate) longest_seconds: Option<u64>,
    /// All of them.
    pub(crate) extensions: Option<BTreeMap<String, String>>,
    /// All of them.
    pub(crate) critical_options: Option<BTreeMap<String, String>>,
}

impl Default for Settings {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            key_type: CaKeyType::Ed25519,
            overlap_seconds: 24 * 3600,
            user: UserRules {
                lifetimes: Lifetimes::of(&policy.user),
                extensions: policy.user.extensions,
                critical_options: policy.user.critical_options,
            },
            host: Lifetimes::of(&policy.host),
        }
    }
}

impl Settings {
    /// Those that are stored; the defaults where none are.
    pub(crate) fn read(stored: Option<&str>) -> Result<Self, Error> {
        let read = stored.map(serde_json::from_str).transpose();
        let read = read.map_err(|error| {
            Error::keys(format!(
                "the stored policy of the certificate authority cannot be read: {error}"
            ))
        })?;
        Ok(read.unwrap_or_default())
    }

    /// These with a change.
    pub(crate) fn with(mut self, change: SettingsChange) -> Result<Self, Error> {
        if let Some(key_type) = change.key_type {
            self.key_type = key_type;
        }
        if let Some(overlap) = change.overlap_seconds {
            self.overlap_seconds = overlap;
        }
        if let Some(user) = change.user {
            self.user.lifetimes.change(&user);
            if let Some(extensions) = user.extensions {
                self.user.extensions = extensions;
            }
            if let Some(options) = user.critical_options {
                self.user.critical_options = options;
            }
        }
        if let Some(host) = change.host {
            if host.extensions.is_some() || host.critical_options.is_some() {
                return Err(wrong(
                    "OpenSSH knows no extensions and options in the certificates of hosts",
                ));
            }
            self.host.change(&host);
        }
        self.check()?;
        Ok(self)
    }

    /// As the crate that decides takes them.
    pub(crate) fn policy(&self) -> Policy {
        let seconds = |seconds: u64| SignedDuration::from_secs(seconds.cast_signed());
        let rules = |lifetimes: &Lifetimes| Rules {
            default: seconds(lifetimes.default_seconds),
            shortest: seconds(lifetimes.shortest_seconds),
            longest: seconds(lifetimes.longest_seconds),
            extensions: BTreeMap::new(),
            critical_options: BTreeMap::new(),
        };
        Policy {
            user: Rules {
                extensions: self.user.extensions.clone(),
                critical_options: self.user.critical_options.clone(),
                ..rules(&self.user.lifetimes)
            },
            host: rules(&self.host),
            ..Policy::default()
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.overlap_seconds > LONGEST_OVERLAP {
            return Err(wrong("a new key is announced for at most 90 days"));
        }
        self.user.lifetimes.check()?;
        self.host.check()?;
        for (name, value) in &self.user.extensions {
            is_name(name)?;
            if value.len() > 1024 {
                return Err(wrong(format!("the value of {name} is too long")));
            }
        }
        for (name, value) in &self.user.critical_options {
            option(name, value)?;
        }
        Ok(())
    }
}

impl From<CaKeyType> for KeyType {
    fn from(wanted: CaKeyType) -> Self {
        match wanted {
            CaKeyType::Ed25519 => Self::Ed25519,
            CaKeyType::Ecdsa => Self::Ecdsa,
        }
    }
}

impl Lifetimes {
    fn of(rules: &Rules) -> Self {
        let seconds = |time: SignedDuration| time.as_secs().unsigned_abs();
        Self {
            default_seconds: seconds(rules.default),
            shortest_seconds: seconds(rules.shortest),
            longest_seconds: seconds(rules.longest),
        }
    }

    fn change(&mut self, change: &RulesChange) {
        let set = |to: &mut u64, from: Option<u64>| *to = from.unwrap_or(*to);
        set(&mut self.default_seconds, change.default_seconds);
        set(&mut self.shortest_seconds, change.shortest_seconds);
        set(&mut self.longest_seconds, change.longest_seconds);
    }

    fn check(&self) -> Result<(), Error> {
        if self.shortest_seconds < SHORTEST || self.longest_seconds > LONGEST {
            return Err(wrong(
                "certificates are valid for a minute at least, and for 366 days at most",
            ));
        }
        let within = self.shortest_seconds..=self.longest_seconds;
        match within.contains(&self.default_seconds) {
            true => Ok(()),
            false => Err(wrong(
                "the usual lifetime must lie between the shortest and the longest",
            )),
        }
    }
}

/// An option that OpenSSH does not know makes it refuse every certificate with it.
fn option(name: &str, value: &str) -> Result<(), Error> {
    let fine = match name {
        "force-command" => !value.is_empty() && !value.contains(char::is_control),
        "source-address" => !value.is_empty() && value.split(',').all(is_network),
        "verify-required" => value.is_empty(),
        _ => {
            return Err(wrong(format!(
                "OpenSSH knows no critical option {name:?}; it knows force-command, source-address and verify-required"
            )));
        }
    };
    match fine {
        true => Ok(()),
        false => Err(wrong(match name {
            "source-address" => {
                "source-address takes networks such as 10.0.0.0/8, with commas between them"
            }
            "verify-required" => "verify-required takes no value",
            _ => "force-command takes a command in one line",
        })),
    }
}

fn is_network(text: &str) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    prefix.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// The extensions of OpenSSH (PROTOCOL.certkeys). It passes over those that it does not know, without a word.
const EXTENSIONS: [&str; 6] = [
    "no-touch-required",
    "permit-agent-forwarding",
    "permit-port-forwarding",
    "permit-pty",
    "permit-user-rc",
    "permit-X11-forwarding",
];

/// Names of others than OpenSSH have a domain, as `login@github.com`.
fn is_name(name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_graphic() && c != ',';
    let fits = name.len() <= 128 && name.chars().all(allowed);
    let is_of_others = name
        .split_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty());
    match fits && (is_of_others || EXTENSIONS.contains(&name)) {
        true => Ok(()),
        false => Err(wrong(format!(
            "OpenSSH knows no extension {name:?}; it knows {}, and those of others are called name@domain",
            EXTENSIONS.join(", ")
        ))),
    }
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::Failed(portreeve_directory::Refusal::Invalid {
        attribute: "policy",
        reason: reason.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn changed(change: &Value) -> Result<Settings, String> {
        let change = serde_json::from_value(change.clone()).map_err(|error| error.to_string())?;
        let changed = Settings::default().with(change);
        changed.map_err(|error| error.to_string())
    }

    /// Name, change, and what the refusal says; nothing: it is none.
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn cases() -> Vec<(&'static str, Value, &'static str)> {
        vec![
            ("nothing", json!({}), ""),
            (
                "a longer day",
                json!({"user": {"default_seconds": 72_000}}),
                "",
            ),
            (
                "a network",
                json!({"user": {"critical_options": {"source-address": "10.0.0.0/8,::1"}}}),
                "",
            ),
            (
                "no longer than the longest",
                json!({"user": {"default_seconds": 90_000}}),
                "between",
            ),
            (
                "a second",
                json!({"host": {"shortest_seconds": 1}}),
                "a minute",
            ),
            (
                "for ever",
                json!({"host": {"longest_seconds": u64::MAX}}),
                "366 days",
            ),
            (
                "an unknown option",
                json!({"user": {"critical_options": {"source-adress": "10.0.0.0/8"}}}),
                "knows no critical option",
            ),
            (
                "no network",
                json!({"user": {"critical_options": {"source-address": "10.0.0.0/33"}}}),
                "10.0.0.0/8",
            ),
            (
                "a line break",
                json!({"user": {"critical_options": {"force-command": "a\nb"}}}),
                "one line",
            ),
            (
                "options of hosts",
                json!({"host": {"critical_options": {}}}),
                "hosts",
            ),
            (
                "an extension",
                json!({"user": {"extensions": {"": ""}}}),
                "extension",
            ),
            (
                "an unknown extension",
                json!({"user": {"extensions": {"permit-ptty": ""}}}),
                "permit-pty,",
            ),
            (
                "an extension of others",
                json!({"user": {"extensions": {"login@github.com": "ada", "permit-pty": ""}}}),
                "",
            ),
            ("a member", json!({"users": {}}), "unknown field"),
        ]
    }

    #[test]
    fn settings_are_what_openssh_can_do() {
        for (name, change, says) in cases() {
            let outcome = changed(&change);
            match says {
                "" => assert!(outcome.is_ok(), "{name}: {outcome:?}"),
                says => assert!(
                    outcome.as_ref().is_err_and(|e| e.contains(says)),
                    "{name}: {outcome:?}"
                ),
            }
        }
    }

    #[test]
    fn settings_survive_the_database() {
        let settings =
            changed(&json!({"key_type": "ecdsa", "user": {"extensions": {"permit-pty": ""}}}));
        let settings = settings.unwrap();
        let stored = serde_json::to_string(&settings).unwrap();
        assert_eq!(Settings::read(Some(&stored)).unwrap(), settings);
        assert_eq!(Settings::read(None).unwrap(), Settings::default());
    }
}
