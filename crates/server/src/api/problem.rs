//! Every refusal of the admin API as RFC 9457 says it: `application/problem+json` with a sentence a person can act on.

use crate::body::BodyError;
use crate::limits::NotNow;
use crate::step;
use crate::who::Stranger;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use portreeve_directory::tokens::Denied;
use portreeve_directory::{Permission, Refusal};
use portreeve_store as store;
use serde_json::{Value, json};
use std::io;

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    /// A code that does not change with the wording.
    code: &'static str,
    /// What is wrong and what to do.
    detail: String,
    /// The place in a feed to go on from.
    position: Option<i64>,
    /// After how many seconds the same request may be a success.
    retry_after: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            position: None,
            retry_after: None,
        }
    }

    /// A code that does not change with the wording.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether the request was not even looked at: the server failed, or has too much to do.
    pub(crate) fn is_passing(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// It was asked too often; it may be asked again after so many seconds.
    pub(crate) fn too_many(detail: impl Into<String>, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
        }
    }

    /// The request makes no sense.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", detail)
    }

    /// What was asked for is not there.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// Something else that is there or under way is in the way.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// Something that is under way has to end first.
    pub(super) fn pending(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::LOCKED, "pending", detail)
    }

    /// The caller is nobody.
    pub(super) fn not_signed_in(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", detail)
    }

    /// The caller may not do this.
    pub(super) fn forbidden(needed: Permission) -> Self {
        let meaning = needed.meaning();
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!(
                "this needs the permission {needed} (\"{meaning}\"), which you do not have; ask an owner or admin of the team"
            ),
        )
    }

    /// What is done only through the local socket.
    pub(super) fn only_here() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "only_here",
            "this is done on the machine of the server only, as the user that runs it or root",
        )
    }

    /// A condition on what has no entity tag.
    pub(super) fn no_tag() -> Self {
        Self::invalid("If-Match: there is no entity tag here; send the request without it")
    }

    /// Another request has used this `Idempotency-Key`.
    pub(super) fn other_request() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_mismatch",
            "this Idempotency-Key was sent with another body; send another key with this one",
        )
    }

    /// The request with this `Idempotency-Key` has not ended.
    pub(super) fn under_way() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(
                StatusCode::CONFLICT,
                "idempotency_in_progress",
                "the request with this Idempotency-Key is being carried out; ask again in a moment",
            )
        }
    }

    /// The request with this `Idempotency-Key` was carried out, and nobody knows its answer.
    pub(super) fn answer_lost() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "idempotency_answer_lost",
            "the request with this Idempotency-Key was carried out, but its answer was lost when the server stopped; look for what it made",
        )
    }

    pub(crate) fn no_endpoint() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no_endpoint",
            "there is no such endpoint; /api/v1/openapi.json describes all there are",
        )
    }

    /// The feed does not have everything after the place of a consumer any more (or, when `ahead`, does not reach it).
    pub(super) fn feed_lost(ahead: bool, end: i64) -> Self {
        let (code, cause) = match ahead {
            true => (
                "feed_reset",
                "the feed does not reach this position: the database was put back to an earlier state, or is another one",
            ),
            false => (
                "feed_pruned",
                "changes after this position are not kept any more",
            ),
        };
        let detail = format!("{cause}; read everything anew, then follow with after={end}");
        Self {
            position: Some(end),
            ..Self::new(StatusCode::GONE, code, detail)
        }
    }

    /// Something that the log tells of.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server could not do this; its log has the cause under the X-Request-Id of this answer",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this endpoint does not know that method; the Allow header names those it knows",
        )
    }
}

impl From<Stranger> for Problem {
    fn from(stranger: Stranger) -> Self {
        match stranger {
            Stranger::Missing => Self::not_signed_in(
                "sign in with `portreeve login`, or send an API token as `Authorization: Bearer …`; on the machine of the server the command line needs neither",
            ),
            Stranger::Token(denied) => Self::not_signed_in(match denied {
                Denied::Malformed | Denied::Unknown => {
                    "this is no API token of this server; check it, or make another one"
                }
                Denied::Revoked => {
                    "this API token was revoked, or whoever it acts for was suspended; make another one"
                }
                Denied::Expired => "this API token has expired; make another one",
            }),
            Stranger::Session => Self::not_signed_in(
                "the session has ended; sign in again (on the command line with `portreeve login`)",
            ),
            Stranger::CrossSite => Self::new(
                StatusCode::FORBIDDEN,
                "cross_site",
                "a page of another site sent this request with the cookie of this one; it was not carried out",
            ),
            Stranger::NotNow(not_now) => not_now.into(),
            Stranger::Failed(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::NotFound(..) => Self::not_found(detail),
            Refusal::Conflict { .. } => Self::conflict(detail),
            Refusal::Invalid { .. } => Self::invalid(detail),
            Refusal::Scim(error) => Self::new(
                StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST),
                error.kind.scim_type(),
                error.detail,
            ),
            Refusal::Changed { .. } | Refusal::Stale(_) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "changed", detail)
            }
            Refusal::Managed { .. } => {
                Self::new(StatusCode::CONFLICT, "managed_by_directory", detail)
            }
            Refusal::Forbidden(_) | Refusal::Guarded { .. } => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<portreeve_scim::Error> for Problem {
    fn from(error: portreeve_scim::Error) -> Self {
        Refusal::Scim(error).into()
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        if let Some(not_now) = NotNow::of(&error) {
            return not_now.into();
        }
        if let store::Error::Nul { .. } = error {
            return Self::invalid(
                "the request has the character NUL (U+0000) in a value; leave it out",
            );
        }
        tracing::error!(%error, "the database failed");
        Self::internal()
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "the data folder cannot be used");
        Self::internal()
    }
}

impl From<NotNow> for Problem {
    fn from(not_now: NotNow) -> Self {
        Self {
            retry_after: Some(not_now.retry_after()),
            ..Self::new(not_now.status(), not_now.code(), not_now.to_string())
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(limit) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("the body is larger than {limit} bytes"),
            ),
            BodyError::TooSlow => Self::new(
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                "the body did not arrive in time; send it again",
            ),
            BodyError::Busy => NotNow::LargeBodies.into(),
            BodyError::Incomplete => Self::invalid("the body ended before its announced length"),
            BodyError::MediaType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "send the body as application/json",
            ),
        }
    }
}

/// A refusal that has come by way of what serves the `step` client.
impl From<step::Refused> for Problem {
    fn from(refused: step::Refused) -> Self {
        let status = StatusCode::from_u16(refused.fault.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let usual = match status {
            StatusCode::TOO_MANY_REQUESTS => "rate_limited",
            status if status.is_server_error() => "internal",
            _ => "invalid",
        };
        Self {
            retry_after: refused.retry_after,
            ..Self::new(status, refused.code.unwrap_or(usual), refused.fault.message)
        }
    }
}

/// The form of a refusal, for the API's description.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["title", "status", "code", "detail"],
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "does not change with the wording"},
            "detail": {"type": "string", "description": "what is wrong and what to do"},
            "position": {"type": "integer", "description": "the place in a feed to go on from"},
        },
    })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(position) = self.position {
            body["position"] = json!(position);
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"Portreeve\""),
            );
        }
        response
    }
}
