//! The events of what tablets were refused. They name the device, where there is one, and never a visitor.

use super::ask::{Ask, Unheard};
use crate::api::Problem;
use crate::app::App;
use crate::ca::By;
use crate::limits::Visitor;
use http::{Extensions, HeaderMap};
use portreeve_directory::events::{self, Category, New, Outcome};
use portreeve_directory::{Refusal, teams};
use portreeve_store::Scope;
use serde_json::json;

/// The address that a request counts on, as text.
pub(super) fn address(app: &App, request: &Extensions, headers: &HeaderMap) -> String {
    let visitor = request.get::<Visitor>();
    let origin = visitor.map(|visitor| app.limits.origin(visitor.peer, headers).to_string());
    origin.unwrap_or_default()
}

/// A token was no good. Whoever sends it need not be a device of ours, so that not all of them become events.
pub(super) async fn device(app: &App, by: By, team_id: &str, unheard: Unheard, address: &str) {
    let Some(left_out) = app.strangers.came(&format!("visit/{team_id}"), by.at) else {
        return;
    };
    let detail = match left_out {
        0 => unheard.to_string(),
        more => format!("{unheard}. And {more} more refusals since the last such event"),
    };
    let changes = json!([{"attribute": "address", "new": address}]).to_string();
    record(
        app,
        by,
        team_id,
        ("authenticate", unheard.code(), detail),
        None,
        Some(changes),
    )
    .await;
}

/// A device asks for people too fast.
pub(super) async fn too_many(ask: &Ask, problem: &Problem) {
    let why = ("search", problem.code(), problem.detail().to_owned());
    let location = Some((ask.location.id.clone(), ask.location.name.clone()));
    record(&ask.app, ask.by(), &ask.team_id, why, location, None).await;
}

/// Leaves the event. The refusal stands whether or not that can be written.
async fn record(
    app: &App,
    by: By,
    team_id: &str,
    (action, reason, detail): (&'static str, &'static str, String),
    location: Option<(String, String)>,
    changes: Option<String>,
) {
    let team_id = team_id.to_owned();
    let written = app.write(Scope::of(&team_id.clone()), move |tx| {
        // The token itself says of which team it is, and may say anything.
        match teams::by_id(tx, &team_id) {
            Err(Refusal::NotFound(..)) => return Ok(()),
            found => found.map(drop)?,
        }
        let event = New {
            category: Category::Visitor,
            action,
            outcome: Outcome::Refused {
                reason,
                detail: &detail,
            },
            object_kind: location.as_ref().map(|_| "Location"),
            object_id: location.as_ref().map(|(id, _)| id.as_str()),
            object_name: location.as_ref().map(|(_, name)| name.as_str()),
            version: None,
            changes: changes.as_deref(),
        };
        events::record_of(tx, &by.cause(&team_id, None), &event)
    });
    if let Err(error) = written.await {
        tracing::error!(%error, "the event of a tablet that was refused was not written");
    }
}
