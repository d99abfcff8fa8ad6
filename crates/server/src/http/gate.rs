//! The limits that a request from the network meets: who it comes from, how many there are, how long it takes.

use super::places::Place;
use super::{RequestId, Serving, bodies};
use crate::limits::{NotNow, Visitor};
use crate::requests::Coming;
use crate::step::{self, Secured};
use crate::who::{SESSION, cookie};
use crate::{api, console, hosts, metrics, reception, scim};
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, header};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tower::ServiceExt;

/// What a request is, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Somebody asks whether the server is well, which matters most when it is not.
    Health,
    /// A file that is the same for everybody.
    Asset,
    /// It is held until there is news.
    Wait,
    /// The same, by the agent of a host.
    Agent,
    Work,
}

impl Kind {
    fn of(path: &str) -> Self {
        let below = |root| path.strip_prefix(root).map(|rest: &str| rest.split('/'));
        let is_stream = below("/scim/").is_some_and(|mut parts| parts.nth(1) == Some("streams"));
        match path {
            "/healthz" | "/readyz" | "/metrics" => Self::Health,
            "/api/v1/changes" | "/console/live" => Self::Wait,
            hosts::POLICY => Self::Agent,
            _ if path.starts_with("/assets/") || path.starts_with("/visit/assets/") => Self::Asset,
            _ if is_stream => Self::Wait,
            _ => Self::Work,
        }
    }
}

/// How whoever sends a request is told that it is not served now.
enum Manner {
    /// As SCIM tells it, in this media type.
    Scim(&'static str),
    /// As a page.
    Page,
    /// As the API tells it.
    Problem,
    /// As `step-ca` tells it.
    Step,
}

impl Manner {
    fn of(request: &Request<Body>) -> Self {
        let (path, headers) = (request.uri().path(), request.headers());
        if request.extensions().get::<Secured>().is_some() {
            return match path.starts_with(hosts::ROOT) {
                true => Self::Problem,
                false => Self::Step,
            };
        }
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        let is_for_people = accept.is_some_and(|it| it.contains("text/html"));
        match path.split('/').nth(1) {
            Some("api") => Self::Problem,
            Some("scim") => Self::Scim(scim::media_type(headers)),
            _ if is_for_people => Self::Page,
            Some("auth" | "visit") => Self::Problem,
            // What there is not is SCIM's to say, too.
            _ => Self::Scim(scim::media_type(headers)),
        }
    }

    fn answer(&self, not_now: NotNow) -> Response {
        match self {
            Self::Scim(media_type) => scim::not_now(not_now, media_type),
            Self::Page => console::not_now(not_now),
            Self::Problem => api::not_now(not_now),
            Self::Step => step::not_now(not_now),
        }
    }
}

/// What part of the server a request is for, as it is counted.
pub(super) fn area(request: &Request<Body>) -> &'static str {
    let path = request.uri().path();
    let is_secured = request.extensions().get::<Secured>().is_some();
    let is_held = matches!(Kind::of(path), Kind::Wait | Kind::Agent);
    metrics::area(path, is_secured, is_held)
}

/// Answers a request from the network, or says why not now.
pub(super) async fn answer(
    serving: &Serving,
    peer: IpAddr,
    place: &Arc<Place>,
    request: Request<Body>,
) -> Response {
    let under_way = place.work();
    let kind = Kind::of(request.uri().path());
    let manner = Manner::of(&request);
    let (response, permit) = match within_limits(serving, kind, peer, request).await {
        Ok(done) => done,
        Err(not_now) => {
            serving.limits.mention(not_now, serving.clock.steady());
            (manner.answer(not_now), None)
        }
    };
    response.map(|body| bodies::keeping((under_way, permit), body))
}

/// The answer, and the room that it takes until it is sent.
async fn within_limits(
    serving: &Serving,
    kind: Kind,
    peer: IpAddr,
    mut request: Request<Body>,
) -> Result<(Response, Option<OwnedSemaphorePermit>), NotNow> {
    let limits = &serving.limits;
    let permit = match kind {
        Kind::Health => return Ok((routed(serving, request).await, None)),
        Kind::Wait => limits.wait()?,
        Kind::Agent => limits.wait_as_agent()?,
        Kind::Work | Kind::Asset => limits.work()?,
    };
    if kind == Kind::Asset {
        return Ok((routed(serving, request).await, Some(permit)));
    }
    let origin = limits.origin(peer, request.headers());
    let is_anonymous = is_anonymous(&request);
    if is_anonymous {
        limits.stranger(origin, serving.clock.steady())?;
    }
    let visitor = Visitor::new(peer);
    request.extensions_mut().insert(visitor.clone());
    let coming = coming(serving, &request);
    let begun = serving.clock.steady();
    let response = match kind {
        Kind::Work => in_time(serving, limits.time(), request).await?,
        _ => routed(serving, request).await,
    };
    if let Some(coming) = coming {
        let took = serving.clock.steady().saturating_sub(begun);
        let known = visitor.is_known();
        serving
            .requests
            .keep(coming, response.status(), took, known);
    }
    // Only now it is known whether a token is good. That it is not is told no faster than the rate.
    if !is_anonymous && !visitor.is_known() {
        limits.stranger(origin, serving.clock.steady())?;
    }
    Ok((response, Some(permit)))
}

/// Whether a request brings nothing that could prove who sends it.
fn is_anonymous(request: &Request<Body>) -> bool {
    let headers = request.headers();
    match request.extensions().get::<Secured>() {
        // Tokens are in bodies there.
        Some(secured) => secured.certificate.is_none() && request.method() != Method::POST,
        None => {
            !headers.contains_key(header::AUTHORIZATION)
                && cookie(headers, SESSION).is_none()
                && reception::device_cookie(headers).is_none()
        }
    }
}

/// A provider's request, to be shown to whoever connects it.
fn coming(serving: &Serving, request: &Request<Body>) -> Option<Coming> {
    let id = request.extensions().get::<RequestId>();
    let id = id.map(|id| id.0.as_str()).unwrap_or_default();
    Coming::of(request.method(), request.uri(), id, serving.clock.now())
}

/// The answer, unless it takes too long. The time in which the client sends its body is not the server's.
async fn in_time(
    serving: &Serving,
    limit: Duration,
    request: Request<Body>,
) -> Result<Response, NotNow> {
    let awaited = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| bodies::watched(body, awaited.clone()));
    let answer = routed(serving, request);
    tokio::pin!(answer);
    loop {
        match tokio::time::timeout(limit, &mut answer).await {
            Ok(response) => return Ok(response),
            // The body has a limit of its own.
            Err(_) if awaited.load(Ordering::Relaxed) => {}
            Err(_) => return Err(NotNow::Slow(limit)),
        }
    }
}

pub(super) async fn routed(serving: &Serving, request: Request<Body>) -> Response {
    match serving.router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_is_shows_in_its_path() {
        for (path, expected) in [
            ("/healthz", Kind::Health),
            ("/readyz", Kind::Health),
            ("/metrics", Kind::Health),
            ("/readyz/x", Kind::Work),
            ("/scim/d/streams/s", Kind::Wait),
            ("/scim/d/v2/Users", Kind::Work),
            ("/scim/d/v2/streams", Kind::Work),
            ("/scim/streams", Kind::Work),
            ("/api/v1/changes", Kind::Wait),
            ("/api/v1/events", Kind::Work),
            ("/console/live", Kind::Wait),
            ("/host/v1/policy", Kind::Agent),
            ("/host/v1/report", Kind::Work),
            ("/console/users", Kind::Work),
            ("/assets/console.css", Kind::Asset),
            ("/visit/assets/reception.css", Kind::Asset),
            ("/visit/door/state", Kind::Work),
        ] {
            assert_eq!(Kind::of(path), expected, "{path}");
        }
    }
}
