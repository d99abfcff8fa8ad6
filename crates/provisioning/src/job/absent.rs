//! What follows from a read that has ended: who was not told of again is gone, who is in which group through others, and
//! what failed and is to be tried again.

use portreeve_directory::Refusal;
use portreeve_directory::applications::links::{self, State as LinkState};
use portreeve_directory::applications::references::{self, Reference};
use portreeve_directory::applications::{Kind as RowKind, escrows};
use portreeve_store::Tx;

use super::Job;
use super::cycle::Run;
use super::import::tell;
use super::progress::Phase;
use super::state::{JobError, Owner};

/// How many rows one transaction changes.
const PAGE: i64 = 1_000;

/// No failure waits longer than this for its next try, in microseconds: a day and an hour.
const LONGEST_WAIT: i64 = 25 * 60 * 60 * 1_000_000;

/// How many groups are worked out in one transaction.
const GROUPS: i64 = 20;

impl Job {
    pub(super) async fn note_absent(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        let (epoch, roles_epoch) = (run.cycle.epoch, run.cycle.roles_epoch);
        if epoch > 0 {
            self.note_gone(run, epoch).await?;
            self.note_left(run, epoch).await?;
        }
        if roles_epoch > 0 {
            self.note_unassigned(run, roles_epoch).await?;
        }
        if self.application.expand_nested_groups {
            self.expand(run).await?;
        }
        let now = self.clock.now();
        self.state
            .write(move |tx, owner| escrows::wake(tx, &owner.application_id, now, LONGEST_WAIT))
            .await?;
        self.go_on(run, Phase::Plan).await
    }

    /// Objects that a full read has not told of.
    async fn note_gone(&self, run: &Run<'_>, epoch: i64) -> Result<(), JobError> {
        for kind in [RowKind::User, RowKind::Group] {
            let mut after = String::new();
            loop {
                run.check()?;
                let from = after.clone();
                let unseen = self.state.read(move |tx, owner| {
                    links::unseen(tx, &owner.application_id, kind, &from, epoch, PAGE)
                });
                let unseen = unseen.await?;
                let Some(last) = unseen.last().cloned() else {
                    break;
                };
                self.state
                    .write(move |tx, owner| vanish(tx, owner, kind, &unseen))
                    .await?;
                after = last;
            }
        }
        Ok(())
    }

    /// Members that a full read has not told of.
    async fn note_left(&self, run: &Run<'_>, epoch: i64) -> Result<(), JobError> {
        let expand = self.application.expand_nested_groups;
        let mut after: Option<Reference> = None;
        loop {
            run.check()?;
            let from = after.clone();
            let unseen = self.state.read(move |tx, owner| {
                references::unseen(tx, &owner.application_id, from.as_ref(), epoch, PAGE)
            });
            let unseen = unseen.await?;
            let Some(last) = unseen.last().cloned() else {
                return Ok(());
            };
            self.state
                .write(move |tx, owner| leave(tx, owner, &unseen, expand))
                .await?;
            after = Some(last);
        }
    }

    /// Assignments that were not told anew.
    async fn note_unassigned(&self, run: &Run<'_>, roles_epoch: i64) -> Result<(), JobError> {
        for kind in [RowKind::User, RowKind::Group] {
            let mut after = String::new();
            loop {
                run.check()?;
                let from = after.clone();
                let untold = self.state.read(move |tx, owner| {
                    let id = &owner.application_id;
                    links::untold_roles(tx, id, kind, &from, roles_epoch, PAGE)
                });
                let untold = untold.await?;
                let Some(last) = untold.last().cloned() else {
                    break;
                };
                self.state
                    .write(move |tx, owner| unassign(tx, owner, kind, &untold))
                    .await?;
                after = last;
            }
        }
        Ok(())
    }

    /// Which people groups have through nested groups, of those groups where that may have changed.
    async fn expand(&self, run: &Run<'_>) -> Result<(), JobError> {
        self.state
            .write(|tx, owner| links::stale_above(tx, &owner.application_id))
            .await?;
        loop {
            run.check()?;
            let stale = self
                .state
                .read(|tx, owner| links::stale(tx, &owner.application_id, GROUPS));
            let stale = stale.await?;
            if stale.is_empty() {
                return Ok(());
            }
            self.state
                .write(move |tx, owner| expand(tx, owner, &stale))
                .await?;
        }
    }
}

fn vanish(tx: &mut Tx<'_>, owner: &Owner, kind: RowKind, unseen: &[String]) -> Result<(), Refusal> {
    let id = &owner.application_id;
    let keys: Vec<&str> = unseen.iter().map(String::as_str).collect();
    touch_members(tx, id, kind, &keys)?;
    links::vanish(tx, id, kind, &keys)
}

fn unassign(
    tx: &mut Tx<'_>,
    owner: &Owner,
    kind: RowKind,
    untold: &[String],
) -> Result<(), Refusal> {
    let id = &owner.application_id;
    let keys: Vec<&str> = untold.iter().map(String::as_str).collect();
    touch_members(tx, id, kind, &keys)?;
    links::unassign(tx, id, kind, &keys)
}

/// Has the people in those of the groups looked at again that are assigned.
fn touch_members(tx: &mut Tx<'_>, id: &str, kind: RowKind, groups: &[&str]) -> Result<(), Refusal> {
    if kind == RowKind::Group {
        for group in links::of(tx, id, kind, groups)? {
            if group.roles.is_some() {
                links::touch_members(tx, id, &group.source_key)?;
            }
        }
    }
    Ok(())
}

fn leave(
    tx: &mut Tx<'_>,
    owner: &Owner,
    unseen: &[Reference],
    expand: bool,
) -> Result<(), Refusal> {
    let id = &owner.application_id;
    let mut groups: Vec<&str> = unseen.iter().map(|it| it.source_key.as_str()).collect();
    groups.dedup();
    let holders = links::of(tx, id, RowKind::Group, &groups)?;
    let mut moved = Vec::new();
    for reference in unseen {
        let holder = holders
            .iter()
            .find(|it| it.source_key == reference.source_key);
        let is_linked =
            holder.is_some_and(|it| matches!(it.state, LinkState::Managed | LinkState::Disabled));
        if holder.is_some_and(|it| it.roles.is_some()) && !expand {
            moved.push(reference.other_key.as_str());
        }
        tell(tx, id, reference.clone(), false, expand, is_linked)?;
    }
    if expand {
        for mut holder in holders {
            holder.stale = true;
            links::put(tx, id, RowKind::Group, &holder)?;
        }
    }
    links::touch(tx, id, RowKind::User, &moved)
}

fn expand(tx: &mut Tx<'_>, owner: &Owner, stale: &[(String, bool)]) -> Result<(), Refusal> {
    let id = &owner.application_id;
    for (group, is_assigned) in stale {
        let moved = references::expand(tx, id, group)?;
        if *is_assigned {
            let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
            links::touch(tx, id, RowKind::User, &moved)?;
        }
        links::fresh(tx, id, group)?;
    }
    Ok(())
}
