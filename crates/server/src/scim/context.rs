//! What a SCIM handler knows of its request once the token is verified.

use super::error::Failure;
use super::render;
use crate::app::App;
use crate::auth::{self, Refused};
use crate::http::RequestId;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use portreeve_directory::events::{self, Category, Outcome};
use portreeve_directory::{Actor, Call, unknown};
use portreeve_scim::resource::Notes;
use portreeve_scim::{Projection, query};
use std::net::SocketAddr;
use std::sync::Arc;

/// A request of a verified client.
pub(crate) struct Ctx {
    pub(crate) app: Arc<App>,
    pub(crate) call: Arc<Call>,
    pub(crate) headers: HeaderMap,
    /// Decoded query parameters.
    pub(crate) pairs: Vec<(String, String)>,
    /// The second path parameter: an id, a name or a URN.
    pub(crate) id: String,
    /// The tenant URL, without a slash at the end.
    pub(crate) base: String,
}

impl FromRequestParts<Arc<App>> for Ctx {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let at = app.clock.now();
        let (directory_id, id) = match path_parameters(parts, app).await {
            Ok(found) => found,
            Err(failure) => {
                return Err(render::failure(
                    &failure,
                    render::media_type(&parts.headers),
                ));
            }
        };
        let request_id = parts
            .extensions
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        let headers = std::mem::take(&mut parts.headers);
        let call = |directory, actor| Call {
            directory,
            actor,
            request_id,
            at,
            clock: app.clock.clone(),
            ids: app.ids.clone(),
        };
        let access = match auth::verify(app, &directory_id, &headers, at).await {
            Ok(access) => access,
            Err(refused) => {
                let known = match &refused {
                    Refused::Denied(directory, _) => Some(directory.clone()),
                    Refused::Missing | Refused::NoDirectory | Refused::Failed(_) => None,
                };
                let failure = Failure::from(refused);
                if let Some(directory) = known {
                    record_refusal(
                        app,
                        &Arc::new(call(directory, Actor::Anonymous)),
                        "authenticate",
                        (None, None),
                        &failure,
                    )
                    .await;
                }
                return Err(render::failure(&failure, render::media_type(&headers)));
            }
        };
        let actor = Actor::Token(access.token_id.to_string());
        let base = base_url(app, parts, &headers, &directory_id);
        let call = Arc::new(call(access.directory, actor));
        let pairs = match query::pairs(parts.uri.query().unwrap_or_default()) {
            Ok(pairs) => pairs,
            Err(error) => {
                let failure = Failure::from(error);
                record_refusal(app, &call, "query", (None, None), &failure).await;
                return Err(render::failure(&failure, render::media_type(&headers)));
            }
        };
        Ok(Self {
            app: app.clone(),
            call,
            headers,
            pairs,
            id,
            base,
        })
    }
}

/// The directory's id, and the parameter after it if there is one. Nothing has a name that is not UTF-8 or has a NUL in
/// it, whoever asks.
pub(super) async fn path_parameters(
    parts: &mut Parts,
    app: &Arc<App>,
) -> Result<(String, String), Failure> {
    let nothing = || {
        Failure::plain(
            StatusCode::NOT_FOUND,
            "not_found",
            "the path is not UTF-8 once it is decoded, or has a NUL in it; nothing here has such an id"
                .into(),
        )
    };
    let params = RawPathParams::from_request_parts(parts, app)
        .await
        .map_err(|_| nothing())?;
    let (mut directory_id, mut id) = (String::new(), String::new());
    for (name, value) in &params {
        if value.contains('\0') {
            return Err(nothing());
        }
        let place = if name == "directory" {
            &mut directory_id
        } else {
            &mut id
        };
        value.clone_into(place);
    }
    Ok((directory_id, id))
}

impl Ctx {
    /// The answer to the client; a refusal also becomes an event.
    pub(crate) async fn answer(
        &self,
        verb: &str,
        object: (Option<&str>, Option<&str>),
        done: Result<Response, Failure>,
    ) -> Response {
        match done {
            Ok(response) => response,
            Err(failure) => {
                // That something does not exist is an answer to a reader, not a refusal.
                if failure.status != StatusCode::NOT_FOUND || !matches!(verb, "get" | "query") {
                    self.refused(verb, object, &failure).await;
                }
                render::failure(&failure, render::media_type(&self.headers))
            }
        }
    }

    /// Leaves an event that tells of a refusal.
    pub(crate) async fn refused(
        &self,
        verb: &str,
        object: (Option<&str>, Option<&str>),
        failure: &Failure,
    ) {
        record_refusal(&self.app, &self.call, verb, object, failure).await;
    }

    /// `attributes` and `excludedAttributes` of the URL.
    pub(crate) fn projection(&self) -> Projection {
        Projection::parse(
            self.parameter("attributes"),
            self.parameter("excludedAttributes"),
        )
    }

    /// Whether the URL asks for certain attributes, which obliges a PATCH to answer with the resource.
    pub(crate) fn projects(&self) -> bool {
        self.parameter("attributes").is_some() || self.parameter("excludedAttributes").is_some()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Tells of attributes that no schema knows: once per directory and name, in the log and in the database.
    pub(crate) async fn note_unknown(&self, notes: Notes) {
        for name in notes.unknown {
            let key = (self.call.directory.id.clone(), name);
            if !self
                .app
                .told
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .insert(key.clone())
            {
                continue;
            }
            let (directory, name) = key;
            let now = self.call.at;
            let at = directory.clone();
            let noted = name.clone();
            match self
                .app
                .store
                .write(move |tx| unknown::note(tx, &at, &noted, now))
                .await
            {
                Ok(true) => tracing::warn!(
                    directory,
                    attribute = name,
                    "the provider sends an attribute that no schema of this directory has; it is ignored"
                ),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "an unknown attribute was not noted"),
            }
        }
    }
}

/// Leaves an event that tells of a refusal. Its own failure must not change the answer.
async fn record_refusal(
    app: &App,
    call: &Arc<Call>,
    verb: &str,
    (kind, id): (Option<&str>, Option<&str>),
    failure: &Failure,
) {
    let owned = (
        call.clone(),
        verb.to_owned(),
        kind.map(str::to_owned),
        id.map(str::to_owned),
    );
    let (reason, detail) = (failure.reason, failure.detail.clone());
    let written = app.write(move |tx| {
        let (call, verb, kind, id) = &owned;
        let event = events::New {
            category: Category::ScimSync,
            action: verb,
            outcome: Outcome::Refused {
                reason,
                detail: &detail,
            },
            object_kind: kind.as_deref(),
            object_id: id.as_deref(),
            object_name: None,
            version: None,
            changes: None,
        };
        events::record(tx, call, &event)
    });
    if let Err(error) = written.await {
        tracing::error!(%error, "the event of a refused request was not written");
    }
}

/// The tenant URL as the client sees it: configured, or told by a trusted proxy, or the `Host` it asked for.
pub(super) fn base_url(
    app: &App,
    parts: &Parts,
    headers: &HeaderMap,
    directory_id: &str,
) -> String {
    if let Some(url) = &app.config.public_url {
        return format!("{url}/scim/{directory_id}/v2");
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let peer = parts.extensions.get::<SocketAddr>().map(SocketAddr::ip);
    let trusted = peer.is_some_and(|peer| app.config.trusted_proxies.contains(&peer));
    let forwarded = |name: &str| {
        text(name)
            .filter(|_| trusted)
            .map(|value| value.split(',').next().unwrap_or(value).trim())
    };
    let scheme = forwarded("x-forwarded-proto")
        .filter(|scheme| matches!(*scheme, "http" | "https"))
        .unwrap_or("http");
    let host = forwarded("x-forwarded-host")
        .or_else(|| text("host"))
        .filter(|host| is_host(host));
    match host {
        Some(host) => format!("{scheme}://{host}/scim/{directory_id}/v2"),
        None => format!("{scheme}://{}/scim/{directory_id}/v2", app.listening),
    }
}

/// A host name or address with an optional port; nothing that could end the URL or the JSON string it stands in.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
}

/// 405 with a SCIM body. The token is not looked at, because the answer tells nothing.
pub(super) async fn method_not_allowed() -> Response {
    let failure = Failure::plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this endpoint does not know that method; the Allow header names those it knows".into(),
    );
    render::failure(&failure, render::SCIM_JSON)
}

/// Anything that is no endpoint.
pub(crate) async fn not_found() -> Response {
    let failure = Failure::plain(
        StatusCode::NOT_FOUND,
        "no_endpoint",
        "there is no such endpoint; below the tenant URL there are Users, Groups, Schemas, ResourceTypes, ServiceProviderConfig, Bulk, Me and .search".into(),
    );
    render::failure(&failure, render::SCIM_JSON).into_response()
}
