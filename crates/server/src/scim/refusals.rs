//! The events that refused requests leave.
//!
//! A client with a token is known and leaves one for each, unless it is refused because there are too many. Requests
//! without one cost their sender nothing, so only some of them become events; what is left out is counted.

use super::error::Failure;
use crate::app::App;
use http::StatusCode;
use portreeve_directory::Call;
use portreeve_directory::events::{self, Category, Outcome};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most events of requests without a valid token, per directory and minute.
const PER_MINUTE: u32 = 60;
const MINUTE_US: i64 = 60_000_000;

/// How many requests without a valid token each directory, or certificate authority, had of late.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<HashMap<String, Count>>);

#[derive(Debug, Default)]
struct Count {
    /// Which minute since 1970.
    minute: i64,
    /// How many became events in that minute.
    told: u32,
    /// How many did not since the last event.
    left_out: u64,
}

impl Strangers {
    /// Counts a request. If it is to become an event: how many were left out before it.
    pub(crate) fn came(&self, directory: &str, at: i64) -> Option<u64> {
        let mut counts = self.lock();
        let count = match counts.get_mut(directory) {
            Some(count) => count,
            None => counts.entry(directory.to_owned()).or_default(),
        };
        let minute = at.div_euclid(MINUTE_US);
        if count.minute != minute {
            (count.minute, count.told) = (minute, 0);
        }
        if count.told == PER_MINUTE {
            count.left_out += 1;
            return None;
        }
        count.told += 1;
        Some(std::mem::take(&mut count.left_out))
    }

    /// The directory is gone.
    pub(crate) fn forget(&self, directory: &str) {
        self.lock().remove(directory);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request without a valid token was refused.
pub(super) async fn stranger(app: &App, call: &Arc<Call>, failure: &Failure) {
    let Some(left_out) = app.strangers.came(&call.directory.id, call.at) else {
        return;
    };
    if left_out == 0 {
        return record(app, call, "authenticate", (None, None), failure).await;
    }
    let detail = format!(
        "{}; and {left_out} more like it since the last such event",
        failure.detail
    );
    let failure = Failure {
        detail,
        ..failure.clone()
    };
    record(app, call, "authenticate", (None, None), &failure).await;
}

/// A request with a valid token was refused, because too many come with it.
pub(super) async fn too_many(app: &App, call: &Arc<Call>, token: &Arc<str>, failure: &Failure) {
    if app.limits.is_event(token, app.clock.steady()) {
        record(app, call, "request", (None, None), failure).await;
    }
}

/// Leaves an event that tells of a refusal. Its own failure must not change the answer. That the server cannot keep up
/// is no event: it would be one more thing to write.
pub(super) async fn record(
    app: &App,
    call: &Arc<Call>,
    verb: &str,
    (kind, id): (Option<&str>, Option<&str>),
    failure: &Failure,
) {
    if failure.status == StatusCode::SERVICE_UNAVAILABLE {
        return;
    }
    let owned = (
        call.clone(),
        verb.to_owned(),
        kind.map(str::to_owned),
        id.map(str::to_owned),
    );
    let (reason, detail) = (failure.reason, failure.detail.clone());
    let written = app.write(call.scope(), move |tx| {
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
