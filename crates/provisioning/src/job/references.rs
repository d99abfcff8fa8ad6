//! Writing who is a member of what, and who is whose manager, once the target has both.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::failure::Failure;
use super::record::{Ending, Log};
use super::subject::Stamp;
use super::target::Target;
use crate::application::Application;
use crate::engine::codes::{Code, During};
use crate::engine::escrow::Escrow;
use crate::engine::quarantine::Reason;
use crate::engine::steps::{
    Identity, ModifiedProperty, Record, RecordAction, Status, StatusInfo, Step, StepName,
};
use crate::source::Kind;
use crate::target::{Patch, ResourceId};

/// The attribute whose references are the members of a group.
pub const MEMBERS: &str = "members";

/// How many members come or go with one request.
const AT_ONCE: usize = 100;

/// So many single members may be refused before the others are left for the next try.
const REFUSALS: usize = 20;

/// So many changes are told one by one in a record; of more, only their number.
const TOLD: usize = 100;

/// References of one attribute of one object that are to be written or taken away.
#[derive(Debug, Clone)]
pub struct Due {
    /// The kind of the object that refers to others.
    pub kind: Kind,
    /// Its key at the source.
    pub key: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Its resource at the target.
    pub target_id: ResourceId,
    /// [`MEMBERS`], or the canonical path of another attribute, such as the manager's.
    pub attribute: String,
    /// What is to change.
    pub changes: Vec<Change>,
    /// How writing them failed before.
    pub escrow: Option<Escrow>,
}

/// One reference that comes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Key at the source of the object that is referred to.
    pub other_key: String,
    /// Its resource at the target.
    pub other: ResourceId,
    /// Whether it is to be there.
    pub wanted: bool,
}

/// What has become of due references.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencesOutcome {
    /// Keys of others, with whether the target has the reference now. Those that are not named are as they were.
    pub applied: Vec<(String, bool)>,
    /// When the rest is tried again. A failure without an escrow is given up until one of the references changes.
    pub escrow: Option<Escrow>,
    /// What went wrong, if anything did.
    pub detail: Option<String>,
    /// What the log tells.
    pub record: Option<Record>,
    /// How many references could not be written.
    pub failed: u64,
    /// Every other request would fail the same way: the cycle ends here.
    pub stop: Option<(Reason, String)>,
    /// The object that refers to the others is not at the target any more.
    pub gone: bool,
}

/// Writes due references: members in requests of at most 100, others with one request.
///
/// A request that is refused for what is in it is divided until the members who cause it stand alone, so that one
/// member whom the target does not know does not keep the others out of the group.
pub async fn write_references(
    application: &Application,
    target: &Target,
    due: &Due,
    stamp: &Stamp,
) -> ReferencesOutcome {
    let mut writing = Writing {
        target,
        due,
        applied: Vec::new(),
        failures: Vec::new(),
        is_over: false,
        log: Log::begin(stamp),
    };
    match is_list(application, due) {
        true => writing.list().await,
        false => writing.single().await,
    }
    writing.finish(stamp)
}

/// What members must change so that a group has exactly those that it should have.
///
/// `wanted` are the members whom the source names and the target can have, with their keys at the source; `kept` are
/// resources that may be there or not: those that are no longer managed. Everybody else goes. `None` where the target
/// has no such group.
pub(super) async fn members_adrift(
    target: &Target,
    group: &ResourceId,
    wanted: &HashMap<ResourceId, String>,
    kept: &HashSet<ResourceId>,
) -> Result<Option<Vec<Change>>, Failure> {
    let there: HashSet<ResourceId> = match target.members(group).await {
        Ok(Some(there)) => there.into_iter().collect(),
        Ok(None) => return Ok(None),
        Err(error) => {
            return Err(Failure::of(target, Kind::Group, error, During::Linked).await);
        }
    };
    let missing = wanted.iter().filter(|(id, _)| !there.contains(*id));
    let missing = missing.map(|(id, key)| Change {
        other_key: key.clone(),
        other: id.clone(),
        wanted: true,
    });
    let surplus = there
        .iter()
        .filter(|id| !wanted.contains_key(*id) && !kept.contains(*id));
    let surplus = surplus.map(|id| Change {
        other_key: String::new(),
        other: id.clone(),
        wanted: false,
    });
    let mut changes: Vec<Change> = missing.chain(surplus).collect();
    changes.sort_by(|a, b| a.other.cmp(&b.other));
    Ok(Some(changes))
}

struct Writing<'a> {
    target: &'a Target,
    due: &'a Due,
    applied: Vec<&'a Change>,
    failures: Vec<(Failure, u64)>,
    /// Nothing more is to be tried.
    is_over: bool,
    log: Log<'a>,
}

impl<'a> Writing<'a> {
    /// Several values: each comes or goes by itself.
    async fn list(&mut self) {
        // Whoever is refused alone is told; the halves of what is refused together wait here.
        let mut waiting: Vec<&'a [Change]> = self.due.changes.chunks(AT_ONCE).rev().collect();
        while let Some(part) = waiting.pop() {
            if self.is_over {
                break;
            }
            match self.send(&list_patch(&self.due.attribute, part)).await {
                Ok(()) => self.applied.extend(part),
                Err(failure) if part.len() > 1 && may_be_one(&failure) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    waiting.extend([second, first]);
                }
                Err(failure) => self.fail(failure, part),
            }
        }
    }

    /// One value: the new one takes the place of the old one.
    async fn single(&mut self) {
        let path = self.due.attribute.trim_end_matches(".value");
        let wanted = self.due.changes.iter().rfind(|change| change.wanted);
        let patch = match wanted {
            Some(change) => Patch::new().refer(path, change.other.clone()),
            None => Patch::new().remove(path),
        };
        let all: &'a [Change] = &self.due.changes;
        match self.send(&patch).await {
            Ok(()) => self.applied.extend(all),
            Err(failure) => self.fail(failure, all),
        }
    }

    async fn send(&mut self, patch: &Patch) -> Result<(), Failure> {
        let due = self.due;
        let error = match self.target.patch(due.kind, &due.target_id, patch).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let failure = Failure::of(self.target, due.kind, error, During::Linked).await;
        if !failure.is_gone() {
            return Err(failure);
        }
        // It may be one of those who are referred to that is not there.
        match self.target.get(due.kind, &due.target_id).await {
            Ok(Some(_)) => Err(failure.under(Code::UnableToResolveReferenceAttributeValue)),
            Ok(None) => Err(failure),
            Err(error) => Err(Failure::of(self.target, due.kind, error, During::Linked).await),
        }
    }

    fn fail(&mut self, failure: Failure, part: &[Change]) {
        let alone = self.failures.iter().filter(|(_, count)| *count == 1);
        self.is_over = failure.is_gone()
            || failure.is_general
            || !may_be_one(&failure)
            || alone.count() + 1 >= REFUSALS;
        let others: Vec<&str> = part.iter().map(|it| it.other_key.as_str()).collect();
        let step = Step::new(
            StepName::EntryReferenceResolution,
            Status::Failure,
            failure.detail.clone(),
        );
        self.log.step(step.with("objectIds", others));
        self.failures.push((failure, part.len() as u64));
    }

    fn finish(mut self, stamp: &Stamp) -> ReferencesOutcome {
        let due = self.due;
        let gone = self.failures.iter().any(|(failure, _)| failure.is_gone());
        let stop = self.failures.iter().find_map(|(failure, _)| failure.stop());
        let worst = self.failures.first().map(|(failure, _)| failure.clone());
        let failed = match (&worst, &stop, gone) {
            (Some(_), None, false) => due.changes.len() - self.applied.len(),
            _ => 0,
        };
        let escrow = match (&worst, &stop, gone) {
            (Some(failure), None, false) => {
                Escrow::failed(due.escrow.as_ref(), failure.code, stamp.now())
            }
            _ => None,
        };
        self.log
            .step(summary(due, &self.applied, self.target.is_dry()));
        let status = match &worst {
            Some(failure) => failure.status(match &escrow {
                Some(escrow) => escrow.describe(&failure.detail),
                None => failure.detail.clone(),
            }),
            None => StatusInfo::success(),
        };
        let ending = Ending {
            action: RecordAction::Update,
            status,
            modified: modified(due, &self.applied),
            source: identity(due, &due.key),
            target: Some(identity(due, due.target_id.as_str())),
        };
        ReferencesOutcome {
            applied: self
                .applied
                .iter()
                .map(|change| (change.other_key.clone(), change.wanted))
                .collect(),
            escrow,
            detail: worst.map(|failure| failure.detail),
            record: Some(self.log.record(Vec::new(), ending)),
            failed: failed as u64,
            stop,
            gone,
        }
    }
}

/// Whether an attribute has several values: members, and whatever a mapping says has.
fn is_list(application: &Application, due: &Due) -> bool {
    let mapped = application.of(due.kind).into_iter();
    let mut targets = mapped.flat_map(|rules| rules.mappings.iter().map(|it| &it.target));
    due.attribute == MEMBERS
        || targets.any(|target| target.canonical == due.attribute && target.multi_valued)
}

/// Whether a single one of several references can be the reason of a refusal.
fn may_be_one(failure: &Failure) -> bool {
    matches!(
        failure.code,
        Code::UnableToResolveReferenceAttributeValue
            | Code::UnprocessableEntity
            | Code::SchemaAttributeNotFound
            | Code::EntryConflict
            | Code::Conflict
            | Code::ServiceIncompatible
    ) && !failure.is_general
}

fn list_patch(attribute: &str, changes: &[Change]) -> Patch {
    let chosen = |wanted: bool| {
        let chosen = changes.iter().filter(move |change| change.wanted == wanted);
        chosen.map(|change| change.other.clone())
    };
    if attribute == MEMBERS {
        let patch = Patch::new().add_members(chosen(true));
        return patch.remove_members(chosen(false));
    }
    let list = attribute.trim_end_matches(".value");
    let added: Vec<Value> = chosen(true).map(|id| json!({"value": id})).collect();
    let patch = match added.is_empty() {
        true => Patch::new(),
        false => Patch::new().add(list, Value::Array(added)),
    };
    chosen(false).fold(patch, |patch, id| {
        let literal = Value::from(id.as_str());
        patch.remove(&format!("{list}[value eq {literal}]"))
    })
}

fn summary(due: &Due, applied: &[&Change], is_dry: bool) -> Step {
    let added = applied.iter().filter(|change| change.wanted).count();
    let removed = applied.len() - added;
    let left = due.changes.len() - applied.len();
    let description = match is_dry {
        true => "Nothing was sent: this is a dry run.".to_owned(),
        false => format!("References of {} were written.", due.attribute),
    };
    let status = match left {
        0 => Status::Success,
        _ => Status::Warning,
    };
    Step::new(StepName::EntryExportUpdate, status, description)
        .with("attribute", due.attribute.as_str())
        .with("added", added)
        .with("removed", removed)
        .with("left", left)
}

fn modified(due: &Due, applied: &[&Change]) -> Vec<ModifiedProperty> {
    let told = applied.iter().take(TOLD).map(|change| {
        let id = change.other.to_string();
        let (old_value, new_value) = match change.wanted {
            true => (None, Some(id)),
            false => (Some(id), None),
        };
        ModifiedProperty {
            display_name: due.attribute.clone(),
            old_value,
            new_value,
        }
    });
    let mut told: Vec<ModifiedProperty> = told.collect();
    if applied.len() > TOLD {
        told.push(ModifiedProperty {
            display_name: due.attribute.clone(),
            old_value: None,
            new_value: Some(format!("and {} more", applied.len() - TOLD)),
        });
    }
    told
}

fn identity(due: &Due, id: &str) -> Identity {
    Identity {
        id: id.to_owned(),
        display_name: due.name.clone(),
        identity_type: due.kind,
        details: serde_json::Map::new(),
    }
}
