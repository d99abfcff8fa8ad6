//! The error codes of the provisioning log: Entra's, each with what a person can do about it.

use portreeve_mapping::Reason;
use portreeve_mapping::mapping::FlowError;
use serde::{Deserialize, Serialize};

use crate::target::Error;

/// What happened to an object, in the words of Entra's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Code {
    /// Another resource has the same unique value.
    EntryConflict,
    /// The resource was changed by somebody else at the same time.
    Conflict,
    /// The target asks for fewer requests.
    TooManyRequests,
    /// The target failed.
    InternalServerError,
    /// The target could not be reached.
    WebExceptionProtocolError,
    /// The target did not answer in time.
    Timeout,
    /// The engine itself failed.
    InternalError,
    /// The credentials are good, and do not allow this.
    InsufficientRights,
    /// The target does not do this.
    MethodNotAllowed,
    /// The credentials are refused.
    Unauthorized,
    /// The target understood the request and finds it wrong.
    UnprocessableEntity,
    /// The target does not do this yet.
    NotImplemented,
    /// The linked resource is not at the target any more.
    InvalidAnchor,
    /// An attribute that the target requires has no value.
    MandatoryFieldsMissing,
    /// The target does not know an attribute.
    SchemaAttributeNotFound,
    /// Several values for an attribute that takes one.
    SchemaPropertyCanOnlyAcceptValue,
    /// Several resources match one object.
    DuplicateTargetEntries,
    /// Several objects match one resource.
    DuplicateSourceEntries,
    /// No matching attribute has a value, or the row of the source cannot be used.
    ImportSkipped,
    /// Nothing may be done, or nothing is to be done.
    EntrySynchronizationSkipped,
    /// A value could not be worked out. Entra has no such code.
    EntrySynchronizationError,
    /// The guard against accidental deletions holds it. Entra has no such code.
    TooManyDeletes,
    /// Several resources where one was asked for.
    #[serde(rename = "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse")]
    MultipleEntriesInResponse,
    /// The answer is not what SCIM says.
    #[serde(rename = "SystemForCrossDomainIdentityManagementServiceIncompatible")]
    ServiceIncompatible,
    /// The target cannot be asked for resources by a value.
    #[serde(rename = "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering")]
    ServiceIncompatibleFiltering,
    /// The connection test found the credentials wrong.
    #[serde(rename = "SystemForCrossDomainIdentityManagementCredentialValidationFailure")]
    CredentialValidationFailure,
    /// The connection test reached nobody.
    #[serde(rename = "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable")]
    CredentialValidationUnavailable,
    /// A manager or member that the target does not have.
    UnableToResolveReferenceAttributeValue,
    /// The target has every value already.
    RedundantExport,
    /// Not in scope, or not active at the source.
    NotEffectivelyEntitled,
}

/// What kind of trouble a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Category {
    /// Data, mappings or permissions: a person has to change something.
    NonServiceFailure,
    /// The target or the way to it.
    TargetServiceFailure,
    /// The engine.
    ServiceFailure,
    /// No failure.
    None,
}

/// When an object is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Soon, and then less and less often: the trouble may pass by itself.
    Soon,
    /// Hours later, and then less and less often: a person has to do something.
    Later,
    /// When the object, the mappings or the scope change.
    OnChange,
}

/// What the engine was doing when the target did not play along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum During {
    /// Testing the connection.
    Probe,
    /// Looking for a match.
    Find,
    /// Making a resource.
    Create,
    /// Reading, changing or deleting a resource by its id.
    Linked,
}

impl Code {
    /// All codes, in the order in which they are listed to people.
    pub const ALL: [Self; 30] = [
        Self::EntryConflict,
        Self::Conflict,
        Self::TooManyRequests,
        Self::InternalServerError,
        Self::WebExceptionProtocolError,
        Self::Timeout,
        Self::InternalError,
        Self::InsufficientRights,
        Self::MethodNotAllowed,
        Self::Unauthorized,
        Self::UnprocessableEntity,
        Self::NotImplemented,
        Self::InvalidAnchor,
        Self::MandatoryFieldsMissing,
        Self::SchemaAttributeNotFound,
        Self::SchemaPropertyCanOnlyAcceptValue,
        Self::DuplicateTargetEntries,
        Self::DuplicateSourceEntries,
        Self::ImportSkipped,
        Self::EntrySynchronizationSkipped,
        Self::EntrySynchronizationError,
        Self::TooManyDeletes,
        Self::MultipleEntriesInResponse,
        Self::ServiceIncompatible,
        Self::ServiceIncompatibleFiltering,
        Self::CredentialValidationFailure,
        Self::CredentialValidationUnavailable,
        Self::UnableToResolveReferenceAttributeValue,
        Self::RedundantExport,
        Self::NotEffectivelyEntitled,
    ];

    /// The code of what a target answered.
    #[must_use]
    pub fn of(error: &Error, during: During) -> Self {
        match error {
            Error::Refused {
                status, scim_type, ..
            } => refused(*status, scim_type.as_deref(), during),
            Error::Throttled { .. } => Self::TooManyRequests,
            Error::ForbiddenAddress { .. } | Error::Settings(_) | Error::Setup(_) => {
                Self::CredentialValidationUnavailable
            }
            Error::SignIn(_) => Self::CredentialValidationFailure,
            Error::Unreachable { .. } if during == During::Probe => {
                Self::CredentialValidationUnavailable
            }
            // The target says in one word whether nobody was there or nobody answered in time.
            Error::Unreachable { .. } if error.code() == "Timeout" => Self::Timeout,
            Error::Unreachable { .. } => Self::WebExceptionProtocolError,
            Error::Ambiguous { .. } if during == During::Find => Self::DuplicateTargetEntries,
            Error::Ambiguous { .. } => Self::MultipleEntriesInResponse,
            Error::FilterIgnored { .. } => Self::ServiceIncompatibleFiltering,
            Error::NotScim { .. } if during == During::Probe => Self::ServiceIncompatibleFiltering,
            Error::NotScim { .. } => Self::ServiceIncompatible,
        }
    }

    /// The code of a value that could not be worked out.
    #[must_use]
    pub fn of_flow(error: &FlowError) -> Self {
        match error {
            FlowError::Required => Self::MandatoryFieldsMissing,
            FlowError::SeveralValues(_) => Self::SchemaPropertyCanOnlyAcceptValue,
            FlowError::Evaluation(error) if error.reason == Reason::AllTaken => Self::EntryConflict,
            _ => Self::EntrySynchronizationError,
        }
    }

    /// What kind of trouble it is.
    #[must_use]
    pub fn category(self) -> Category {
        match self {
            Self::RedundantExport
            | Self::NotEffectivelyEntitled
            | Self::EntrySynchronizationSkipped => Category::None,
            Self::InternalError => Category::ServiceFailure,
            Self::TooManyRequests
            | Self::InternalServerError
            | Self::WebExceptionProtocolError
            | Self::Timeout
            | Self::NotImplemented
            | Self::MultipleEntriesInResponse
            | Self::ServiceIncompatible
            | Self::ServiceIncompatibleFiltering
            | Self::CredentialValidationUnavailable => Category::TargetServiceFailure,
            _ => Category::NonServiceFailure,
        }
    }

    /// When the object is tried again.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::TooManyRequests
            | Self::InternalServerError
            | Self::WebExceptionProtocolError
            | Self::Timeout
            | Self::InternalError
            | Self::Conflict
            | Self::CredentialValidationUnavailable => Retry::Soon,
            Self::ImportSkipped
            | Self::EntrySynchronizationSkipped
            | Self::RedundantExport
            | Self::NotEffectivelyEntitled
            | Self::TooManyDeletes => Retry::OnChange,
            _ => Retry::Later,
        }
    }

    /// Whether the whole job is put into quarantine at once, however many objects it is about: every other request
    /// would end the same way.
    #[must_use]
    pub fn quarantines(self) -> bool {
        matches!(
            self,
            Self::Unauthorized
                | Self::CredentialValidationFailure
                | Self::CredentialValidationUnavailable
                | Self::ServiceIncompatibleFiltering
        )
    }

    /// Whether it is about a manager or a member, which thresholds count apart.
    #[must_use]
    pub fn is_reference(self) -> bool {
        self == Self::UnableToResolveReferenceAttributeValue
    }

    /// What a person can do about it; empty where nothing is wrong.
    #[must_use]
    pub fn recommended_action(self) -> &'static str {
        match self {
            Self::EntryConflict => {
                "Another resource at the target has the same unique value: match by that attribute, or change one of the two."
            }
            Self::InsufficientRights => {
                "Give the token the right to manage this object at the target."
            }
            Self::Unauthorized | Self::CredentialValidationFailure => {
                "Make a new secret at the target, enter it here, and restart."
            }
            Self::UnprocessableEntity => {
                "Compare the values under modified properties with what the target allows, and correct the mapping or the data."
            }
            Self::InvalidAnchor => {
                "The linked resource was deleted at the target: restart with ConnectorDataStore, so that it is matched or made anew."
            }
            Self::MandatoryFieldsMissing => {
                "Fill the attribute in at the source, or give its mapping a default value."
            }
            Self::SchemaAttributeNotFound => {
                "Take the attribute out of the mapping, or add it to the target's schema."
            }
            Self::SchemaPropertyCanOnlyAcceptValue => {
                "Choose one of the values in the mapping, with Item or Join."
            }
            Self::DuplicateSourceEntries => {
                "Give each object of the source its own value of the matching attribute."
            }
            Self::ImportSkipped => {
                "Fill in a matching attribute at the source, or match by one that everybody has."
            }
            Self::EntrySynchronizationError => {
                "Correct the expression or the value; `portreeve mapping test` shows what the expression gives."
            }
            Self::TooManyDeletes => {
                "Look at what would be lost: allow it with ForceDeletes, or repair assignments and scoping filters and restart."
            }
            Self::UnableToResolveReferenceAttributeValue => {
                "Bring the member or manager into scope; restart if late references are switched off."
            }
            _ => self.about_the_target(),
        }
    }

    /// What a person can do about the target and the way to it.
    fn about_the_target(self) -> &'static str {
        match self {
            Self::Conflict => "Nothing; the object is read and written again.",
            Self::TooManyRequests => {
                "Nothing; it is sent again. If it happens often, lower the rate limit of this application."
            }
            Self::InternalServerError => {
                "Look into the target's log; the object is sent again by itself."
            }
            Self::WebExceptionProtocolError | Self::Timeout => {
                "Check that the target is up and can be reached from here; the object is sent again by itself."
            }
            Self::InternalError => {
                "Report this with the log record; the object is sent again by itself."
            }
            Self::MethodNotAllowed | Self::NotImplemented => {
                "The target does not support this request: ask its operator, or switch the flow type off in the mapping."
            }
            Self::DuplicateTargetEntries | Self::MultipleEntriesInResponse => {
                "Delete or rename the surplus resources at the target, or match by another attribute."
            }
            Self::ServiceIncompatible => {
                "Compare the target's answer with the SCIM standard; its operator has to correct it, or the tenant URL is wrong."
            }
            Self::ServiceIncompatibleFiltering => {
                "The target must answer a filter on the matching attribute with a list, also with an empty one: check the tenant URL, or match by another attribute."
            }
            Self::CredentialValidationUnavailable => {
                "Check the tenant URL and that the target can be reached from here."
            }
            _ => "",
        }
    }
}

/// The code of a status (RFC 7644 section 3.12).
fn refused(status: u16, scim_type: Option<&str>, during: During) -> Code {
    let is = |word: &str| scim_type.is_some_and(|given| given.eq_ignore_ascii_case(word));
    match (status, during) {
        (400 | 409, _) if is("uniqueness") => Code::EntryConflict,
        (401, During::Probe) | (403, During::Probe) => Code::CredentialValidationFailure,
        (400 | 404 | 405 | 501, During::Probe) | (404 | 405 | 501, During::Find) => {
            Code::ServiceIncompatibleFiltering
        }
        (400, _) if is("invalidPath") || is("noTarget") => Code::SchemaAttributeNotFound,
        (400, _) if is("invalidValue") => Code::UnprocessableEntity,
        (401, _) => Code::Unauthorized,
        (403, _) => Code::InsufficientRights,
        (404 | 410, During::Linked) => Code::InvalidAnchor,
        (405, _) => Code::MethodNotAllowed,
        (408 | 504, _) => Code::Timeout,
        (409, During::Create) => Code::EntryConflict,
        (409 | 412, _) => Code::Conflict,
        (422, _) => Code::UnprocessableEntity,
        (429, _) => Code::TooManyRequests,
        (501, _) => Code::NotImplemented,
        (500..=599, _) => Code::InternalServerError,
        _ => Code::ServiceIncompatible,
    }
}

#[cfg(test)]
mod tests;
