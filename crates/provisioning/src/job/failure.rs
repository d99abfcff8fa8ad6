//! Why an object did not get through, and whether any other would.

use portreeve_mapping::mapping::Failed;

use super::target::Target;
use crate::engine::codes::{Code, During};
use crate::engine::quarantine::Reason;
use crate::engine::steps::{ErrorInformation, StatusInfo};
use crate::source::Kind;
use crate::target::Error;

/// Why an object did not get through.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) code: Code,
    /// What happened, in a sentence.
    pub(super) detail: String,
    /// What the target itself said.
    said: Option<String>,
    /// What to do, where the code does not say.
    remedy: &'static str,
    /// Whether every other request would fail the same way.
    pub(super) is_general: bool,
}

impl Failure {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            said: None,
            remedy: "",
            is_general: false,
        }
    }

    /// A value that could not be worked out.
    pub(super) fn of_flow(failed: &Failed<'_>) -> Self {
        let detail = format!("{}: {}", failed.target.text, failed.error);
        Self::new(Code::of_flow(&failed.error), detail)
    }

    /// A request that failed. Trouble that a single object can cause as well as the whole target (a broken connection,
    /// an answer that is not SCIM, a search that finds others) is put to the test with a request about nobody: one
    /// poisonous object must not keep all others waiting.
    pub(super) async fn of(target: &Target, kind: Kind, error: Error, during: During) -> Self {
        let code = Code::of(&error, during);
        let suspicious = error.concerns_every_request() || code.quarantines();
        let is_general = suspicious
            && match error {
                Error::Unreachable { .. } | Error::NotScim { .. } | Error::FilterIgnored { .. } => {
                    target.probe(kind).await.is_err()
                }
                Error::Refused { status, .. } if status != 401 => target.probe(kind).await.is_err(),
                _ => true,
            };
        let said = match &error {
            Error::Refused { detail, .. } => Some(detail.clone()),
            Error::NotScim { start, .. } if !start.is_empty() => Some(start.clone()),
            _ => None,
        };
        Self {
            code,
            detail: error.to_string(),
            said,
            remedy: error.remedy(),
            is_general,
        }
    }

    /// The same under another code, for whoever knows better what it means.
    pub(super) fn under(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// Whether the linked resource is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.code == Code::InvalidAnchor
    }

    /// Why the whole cycle ends here, if it does.
    pub(super) fn stop(&self) -> Option<(Reason, String)> {
        let message = || match self.remedy {
            "" => self.detail.clone(),
            remedy => format!("{}. {remedy}", self.detail.trim_end_matches('.')),
        };
        self.is_general
            .then(|| (Reason::EncounteredQuarantineException, message()))
    }

    /// The same for the log. `reason` is the detail with whatever is to be said of the next try.
    pub(super) fn status(&self, reason: String) -> StatusInfo {
        let status = StatusInfo::of(self.code, reason);
        let information = status
            .error_information
            .map(|information| ErrorInformation {
                additional_details: self.said.clone(),
                recommended_action: match information.recommended_action.is_empty() {
                    true => self.remedy.to_owned(),
                    false => information.recommended_action,
                },
                ..information
            });
        StatusInfo {
            error_information: information,
            ..status
        }
    }
}
