//! What SCIM can refuse: the `scimType` values of RFC 7644 table 9 and RFC 9865, each with a sentence for a person.

use std::fmt;

/// A refusal with its `scimType` and a sentence that says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// Which kind of refusal this is; decides `scimType` and the HTTP status.
    pub kind: ErrorKind,
    /// What was wrong, with the attribute or position, and what to do about it. Never contains a secret.
    pub detail: String,
}

/// `scimType` values: RFC 7644 section 3.12 table 9, and RFC 9865 section 2.1 for the cursor ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The filter is malformed or compares what cannot be compared.
    InvalidFilter,
    /// The filter matches more than the server is willing to return.
    TooMany,
    /// A unique value is taken. HTTP 409; all others are 400.
    Uniqueness,
    /// A read-only, immutable or required attribute would be changed.
    Mutability,
    /// The body is not the message that was expected.
    InvalidSyntax,
    /// The `path` of a PATCH operation is malformed or names no attribute.
    InvalidPath,
    /// The `path` of a PATCH operation selects nothing.
    NoTarget,
    /// A value is missing or has the wrong type.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// Personal data may not appear in a URL; use `.search`.
    Sensitive,
    /// The cursor is not one of ours, or belongs to another query.
    InvalidCursor,
    /// The cursor has timed out.
    ExpiredCursor,
    /// `count` differs from the one the cursor was made with.
    InvalidCount,
}

impl ErrorKind {
    /// The wire spelling.
    pub fn scim_type(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }

    /// The HTTP status RFC 7644 table 9 gives to this `scimType`.
    pub fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            _ => 400,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scim_type())
    }
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error { $($(#[$doc])* pub fn $name(detail: impl Into<String>) -> Self {
            Self { kind: ErrorKind::$kind, detail: detail.into() }
        })* }
    };
}
constructors! {
    /// See [`ErrorKind::InvalidFilter`].
    invalid_filter => InvalidFilter;
    /// See [`ErrorKind::TooMany`].
    too_many => TooMany;
    /// See [`ErrorKind::Uniqueness`].
    uniqueness => Uniqueness;
    /// See [`ErrorKind::Mutability`].
    mutability => Mutability;
    /// See [`ErrorKind::InvalidSyntax`].
    invalid_syntax => InvalidSyntax;
    /// See [`ErrorKind::InvalidPath`].
    invalid_path => InvalidPath;
    /// See [`ErrorKind::NoTarget`].
    no_target => NoTarget;
    /// See [`ErrorKind::InvalidValue`].
    invalid_value => InvalidValue;
    /// See [`ErrorKind::InvalidCursor`].
    invalid_cursor => InvalidCursor;
    /// See [`ErrorKind::ExpiredCursor`].
    expired_cursor => ExpiredCursor;
    /// See [`ErrorKind::InvalidCount`].
    invalid_count => InvalidCount;
}

/// The URN of the error message.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The body of an error answer (RFC 7644 section 3.12); `status` is a JSON string there.
pub fn body(status: u16, scim_type: Option<&str>, detail: &str) -> serde_json::Value {
    let mut body = serde_json::json!({ "schemas": [ERROR_URN], "status": status.to_string() });
    if let (Some(map), Some(kind)) = (body.as_object_mut(), scim_type) {
        map.insert("scimType".into(), kind.into());
    }
    if let Some(map) = body.as_object_mut() {
        map.insert("detail".into(), detail.into());
    }
    body
}
