//! What a page around signing in says when the server itself cannot do it.

use super::page;
use crate::limits::NotNow;
use crate::vault::Damaged;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_console::Page;
use portreeve_console::pages::message::Message;
use portreeve_directory::Refusal;

/// It is the server's fault.
#[derive(Debug)]
pub(super) enum Failed {
    /// The database.
    Refusal(Refusal),
    /// A stored secret.
    Damaged(Damaged),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Damaged> for Failed {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        if let Self::Refusal(Refusal::Store(error)) = &self
            && let Some(not_now) = NotNow::of(error)
        {
            let message = Message::failed("Not now", not_now.to_string());
            return page::html(not_now.status(), message.html());
        }
        match self {
            Self::Refusal(error) => tracing::error!(%error, "a sign-in could not be completed"),
            Self::Damaged(error) => tracing::error!(%error, "a sign-in could not be completed"),
        }
        let text =
            "Something went wrong on this server, and nobody was signed in. Try again in a moment.";
        let message = Message::failed("That did not work", text);
        page::html(StatusCode::INTERNAL_SERVER_ERROR, message.html())
    }
}
