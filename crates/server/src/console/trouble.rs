//! What the console shows when something cannot be done.

use super::visit::Visit;
use crate::body::BodyError;
use crate::ca;
use crate::limits::NotNow;
use crate::sso::page;
use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use portreeve_console::Page;
use portreeve_console::pages::message::Message;
use portreeve_console::parts::{Alert, Tone};
use portreeve_directory::{Permission, Refusal};
use portreeve_store as store;

/// Why a page is not shown, or what it posted not done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is not there, or belongs to another team.
    NotFound,
    /// The visitor may not.
    Forbidden(Permission),
    /// A page of another site sent it.
    CrossSite,
    /// It makes no sense; with what is wrong.
    Invalid(String),
    /// Not now.
    NotNow(NotNow),
    /// The form could not be read.
    Body(BodyError),
    /// It is the server's fault.
    Failed,
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(..) => Self::NotFound,
            Refusal::Store(error) => match NotNow::of(&error) {
                Some(not_now) => Self::NotNow(not_now),
                None if matches!(error, store::Error::Nul { .. }) => Self::Invalid(
                    "a field has the character NUL (U+0000) in it; leave it out".to_owned(),
                ),
                None => {
                    tracing::error!(%error, "the database failed");
                    Self::Failed
                }
            },
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<ca::Error> for Trouble {
    fn from(error: ca::Error) -> Self {
        match error {
            ca::Error::Failed(refusal) => refusal.into(),
            refused @ ca::Error::Refused { .. } => Self::Invalid(refused.to_string()),
            ca::Error::Keys(cause) => {
                tracing::error!(cause, "the keys of a certificate authority cannot be used");
                Self::Invalid(format!("the keys of the authority cannot be used: {cause}"))
            }
        }
    }
}

impl From<BodyError> for Trouble {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl Trouble {
    /// What was wrong with what was sent, for the form to say.
    ///
    /// # Errors
    ///
    /// Itself, when something else went wrong.
    pub(crate) fn problem(self) -> Result<Alert, Self> {
        match self {
            Self::Invalid(said) => Ok(Alert::new(Tone::Bad, "This was not done", sentence(&said))),
            other => Err(other),
        }
    }

    /// The page of it, for a visitor.
    pub(crate) fn within(&self, visit: &Visit) -> Response {
        self.answer(visit.admin.request_id())
    }

    /// The page of it, for nobody in particular.
    pub(crate) fn alone(&self) -> Response {
        self.answer("")
    }

    fn answer(&self, request_id: &str) -> Response {
        let (status, message) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, Message::not_found()),
            Self::Forbidden(needed) => (StatusCode::FORBIDDEN, Message::forbidden(needed.name())),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                Message::failed(
                    "This was not done",
                    "A page of another site asked for it. If you did, do it again from the page here.",
                ),
            ),
            Self::Invalid(said) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                Message::failed(
                    "This was not done",
                    format!("{} Go back to change it.", sentence(said)),
                ),
            ),
            Self::NotNow(not_now) => return self::not_now(*not_now),
            Self::Body(BodyError::TooLarge(limit)) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                Message::failed(
                    "This was not done",
                    format!("What was sent is larger than {limit} bytes."),
                ),
            ),
            Self::Body(BodyError::MediaType) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Message::failed("This was not done", "What was sent is no form."),
            ),
            Self::Body(_) => (
                StatusCode::REQUEST_TIMEOUT,
                Message::failed(
                    "This was not done",
                    "What was sent did not arrive whole. Send it again.",
                ),
            ),
            Self::Failed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Message::internal(request_id),
            ),
        };
        page::html(status, message.html())
    }
}

/// What is wrong as a sentence of its own. What begins with the name of an attribute keeps that as it is.
fn sentence(said: &str) -> String {
    let word = said.split_whitespace().next().unwrap_or_default();
    let is_word = word.chars().all(|letter| letter.is_ascii_lowercase());
    let end = if said.ends_with('.') { "" } else { "." };
    match said.chars().next().filter(|_| is_word) {
        Some(first) => format!("{}{}{end}", first.to_uppercase(), &said[first.len_utf8()..]),
        None => format!("{said}{end}"),
    }
}

/// The page of a request that is not looked at now.
pub(crate) fn not_now(not_now: NotNow) -> Response {
    let seconds = not_now.retry_after();
    let message = match not_now.status() {
        StatusCode::TOO_MANY_REQUESTS => Message::too_many_requests(seconds.into()),
        _ => Message::failed("Not now", format!("{not_now}.")),
    };
    let mut response = page::html(not_now.status(), message.html());
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The page of a method that a page does not know.
pub(crate) async fn method_not_allowed() -> Response {
    let message = Message::failed("This was not done", "The page cannot be used in this way.");
    page::html(StatusCode::METHOD_NOT_ALLOWED, message.html())
}
