//! `/me/passkeys`: by which whoever asks signs in without an identity provider.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::passkeys::{self, PasskeyView};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// The passkeys of whoever asks, the first one first. The machine's administrator has none.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let passkeys = match &ask.who.holder {
        Some(holder) => passkeys::of(&ask.app, &ask.admin, holder).await?,
        None => Vec::new(),
    };
    let views = passkeys.iter().map(|one| json!(PasskeyView::from(one)));
    Ok(reply::list(views.collect()))
}

/// Removes one of them.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let holder = ask.who.holder.as_ref();
    passkeys::remove(&ask.app, &ask.admin, holder, &ask.param("passkey")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
