//! Signing in with the browser of this machine (RFC 8252): it is sent to the server, and comes back to a port here with a
//! code that only this process can use (PKCE, RFC 7636).

use super::browser;
use super::oauth::{CLIENT_ID, Granted, Oauth};
use crate::failure::{Code, Failure};
use aws_lc_rs::{digest, rand};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use std::future::IntoFuture;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// For how long somebody may take to sign in.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// For how long the browser may take to fetch the last page.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the browser brings back.
#[derive(Deserialize)]
struct Brought {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

struct Waiting {
    state: String,
    brought: mpsc::Sender<Brought>,
}

/// Signs in; `None` where no browser could be opened.
pub(super) async fn sign_in(oauth: &Oauth) -> Result<Option<SecretString>, Failure> {
    let failed =
        |error: std::io::Error| Failure::plain(format!("no port of this machine is free: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let redirect_uri = format!("http://127.0.0.1:{port}/callback");
    let (state, verifier) = (random()?, random()?);
    let url = address(oauth, &redirect_uri, &state, &verifier)?;
    eprintln!("Your browser opens to sign you in. If it does not, open this address in it:\n{url}");
    let Some(brought) = brought(listener, state, url.as_str()).await? else {
        return Ok(None);
    };
    let Some(code) = brought.code else {
        let why = brought.error.unwrap_or_default();
        return Err(match why.as_str() {
            "access_denied" => {
                Failure::new(Code::Cancelled, "the sign-in was refused in the browser")
            }
            _ => Failure::new(
                Code::NotSignedIn,
                format!("the server did not sign you in: {why}"),
            ),
        });
    };
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", verifier.as_str()),
    ];
    let granted: Granted = oauth.post("/auth/cli/token", &form).await?;
    Ok(Some(granted.access_token))
}

/// Waits for the browser to come back; `None` when it did not even open.
async fn brought(
    listener: TcpListener,
    state: String,
    url: &str,
) -> Result<Option<Brought>, Failure> {
    let (sender, mut receiver) = mpsc::channel(1);
    let waiting = Waiting {
        state,
        brought: sender,
    };
    let router = Router::new()
        .route("/callback", get(take))
        .with_state(Arc::new(waiting));
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = ended.await;
    });
    let server = tokio::spawn(server.into_future());
    let not_open = browser::open(url);
    let brought = tokio::select! {
        brought = receiver.recv() => brought,
        Ok(()) = not_open => return Ok(None),
        () = tokio::time::sleep(PATIENCE) => None,
    };
    drop(end);
    let _ = tokio::time::timeout(FAREWELL, server).await;
    brought.map(Some).ok_or_else(|| {
        Failure::new(Code::NotSignedIn, "nobody signed in within 10 minutes").hint(
            "run portreeve login again; with --no-browser it shows a code for a browser elsewhere",
        )
    })
}

async fn take(
    State(waiting): State<Arc<Waiting>>,
    Query(brought): Query<Brought>,
) -> impl IntoResponse {
    // Whatever was not asked for here came from somewhere else.
    let (status, text) = if brought.state != waiting.state {
        (
            StatusCode::BAD_REQUEST,
            "This is not the sign-in that portreeve waits for.",
        )
    } else {
        let text = match brought.code {
            Some(_) => "You can close this page and go back to the command line.",
            None => "The command line was not signed in. You can close this page.",
        };
        // A second time changes nothing.
        let _ = waiting.brought.try_send(brought);
        (StatusCode::OK, text)
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>Portreeve</title><h1>Portreeve</h1><p>{text}</p></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, page)
}

fn address(oauth: &Oauth, redirect_uri: &str, state: &str, verifier: &str) -> Result<Url, Failure> {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    let parameters = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", redirect_uri),
        ("state", state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("device", &oauth.device),
    ];
    let path = format!("{}/auth/cli/authorize", oauth.url);
    Url::parse_with_params(&path, parameters).map_err(Failure::usage)
}

fn random() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Failure::plain("this machine gives no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
