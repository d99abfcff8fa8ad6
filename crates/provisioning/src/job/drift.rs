//! Repairing what was changed at the target: the members of groups, one group at a time.
//!
//! Other attributes, managers among them, need no step of their own: where drift is looked for, a full cycle compares
//! every resource.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use futures_util::stream::{self, StreamExt};
use portreeve_directory::Refusal;
use portreeve_directory::applications::links::{self, End, Link as Row};
use portreeve_directory::applications::references::{self, Reference, Settled};
use portreeve_directory::applications::{Kind as RowKind, cycles, records};
use portreeve_store::Tx;

use super::Job;
use super::cycle::{Run, Stopped, counted};
use super::exporting::AT_ONCE;
use super::failure::Failure;
use super::references::{
    Change, Due, MEMBERS, ReferencesOutcome, members_adrift, write_references,
};
use super::state::{JobError, Owner, link_of};
use super::subject::{Stamp, name_of};
use crate::engine::plan::Link;
use crate::engine::quarantine::Reason;
use crate::log;
use crate::source::Kind;
use crate::target::ResourceId;

/// How many groups are read at once.
const GROUPS: i64 = 100;

/// How many members are read at once.
const PAGE: i64 = 5_000;

/// A group that is looked at.
struct Group {
    row: Row,
    id: ResourceId,
    members: Vec<Reference>,
    /// Everybody who is spoken of, with their resources.
    ends: HashMap<(RowKind, String), End>,
}

impl Job {
    /// Compares the members of every managed group with those that it should have, and writes the difference. Members
    /// whom nobody here knows are taken out as well; those who are no longer managed are left as they are.
    pub(super) async fn repair_members(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        let maps_members = |it: &crate::application::ObjectRules| it.members.is_some();
        if !self.application.of(Kind::Group).is_some_and(maps_members) {
            return Ok(());
        }
        let mut after = String::new();
        while run.stopped.is_none() {
            let from = after.clone();
            let page = self.state.read(move |tx, owner| {
                links::page(tx, &owner.application_id, RowKind::Group, &from, GROUPS)
            });
            let page = page.await?;
            let Some(last) = page.last() else { break };
            after = last.source_key.clone();
            let managed = page
                .into_iter()
                .filter(|row| matches!(link_of(row.state), Link::Managed { .. }));
            let stamp = run.stamp.clone();
            let looks = stream::iter(managed).map(|row| self.repair(row, &stamp));
            let mut repaired = pin!(looks.buffer_unordered(AT_ONCE));
            while let Some(repaired) = repaired.next().await {
                run.check()?;
                self.settle_repaired(run, repaired?).await?;
            }
        }
        Ok(())
    }

    /// Writes what differs in one group.
    async fn repair(&self, row: Row, stamp: &Stamp) -> Result<Repaired, JobError> {
        let Some(id) = row.target_id.as_deref().and_then(ResourceId::new) else {
            return Ok(Repaired::Equal);
        };
        let group = self
            .state
            .read(move |tx, owner| Group::read(tx, owner, row.clone(), id.clone()))
            .await?;
        let (wanted, kept) = group.expected();
        Ok(
            match members_adrift(&self.target, &group.id, &wanted, &kept).await {
                Ok(Some(changes)) if !changes.is_empty() => {
                    let due = group.due(changes);
                    let outcome =
                        write_references(&self.application, &self.target, &due, stamp).await;
                    Repaired::Written(Box::new((group, outcome)))
                }
                Ok(_) => Repaired::Equal,
                Err(failure) => Repaired::Unread(failure),
            },
        )
    }

    async fn settle_repaired(&self, run: &mut Run<'_>, repaired: Repaired) -> Result<(), JobError> {
        let (group, outcome) = match repaired {
            Repaired::Equal => return Ok(()),
            Repaired::Unread(failure) => {
                tracing::warn!(
                    failure = failure.detail,
                    "the members of a group cannot be compared"
                );
                run.counters
                    .change(|counters| counters.references_failed += 1);
                run.stop_for(failure.stop());
                return Ok(());
            }
            Repaired::Written(written) => *written,
        };
        run.stop_for(outcome.stop.clone());
        let counters = run.counters.change(|counters| {
            counters.references_written += outcome.applied.len() as u64;
            counters.references_failed += outcome.failed;
        });
        let (number, text) = (run.cycle.number, counted(&counters));
        let settled = group.settled(&outcome);
        let told: Vec<records::Record> = outcome.record.iter().map(log::row).collect();
        self.state
            .write(move |tx, owner| {
                let id = &owner.application_id;
                for (reference, is_there) in &settled {
                    references::settle(tx, id, reference, Settled::Applied(*is_there))?;
                }
                records::append(tx, &owner.team_id, id, &told)?;
                cycles::count(tx, id, number, &text)
            })
            .await
    }
}

impl Run<'_> {
    /// The cycle ends here, if it does.
    fn stop_for(&mut self, stop: Option<(Reason, String)>) {
        if let (None, Some((reason, message))) = (&self.stopped, stop) {
            self.stopped = Some(Stopped {
                reason,
                message,
                retry_after: None,
            });
        }
    }
}

/// What came of comparing a group.
enum Repaired {
    Equal,
    Unread(Failure),
    Written(Box<(Group, ReferencesOutcome)>),
}

impl Group {
    fn read(tx: &mut Tx<'_>, owner: &Owner, row: Row, id: ResourceId) -> Result<Self, Refusal> {
        let application = &owner.application_id;
        let mut members: Vec<Reference> = Vec::new();
        loop {
            let holder = (RowKind::Group, row.source_key.as_str());
            let after = members.last();
            let page = references::of(tx, application, holder, MEMBERS, after, PAGE)?;
            if page.is_empty() {
                break;
            }
            members.extend(page);
        }
        let mut ends = HashMap::new();
        let keys: Vec<&str> = members.iter().map(|it| it.other_key.as_str()).collect();
        for kind in [RowKind::User, RowKind::Group] {
            for end in links::ends(tx, application, kind, &keys)? {
                ends.insert((kind, end.source_key.clone()), end);
            }
        }
        Ok(Self {
            row,
            id,
            members,
            ends,
        })
    }

    /// The members that it should have, and those that may be there or not.
    fn expected(&self) -> (HashMap<ResourceId, String>, HashSet<ResourceId>) {
        let (mut wanted, mut kept) = (HashMap::new(), HashSet::new());
        for member in self.members.iter().filter(|member| member.wanted) {
            let Some((end, id)) = self.end(member) else {
                continue;
            };
            match link_of(end.state) {
                Link::Managed { .. } => {
                    wanted.insert(id, member.other_key.clone());
                }
                Link::Released | Link::None | Link::Sent | Link::Dropped => {
                    kept.insert(id);
                }
            }
        }
        (wanted, kept)
    }

    fn due(&self, changes: Vec<Change>) -> Due {
        let attributes = serde_json::from_str(&self.row.attributes).unwrap_or_default();
        Due {
            kind: Kind::Group,
            key: self.row.source_key.clone(),
            name: name_of(&attributes).map(str::to_owned),
            target_id: self.id.clone(),
            attribute: MEMBERS.to_owned(),
            changes: self.named(changes),
            escrow: None,
        }
    }

    /// Who is known here and is to go is told by the key that they have here.
    fn named(&self, changes: Vec<Change>) -> Vec<Change> {
        let known: HashMap<ResourceId, &str> = self
            .members
            .iter()
            .filter_map(|member| Some((self.end(member)?.1, member.other_key.as_str())))
            .collect();
        let named = changes.into_iter().map(|change| Change {
            other_key: known
                .get(&change.other)
                .map_or(change.other_key, |key| (*key).to_owned()),
            ..change
        });
        named.collect()
    }

    /// What the target has now, of those who are known here.
    fn settled(&self, outcome: &ReferencesOutcome) -> Vec<(Reference, bool)> {
        let applied: HashMap<&str, bool> = outcome
            .applied
            .iter()
            .map(|(key, is_there)| (key.as_str(), *is_there))
            .collect();
        let known = self.members.iter().filter_map(|member| {
            let is_there = applied.get(member.other_key.as_str())?;
            Some((member.clone(), *is_there))
        });
        known.collect()
    }

    /// A member, where it is linked; a person, where nobody has said what it is and there are both.
    fn end(&self, member: &Reference) -> Option<(&End, ResourceId)> {
        let of = |kind| self.ends.get(&(kind, member.other_key.clone()));
        let end = match member.other_kind {
            Some(kind) => of(kind),
            None => of(RowKind::User).or_else(|| of(RowKind::Group)),
        }?;
        Some((end, ResourceId::new(end.target_id.as_deref()?)?))
    }
}
