//! Requests that a server has accepted and not finished before it ended: their outcome is told by another one.
//!
//! No lease is needed: an outcome is settled once, whoever tries.

use crate::app::App;
use http::StatusCode;
use portreeve_directory::{Refusal, outcomes};
use portreeve_scim::error;
use portreeve_store::Scope;
use serde_json::json;

/// Requests per transaction.
const BATCH: usize = 100;

/// Tells the outcome of what servers that are gone have accepted and not finished.
pub(crate) async fn tell_interrupted(app: &App) -> Result<(), Refusal> {
    let status = StatusCode::SERVICE_UNAVAILABLE.as_u16();
    let detail = "the server stopped before it could say what came of this request; read the resource, and send the request again if it was not carried out";
    let result =
        json!({ "status": status.to_string(), "response": error::body(status, None, detail) });
    for directory in app.store.lookup(outcomes::orphaned).await? {
        loop {
            let (clock, ids) = (app.clock.clone(), app.ids.clone());
            let (id, result) = (directory.clone(), result.clone());
            let told = app.write(Scope::of(&directory), move |tx| {
                outcomes::interrupted(tx, &id, (&clock, &ids), &result, BATCH)
            });
            let count = told.await?;
            if count > 0 {
                tracing::warn!(
                    directory,
                    count,
                    "requests that a server had accepted before it ended are told as failed"
                );
            }
            if count < BATCH {
                break;
            }
        }
    }
    Ok(())
}
