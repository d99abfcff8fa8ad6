//! What the log tells of one object: the steps on its way, and how it ended.

use std::time::Duration;

use portreeve_mapping::mapping::{Assigned, Flow, Scalar};
use serde_json::{Map, Value, json};

use super::evaluation::Evaluation;
use super::subject::{Stamp, Subject};
use crate::application::Application;
use crate::engine::plan::{Facts, Link, Outside, Presence, Standing};
use crate::engine::steps::{
    Identity, ModifiedProperty, Record, RecordAction, Status, StatusInfo, Step, StepName,
};
use crate::source::Kind;
use crate::target::ResourceId;

/// The steps so far, and when the first of them began.
#[derive(Debug)]
pub(super) struct Log<'a> {
    stamp: &'a Stamp,
    began: Duration,
    steps: Vec<Step>,
}

/// How a way ended.
pub(super) struct Ending {
    pub(super) action: RecordAction,
    pub(super) status: StatusInfo,
    pub(super) modified: Vec<ModifiedProperty>,
    pub(super) source: Identity,
    pub(super) target: Option<Identity>,
}

impl<'a> Log<'a> {
    pub(super) fn begin(stamp: &'a Stamp) -> Self {
        Self {
            stamp,
            began: stamp.clock.steady(),
            steps: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The record. `first` are the steps that come before those that were told on the way.
    pub(super) fn record(self, first: Vec<Step>, ending: Ending) -> Record {
        let took = self.stamp.clock.steady().saturating_sub(self.began);
        let mut steps = first;
        steps.extend(self.steps);
        Record {
            id: self.stamp.id(),
            activity_date_time: self.stamp.now(),
            job_id: self.stamp.job_id.clone(),
            cycle_id: self.stamp.cycle_id.clone(),
            change_id: self.stamp.id(),
            provisioning_action: ending.action,
            duration_in_milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            provisioning_status_info: ending.status,
            provisioning_steps: steps,
            modified_properties: ending.modified,
            source_identity: ending.source,
            target_identity: ending.target,
            source_system: self.stamp.source.clone(),
            target_system: self.stamp.target.clone(),
            initiated_by: self.stamp.initiator.clone(),
        }
    }
}

/// The object at the source.
pub(super) fn source_identity(subject: &Subject) -> Identity {
    let details = ["userPrincipalName", "mail"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), subject.attributes.get(name)?.clone())));
    Identity {
        id: subject.key.clone(),
        display_name: subject.name().map(str::to_owned),
        identity_type: subject.kind,
        details: details.collect(),
    }
}

/// The resource at the target, named by what it is given for a name.
pub(super) fn target_identity(kind: Kind, id: &ResourceId, assigned: &[Assigned<'_>]) -> Identity {
    let value = |canonical: &str| {
        let of_name = |it: &&Assigned<'_>| it.target.canonical == canonical && !it.redacted;
        match &assigned.iter().find(of_name)?.value {
            Flow::One(Scalar::Text(text)) => Some(text.clone()),
            _ => None,
        }
    };
    let user_name = value("userName").filter(|_| kind == Kind::User);
    let details = user_name
        .as_ref()
        .map(|name| ("userName".to_owned(), json!(name)));
    Identity {
        id: id.to_string(),
        display_name: value("displayName").or_else(|| user_name.clone()),
        identity_type: kind,
        details: details.into_iter().collect(),
    }
}

/// The object was read. With everything that is known of it where everything is told.
pub(super) fn import(subject: &Subject, stamp: &Stamp) -> Step {
    let (name, did) = match (subject.facts.presence, subject.link) {
        (Presence::Gone, _) => (StepName::EntryImportDelete, "is gone from"),
        (Presence::Suspended, _) => (StepName::EntryImportDelete, "is in the recycle bin of"),
        (Presence::Present, Link::None) => (StepName::EntryImportAdd, "was read from"),
        (Presence::Present, _) => (StepName::EntryImportUpdate, "was read again from"),
    };
    let description = format!("{} {did} {}.", shown(subject), stamp.source.display_name);
    let step = Step::new(name, Status::Success, description).with("objectId", subject.key.as_str());
    match stamp.tells_all {
        true => Step {
            details: with_all(step.details, &subject.attributes),
            ..step
        },
        false => step,
    }
}

/// Whether the object is in scope, and what decided it.
pub(super) fn scoping(
    application: &Application,
    subject: &Subject,
    evaluation: &Evaluation<'_>,
    stamp: &Stamp,
) -> Step {
    let Facts {
        presence,
        assigned,
        has_role,
        passes_filters,
        enabled,
        ..
    } = subject.facts;
    let entitled = !subject.standing.is_soft_deleted();
    let description = format!("{} {}.", shown(subject), standing(subject.standing));
    let step = Step::new(
        StepName::EntrySynchronizationScoping,
        Status::Success,
        description,
    )
    .with("IsActive", enabled && presence == Presence::Present)
    .with("Assigned", assigned)
    .with("ScopeSyncAll", !application.assigned_only)
    .with("HasRequiredRole", has_role)
    .with("PassesScopingFilters", passes_filters)
    .with("IsEffectivelyEntitledForProvisioning", entitled);
    let step = match subject.name() {
        Some(name) => step.with("IsInProvisioningScopeDisplayName", name),
        None => step,
    };
    let clauses = match stamp.tells_all {
        true => evaluation.scope(),
        false => Vec::new(),
    };
    match clauses.is_empty() {
        true => step,
        false => step.with("ScopeEvaluationResult", Map::from_iter(clauses)),
    }
}

/// An object by its name, or by its key where it has none.
pub(super) fn shown(subject: &Subject) -> String {
    let kind = match subject.kind {
        Kind::User => "User",
        Kind::Group => "Group",
    };
    format!("{kind} {}", subject.name().unwrap_or(&subject.key))
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::InScope => "is in scope",
        Standing::Disabled => "is in scope and may not sign in",
        Standing::OutOfScope(Outside::Unassigned) => {
            "is out of scope: not assigned to the application"
        }
        Standing::OutOfScope(Outside::WithoutRole) => {
            "is out of scope: assigned without a role that the application admits"
        }
        Standing::OutOfScope(Outside::Filtered) => "is out of scope: a scoping filter keeps it out",
        Standing::Suspended => "is in the recycle bin of the source",
        Standing::Gone => "is gone from the source",
    }
}

fn with_all(
    mut details: Map<String, Value>,
    attributes: &Map<String, Value>,
) -> Map<String, Value> {
    let more = attributes.iter();
    details.extend(more.map(|(name, value)| (name.clone(), value.clone())));
    details
}
