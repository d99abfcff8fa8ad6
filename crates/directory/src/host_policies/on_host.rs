//! What is to be written about the people of one host, of that host alone: nobody's other hosts are read for it.

use super::follow::{Who, holder};
use super::plan::{Plan, facts};
use crate::Refusal;
use crate::access::{self, Access, Facts};
use crate::host_accounts::{self, Change, HostAccount};
use portreeve_access::{Estate, NoAccess, Reach};
use portreeve_store::Tx;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Works out what is to be written about some people, each with the host that it is about. Their certificates are not looked
/// at.
pub fn plan_hosts(
    tx: &mut Tx<'_>,
    team_id: &str,
    hosts: &BTreeMap<String, BTreeSet<Who>>,
    access: &Access,
    now: i64,
) -> Result<Vec<(Who, Plan)>, Refusal> {
    let mut known: HashMap<&Who, Option<Facts>> = HashMap::new();
    let mut plans = Vec::new();
    for (host_id, people) in hosts.iter().filter(|(_, people)| !people.is_empty()) {
        let rows = host_accounts::of_host(tx, team_id, host_id)?;
        let rows: HashMap<&str, &HostAccount> =
            rows.iter().map(|row| (row.holder.id(), row)).collect();
        let host = access
            .estate
            .hosts()
            .iter()
            .find(|host| host.id == *host_id);
        let on_host = OnHost {
            host_id,
            estate: Estate::new(host.cloned().into_iter().collect()),
            access,
            now,
        };
        for who in people {
            let facts = match known.entry(who) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(facts(tx, team_id, &holder(who), now)?),
            };
            let before = rows.get(who.1.as_str()).copied();
            plans.push((who.clone(), on_host.plan(who, facts.as_ref(), before)));
        }
    }
    Ok(plans)
}

struct OnHost<'a> {
    host_id: &'a str,
    /// Nothing but it; empty when it is gone.
    estate: Estate,
    access: &'a Access,
    now: i64,
}

impl OnHost<'_> {
    fn plan(&self, who: &Who, facts: Option<&Facts>, before: Option<&HostAccount>) -> Plan {
        let mut plan = Plan::new(holder(who));
        let at = access::moment(self.now);
        let reach = facts.map(|facts| {
            let reach = Reach::of(&facts.person, &self.estate, &self.access.grants, at);
            (facts, reach)
        });
        match reach {
            Some((facts, Ok(_) | Err(NoAccess::NoAccount(_)))) if !facts.account.is_given() => {
                plan.needs_account = true;
            }
            Some((facts, Ok(reach))) => {
                let about = (&facts.person, &facts.account, facts.full_name.as_str());
                for (host_id, wanted) in host_accounts::wanted(&reach, |_| true) {
                    let change = wanted.change((&plan.holder, host_id), about, before, self.now);
                    plan.changes.extend(change);
                }
            }
            _ if before.is_some_and(|row| row.is_active) => {
                plan.changes.push(Change::Leave(self.host_id.to_owned()));
            }
            _ => {}
        }
        plan
    }
}
