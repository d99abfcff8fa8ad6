//! What the double answers, and what may go wrong on the way.

use serde_json::{Value, json};

/// An answer before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![(
                "content-type",
                "application/json; odata.metadata=minimal".to_owned(),
            )],
            body: body.to_string(),
        }
    }

    /// An error as Graph words it.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let inner = json!({"date": "2026-01-05T08:00:00", "request-id": "7d4a4f6c-0000-4000-8000-000000000000"});
        Self::json(
            status,
            &json!({"error": {"code": code, "message": message, "innerError": inner}}),
        )
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// Something that goes wrong instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429, with a wait of so many seconds.
    Throttled(u64),
    /// An error of Graph with this status and code.
    Refused(u16, &'static str),
    /// 410 with a `Location`, as when a link's state is lost.
    Lost,
    /// 401, as if the token had ended.
    TokenEnded,
    /// Status 200 with a page of HTML, as from a proxy.
    NotJson,
    /// The connection closes without an answer.
    HangUp,
    /// The connection closes in the middle of an answer.
    CutOff,
    /// No answer ever comes.
    Silence,
    /// The answer is right, but its links lead to another host.
    ForeignLinks,
    /// The answer is right, but its link leads to itself.
    Circle,
}

impl Fault {
    /// The answer of a fault that has one.
    pub(super) fn reply(&self, base: &str) -> Option<Reply> {
        Some(match self {
            Self::Throttled(seconds) => Reply::error(429, "TooManyRequests", "Too many requests")
                .header("retry-after", &seconds.to_string())
                .header("x-ms-throttle-limit-percentage", "1.2")
                .header("x-ms-throttle-scope", "Tenant_Application/ReadWrite")
                .header("x-ms-throttle-information", "ResourceUnitLimitExceeded"),
            Self::Refused(status, code) => Reply::error(*status, code, "It was refused."),
            Self::Lost => Reply::error(410, "resyncRequired", "Resync is required.")
                .header("location", &format!("{base}/v1.0/users/delta?$deltatoken=")),
            Self::TokenEnded => Reply::error(
                401,
                "InvalidAuthenticationToken",
                "Lifetime validation failed, the token is expired.",
            ),
            Self::NotJson => Reply {
                status: 200,
                headers: vec![("content-type", "text/html".to_owned())],
                body: "<html><body>Sign in to the Wi-Fi</body></html>".to_owned(),
            },
            Self::HangUp | Self::CutOff | Self::Silence | Self::ForeignLinks | Self::Circle => {
                return None;
            }
        })
    }
}
