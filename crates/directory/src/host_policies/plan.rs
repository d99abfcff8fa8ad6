//! What is to be written about somebody: what access says of them now, against what the rows say.

use super::asking::Asking;
use super::follow::{Who, holder};
use crate::Refusal;
use crate::access::{self, Access, Facts};
use crate::holders::Holder;
use crate::host_accounts::{self, Change, HostAccount};
use portreeve_access::{Entitlement, NoAccess, Reach};
use portreeve_store::{Tx, params, statements};
use std::collections::HashMap;

statements! {
    CERTIFICATES = "SELECT serial, principals, grants FROM certificates WHERE team_id = $1 AND holder_id = $2 AND valid_before > $3 AND revoked_at IS NULL";
}

/// What is to be written about somebody.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) holder: Holder,
    pub(super) changes: Vec<Change>,
    /// Serial numbers of certificates that say more than access does.
    pub(super) revoke: Vec<i64>,
    /// Whether they are to have an account first that they do not have yet, or another name.
    pub needs_account: bool,
    /// Whether they may have had access to some host before.
    pub(super) may_have_had_access: bool,
}

/// Works out what is to be written about somebody: of the hosts that ask, and of certificates. Whoever is gone has no access.
pub fn plan(
    tx: &mut Tx<'_>,
    team_id: &str,
    who: &Who,
    (access, asking): (&Access, &mut Asking),
    now: i64,
) -> Result<Plan, Refusal> {
    let holder = holder(who);
    let before = host_accounts::of_holder(tx, team_id, holder.id())?;
    let facts = facts(tx, team_id, &holder, now)?;
    let mut plan = Plan {
        // Whoever gets access or a certificate is given an account first.
        may_have_had_access: facts.as_ref().is_none_or(|facts| facts.account.is_given()),
        ..Plan::new(holder)
    };
    let Some(facts) = facts else {
        return plan.without_access(tx, team_id, &before, now);
    };
    let at = access::moment(now);
    let reach = Reach::of(&facts.person, &access.estate, &access.grants, at);
    let is_wanted = matches!(&reach, Ok(_) | Err(NoAccess::NoAccount(_)));
    let found = &facts.account;
    plan.needs_account = !found.is_given() && (is_wanted || found.numbers.is_some());
    let Ok(reach) = reach else {
        return plan.without_access(tx, team_id, &before, now);
    };
    let entitlement = reach.entitlement(&facts.person);
    plan.revoke = exceeding(tx, team_id, plan.holder.id(), Some(&entitlement), now)?;
    let mut rows: HashMap<&str, &HostAccount> = before
        .iter()
        .map(|row| (row.host_id.as_str(), row))
        .collect();
    let reached: Vec<&str> = reach
        .hosts()
        .map(|reached| reached.host.id.as_str())
        .collect();
    let asking = asking.among(tx, team_id, &reached)?;
    for (host_id, wanted) in host_accounts::wanted(&reach, |id| asking.contains(id)) {
        let about = (&facts.person, found, facts.full_name.as_str());
        let row = rows.remove(host_id);
        let change = wanted.change((&plan.holder, host_id), about, row, now);
        plan.changes.extend(change);
    }
    plan.leave(rows.into_values());
    Ok(plan)
}

/// Gives people the accounts that they are to have.
pub fn give_accounts(
    tx: &mut Tx<'_>,
    team_id: &str,
    people: &[Who],
    now: i64,
) -> Result<(), Refusal> {
    for who in people {
        match access::give_account(tx, team_id, &holder(who), now) {
            Err(Refusal::NotFound(..)) => {}
            Err(Refusal::Invalid { reason, .. }) => {
                tracing::warn!(reason, holder = who.1, "somebody gets no account on hosts");
            }
            given => given?,
        }
    }
    Ok(())
}

/// The facts about somebody; `None`: they are gone.
pub(super) fn facts(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<Option<Facts>, Refusal> {
    match access::facts(tx, team_id, holder, now) {
        Ok(facts) => Ok(Some(facts)),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Plan {
    /// Nothing is to be written.
    pub(super) fn new(holder: Holder) -> Self {
        Self {
            holder,
            changes: Vec::new(),
            revoke: Vec::new(),
            needs_account: false,
            may_have_had_access: false,
        }
    }

    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.revoke.is_empty()
    }

    fn without_access(
        mut self,
        tx: &mut Tx<'_>,
        team_id: &str,
        before: &[HostAccount],
        now: i64,
    ) -> Result<Self, Refusal> {
        self.revoke = exceeding(tx, team_id, self.holder.id(), None, now)?;
        self.leave(before.iter());
        Ok(self)
    }

    fn leave<'a>(&mut self, rows: impl Iterator<Item = &'a HostAccount>) {
        let active = rows.filter(|row| row.is_active);
        let leaves = active.map(|row| Change::Leave(row.host_id.clone()));
        self.changes.extend(leaves);
    }
}

/// The certificates of somebody that count and name a principal or rest on a grant that they do not have any more.
fn exceeding(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    entitlement: Option<&Entitlement>,
    now: i64,
) -> Result<Vec<i64>, Refusal> {
    let mut exceeding = Vec::new();
    for row in tx.query(CERTIFICATES, &params![team_id, holder_id, now])? {
        let within = |column, all: fn(&Entitlement) -> &Vec<String>| {
            let said: Vec<String> = serde_json::from_str(row.text(column)?).unwrap_or_default();
            let has =
                |one: &String| entitlement.is_some_and(|entitled| all(entitled).contains(one));
            Ok::<_, Refusal>(said.iter().all(has))
        };
        if !within(1, |entitled| &entitled.principals)? || !within(2, |entitled| &entitled.grants)?
        {
            exceeding.push(row.int(0)?);
        }
    }
    Ok(exceeding)
}
