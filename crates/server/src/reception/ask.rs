//! What a handler knows of a tablet's request: which device sends it, and where that stands.

use super::{device_cookie, refused};
use crate::api::Problem;
use crate::app::App;
use crate::body;
use crate::ca::By;
use crate::http::RequestId;
use crate::who::{self, is_own_page};
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use portreeve_directory::Actor;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::visit_devices::{self, Device, Verdict};
use portreeve_directory::visit_locations::{self, Location};
use portreeve_scim::query;
use portreeve_scim::text::fold;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// After how long the last use of a device is written down again (microseconds).
const USED_EVERY: i64 = 60_000_000;

/// Why no device speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unheard {
    #[error(
        "this needs the token of a device of the location; an admin makes one with: portreeve visit-device create"
    )]
    Missing,
    #[error("this is no token of a device here; an admin makes another one")]
    Unknown,
    #[error("the token of this device was revoked; an admin makes another one")]
    Revoked,
    #[error("this device is set up for another location")]
    Elsewhere,
}

impl Unheard {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Missing => "device_missing",
            Self::Unknown => "device_unknown",
            Self::Revoked => "device_revoked",
            Self::Elsewhere => "device_elsewhere",
        }
    }
}

impl From<Unheard> for Problem {
    fn from(unheard: Unheard) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            unheard.code(),
            unheard.to_string(),
        )
    }
}

/// A request of a device that stands where it asks.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) app: Arc<App>,
    pub(super) team_id: String,
    pub(super) device: Device,
    pub(super) location: Location,
    /// When it arrived (microseconds since 1970 UTC).
    pub(super) at: i64,
    pub(super) headers: HeaderMap,
    query: String,
    request_id: String,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let which = param(parts, app, "location").await;
        let is_bearer = parts.headers.contains_key(AUTHORIZATION);
        let safe = matches!(parts.method, Method::GET | Method::HEAD);
        if !safe && !is_bearer && !is_own_page(app, &parts.headers) {
            return Err(cross_site());
        }
        let secret = match is_bearer {
            true => who::bearer(&parts.headers),
            false => device_cookie(&parts.headers),
        };
        let secret = secret.ok_or(Unheard::Missing)?.to_owned();
        let known = (which, secret.as_str());
        let (team_id, device, location) =
            identify(app, &parts.extensions, &parts.headers, known).await?;
        Ok(Self {
            app: app.clone(),
            team_id,
            device,
            location,
            at: app.clock.now(),
            headers: std::mem::take(&mut parts.headers),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            request_id: request_id(&parts.extensions),
        })
    }
}

/// The team, the device and the location of a token, if it is one of the location that is asked for (by id or name).
/// Whatever else it is leaves an event, and its sender hears nothing of the location.
pub(super) async fn identify(
    app: &App,
    request: &Extensions,
    headers: &HeaderMap,
    (which, secret): (String, &str),
) -> Result<(String, Device, Location), Problem> {
    let Some(presented) = Presented::parse(Kind::Device, secret) else {
        return Err(Unheard::Unknown.into());
    };
    let team_id = presented.team_id.clone();
    let found = {
        let presented = presented.clone();
        app.store
            .lookup(move |tx| visit_devices::verify(tx, &presented))
    };
    let (device, unheard) = match found.await? {
        Verdict::Good(device, location) if is(&location, &which) => {
            let now = app.clock.now();
            app.limits
                .token(request, &Arc::from(device.id.as_str()), app.clock.steady())?;
            if device.last_used_at.is_none_or(|at| at < now - USED_EVERY) {
                let (team, id) = (team_id.clone(), device.id.clone());
                who::note(app, move |tx| visit_devices::used(tx, &team, &id, now));
            }
            return Ok((team_id, device, *location));
        }
        Verdict::Good(device, _) => (Some(device), Unheard::Elsewhere),
        Verdict::Revoked(device) => (Some(device), Unheard::Revoked),
        Verdict::Unknown => (None, Unheard::Unknown),
    };
    let by = By::new(
        app,
        device.map_or(Actor::Anonymous, |device| Actor::Device(device.id)),
        &request_id(request),
    );
    let address = refused::address(app, request, headers);
    refused::device(app, by, &team_id, unheard, &address).await;
    Err(unheard.into())
}

fn is(location: &Location, which: &str) -> bool {
    location.id == which || fold(&location.name) == fold(which)
}

/// A parameter of the path.
pub(super) async fn param(parts: &mut Parts, app: &Arc<App>, name: &str) -> String {
    let params = RawPathParams::from_request_parts(parts, app).await;
    let found = params.ok().and_then(|params| {
        let mut all = params.iter();
        all.find_map(|(found, value)| (found == name).then(|| value.to_owned()))
    });
    found.unwrap_or_default()
}

pub(super) fn request_id(request: &Extensions) -> String {
    let id = request.get::<RequestId>();
    id.map(|id| id.0.clone()).unwrap_or_default()
}

pub(super) fn cross_site() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross_site",
        "a page of another site sent this request; it was not carried out",
    )
}

/// A body as a `T`. It says that it is JSON, which a form of another site cannot.
pub(super) async fn read<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(body::Whole, T), Problem> {
    if !headers.contains_key(CONTENT_TYPE) {
        return Err(body::BodyError::MediaType.into());
    }
    let whole = body::read(app, headers, body, body::LIMIT).await?;
    let value = serde_json::from_slice(&whole)
        .map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))?;
    Ok((whole, value))
}

/// An answer to this tablet alone, which nobody keeps.
pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(body).map_err(|_| Problem::internal())?;
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Ask {
    /// Who events name.
    pub(super) fn by(&self) -> By {
        let actor = Actor::Device(self.device.id.clone());
        By::with(
            actor,
            &self.request_id,
            self.at,
            &self.app.clock,
            &self.app.ids,
        )
    }

    /// The time of the request.
    pub(super) fn now(&self) -> Timestamp {
        time(self.at)
    }

    /// The clock on the wall of the location.
    pub(super) fn zone(&self) -> Result<TimeZone, Problem> {
        Ok(visit_locations::zone(&self.location.settings.time_zone)?)
    }

    /// Whether visitors are received now.
    pub(super) fn is_open(&self) -> Result<bool, Problem> {
        let hours = &self.location.settings.hours;
        Ok(visit_locations::is_open(hours, &self.zone()?, self.now()))
    }

    /// A parameter of the query.
    pub(super) fn query(&self, name: &str) -> Result<Option<String>, Problem> {
        let pairs = query::pairs(&self.query)?;
        let found = pairs.into_iter().find(|(found, _)| found == name);
        Ok(found.map(|(_, value)| value))
    }

    /// Counts a question that names people. What comes too fast is refused, and the first of it leaves an event: a tablet
    /// that asks so much does not stand at a door.
    pub(super) async fn count_search(&self) -> Result<(), Problem> {
        let (key, now) = (Arc::from(self.device.id.as_str()), self.app.clock.steady());
        let Err(seconds) = self.app.limits.search(&key, now) else {
            return Ok(());
        };
        let problem = Problem::too_many(
            "this device asks for people faster than visitors do; wait a moment",
            seconds,
        );
        if self.app.limits.is_event(&key, now) {
            refused::too_many(self, &problem).await;
        }
        Err(problem)
    }
}

/// A time as it is written in answers.
pub(super) fn time(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}
