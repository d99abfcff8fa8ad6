//! Whether the process is up, and whether it can do its work.

use crate::app::App;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// How long the database may take to answer. Whoever asks does so every few seconds, and wants to send requests elsewhere.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(app)
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let why = match tokio::time::timeout(PATIENCE, app.store.ping()).await {
        Ok(Ok(())) => return (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer for {} s", PATIENCE.as_secs()),
    };
    tracing::warn!(why, "the database does not answer");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "the database does not answer; see the log\n",
    )
}
