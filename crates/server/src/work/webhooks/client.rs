//! One message to one program, and what the answer means.

use super::secret::Headers;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use portreeve_directory::webhooks::Webhook;
use portreeve_provisioning::target::{Outward, OutwardError};
use std::time::Duration;

/// How long a program may take to answer; the specification asks for 15 to 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The program has it.
    Taken,
    /// There is no use in trying again; why.
    Refused(String),
    /// Not this time; why.
    Failed(String),
}

/// Tells programs. Clones share their connections.
#[derive(Clone)]
pub(super) struct Client(Outward);

impl Client {
    /// `private`: whether programs may be on this machine and in private networks.
    pub(super) fn new(private: bool) -> Result<Self, OutwardError> {
        Outward::new(private, TIMEOUT).map(Self)
    }

    pub(super) async fn send(&self, webhook: &Webhook, headers: &Headers) -> Reply {
        let request = match self.0.post(&webhook.url) {
            Ok(request) => request,
            Err(error) => return Reply::Failed(error.to_string()),
        };
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &webhook.id)
            .header("webhook-timestamp", headers.timestamp)
            .header("webhook-signature", &headers.signature)
            .body(webhook.body.clone());
        match self.0.send(request).await {
            Ok(status) => judge(status),
            Err(error) => Reply::Failed(error.to_string()),
        }
    }
}

/// 410 says that nobody listens there any more (Standard Webhooks); all else may change.
fn judge(status: StatusCode) -> Reply {
    let said = format!("the program answered {status}");
    match status {
        status if status.is_success() => Reply::Taken,
        StatusCode::GONE => Reply::Refused(said),
        status if status.is_redirection() => Reply::Failed(format!(
            "{said}; redirects are not followed, so give the location the final address"
        )),
        _ => Reply::Failed(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_says_that_nobody_listens_is_not_asked_again() {
        for (name, status, expected) in [
            ("taken", 204, "taken"),
            ("elsewhere", 302, "failed"),
            ("not allowed", 401, "failed"),
            ("nobody listens", 410, "refused"),
            ("too many", 429, "failed"),
            ("broken", 500, "failed"),
        ] {
            let reply = match judge(StatusCode::from_u16(status).unwrap()) {
                Reply::Taken => "taken",
                Reply::Refused(_) => "refused",
                Reply::Failed(_) => "failed",
            };
            assert_eq!(reply, expected, "{name}");
        }
    }
}
