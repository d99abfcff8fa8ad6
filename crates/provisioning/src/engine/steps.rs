//! The provisioning log: one record for each change of an object, in the form of Microsoft Graph's
//! `auditLogs/provisioning`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::codes::{Category, Code};
use super::plan::Action;
use crate::source::Kind;

/// What logs show in place of a value that an expression redacts.
pub const REDACTED: &str = "[Redact]";

/// What happened to one object in one cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub activity_date_time: Timestamp,
    /// The application's job.
    pub job_id: String,
    /// The cycle; all records of one cycle have it in common.
    pub cycle_id: String,
    /// The change; the steps and the modified properties of exported tables are joined by it.
    pub change_id: String,
    /// What was done, or was to be done.
    pub provisioning_action: RecordAction,
    /// How long it took.
    pub duration_in_milliseconds: u64,
    /// How it went.
    pub provisioning_status_info: StatusInfo,
    /// How it came about, in order.
    pub provisioning_steps: Vec<Step>,
    /// Attributes of the target with the values that they had and got.
    pub modified_properties: Vec<ModifiedProperty>,
    /// The object at the source.
    pub source_identity: Identity,
    /// The resource at the target, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_identity: Option<Identity>,
    /// The source.
    pub source_system: System,
    /// The target.
    pub target_system: System,
    /// Who or what started it: the schedule, or a person on demand.
    pub initiated_by: Initiator,
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum RecordAction {
    Create,
    Update,
    Delete,
    Disable,
    /// Held by the guard against accidental deletions: a delete or a disable.
    StagedDelete,
    /// Nothing was to be done.
    Other,
}

impl RecordAction {
    /// The name of an action in the log; `held` where the guard holds it.
    #[must_use]
    pub fn of(action: Action, held: bool) -> Self {
        match action {
            Action::Disable { .. } | Action::Delete if held => Self::StagedDelete,
            Action::Create => Self::Create,
            Action::Adopt | Action::Update => Self::Update,
            Action::Disable { .. } => Self::Disable,
            Action::Delete => Self::Delete,
            Action::Release | Action::Skip(_) => Self::Other,
        }
    }
}

/// How a change went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusInfo {
    /// In one word.
    pub status: Status,
    /// Why it failed or was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_information: Option<ErrorInformation>,
}

/// How a change or a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum Status {
    Success,
    Failure,
    Skipped,
    Warning,
}

/// What a person needs to know of a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorInformation {
    /// The code.
    pub error_code: Code,
    /// What kind of trouble it is.
    pub error_category: Category,
    /// What happened.
    pub reason: String,
    /// What the target said, where it said more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_details: Option<String>,
    /// What to do about it; empty where nothing is wrong.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub recommended_action: String,
}

impl StatusInfo {
    /// It went well.
    #[must_use]
    pub fn success() -> Self {
        Self {
            status: Status::Success,
            error_information: None,
        }
    }

    /// It failed, or was skipped where the code is none of a failure or says so.
    #[must_use]
    pub fn of(code: Code, reason: impl Into<String>) -> Self {
        let skipped = code.category() == Category::None
            || matches!(code, Code::ImportSkipped | Code::TooManyDeletes);
        let status = match code {
            _ if skipped => Status::Skipped,
            Code::UnableToResolveReferenceAttributeValue => Status::Warning,
            _ => Status::Failure,
        };
        Self {
            status,
            error_information: Some(ErrorInformation {
                error_code: code,
                error_category: code.category(),
                reason: reason.into(),
                additional_details: None,
                recommended_action: code.recommended_action().to_owned(),
            }),
        }
    }
}

/// One step on the way of an object to the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Entra's name for it.
    pub name: StepName,
    /// Which of the kinds of steps it is.
    pub provisioning_step_type: StepType,
    /// How it went.
    pub status: Status,
    /// What was done, in a sentence.
    pub description: String,
    /// What it was decided by.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub details: Map<String, Value>,
}

/// Names of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum StepName {
    EntryImport,
    EntryImportAdd,
    EntryImportUpdate,
    EntryImportDelete,
    EntrySynchronizationScoping,
    EntryMatching,
    EntrySynchronizationAdd,
    EntrySynchronizationUpdate,
    EntrySynchronizationDelete,
    EntrySynchronizationSkip,
    EntryReferenceResolution,
    EntryExportAdd,
    EntryExportUpdate,
    EntryExportDelete,
}

/// The kinds of steps, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum StepType {
    Import,
    Scoping,
    Matching,
    Processing,
    ReferenceResolution,
    Export,
}

impl StepName {
    /// Which kind of step has this name.
    #[must_use]
    pub fn step_type(self) -> StepType {
        match self {
            Self::EntryImport
            | Self::EntryImportAdd
            | Self::EntryImportUpdate
            | Self::EntryImportDelete => StepType::Import,
            Self::EntrySynchronizationScoping => StepType::Scoping,
            Self::EntryMatching => StepType::Matching,
            Self::EntrySynchronizationAdd
            | Self::EntrySynchronizationUpdate
            | Self::EntrySynchronizationDelete
            | Self::EntrySynchronizationSkip => StepType::Processing,
            Self::EntryReferenceResolution => StepType::ReferenceResolution,
            Self::EntryExportAdd | Self::EntryExportUpdate | Self::EntryExportDelete => {
                StepType::Export
            }
        }
    }
}

impl Step {
    /// A step with nothing to add to its description.
    #[must_use]
    pub fn new(name: StepName, status: Status, description: impl Into<String>) -> Self {
        Self {
            name,
            provisioning_step_type: name.step_type(),
            status,
            description: description.into(),
            details: Map::new(),
        }
    }

    /// Adds what it was decided by, such as `Assigned` or `SkipReason`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// An attribute of the target that was changed, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifiedProperty {
    /// The attribute's path.
    pub display_name: String,
    /// The value that it had, as text; `None` where it had none.
    pub old_value: Option<String>,
    /// The value that it gets, as text; `None` where it is taken away.
    pub new_value: Option<String>,
}

/// An object at the source or at the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its key there.
    pub id: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// User or group.
    pub identity_type: Kind,
    /// Values that help to recognise it, such as its `userName`.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub details: Map<String, Value>,
}

/// A source or a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
}

/// Who or what started a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Initiator {
    /// The id of the job, or of the person.
    pub id: String,
    /// Their name.
    pub display_name: String,
    /// Which of the two.
    pub initiator_type: InitiatorType,
}

/// The kinds of those who start changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InitiatorType {
    /// The schedule.
    System,
    /// A person, on demand.
    User,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record() -> Record {
        let system = |id: &str| System {
            id: id.to_owned(),
            display_name: id.to_uppercase(),
        };
        Record {
            id: "r1".to_owned(),
            activity_date_time: Timestamp::UNIX_EPOCH,
            job_id: "j1".to_owned(),
            cycle_id: "c1".to_owned(),
            change_id: "h1".to_owned(),
            provisioning_action: RecordAction::of(Action::Delete, true),
            duration_in_milliseconds: 12,
            provisioning_status_info: StatusInfo::of(Code::TooManyDeletes, "held"),
            provisioning_steps: vec![
                Step::new(
                    StepName::EntrySynchronizationScoping,
                    Status::Success,
                    "Ada is not assigned.",
                )
                .with("Assigned", false),
            ],
            modified_properties: vec![ModifiedProperty {
                display_name: "active".to_owned(),
                old_value: Some("True".to_owned()),
                new_value: None,
            }],
            source_identity: Identity {
                id: "ada".to_owned(),
                display_name: None,
                identity_type: Kind::User,
                details: Map::new(),
            },
            target_identity: None,
            source_system: system("hr"),
            target_system: system("app"),
            initiated_by: Initiator {
                id: "j1".to_owned(),
                display_name: "Schedule".to_owned(),
                initiator_type: InitiatorType::System,
            },
        }
    }

    #[test]
    fn a_record_is_written_in_the_words_of_graph_and_read_again() {
        let written = serde_json::to_value(record()).unwrap();
        assert_eq!(
            written,
            json!({
                "id": "r1",
                "activityDateTime": "1970-01-01T00:00:00Z",
                "jobId": "j1",
                "cycleId": "c1",
                "changeId": "h1",
                "provisioningAction": "stagedDelete",
                "durationInMilliseconds": 12,
                "provisioningStatusInfo": {
                    "status": "skipped",
                    "errorInformation": {
                        "errorCode": "TooManyDeletes",
                        "errorCategory": "nonServiceFailure",
                        "reason": "held",
                        "recommendedAction": Code::TooManyDeletes.recommended_action(),
                    },
                },
                "provisioningSteps": [{
                    "name": "EntrySynchronizationScoping",
                    "provisioningStepType": "scoping",
                    "status": "success",
                    "description": "Ada is not assigned.",
                    "details": {"Assigned": false},
                }],
                "modifiedProperties": [
                    {"displayName": "active", "oldValue": "True", "newValue": null},
                ],
                "sourceIdentity": {"id": "ada", "identityType": "user"},
                "sourceSystem": {"id": "hr", "displayName": "HR"},
                "targetSystem": {"id": "app", "displayName": "APP"},
                "initiatedBy": {"id": "j1", "displayName": "Schedule", "initiatorType": "system"},
            })
        );
        assert_eq!(serde_json::from_value::<Record>(written).unwrap(), record());
    }

    #[test]
    fn each_code_is_a_failure_a_warning_or_a_skip() {
        for (code, status) in [
            (Code::EntryConflict, Status::Failure),
            (Code::Unauthorized, Status::Failure),
            (
                Code::UnableToResolveReferenceAttributeValue,
                Status::Warning,
            ),
            (Code::RedundantExport, Status::Skipped),
            (Code::ImportSkipped, Status::Skipped),
            (Code::NotEffectivelyEntitled, Status::Skipped),
        ] {
            assert_eq!(StatusInfo::of(code, "why").status, status, "{code:?}");
        }
    }

    #[test]
    fn each_action_has_its_name_in_the_log() {
        let disable = Action::Disable { release: true };
        let skip = Action::Skip(Code::RedundantExport);
        for (action, held, name) in [
            (Action::Create, false, RecordAction::Create),
            (Action::Adopt, false, RecordAction::Update),
            (Action::Update, true, RecordAction::Update),
            (disable, false, RecordAction::Disable),
            (disable, true, RecordAction::StagedDelete),
            (Action::Delete, false, RecordAction::Delete),
            (Action::Delete, true, RecordAction::StagedDelete),
            (Action::Release, false, RecordAction::Other),
            (skip, false, RecordAction::Other),
        ] {
            assert_eq!(RecordAction::of(action, held), name, "{action:?}, {held}");
        }
    }
}
