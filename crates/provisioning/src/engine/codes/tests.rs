//! Which code says what, and what each promises.

use std::collections::HashSet;
use std::time::Duration;

use super::*;

fn status(status: u16, scim_type: &str) -> Error {
    Error::Refused {
        status,
        scim_type: Some(scim_type.to_owned()).filter(|word| !word.is_empty()),
        detail: "no".to_owned(),
    }
}

fn html() -> Error {
    Error::NotScim {
        reason: "no JSON".to_owned(),
        status: 200,
        content_type: "text/html".to_owned(),
        start: "<html>".to_owned(),
    }
}

fn ambiguous() -> Error {
    Error::Ambiguous {
        filter: "userName eq \"ada\"".to_owned(),
        count: 2,
    }
}

fn unreachable() -> Error {
    Error::Unreachable {
        attempts: 3,
        cause: "connection refused".to_owned(),
    }
}

#[test]
fn each_refusal_has_its_code() {
    use During::{Create, Find, Linked, Probe};
    let cases = [
        (400, "", Create, Code::ServiceIncompatible),
        (400, "", Find, Code::ServiceIncompatible),
        (400, "uniqueness", Create, Code::EntryConflict),
        (400, "invalidPath", Linked, Code::SchemaAttributeNotFound),
        (400, "noTarget", Linked, Code::SchemaAttributeNotFound),
        (400, "invalidValue", Linked, Code::UnprocessableEntity),
        (
            400,
            "invalidFilter",
            Probe,
            Code::ServiceIncompatibleFiltering,
        ),
        (401, "", Linked, Code::Unauthorized),
        (401, "", Probe, Code::CredentialValidationFailure),
        (403, "", Create, Code::InsufficientRights),
        (403, "", Probe, Code::CredentialValidationFailure),
        (404, "", Linked, Code::InvalidAnchor),
        (410, "", Linked, Code::InvalidAnchor),
        (404, "", Find, Code::ServiceIncompatibleFiltering),
        (404, "", Create, Code::ServiceIncompatible),
        (405, "", Linked, Code::MethodNotAllowed),
        (408, "", Create, Code::Timeout),
        (409, "", Create, Code::EntryConflict),
        (409, "uniqueness", Linked, Code::EntryConflict),
        (409, "", Linked, Code::Conflict),
        (412, "", Linked, Code::Conflict),
        (422, "", Create, Code::UnprocessableEntity),
        (429, "", Create, Code::TooManyRequests),
        (500, "", Create, Code::InternalServerError),
        (501, "", Linked, Code::NotImplemented),
        (503, "", Linked, Code::InternalServerError),
        (504, "", Linked, Code::Timeout),
    ];
    for (number, scim_type, during, code) in cases {
        let error = status(number, scim_type);
        assert_eq!(Code::of(&error, during), code, "{error}, {during:?}");
    }
}

#[test]
fn every_other_answer_has_its_code() {
    use During::{Create, Find, Linked, Probe};
    let throttled = Error::Throttled {
        retry_after: Some(Duration::from_secs(9)),
    };
    let late = Error::Unreachable {
        attempts: 3,
        cause: "no answer in time".to_owned(),
    };
    let ignored = Error::FilterIgnored {
        filter: "userName eq \"ada\"".to_owned(),
        count: 9,
    };
    let setup = Error::Setup("a blank".to_owned());
    let sign_in = Error::SignIn("invalid_client".to_owned());
    let cases = [
        (html(), Find, Code::ServiceIncompatible),
        (html(), Probe, Code::ServiceIncompatibleFiltering),
        (ambiguous(), Find, Code::DuplicateTargetEntries),
        (ambiguous(), Linked, Code::MultipleEntriesInResponse),
        (unreachable(), Create, Code::WebExceptionProtocolError),
        (unreachable(), Probe, Code::CredentialValidationUnavailable),
        (throttled, Create, Code::TooManyRequests),
        (late, Create, Code::Timeout),
        (ignored, Find, Code::ServiceIncompatibleFiltering),
        (setup, Create, Code::CredentialValidationUnavailable),
        (sign_in, Linked, Code::CredentialValidationFailure),
    ];
    for (error, during, code) in cases {
        assert_eq!(Code::of(&error, during), code, "{error}, {during:?}");
        // What the target calls it is one of the codes too.
        let name = serde_json::Value::from(error.code());
        assert!(serde_json::from_value::<Code>(name).is_ok(), "{error}");
    }
}

#[test]
fn each_value_that_cannot_be_worked_out_has_its_code() {
    let wrong = FlowError::Type {
        value: "x".to_owned(),
        expected: "a number",
    };
    let cases = [
        (FlowError::Required, Code::MandatoryFieldsMissing),
        (
            FlowError::SeveralValues(2),
            Code::SchemaPropertyCanOnlyAcceptValue,
        ),
        (wrong, Code::EntrySynchronizationError),
    ];
    for (error, code) in cases {
        assert_eq!(Code::of_flow(&error), code, "{error}");
    }
}

#[test]
fn every_failure_has_a_remedy_and_every_code_its_name() {
    let mut names = HashSet::new();
    for code in Code::ALL {
        let name = serde_json::to_string(&code).unwrap();
        assert_eq!(serde_json::from_str::<Code>(&name).unwrap(), code);
        let fails = code.category() != Category::None;
        assert_eq!(!code.recommended_action().is_empty(), fails, "{name}");
        assert!(!code.quarantines() || fails, "{name}");
        assert!(names.insert(name));
    }
    assert_eq!(
        serde_json::to_value(Code::ServiceIncompatible).unwrap(),
        "SystemForCrossDomainIdentityManagementServiceIncompatible"
    );
}

#[test]
fn what_passes_by_itself_is_tried_again_soon() {
    for (code, retry) in [
        (Code::Timeout, Retry::Soon),
        (Code::TooManyRequests, Retry::Soon),
        (Code::InternalServerError, Retry::Soon),
        (Code::EntryConflict, Retry::Later),
        (Code::InvalidAnchor, Retry::Later),
        (Code::ImportSkipped, Retry::OnChange),
        (Code::RedundantExport, Retry::OnChange),
    ] {
        assert_eq!(code.retry(), retry, "{code:?}");
    }
}
