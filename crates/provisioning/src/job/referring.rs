//! Writing references that are due, object by object: members of groups, managers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, StreamExt};
use portreeve_directory::Refusal;
use portreeve_directory::applications::links::{self, End, Link as Row, Settled as SettledLink};
use portreeve_directory::applications::records::{self, Record as LogRow};
use portreeve_directory::applications::references::{self, Reference, Settled};
use portreeve_directory::applications::{Kind as RowKind, cycles, escrows};
use portreeve_store::Tx;
use serde_json::{Map, Value};

use super::cycle::{Run, Stopped, counted};
use super::exporting::AT_ONCE;
use super::facts::{escrow, kept};
use super::progress::{CycleKind, Phase};
use super::record::{Ending, Log};
use super::references::{Change, Due, MEMBERS, ReferencesOutcome, write_references};
use super::state::{JobError, Owner, kind_of, link_of, row_kind};
use super::subject::{Stamp, name_of};
use super::{Job, Stop};
use crate::application::Application;
use crate::engine::codes::Code;
use crate::engine::plan::{self, Link};
use crate::engine::steps::{Identity, RecordAction, StatusInfo};
use crate::log;
use crate::source::Kind;
use crate::target::ResourceId;

/// How many references are read and settled at once.
const PAGE: i64 = 5_000;

/// Due references with what is known of both of their ends.
#[derive(Debug, Default)]
pub(super) struct Page {
    due: Vec<Reference>,
    holders: HashMap<(RowKind, String), Row>,
    others: HashMap<(RowKind, String), End>,
    escrows: Vec<escrows::Escrow>,
}

/// References of one attribute of one object that are written together.
struct Work {
    due: Due,
    /// Their rows.
    rows: Vec<Reference>,
}

/// What comes of a page.
#[derive(Default)]
pub(super) struct Sorted {
    /// What is written, by the object that refers.
    work: BTreeMap<(RowKind, String), Vec<Work>>,
    /// What is settled without a request.
    settled: Vec<(Reference, Settled)>,
    /// What is given up, with the object that refers.
    forgotten: BTreeMap<(RowKind, String, String), u64>,
}

/// Everything that is written down about a page.
#[derive(Default)]
pub(super) struct Results {
    settled: Vec<(Reference, Settled)>,
    /// Objects that refer and are not at the target any more.
    gone: Vec<(Kind, String)>,
    failed: Vec<escrows::Escrow>,
    /// Failures that are none any more, or are given up.
    over: Vec<escrows::Escrow>,
    pub(super) records: Vec<LogRow>,
    written: u64,
    lost: u64,
    stopped: Option<Stopped>,
}

impl Job {
    pub(super) async fn refer(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        if self.application.drift && run.kind() == CycleKind::Initial {
            self.repair_members(run).await?;
        }
        let total = self
            .state
            .read(|tx, owner| references::count_due(tx, &owner.application_id))
            .await?;
        run.tell(|progress| progress.total = u64::try_from(total).ok());
        let mut after: Option<Reference> = None;
        while run.stopped.is_none() {
            run.check()?;
            let from = after.take();
            let page = self
                .state
                .read(move |tx, owner| Page::after(tx, owner, from.as_ref()));
            let page = page.await?;
            let Some(last) = page.due.last().cloned() else {
                return self.go_on(run, Phase::End).await;
            };
            let count = page.due.len() as u64;
            let sorted = page.sort(&self.application);
            let results = self.write(&run.stamp, run.stop, sorted).await;
            self.settle_references(run, results, count).await?;
            after = Some(last);
        }
        Ok(())
    }

    /// Writes what is due, several objects at a time, one attribute of each after the other.
    pub(super) async fn write(&self, stamp: &Stamp, stop: &Stop, sorted: Sorted) -> Results {
        let Sorted {
            work,
            settled,
            forgotten,
        } = sorted;
        let mut results = Results {
            settled,
            ..Results::default()
        };
        for ((kind, key, attribute), count) in forgotten {
            results.lost += count;
            let record = forgotten_record(kind_of(kind), &key, &attribute, count, stamp);
            results.records.push(record);
        }
        let halt = Arc::new(AtomicBool::new(false));
        let holders = stream::iter(work.into_values()).map(|works| {
            let halt = Arc::clone(&halt);
            async move {
                let mut done = Vec::new();
                for work in works {
                    if halt.load(Ordering::Relaxed) || stop.is_asked() {
                        break;
                    }
                    let (application, target) = (&self.application, &self.target);
                    let outcome = write_references(application, target, &work.due, stamp).await;
                    if outcome.stop.is_some() {
                        halt.store(true, Ordering::Relaxed);
                    }
                    done.push((work, outcome));
                }
                done
            }
        });
        let mut done = std::pin::pin!(holders.buffer_unordered(AT_ONCE));
        while let Some(holder) = done.next().await {
            for (work, outcome) in holder {
                results.take(work, &outcome);
            }
        }
        results
    }

    async fn settle_references(
        &self,
        run: &mut Run<'_>,
        mut results: Results,
        count: u64,
    ) -> Result<(), JobError> {
        run.stopped = results.stopped.take();
        let counters = run.counters.change(|counters| {
            counters.references_written += results.written;
            counters.references_failed += results.lost;
        });
        let (number, text) = (run.cycle.number, counted(&counters));
        self.state
            .write(move |tx, owner| results.settle(tx, owner, number, &text))
            .await?;
        let requests = run.requests(&self.target);
        run.tell(|progress| {
            progress.done += count;
            progress.requests = requests;
        });
        Ok(())
    }
}

impl Page {
    fn after(tx: &mut Tx<'_>, owner: &Owner, after: Option<&Reference>) -> Result<Self, Refusal> {
        let mut due = references::due(tx, &owner.application_id, after, PAGE)?;
        cut(&mut due);
        Self::around(tx, owner, due)
    }

    /// References with what is known of both of their ends.
    pub(super) fn around(
        tx: &mut Tx<'_>,
        owner: &Owner,
        due: Vec<Reference>,
    ) -> Result<Self, Refusal> {
        let id = &owner.application_id;
        let mut page = Self {
            due,
            ..Self::default()
        };
        for kind in [RowKind::User, RowKind::Group] {
            let of_kind = page.due.iter().filter(|it| it.kind == kind);
            let keys = distinct(of_kind.map(|it| it.source_key.as_str()));
            for row in links::of(tx, id, kind, &keys)? {
                page.holders.insert((kind, row.source_key.clone()), row);
            }
            page.escrows.extend(escrows::of(tx, id, kind, &keys)?);
            let may_be = page
                .due
                .iter()
                .filter(|it| it.other_kind.is_none_or(|other| other == kind));
            let keys = distinct(may_be.map(|it| it.other_key.as_str()));
            for end in links::ends(tx, id, kind, &keys)? {
                page.others.insert((kind, end.source_key.clone()), end);
            }
        }
        Ok(page)
    }

    pub(super) fn sort(self, application: &Application) -> Sorted {
        let mut sorted = Sorted::default();
        for reference in &self.due {
            let reference = reference.clone();
            match self.decide(application, &reference) {
                Decision::Write(holder, other) => {
                    self.add(&mut sorted, reference, holder, other);
                }
                Decision::Settle(settled) => sorted.settled.push((reference, settled)),
                Decision::Forget => {
                    let holder = (
                        reference.kind,
                        reference.source_key.clone(),
                        reference.attribute.clone(),
                    );
                    *sorted.forgotten.entry(holder).or_default() += 1;
                    sorted.settled.push((reference, Settled::Forgotten));
                }
            }
        }
        sorted
    }

    fn add(
        &self,
        sorted: &mut Sorted,
        reference: Reference,
        holder: ResourceId,
        other: ResourceId,
    ) {
        let key = (reference.kind, reference.source_key.clone());
        let change = Change {
            other_key: reference.other_key.clone(),
            other,
            wanted: reference.wanted,
        };
        let row = self.holders.get(&key);
        let works = sorted.work.entry(key).or_default();
        match works.last_mut() {
            Some(work) if work.due.attribute == reference.attribute => {
                work.due.changes.push(change);
                work.rows.push(reference);
            }
            _ => works.push(Work {
                due: Due {
                    kind: kind_of(reference.kind),
                    key: reference.source_key.clone(),
                    name: row.and_then(|row| {
                        let attributes: Map<String, Value> =
                            serde_json::from_str(&row.attributes).ok()?;
                        name_of(&attributes).map(str::to_owned)
                    }),
                    target_id: holder,
                    attribute: reference.attribute.clone(),
                    changes: vec![change],
                    escrow: self.escrow(&reference).and_then(escrow),
                },
                rows: vec![reference],
            }),
        }
    }

    fn escrow(&self, reference: &Reference) -> Option<&escrows::Escrow> {
        self.escrows.iter().find(|it| {
            it.kind == reference.kind
                && it.source_key == reference.source_key
                && it.attribute == reference.attribute
        })
    }

    fn decide(&self, application: &Application, reference: &Reference) -> Decision {
        let rules = application.of(kind_of(reference.kind));
        let is_mapped = |rules: &&crate::application::ObjectRules| {
            reference.attribute != MEMBERS || rules.members.is_some()
        };
        let Some(rules) = rules.filter(is_mapped) else {
            return Decision::Settle(Settled::Waits);
        };
        let holder = self
            .holders
            .get(&(reference.kind, reference.source_key.clone()));
        let managed = holder.filter(|row| matches!(link_of(row.state), Link::Managed { .. }));
        let holder = managed.and_then(|row| ResourceId::new(row.target_id.as_deref()?));
        let Some(holder) = holder else {
            return Decision::Settle(Settled::Waits);
        };
        let other = self.other(reference);
        let link = other.map_or(Link::None, |end| link_of(end.state));
        let other = other.and_then(|end| ResourceId::new(end.target_id.as_deref()?));
        match (plan::reference(reference.wanted, link, &rules.rules), other) {
            (plan::Reference::Write, Some(other)) => Decision::Write(holder, other),
            (plan::Reference::Forget(_), _) if reference.wanted => Decision::Forget,
            (plan::Reference::Forget(_), _) => Decision::Settle(Settled::Applied(false)),
            (plan::Reference::Write | plan::Reference::Wait, _) => Decision::Settle(Settled::Waits),
        }
    }

    /// The object that is referred to; a person, where nobody has said what it is and there are both.
    fn other(&self, reference: &Reference) -> Option<&End> {
        let of = |kind| self.others.get(&(kind, reference.other_key.clone()));
        match reference.other_kind {
            Some(kind) => of(kind),
            None => of(RowKind::User).or_else(|| of(RowKind::Group)),
        }
    }
}

/// Leaves out the last attribute of a full page, which may go on behind it: the old manager and the new one belong
/// together. Members do not.
fn cut(due: &mut Vec<Reference>) {
    let is_full = due.len() as i64 >= PAGE;
    let Some(last) = due.last().filter(|_| is_full).cloned() else {
        return;
    };
    let together = |it: &Reference| {
        it.kind == last.kind && it.source_key == last.source_key && it.attribute == last.attribute
    };
    if let Some(before) = due.iter().rposition(|it| !together(it)) {
        due.truncate(before + 1);
    }
}

enum Decision {
    /// With the resources of both ends.
    Write(ResourceId, ResourceId),
    Settle(Settled),
    Forget,
}

impl Results {
    fn take(&mut self, work: Work, outcome: &ReferencesOutcome) {
        let Due {
            kind,
            key,
            attribute,
            ..
        } = &work.due;
        self.records.extend(outcome.record.as_ref().map(log::row));
        self.written += outcome.applied.len() as u64;
        self.lost += outcome.failed;
        if let (None, Some((reason, message))) = (&self.stopped, &outcome.stop) {
            self.stopped = Some(Stopped {
                reason: *reason,
                message: message.clone(),
                retry_after: None,
            });
        }
        if outcome.gone {
            self.gone.push((*kind, key.clone()));
            return;
        }
        let detail = outcome.detail.as_deref();
        match (&outcome.escrow, &work.due.escrow, &outcome.stop) {
            (Some(escrow), _, _) => {
                let escrow = kept(*kind, key, attribute, escrow, detail);
                self.failed.push(escrow);
            }
            (None, Some(escrow), None) => {
                let escrow = kept(*kind, key, attribute, escrow, detail);
                self.over.push(escrow);
            }
            _ => {}
        }
        let applied: HashMap<&str, bool> = outcome
            .applied
            .iter()
            .map(|(other, is_there)| (other.as_str(), *is_there))
            .collect();
        for row in work.rows {
            match applied.get(row.other_key.as_str()) {
                Some(is_there) => self.settled.push((row, Settled::Applied(*is_there))),
                // What was not tried is still due.
                None if outcome.stop.is_some() => {}
                None => self.settled.push((row, Settled::Waits)),
            }
        }
    }

    pub(super) fn settle(
        &self,
        tx: &mut Tx<'_>,
        owner: &Owner,
        cycle: i64,
        counters: &str,
    ) -> Result<(), Refusal> {
        let id = &owner.application_id;
        for (reference, settled) in &self.settled {
            references::settle(tx, id, reference, *settled)?;
        }
        for (kind, key) in &self.gone {
            let settled = SettledLink {
                state: links::State::None,
                target_id: None,
                exported: None,
                dirty: true,
            };
            links::settle(tx, id, row_kind(*kind), key, &settled)?;
            references::lost(tx, id, row_kind(*kind), key)?;
        }
        for escrow in &self.failed {
            escrows::put(tx, id, escrow)?;
        }
        for escrow in &self.over {
            let (key, attribute) = (&escrow.source_key, &escrow.attribute);
            escrows::remove(tx, id, escrow.kind, key, attribute)?;
        }
        records::append(tx, &owner.team_id, id, &self.records)?;
        cycles::count(tx, id, cycle, counters)
    }
}

/// What the log tells of references that are not come back to.
fn forgotten_record(kind: Kind, key: &str, attribute: &str, count: u64, stamp: &Stamp) -> LogRow {
    let reason = format!(
        "{count} references of {attribute} are to objects that the target does not have, and are not written later either"
    );
    let ending = Ending {
        action: RecordAction::Update,
        status: StatusInfo::of(Code::UnableToResolveReferenceAttributeValue, reason),
        modified: Vec::new(),
        source: Identity {
            id: key.to_owned(),
            display_name: None,
            identity_type: kind,
            details: Map::new(),
        },
        target: None,
    };
    log::row(&Log::begin(stamp).record(Vec::new(), ending))
}

fn distinct<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut keys: Vec<&str> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
