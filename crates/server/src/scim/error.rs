//! Every refusal as SCIM says it (RFC 7644 section 3.12): status, `scimType`, and a sentence a person can act on.

use crate::auth::Refused;
use crate::body::BodyError;
use crate::limits::NotNow;
use http::StatusCode;
use portreeve_directory::Refusal;
use portreeve_scim::ErrorKind;
use portreeve_store as store;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) scim_type: Option<&'static str>,
    /// The reason code in the event.
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    /// After how many seconds the same request may be a success.
    pub(crate) retry_after: Option<u32>,
}

impl Failure {
    pub(crate) fn plain(status: StatusCode, reason: &'static str, detail: String) -> Self {
        Self {
            status,
            scim_type: None,
            reason,
            detail,
            retry_after: None,
        }
    }
}

impl From<portreeve_scim::Error> for Failure {
    fn from(error: portreeve_scim::Error) -> Self {
        let scim_type = error.kind.scim_type();
        let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self {
            status,
            scim_type: Some(scim_type),
            reason: scim_type,
            detail: error.detail,
            retry_after: None,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Scim(error) => error.into(),
            Refusal::NotFound(..) => Self::plain(StatusCode::NOT_FOUND, "not_found", detail),
            Refusal::Conflict { .. } => portreeve_scim::Error {
                kind: ErrorKind::Uniqueness,
                detail,
            }
            .into(),
            Refusal::Invalid { .. } => portreeve_scim::Error {
                kind: ErrorKind::InvalidValue,
                detail,
            }
            .into(),
            Refusal::Changed { .. } | Refusal::Stale(_) => {
                Self::plain(StatusCode::PRECONDITION_FAILED, "changed", detail)
            }
            // What only the admin API and the console refuse.
            Refusal::Managed { .. } => {
                Self::plain(StatusCode::CONFLICT, "managed_by_directory", detail)
            }
            Refusal::Forbidden(_) | Refusal::Guarded { .. } => {
                Self::plain(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        if let Some(not_now) = NotNow::of(&error) {
            return not_now.into();
        }
        if let store::Error::Nul { .. } = error {
            return portreeve_scim::Error::invalid_value(
                "the request has the character NUL (U+0000) in a value; leave it out",
            )
            .into();
        }
        tracing::error!(%error, "the database failed");
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server could not do this; its log has the cause under the X-Request-Id of this answer".into())
    }
}

impl From<NotNow> for Failure {
    fn from(not_now: NotNow) -> Self {
        Self {
            retry_after: Some(not_now.retry_after()),
            ..Self::plain(not_now.status(), not_now.code(), not_now.to_string())
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Self::plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than {limit} bytes; send less at once"),
            ),
            BodyError::TooSlow => Self::plain(
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                "the body did not arrive in time; send it again".into(),
            ),
            BodyError::Busy => NotNow::LargeBodies.into(),
            BodyError::Incomplete => Self {
                reason: "incomplete",
                ..portreeve_scim::Error::invalid_syntax(
                    "the body ended before its announced length",
                )
                .into()
            },
            BodyError::MediaType => Self::plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "send the body as application/scim+json or application/json".into(),
            ),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Missing(_) => Self::plain(
                StatusCode::UNAUTHORIZED,
                "token_missing",
                "send the directory's secret token as Authorization: Bearer, or as the password of Basic authentication".into(),
            ),
            Refused::NoDirectory => Self::plain(
                StatusCode::UNAUTHORIZED,
                "token_unknown",
                portreeve_directory::tokens::Denied::Unknown.to_string(),
            ),
            Refused::Denied(_, denied) => Self::plain(StatusCode::UNAUTHORIZED, denied.code(), denied.to_string()),
            Refused::Failed(refusal) => refusal.into(),
        }
    }
}
