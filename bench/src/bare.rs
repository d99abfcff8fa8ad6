//! The handlers to compare with: each parses the request as the server must and answers recorded bytes, no more.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The real server's answers, to be given again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answers {
    pub(crate) create: String,
    pub(crate) lookup: String,
    pub(crate) patch: String,
}

impl Answers {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// Serves until it is killed; prints its address first.
pub(crate) async fn serve(answers: &Path) -> Result<()> {
    let answers = Answers::read(answers)?;
    let recorded = Recorded {
        create: answers.create.into(),
        lookup: answers.lookup.into(),
        patch: answers.patch.into(),
    };
    let app = Router::new()
        .route("/Users", post(create).get(lookup))
        .route("/Users/{id}", patch(change))
        .with_state(Arc::new(recorded));
    listen(app).await
}

/// Serves at any address, which is printed.
pub(crate) async fn listen(app: Router) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    axum::serve(listener, app).await?;
    Ok(())
}

struct Recorded {
    create: Bytes,
    lookup: Bytes,
    patch: Bytes,
}

async fn create(State(recorded): State<Arc<Recorded>>, body: Bytes) -> Response {
    parsed(&body, StatusCode::CREATED, &recorded.create)
}

async fn lookup(
    State(recorded): State<Arc<Recorded>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if query.contains_key("filter") {
        answer(StatusCode::OK, recorded.lookup.clone())
    } else {
        StatusCode::BAD_REQUEST.into_response()
    }
}

async fn change(State(recorded): State<Arc<Recorded>>, body: Bytes) -> Response {
    parsed(&body, StatusCode::OK, &recorded.patch)
}

fn parsed(body: &[u8], status: StatusCode, bytes: &Bytes) -> Response {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(_)) => answer(status, bytes.clone()),
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

pub(crate) fn answer(status: StatusCode, body: impl IntoResponse) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/scim+json")],
        body,
    )
        .into_response()
}
