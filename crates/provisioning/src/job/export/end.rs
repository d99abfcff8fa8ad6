//! How an object's way ended, and what is told of it.

use super::Export;
use crate::application::Application;
use crate::engine::codes::Code;
use crate::engine::escrow::Escrow;
use crate::engine::steps::{ModifiedProperty, RecordAction, StatusInfo};
use crate::job::failure::Failure;
use crate::job::record::{self, Ending};
use crate::job::subject::{Counted, Outcome, Subject};

/// How it ended.
pub(super) struct End {
    pub(super) counted: Counted,
    pub(super) action: RecordAction,
    pub(super) status: StatusInfo,
    pub(super) modified: Vec<ModifiedProperty>,
    /// Whether it is told even where not everything is.
    pub(super) told: bool,
    pub(super) failure: Option<Failure>,
}

impl End {
    pub(super) fn done(
        counted: Counted,
        action: RecordAction,
        modified: Vec<ModifiedProperty>,
    ) -> Self {
        Self {
            counted,
            action,
            status: StatusInfo::success(),
            modified,
            told: true,
            failure: None,
        }
    }

    /// Nothing was sent.
    pub(super) fn skipped(counted: Counted, code: Code, reason: &str, told: bool) -> Self {
        Self {
            status: StatusInfo::of(code, reason),
            told,
            ..Self::done(counted, RecordAction::Other, Vec::new())
        }
    }

    pub(super) fn failed(action: &RecordAction, failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::done(Counted::Failed, *action, Vec::new())
        }
    }
}

/// Kinds without mappings are not provisioned, and nothing is told of them.
pub(super) fn not_provisioned(subject: &Subject) -> Outcome {
    Outcome {
        kind: subject.kind,
        key: subject.key.clone(),
        link: subject.link,
        target_id: subject.target_id.clone(),
        exported: subject.exported.clone(),
        references: None,
        shown_references: None,
        escrow: None,
        detail: None,
        record: None,
        counted: Counted::Skipped,
        stop: None,
    }
}

impl Export<'_> {
    /// What has become of the object.
    pub(super) fn finish(self, application: &Application, end: End) -> Outcome {
        let (subject, stamp) = (self.subject, self.stamp);
        let stop = end.failure.as_ref().and_then(Failure::stop);
        let escrow = match (&end.failure, &stop) {
            (Some(failure), None) => {
                Escrow::failed(subject.escrow.as_ref(), failure.code, stamp.now())
            }
            _ => None,
        };
        let detail = end.failure.as_ref().map(|failure| failure.detail.clone());
        let status = match &end.failure {
            Some(failure) => failure.status(match &escrow {
                Some(escrow) => escrow.describe(&failure.detail),
                None => failure.detail.clone(),
            }),
            None => end.status,
        };
        let record = (end.told || stamp.tells_all).then(|| {
            let first = vec![
                record::import(subject, stamp),
                record::scoping(application, subject, self.evaluation, stamp),
            ];
            let linked = self.known.target_id.as_ref();
            let linked = linked.map(|id| record::target_identity(subject.kind, id, &[]));
            self.log.record(
                first,
                Ending {
                    action: end.action,
                    status,
                    modified: end.modified,
                    source: record::source_identity(subject),
                    target: self.identity.or(linked),
                },
            )
        });
        Outcome {
            kind: subject.kind,
            key: subject.key.clone(),
            link: self.known.link,
            target_id: self.known.target_id,
            exported: self.known.exported,
            references: self.known.references,
            shown_references: self.shown_references,
            escrow,
            detail,
            record,
            counted: end.counted,
            stop,
        }
    }
}
