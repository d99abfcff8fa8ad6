//! Bulk requests (RFC 7644 section 3.7). Every operation is a change of its own, with its own event; the request as a
//! whole is not atomic, as the RFC has it.

use super::context::Ctx;
use super::discovery::BULK_OPERATIONS;
use super::error::Failure;
use super::events::{self, Answer, Asked};
use super::operations::{self, Item, Kind};
use super::{render, tag};
use crate::body::{self, BULK_LIMIT};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::users::Precondition;
use portreeve_scim::bulk::{self, Entry, Method, Outcome, Request, RequestError, Step, Target};
use portreeve_scim::{Projection, error, json};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) async fn run(ctx: Ctx, body: Body) -> Response {
    let request = match read(&ctx, body).await {
        Ok(request) => Arc::new(request),
        Err(failure) => return ctx.answer("bulk", (None, None), Err(failure)).await,
    };
    let same = request.clone();
    let asked = |_: &Ctx| Asked::bulk(same.entries.iter().map(asked).collect());
    events::now_or_later(ctx, asked, move |ctx| async move {
        carry_out(&ctx, &request).await
    })
    .await
}

async fn read(ctx: &Ctx, body: Body) -> Result<Request, Failure> {
    let bytes = body::read(&ctx.headers, body, BULK_LIMIT).await?;
    let json = json::parse(&bytes, json::Limits::default())?;
    Ok(Request::parse(
        json,
        &ctx.call.directory.catalog,
        BULK_OPERATIONS,
    )?)
}

/// What is known of an operation before it is carried out.
fn asked(entry: &Entry) -> Value {
    let target = entry.operation.as_ref().ok().map(|done| &done.target);
    let uri = target.map_or_else(
        || "/Bulk".to_owned(),
        |target| match &target.id {
            Some(id) => format!("{}/{id}", target.endpoint),
            None => target.endpoint.clone(),
        },
    );
    let mut asked = json!({ "uri": uri });
    if let Some(method) = &entry.method {
        asked["method"] = method.as_str().into();
    }
    if let Some(bulk_id) = &entry.bulk_id {
        asked["bulkId"] = bulk_id.as_str().into();
    }
    asked
}

async fn carry_out(ctx: &Ctx, request: &Request) -> Answer {
    let mut run = Run {
        ctx,
        ids: HashMap::new(),
        outcomes: HashMap::new(),
    };
    for step in bulk::plan(&request.entries) {
        run.step(request, step).await;
        if request
            .fail_on_errors
            .is_some_and(|most| run.errors() >= most)
        {
            break;
        }
    }
    let mut outcomes = run.outcomes;
    let mut done = Vec::with_capacity(request.entries.len());
    let results = request.entries.iter().enumerate().filter_map(|(i, entry)| {
        let outcome = outcomes.remove(&i);
        done.push(outcome.is_some());
        Some((entry, outcome?))
    });
    let mut answer = bulk::response(results);
    let response = render::json(
        StatusCode::OK,
        render::media_type(&ctx.headers),
        answer.to_string(),
    );
    let results = match answer["Operations"].take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    };
    let mut results = results.into_iter();
    Answer {
        response,
        results: done
            .into_iter()
            .map(|done| if done { results.next() } else { None })
            .collect(),
    }
}

/// A bulk request under way.
struct Run<'a> {
    ctx: &'a Ctx,
    /// Ids of what was made, by `bulkId`.
    ids: HashMap<String, String>,
    /// By place in the request.
    outcomes: HashMap<usize, Outcome>,
}

impl Run<'_> {
    fn errors(&self) -> u64 {
        self.outcomes
            .values()
            .filter(|outcome| outcome.status >= 400)
            .count() as u64
    }

    async fn step(&mut self, request: &Request, step: Step) {
        match step {
            Step::Refuse { index, refusal } => {
                let outcome = Outcome {
                    status: refusal.status,
                    location: None,
                    version: None,
                    response: Some(refusal.body()),
                };
                self.outcomes.insert(index, outcome);
            }
            Step::Run { index, omit } => {
                let Some(Ok(operation)) = request.entries.get(index).map(|entry| &entry.operation)
                else {
                    return;
                };
                let outcome = match operation.resolved(&omit, &self.ids) {
                    Ok((target, data)) => {
                        let only_if = operation.version.as_deref().map(tag::of_operation);
                        match only_if.transpose() {
                            Ok(only_if) => {
                                let only_if = only_if.unwrap_or_default();
                                self.run(operation.method, &target, data, only_if).await
                            }
                            Err(failure) => failed(&failure, None),
                        }
                    }
                    Err(unresolved) => failed(&conflict(unresolved.to_string()), None),
                };
                let made = request
                    .entries
                    .get(index)
                    .and_then(|entry| entry.bulk_id.clone())
                    .zip(id_in(outcome.location.as_deref()));
                if let (true, Some((bulk_id, id))) = (outcome.status < 400, made) {
                    self.ids.insert(bulk_id, id);
                }
                self.outcomes.insert(index, outcome);
            }
            Step::Complete { index, patch } => self.complete(index, patch).await,
        }
    }

    /// Adds the references that had to wait. When that fails the resource goes again: a failed operation leaves nothing.
    async fn complete(&mut self, index: usize, mut patch: Value) {
        let location = self
            .outcomes
            .get(&index)
            .filter(|outcome| outcome.status < 400)
            .and_then(|outcome| outcome.location.clone());
        let Some(location) = location else { return };
        let Some((kind, id)) = kind_in(&location).zip(id_in(Some(&location))) else {
            return;
        };
        let done = match bulk::substitute(&mut patch, &self.ids) {
            Ok(()) => operations::patch(self.ctx, kind, &id, patch, Precondition::None).await,
            Err(unresolved) => Err(conflict(unresolved.to_string())),
        };
        match done {
            Ok(item) => {
                if let Some(outcome) = self.outcomes.get_mut(&index) {
                    outcome.version = Some(whole(self.ctx, &item));
                }
            }
            Err(failure) => {
                if let Err(error) =
                    operations::delete(self.ctx, kind, &id, Precondition::None).await
                {
                    tracing::warn!(
                        id,
                        detail = error.detail,
                        "what a failed bulk operation had made could not be removed"
                    );
                }
                self.ids.retain(|_, made| *made != id);
                self.outcomes.insert(index, failed(&failure, None));
            }
        }
    }

    async fn run(
        &self,
        method: Method,
        target: &Target,
        data: Value,
        only_if: Precondition,
    ) -> Outcome {
        let ctx = self.ctx;
        let id = target.id.clone().unwrap_or_default();
        let Some(kind) = kind_in(&target.endpoint) else {
            return failed(
                &Failure::plain(
                    StatusCode::NOT_FOUND,
                    "no_endpoint",
                    format!("there is no endpoint {}", target.endpoint),
                ),
                None,
            );
        };
        let location = format!("{}/{}/{id}", ctx.base, kind.endpoint());
        let done = match method {
            Method::Post => operations::create(ctx, kind, data).await.map(Some),
            Method::Put => operations::replace(ctx, kind, &id, data, only_if)
                .await
                .map(Some),
            Method::Patch => operations::patch(ctx, kind, &id, data, only_if)
                .await
                .map(Some),
            Method::Delete => operations::delete(ctx, kind, &id, only_if)
                .await
                .map(|()| None),
        };
        match done {
            Ok(Some(item)) => succeeded(ctx, &item, if method == Method::Post { 201 } else { 200 }),
            Ok(None) => Outcome {
                status: 204,
                location: Some(location),
                version: None,
                response: None,
            },
            Err(failure) => {
                ctx.refused(
                    method_verb(method),
                    (Some(kind.name()), target.id.as_deref()),
                    &failure,
                )
                .await;
                failed(&failure, (method != Method::Post).then_some(location))
            }
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Invalid(error) => error.into(),
            RequestError::TooManyOperations { .. } => Self::plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                error.to_string(),
            ),
        }
    }
}

fn succeeded(ctx: &Ctx, item: &Item, status: u16) -> Outcome {
    Outcome {
        status,
        location: Some(item.location(&ctx.base)),
        version: Some(whole(ctx, item)),
        response: None,
    }
}

/// The tag of the whole resource.
fn whole(ctx: &Ctx, item: &Item) -> String {
    item.tag(&ctx.call.directory.catalog, &Projection::default())
}

fn failed(failure: &Failure, location: Option<String>) -> Outcome {
    let body = error::body(failure.status.as_u16(), failure.scim_type, &failure.detail);
    Outcome {
        status: failure.status.as_u16(),
        location,
        version: None,
        response: Some(body),
    }
}

fn conflict(detail: String) -> Failure {
    Failure::plain(StatusCode::CONFLICT, "unresolved", detail)
}

fn method_verb(method: Method) -> &'static str {
    match method {
        Method::Post => "create",
        Method::Put => "replace",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

/// The kind in `/Users` or in a location.
fn kind_in(path: &str) -> Option<Kind> {
    [Kind::User, Kind::Group]
        .into_iter()
        .find(|kind| path.split('/').any(|part| part == kind.endpoint()))
}

fn id_in(location: Option<&str>) -> Option<String> {
    location?.rsplit('/').next().map(str::to_owned)
}
