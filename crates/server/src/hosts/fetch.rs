//! `GET /policy`, which waits for the next one where that is wished, and `GET /krl`.

use super::ask::{self, Ask, Speaker};
use super::document::{self, Policy};
use super::waiting::{Has, changed};
use crate::api::Problem;
use crate::ca::List;
use crate::tags::{self, Wanted};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use portreeve_host_policy::api::{KRL_HEADER, Krl, LONGEST_WAIT};
use std::sync::Arc;
use std::time::Duration;

/// How long whoever asks would rather wait (RFC 7240 section 4.3).
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How long a host waits for its first policy, whatever it asked for: somebody works it out.
const FIRST: Duration = Duration::from_secs(10);

/// What there is for a host.
struct Found {
    /// `None`: whom it is about is not worked out yet.
    policy: Option<Arc<Policy>>,
    list: Arc<List>,
}

impl Found {
    async fn of(ask: &Ask, speaker: &Speaker) -> Result<Self, Problem> {
        Ok(Self {
            // The list first: what is revoked meanwhile is told of with the next answer.
            list: ask.app.krl(&ask.team_id).await?,
            policy: document::current(&ask.app, &ask.team_id, &speaker.host.id).await?,
        })
    }

    fn has(&self) -> Has {
        Has {
            policy: self.policy.as_ref().map_or(0, |policy| policy.version),
            revoked: self.list.version,
        }
    }

    /// For how long whoever asks is to wait for something else than what they have.
    fn wait(&self, headers: &HeaderMap) -> Duration {
        let wait = wait(headers);
        match &self.policy {
            None => wait.max(FIRST),
            Some(policy) if is_known(headers, &tag(policy)) && self.has_list(headers) => wait,
            Some(_) => Duration::ZERO,
        }
    }

    /// Whether whoever asks has the current list of what is revoked. Without their word it is taken for granted.
    fn has_list(&self, headers: &HeaderMap) -> bool {
        headers
            .get(KRL_HEADER)
            .is_none_or(|tag| tag.as_bytes() == self.list.tag.as_bytes())
    }
}

pub(super) async fn policy(ask: Ask) -> Result<Response, Problem> {
    let speaker = ask::speaker(&ask).await?;
    let mut found = Found::of(&ask, &speaker).await?;
    let wait = found.wait(&ask.headers);
    if !wait.is_zero() {
        let (app, team_id, host_id) = (&ask.app, &ask.team_id, &speaker.host.id);
        if changed(app, team_id, host_id, found.has(), wait).await? {
            // The host itself may be gone.
            ask::speaker(&ask).await?;
            found = Found::of(&ask, &speaker).await?;
        }
    }
    let Some(policy) = &found.policy else {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "policy_not_ready",
            "who may log in to this host is still being worked out; ask again in a moment",
        ));
    };
    let tag = tag(policy);
    let mut response = match is_known(&ask.headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => of_json(policy.envelope.clone()),
    };
    tagged(&mut response, &tag);
    if let Ok(tag) = HeaderValue::try_from(found.list.tag.as_str()) {
        response.headers_mut().insert(KRL_HEADER, tag);
    }
    Ok(response)
}

fn tag(policy: &Policy) -> String {
    format!("\"{}\"", policy.version)
}

pub(super) async fn krl(ask: Ask) -> Result<Response, Problem> {
    ask::speaker(&ask).await?;
    let list = ask.app.krl(&ask.team_id).await?;
    let mut response = match is_known(&ask.headers, &list.tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => {
            let keyring = ask.app.keyring(&ask.team_id).await?;
            let krl = Krl {
                krl: STANDARD.encode(&list.bytes),
                signature: list.signature(&keyring).await?.to_string(),
            };
            super::json(StatusCode::OK, &krl)
        }
    };
    tagged(&mut response, &list.tag);
    Ok(response)
}

/// Whether whoever asks has what there is. A condition that makes no sense is none.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    match tags::read(headers, &IF_NONE_MATCH) {
        Ok(Some(Wanted::Any)) => true,
        Ok(Some(Wanted::Tags(known))) => known.contains(&tags::opaque(tag)),
        Ok(None) | Err(_) => false,
    }
}

fn wait(headers: &HeaderMap) -> Duration {
    let preferences = headers.get_all(PREFER);
    let preferences = preferences.iter().filter_map(|line| line.to_str().ok());
    let seconds = preferences
        .flat_map(|line| line.split([',', ';']))
        .filter_map(|one| one.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse::<u64>().ok());
    Duration::from_secs(seconds.unwrap_or_default().min(LONGEST_WAIT))
}

fn of_json(text: String) -> Response {
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn tagged(response: &mut Response, tag: &str) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_says_how_long_to_wait() {
        for (name, prefer, seconds) in [
            ("nothing said", None, 0),
            ("seconds", Some("wait=20"), 20),
            (
                "beside other wishes",
                Some("respond-async, Wait = 20; foo"),
                20,
            ),
            ("more than there is", Some("wait=100000"), LONGEST_WAIT),
            ("no number", Some("wait=long"), 0),
            ("another word", Some("await=20"), 0),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(prefer.map(|text| (PREFER, HeaderValue::from_static(text))));
            assert_eq!(wait(&headers), Duration::from_secs(seconds), "{name}");
        }
    }
}
