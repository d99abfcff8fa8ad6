//! What an authority tells everybody: the list of what is revoked, and the keys to trust. Hosts fetch them without a token;
//! neither says more than certificates do.

use super::{Error, Keyring};
use crate::app::App;
use crate::tags::{self, Wanted};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_directory::teams;
use portreeve_directory::{Refusal, What};
use std::sync::Arc;

/// Whoever has a list uses it for as long as it takes to ask again: what was revoked a moment ago must be seen.
const CACHE: &str = "no-cache";

const BINARY: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";

/// Below `/ca` for the first team, below `/t/{team}/ca` for each.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for (name, file) in [
        ("krl", File::Krl),
        ("krl.sig", File::Signature),
        ("user_keys", File::Users),
        ("host_keys", File::Hosts),
        ("roots.pem", File::Roots),
    ] {
        let first = move |State(app): State<Arc<App>>, headers: HeaderMap| async move {
            answer(&app, None, file, &headers).await
        };
        let named = move |State(app): State<Arc<App>>,
                          Path(team): Path<String>,
                          headers: HeaderMap| async move {
            answer(&app, Some(team), file, &headers).await
        };
        router = router
            .route(&format!("/ca/{name}"), get(first))
            .route(&format!("/t/{{team}}/ca/{name}"), get(named));
    }
    router.with_state(app)
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum File {
    /// What `RevokedKeys` names.
    Krl,
    /// The signature of that.
    Signature,
    /// What `TrustedUserCAKeys` names.
    Users,
    /// Lines for `known_hosts`.
    Hosts,
    /// X.509 roots.
    Roots,
}

async fn answer(app: &Arc<App>, team: Option<String>, file: File, headers: &HeaderMap) -> Response {
    match look(app, team, file, headers).await {
        Ok(response) => response,
        Err(Error::Failed(Refusal::NotFound(..))) => said(
            StatusCode::NOT_FOUND,
            "there is no such team here; its name stands between /t/ and /ca/\n",
        ),
        Err(error) => {
            tracing::error!(%error, "a file of the certificate authority was not given");
            said(
                StatusCode::SERVICE_UNAVAILABLE,
                "the certificate authority cannot answer now; the log of the server has the cause\n",
            )
        }
    }
}

async fn look(
    app: &Arc<App>,
    team: Option<String>,
    file: File,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let found = app.store.lookup(move |tx| match &team {
        None => teams::first(tx),
        Some(name) => match teams::by_name(tx, name) {
            Err(Refusal::NotFound(What::Team, _)) => teams::by_id(tx, name),
            found => found,
        },
    });
    let team = found.await?;
    let keyring = app.keyring(&team.id).await?;
    Ok(match file {
        File::Krl => {
            let list = app.krl(&team.id).await?;
            let known = matches!(tags::read(headers, &IF_NONE_MATCH), Ok(Some(wanted)) if match &wanted {
                Wanted::Any => true,
                Wanted::Tags(known) => known.contains(&tags::opaque(&list.tag)),
            });
            let mut response = match known {
                true => StatusCode::NOT_MODIFIED.into_response(),
                false => file_of(BINARY, list.bytes.clone()),
            };
            if let Ok(tag) = HeaderValue::try_from(list.tag.as_str()) {
                response.headers_mut().insert(ETAG, tag);
            }
            response
        }
        File::Signature => {
            let list = app.krl(&team.id).await?;
            let signature = list.signature(&keyring).await?;
            file_of(TEXT, signature.as_bytes().to_vec())
        }
        File::Users => lines(&keyring.trusted_user, &team.name, ""),
        File::Hosts => lines(&keyring.trusted_host, &team.name, "@cert-authority * "),
        File::Roots => {
            let roots = keyring.roots.iter();
            let pem: String = roots
                .map(|root| portreeve_x509::chain::to_pem(root))
                .collect();
            file_of("application/x-pem-file", pem.into_bytes())
        }
    })
}

fn lines(keys: &[Vec<u8>], comment: &str, before: &str) -> Response {
    let lines = Keyring::lines(keys, comment);
    let text: String = lines
        .iter()
        .map(|line| format!("{before}{line}\n"))
        .collect();
    file_of(TEXT, text.into_bytes())
}

fn file_of(kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHE));
    response
}

fn said(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, TEXT)], text).into_response()
}
