//! Answers and refusals.

use crate::body::BodyError;
use crate::ca;
use crate::limits::NotNow;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use portreeve_directory::Refusal;
use portreeve_step::{Fault, TokenError, answer};
use portreeve_store as store;
use serde::Serialize;

/// A refusal with what the log calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) fault: Fault,
    /// The reason in one word, which stays the same; `None`: it is no event.
    pub(crate) code: Option<&'static str>,
    /// After how many seconds it may be tried again.
    pub(crate) retry_after: Option<u32>,
}

impl Refused {
    /// One that becomes an event.
    pub(super) fn new(code: &'static str, fault: Fault) -> Self {
        Self {
            code: Some(code),
            ..fault.into()
        }
    }

    /// It is not known who asks.
    pub(super) fn unauthorized(code: &'static str, why: impl std::fmt::Display) -> Self {
        Self::new(code, Fault::unauthorized(why))
    }

    /// Whoever asks may not have that.
    pub(super) fn forbidden(code: &'static str, why: impl std::fmt::Display) -> Self {
        Self::new(code, Fault::forbidden(why))
    }

    /// Whoever asks may not have that, and it was written down already.
    fn told(code: &'static str, why: impl std::fmt::Display) -> Self {
        match code {
            "token_used" => Fault::unauthorized(why),
            _ => Fault::forbidden(why),
        }
        .into()
    }

    /// The request is not in order.
    pub(super) fn invalid(code: &'static str, why: impl std::fmt::Display) -> Self {
        Self::new(code, Fault::bad_request(why))
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            code: None,
            retry_after: None,
        }
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        Self::unauthorized(error.code(), error)
    }
}

impl From<NotNow> for Refused {
    fn from(not_now: NotNow) -> Self {
        Self {
            retry_after: Some(not_now.retry_after()),
            ..Fault::not_now(not_now.status().as_u16(), not_now).into()
        }
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(most) => Fault::too_large(most),
            BodyError::TooSlow => Fault::not_now(408, "the body was sent too slowly"),
            BodyError::Busy => Fault::not_now(503, "too many large requests at once"),
            BodyError::Incomplete => Fault::bad_request("the body is cut short"),
            BodyError::MediaType => Fault::bad_request("the body is not application/json"),
        }
        .into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::NotFound(..) => Fault::not_found().into(),
            Refusal::Forbidden(_) | Refusal::Guarded { .. } => Fault::forbidden(refusal).into(),
            Refusal::Store(error) => {
                if let Some(not_now) = NotNow::of(error) {
                    return not_now.into();
                }
                if let store::Error::Nul { .. } = error {
                    return Fault::bad_request("a text has the character NUL in it").into();
                }
                tracing::error!(%error, "the database failed");
                Fault::internal().into()
            }
            _ => Fault::bad_request(refusal).into(),
        }
    }
}

impl From<ca::Error> for Refused {
    fn from(error: ca::Error) -> Self {
        match error {
            ca::Error::Refused { code, detail } => Self::told(code, detail),
            ca::Error::Failed(refusal) => refusal.into(),
            ca::Error::Keys(error) => {
                tracing::error!(error, "the certificate authority cannot sign");
                Fault::internal().into()
            }
        }
    }
}

impl From<portreeve_x509::Error> for Refused {
    fn from(error: portreeve_x509::Error) -> Self {
        use portreeve_x509::Error::{Certificate, Contents, Request, Untrusted, Weak};
        match error {
            Weak(_) => Self::invalid("weak_key", error),
            Certificate(_) | Contents(_) | Request(_) => Self::invalid("invalid_request", error),
            Untrusted(_) => Self::unauthorized("untrusted_certificate", error),
            error => {
                tracing::error!(%error, "an X.509 certificate was not made");
                Fault::internal().into()
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.fault.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &self.fault);
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A request that is not served now.
pub(crate) fn not_now(not_now: NotNow) -> Response {
    Refused::from(not_now).into_response()
}

/// A body of JSON.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    text(status, "application/json", answer::body(body))
}

/// A body of another media type.
pub(super) fn text(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
