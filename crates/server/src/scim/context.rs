//! What a SCIM handler knows of its request once the token is verified.

use super::error::Failure;
use super::{refusals, render};
use crate::app::App;
use crate::auth;
use crate::http::RequestId;
use crate::limits::Visitor;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use portreeve_directory::{Actor, Call};
use portreeve_scim::{Projection, query};
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
        let media_type = render::media_type(&parts.headers);
        enter(parts, app)
            .await
            .map_err(|failure| render::failure(&failure, media_type))
    }
}

/// Lets a client in whose token is good. Who is refused has left an event, if there is such a directory.
async fn enter(parts: &mut Parts, app: &Arc<App>) -> Result<Ctx, Failure> {
    let at = app.clock.now();
    let (directory_id, id) = path_parameters(parts, app).await?;
    let request_id = request_id(parts);
    let call = |directory, actor| {
        Arc::new(Call {
            directory,
            actor,
            request_id,
            at,
            clock: app.clock.clone(),
            ids: app.ids.clone(),
        })
    };
    let access = match auth::verify(app, &directory_id, &parts.headers, at).await {
        Ok(access) => access,
        Err(refused) => {
            let directory = refused.directory().cloned();
            let failure = Failure::from(refused);
            if let Some(directory) = directory {
                let call = call(directory, Actor::Anonymous);
                refusals::stranger(app, &call, &failure).await;
            }
            return Err(failure);
        }
    };
    let call = call(access.directory, Actor::Token(access.token_id.to_string()));
    let counted = app
        .limits
        .token(&parts.extensions, &access.token_id, app.clock.steady());
    if let Err(not_now) = counted {
        let failure = Failure::from(not_now);
        refusals::too_many(app, &call, &access.token_id, &failure).await;
        return Err(failure);
    }
    let base = base_url(app, parts, &parts.headers, &directory_id);
    let pairs = match query::pairs(parts.uri.query().unwrap_or_default()) {
        Ok(pairs) => pairs,
        Err(error) => {
            let failure = Failure::from(error);
            refusals::record(app, &call, "query", (None, None), &failure).await;
            return Err(failure);
        }
    };
    Ok(Ctx {
        app: app.clone(),
        call,
        headers: std::mem::take(&mut parts.headers),
        pairs,
        id,
        base,
    })
}

/// The id under which the log and the answer have this request.
pub(super) fn request_id(parts: &Parts) -> String {
    let id = parts.extensions.get::<RequestId>();
    id.map(|id| id.0.clone()).unwrap_or_default()
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
        refusals::record(&self.app, &self.call, verb, object, failure).await;
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
    let visitor = parts.extensions.get::<Visitor>();
    let trusted = visitor.is_some_and(|visitor| app.config.trusts(visitor.peer));
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
