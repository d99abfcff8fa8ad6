//! The hosts that the person may log in to: asked for, and kept, so that an `ssh` need not ask.

use super::place::{HOSTS, Place};
use crate::client::Api;
use crate::failure::Failure;
use crate::{runtime, time};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ssh_key::Certificate;
use std::time::Duration;

/// A list that is older is asked for again, beside the `ssh` that finds it so.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// A list that is older says nothing any more.
const USABLE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So many seconds before they are issued certificates begin to be valid, and a few more.
const BACKDATED: u64 = 65;
/// Nobody waits longer for a list.
const PATIENCE: Duration = Duration::from_secs(15);
/// As many as a page of the server has at most.
const PAGE: &str = "1000";

/// What was asked for last.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hosts {
    asked_at: String,
    hosts: Vec<Host>,
}

/// What an `ssh` has to know of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Host {
    pub(super) name: String,
    /// The person's account there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    /// The host that leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bastion: Option<String>,
}

impl Hosts {
    /// Those that are kept, unless that was too long ago.
    pub(super) fn kept(place: &Place, now: Timestamp) -> Option<Self> {
        let kept: Self = serde_json::from_str(&place.read(HOSTS)?).ok()?;
        kept.is_younger(USABLE, now).then_some(kept)
    }

    /// Whether nobody need ask again.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_younger(FRESH, now)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Host> {
        self.hosts
            .iter()
            .find(|host| host.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter()
    }

    /// Whether this certificate will do for a host: it names the account there, or it is no older than
    /// what is known of the host, so that another one would not name it either.
    pub(super) fn will_do(&self, host: &str, certificate: &Certificate) -> bool {
        let names = |account: &String| certificate.valid_principals().contains(account);
        let account = self.find(host).and_then(|host| host.account.as_ref());
        let asked_at = self.asked_at.parse::<Timestamp>().unwrap_or_default();
        let asked_at = u64::try_from(asked_at.as_second()).unwrap_or(0);
        account.is_none_or(names) || certificate.valid_after() + BACKDATED >= asked_at
    }

    pub(super) fn asked_at(&self) -> &str {
        &self.asked_at
    }

    fn is_younger(&self, than: SignedDuration, now: Timestamp) -> bool {
        let asked_at = self.asked_at.parse::<Timestamp>();
        asked_at.is_ok_and(|asked_at| {
            let age = now.duration_since(asked_at);
            !age.is_negative() && age < than
        })
    }
}

/// Asks for the hosts and keeps them; gives back what the server says of each.
pub(super) fn ask(place: &Place) -> Result<Vec<Value>, Failure> {
    let token = place.token.clone();
    let items = runtime::client(async {
        let api = Api::remote(&place.url, token, place.context())?;
        let asked = api.walk(&["me", "hosts"], &[("count", PAGE)], usize::MAX);
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        asked.unwrap_or_else(|_| Err(super::too_late(place)))
    })?;
    let hosts = items
        .iter()
        .filter_map(|item| Host::deserialize(item).ok())
        .filter(|host| is_plain(&host.name) && host.account.as_deref().is_none_or(is_plain))
        .collect();
    let kept = Hosts {
        asked_at: time::now().to_string(),
        hosts,
    };
    let text = serde_json::to_string(&kept).map_err(Failure::plain)?;
    place.write(HOSTS, &text)?;
    Ok(items)
}

/// Whether a name can stand in OpenSSH's configuration without meaning anything else there.
pub(super) fn is_plain(name: &str) -> bool {
    let is_odd =
        |c: char| c.is_whitespace() || c.is_control() || "\"'`\\,*?!%$#;&|<>()[]{}".contains(c);
    !name.is_empty() && !name.starts_with('-') && !name.chars().any(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_list_grows_old() {
        let hosts = Hosts {
            asked_at: "2026-11-22T12:00:00Z".into(),
            hosts: Vec::new(),
        };
        for (name, now, fresh, usable) in [
            ("now", "2026-11-22T12:00:00Z", true, true),
            ("a while ago", "2026-11-22T12:05:00Z", false, true),
            ("long ago", "2026-11-29T12:00:00Z", false, false),
            (
                "the clock was set back",
                "2026-11-22T11:59:00Z",
                false,
                false,
            ),
        ] {
            let found = (hosts.is_fresh(at(now)), hosts.is_younger(USABLE, at(now)));
            assert_eq!(found, (fresh, usable), "{name}");
        }
    }

    #[test]
    fn what_would_mean_something_to_openssh_is_no_name() {
        for (name, expected) in [
            ("web-1.example.com", true),
            ("2001:db8::7", true),
            ("grace_h", true),
            ("a,b", false),
            ("*", false),
            ("!web", false),
            ("-oProxyCommand=x", false),
            ("a b", false),
            ("a\"b", false),
            ("%h", false),
            ("$(x)", false),
            ("a\nb", false),
            ("", false),
        ] {
            assert_eq!(is_plain(name), expected, "{name:?}");
        }
    }
}
