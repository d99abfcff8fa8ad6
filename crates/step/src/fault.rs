//! Refusals as `step-ca` words them.

use serde::Serialize;
use std::fmt;

/// A refusal: its status, and the sentence that the client shows. Clients take the status from the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The status of HTTP.
    pub status: u16,
    /// For whoever runs the client.
    pub message: String,
}

impl Fault {
    /// The request is not in order.
    #[must_use]
    pub fn bad_request(why: impl fmt::Display) -> Self {
        Self::of(400, "The request could not be completed", why)
    }

    /// It is not known who asks. `step-ca` says no more than that; the reason helps whoever has a token that is too old.
    #[must_use]
    pub fn unauthorized(why: impl fmt::Display) -> Self {
        let said = "The request lacked necessary authorization to be completed";
        Self::of(401, said, why)
    }

    /// Whoever asks may not have that.
    #[must_use]
    pub fn forbidden(why: impl fmt::Display) -> Self {
        Self::of(
            403,
            "The request was forbidden by the certificate authority",
            why,
        )
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found() -> Self {
        Self::plain(404, "The requested resource could not be found.")
    }

    /// It is too large to be read.
    #[must_use]
    pub fn too_large(most: usize) -> Self {
        let why = format!("it has more than {most} bytes");
        Self::of(413, "The request could not be completed", why)
    }

    /// Not now.
    #[must_use]
    pub fn not_now(status: u16, why: impl fmt::Display) -> Self {
        Self::of(status, "The request could not be completed", why)
    }

    /// The server failed.
    #[must_use]
    pub fn internal() -> Self {
        Self::plain(
            500,
            "The certificate authority encountered an Internal Server Error.",
        )
    }

    /// It cannot be done by this server.
    #[must_use]
    pub fn not_implemented() -> Self {
        Self::plain(
            501,
            "The requested method is not implemented by the certificate authority.",
        )
    }

    fn of(status: u16, said: &str, why: impl fmt::Display) -> Self {
        let why = why.to_string();
        let why = why.trim_end_matches('.');
        Self {
            status,
            message: format!("{said}: {why}."),
        }
    }

    fn plain(status: u16, said: &str) -> Self {
        Self {
            status,
            message: format!("{said} Please see the certificate authority logs for more info."),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
