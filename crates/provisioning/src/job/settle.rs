//! Settling: what has become of objects is written down, many of them in one transaction.

use std::collections::{HashMap, HashSet};

use portreeve_directory::Refusal;
use portreeve_directory::applications::links::{self, Settled, State as LinkState};
use portreeve_directory::applications::records::{self, Record as Row};
use portreeve_directory::applications::references::{self, Shown, Wanted};
use portreeve_directory::applications::{cycles, escrows};
use portreeve_store::Tx;

use super::facts::kept;
use super::state::{Owner, row_kind, row_state};
use super::status::time;
use super::subject::{Counted, Outcome, Subject};
use crate::engine::codes::Code;
use crate::engine::escrow::Escrow;
use crate::engine::plan::{Link, Presence};
use crate::log;
use crate::source::Kind;
use crate::target::ResourceId;

/// An object with what has become of it.
#[derive(Debug)]
pub(super) struct Done {
    link: Link,
    target_id: Option<ResourceId>,
    had_escrow: bool,
    is_gone: bool,
    pub(super) outcome: Outcome,
    pub(super) record: Option<Row>,
}

impl Done {
    pub(super) fn new(subject: &Subject, mut outcome: Outcome) -> Self {
        let held_before = |escrow: &Escrow| escrow.code == Code::TooManyDeletes;
        let is_told =
            outcome.counted == Counted::Held && subject.escrow.as_ref().is_some_and(held_before);
        // What is held cycle after cycle is told once.
        let record = outcome.record.take().filter(|_| !is_told);
        Self {
            link: subject.link,
            target_id: subject.target_id.clone(),
            had_escrow: subject.escrow.is_some(),
            is_gone: subject.facts.presence == Presence::Gone,
            record: record.as_ref().map(log::row),
            outcome,
        }
    }

    /// Whether it has a resource that follows it, and had none, or another one.
    fn is_newly_linked(&self) -> bool {
        let is_managed = |link: Link| matches!(link, Link::Managed { .. });
        let is_other = self.outcome.target_id != self.target_id;
        is_managed(self.outcome.link) && (is_other || !is_managed(self.link))
    }

    fn has_new_resource(&self) -> bool {
        self.outcome.target_id.is_some() && self.outcome.target_id != self.target_id
    }
}

/// Writes down what has become of objects, with the counters of the cycle. Returns how many were refused, because their
/// resource belongs to another object.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    owner: &Owner,
    done: &[Done],
    cycle: i64,
    counters: &str,
) -> Result<u64, Refusal> {
    let id = &owner.application_id;
    let refused = refused(tx, id, done)?;
    for one in done {
        match refused.contains(one.outcome.key.as_str()) && one.has_new_resource() {
            true => refuse(tx, id, one)?,
            false => settle_one(tx, id, one)?,
        }
    }
    for kind in [Kind::User, Kind::Group] {
        refer(tx, id, kind, done, &refused)?;
    }
    let records: Vec<Row> = done.iter().filter_map(|one| one.record.clone()).collect();
    records::append(tx, &owner.team_id, id, &records)?;
    cycles::count(tx, id, cycle, counters)?;
    Ok(refused.len() as u64)
}

/// Writes down what follows for references of objects of a kind, and to them.
fn refer(
    tx: &mut Tx<'_>,
    id: &str,
    kind: Kind,
    done: &[Done],
    refused: &HashSet<&str>,
) -> Result<(), Refusal> {
    let (mut wanted, mut shown, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    let of_kind = done.iter().filter(|one| one.outcome.kind == kind);
    for one in of_kind.filter(|one| !refused.contains(one.outcome.key.as_str())) {
        let source_key = one.outcome.key.as_str();
        if let Some(others) = one.outcome.references.as_deref() {
            wanted.push(Wanted { source_key, others });
        }
        if let Some(resources) = one.outcome.shown_references.as_deref() {
            shown.push(Shown {
                source_key,
                resources,
            });
        }
        if one.is_newly_linked() {
            linked.push(source_key);
        }
    }
    references::want(tx, id, row_kind(kind), &wanted)?;
    references::compare(tx, id, row_kind(kind), &shown)?;
    references::linked(tx, id, row_kind(kind), &linked)
}

/// The keys of those whose new resource belongs to another object. One that was released is taken over.
fn refused<'a>(tx: &mut Tx<'_>, id: &str, done: &'a [Done]) -> Result<HashSet<&'a str>, Refusal> {
    let mut refused = HashSet::new();
    for kind in [Kind::User, Kind::Group] {
        let mut takers: HashMap<&str, &str> = HashMap::new();
        let new = done
            .iter()
            .filter(|one| one.outcome.kind == kind && one.has_new_resource());
        for one in new {
            let (Some(resource), key) = (&one.outcome.target_id, one.outcome.key.as_str()) else {
                continue;
            };
            if *takers.entry(resource.as_str()).or_insert(key) != key {
                refused.insert(key);
            }
        }
        let resources: Vec<&str> = takers.keys().copied().collect();
        for end in links::owners(tx, id, row_kind(kind), &resources)? {
            let taker = end.target_id.as_deref().and_then(|it| takers.get(it));
            match taker {
                Some(taker) if *taker == end.source_key => {}
                Some(_) if end.state == LinkState::Released => {
                    links::unlink(tx, id, row_kind(kind), &end.source_key)?;
                }
                Some(taker) => {
                    refused.insert(taker);
                }
                None => {}
            }
        }
    }
    Ok(refused)
}

/// The link stays as it was, and the object waits for a change.
fn refuse(tx: &mut Tx<'_>, id: &str, done: &Done) -> Result<(), Refusal> {
    let Outcome { kind, key, .. } = &done.outcome;
    let settled = Settled {
        state: row_state(done.link),
        target_id: done.target_id.as_ref().map(ToString::to_string),
        exported: None,
        dirty: false,
    };
    links::settle(tx, id, row_kind(*kind), key, &settled)?;
    let now = done.record.as_ref().map_or(0, |record| record.at);
    let escrow = Escrow::failed(None, Code::DuplicateSourceEntries, time(now));
    let detail = "the resource that it matches belongs to another object";
    match escrow {
        Some(escrow) => escrows::put(tx, id, &kept(*kind, key, "", &escrow, Some(detail))),
        None => Ok(()),
    }
}

/// Remembers that somebody was told of what is held.
fn held(tx: &mut Tx<'_>, id: &str, done: &Done) -> Result<(), Refusal> {
    let Outcome { kind, key, .. } = &done.outcome;
    let now = time(done.record.as_ref().map_or(0, |record| record.at));
    match Escrow::failed(None, Code::TooManyDeletes, now) {
        Some(escrow) => escrows::put(tx, id, &kept(*kind, key, "", &escrow, None)),
        None => Ok(()),
    }
}

fn settle_one(tx: &mut Tx<'_>, id: &str, done: &Done) -> Result<(), Refusal> {
    let Outcome {
        kind: object,
        key,
        link,
        target_id,
        exported,
        escrow,
        detail,
        ..
    } = &done.outcome;
    let kind = row_kind(*object);
    let is_settled = done.outcome.is_settled();
    let settled = Settled {
        state: row_state(*link),
        target_id: target_id.as_ref().map(ToString::to_string),
        exported: exported.clone(),
        dirty: !is_settled,
    };
    links::settle(tx, id, kind, key, &settled)?;
    if done.target_id.is_some() && *target_id != done.target_id {
        references::lost(tx, id, kind, key)?;
    }
    if done.outcome.counted == Counted::Held && done.record.is_some() {
        return held(tx, id, done);
    }
    if !is_settled {
        return Ok(());
    }
    match escrow {
        Some(escrow) => {
            let kept = kept(*object, key, "", escrow, detail.as_deref());
            escrows::put(tx, id, &kept)?;
        }
        None if done.had_escrow => escrows::remove(tx, id, kind, key, "")?,
        None => {}
    }
    if done.is_gone && matches!(link, Link::None | Link::Released) && escrow.is_none() {
        references::forget_of(tx, id, kind, key)?;
        links::release(tx, id, kind, key)?;
    }
    Ok(())
}
