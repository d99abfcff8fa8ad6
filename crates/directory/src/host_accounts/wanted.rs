//! What the rows about somebody are to say: what access says of them and all hosts.

use super::{Change, Extra, HostAccount, Own, micros};
use crate::accounts::Found;
use crate::holders::Holder;
use jiff::Timestamp;
use portreeve_access::{Account, Person, Reach};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What access says of somebody and one host.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    account: &'a str,
    sudo: bool,
    until: Option<Timestamp>,
    posix_groups: BTreeSet<&'a str>,
    principals: BTreeMap<&'a str, Option<Timestamp>>,
}

/// What access says of some hosts, by the host's id.
pub(crate) fn wanted<'r>(
    reach: &'r Reach<'_>,
    of: impl Fn(&str) -> bool,
) -> HashMap<&'r str, Wanted<'r>> {
    let mut wanted: HashMap<&str, Wanted<'_>> = reach
        .hosts()
        .filter(|reached| of(&reached.host.id))
        .map(|reached| {
            let one = Wanted {
                account: reached.account,
                sudo: reached.sudo,
                until: reached.until,
                posix_groups: BTreeSet::new(),
                principals: BTreeMap::new(),
            };
            (reached.host.id.as_str(), one)
        })
        .collect();
    if wanted.is_empty() {
        return wanted;
    }
    for (grant, until, hosts) in reach.grants() {
        if grant.posix_groups.is_empty() && grant.principals.is_empty() {
            continue;
        }
        for host in hosts {
            let Some(one) = wanted.get_mut(host.id.as_str()) else {
                continue;
            };
            let groups = grant.posix_groups.iter().map(String::as_str);
            one.posix_groups.extend(groups);
            for principal in &grant.principals {
                let longest = one.principals.entry(principal).or_insert(until);
                if longest.is_some_and(|end| until.is_none_or(|until| until > end)) {
                    *longest = until;
                }
            }
        }
    }
    wanted
}

impl Wanted<'_> {
    /// The row that says so. `before` is the one that there is; `None` as an answer: that says so already.
    pub(crate) fn change(
        &self,
        (holder, host_id): (&Holder, &str),
        (person, found, full_name): (&Person, &Found, &str),
        before: Option<&HostAccount>,
        now: i64,
    ) -> Option<Change> {
        let own_name = match &person.account {
            Account::Named(name) => Some(name.as_str()),
            Account::None(_) => None,
        };
        let is_shared = own_name != Some(self.account);
        let had = before.and_then(|before| before.own.clone());
        let own = match (is_shared, found.numbers) {
            (false, Some((uid, gid))) => Some(Own {
                name: self.account.to_owned(),
                uid,
                gid,
                home: found
                    .home
                    .clone()
                    .unwrap_or_else(|| self.account.to_owned()),
            }),
            _ => had,
        };
        let row = HostAccount {
            host_id: host_id.to_owned(),
            holder: holder.clone(),
            account: self.account.to_owned(),
            is_shared,
            own,
            full_name: full_name.to_owned(),
            is_active: true,
            sudo: self.sudo,
            posix_groups: self
                .posix_groups
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            principals: self
                .principals
                .iter()
                // One logs in to one's own account anyway.
                .filter(|(name, _)| **name != self.account)
                .map(|(name, until)| Extra {
                    name: (*name).to_owned(),
                    until_at: micros(*until),
                })
                .collect(),
            until_at: micros(self.until),
            since_at: before
                .filter(|before| before.is_active)
                .map_or(now, |before| before.since_at),
            denied_at: None,
            version: before.map_or(0, |before| before.version),
        };
        (before != Some(&row)).then(|| Change::Put(Box::new(row)))
    }
}
