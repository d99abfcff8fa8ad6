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
use portreeve_scim::bulk::{
    self, Entry, Method, Operation, Outcome, Refusal, Request, RequestError, Step, Target,
};
use portreeve_scim::{ErrorKind, Projection, error, json};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What a body may ask: as any other, but for the number of values, which there are more of.
const LIMITS: json::Limits = json::Limits {
    values: 400_000,
    ..json::Limits::DEFAULT
};

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
    let bytes = body::read(&ctx.app, &ctx.headers, body, BULK_LIMIT).await?;
    let json = json::parse(&bytes, LIMITS)?;
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
        request,
        ids: HashMap::new(),
        outcomes: HashMap::new(),
    };
    for step in bulk::plan(&request.entries) {
        run.step(step).await;
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
    request: &'a Request,
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

    async fn step(&mut self, step: Step) {
        match step {
            Step::Refuse { index, refusal } => self.refuse(index, None, &refusal.into()).await,
            Step::Run { index, omit } => self.run(index, &omit).await,
            Step::Complete { index, patch } => self.complete(index, patch).await,
        }
    }

    async fn run(&mut self, index: usize, omit: &BTreeSet<String>) {
        let request = self.request;
        let Some((entry, Ok(operation))) = request
            .entries
            .get(index)
            .map(|entry| (entry, &entry.operation))
        else {
            return;
        };
        let (target, data) = match operation.resolved(omit, &self.ids) {
            Ok(resolved) => resolved,
            Err(unresolved) => {
                let failure = conflict(unresolved.to_string());
                return self.refuse(index, None, &failure).await;
            }
        };
        match one(self.ctx, operation, &target, data).await {
            Ok(outcome) => {
                let made = entry.bulk_id.clone();
                if let Some((name, id)) = made.zip(id_in(outcome.location.as_deref())) {
                    self.ids.insert(name, id);
                }
                self.outcomes.insert(index, outcome);
            }
            Err(failure) => self.refuse(index, Some(&target), &failure).await,
        }
    }

    /// Adds the references that had to wait. When that fails the resource goes again: a failed operation leaves nothing.
    async fn complete(&mut self, index: usize, mut patch: Value) {
        let made = self
            .outcomes
            .get(&index)
            .filter(|outcome| outcome.status < 400)
            .and_then(|outcome| Some((outcome.location.clone()?, outcome.version.clone()?)));
        let Some((location, version)) = made else {
            return;
        };
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
                undo(self.ctx, kind, &id, &version).await;
                self.ids.retain(|_, made| *made != id);
                self.refuse(index, None, &failure).await;
            }
        }
    }

    /// The one place where an operation fails, whatever the cause: its outcome, and the event that tells of it. `target`
    /// is what its references turned out to mean, as far as they were resolved.
    async fn refuse(&mut self, index: usize, target: Option<&Target>, failure: &Failure) {
        let entry = self.request.entries.get(index);
        let operation = entry.and_then(|entry| entry.operation.as_ref().ok());
        let target = target.or(operation.map(|operation| &operation.target));
        let kind = target.and_then(|target| kind_in(&target.endpoint));
        let id = target
            .and_then(|target| target.id.as_deref())
            .filter(|id| !id.starts_with("bulkId:"));
        let verb = operation.map_or("bulk", |operation| method_verb(operation.method));
        let object = (kind.map(Kind::name), id);
        self.ctx.refused(verb, object, failure).await;
        let location = kind
            .zip(id)
            .map(|(kind, id)| format!("{}/{}/{id}", self.ctx.base, kind.endpoint()));
        self.outcomes.insert(index, failed(failure, location));
    }
}

/// Carries out one operation whose references are resolved.
async fn one(
    ctx: &Ctx,
    operation: &Operation,
    target: &Target,
    data: Value,
) -> Result<Outcome, Failure> {
    let Some(kind) = kind_in(&target.endpoint) else {
        let detail = format!("there is no endpoint {}", target.endpoint);
        return Err(Failure::plain(StatusCode::NOT_FOUND, "no_endpoint", detail));
    };
    let only_if = operation.version.as_deref().map(tag::of_operation);
    let only_if = only_if.transpose()?.unwrap_or_default();
    let id = target.id.as_deref().unwrap_or_default();
    Ok(match operation.method {
        Method::Post => succeeded(ctx, &operations::create(ctx, kind, data).await?, 201),
        Method::Put => {
            let item = operations::replace(ctx, kind, id, data, only_if).await?;
            succeeded(ctx, &item, 200)
        }
        Method::Patch => {
            let item = operations::patch(ctx, kind, id, data, only_if).await?;
            succeeded(ctx, &item, 200)
        }
        Method::Delete => {
            operations::delete(ctx, kind, id, only_if).await?;
            Outcome {
                status: 204,
                location: Some(format!("{}/{}/{id}", ctx.base, kind.endpoint())),
                version: None,
                response: None,
            }
        }
    })
}

/// Takes back what a POST made. What is at its first version was made by it and goes for good; a group that was kept
/// from earlier and came back is kept again.
async fn undo(ctx: &Ctx, kind: Kind, id: &str, version: &str) {
    let undone = if version == tag::of_version(1) {
        operations::discard(ctx, kind, id).await
    } else {
        operations::delete(ctx, kind, id, Precondition::None).await
    };
    if let Err(error) = undone {
        tracing::warn!(
            id,
            detail = error.detail,
            "what a failed bulk operation had made could not be removed"
        );
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

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
        let scim_type = refusal.kind.map(ErrorKind::scim_type);
        let reason = match status {
            StatusCode::NOT_FOUND => "no_endpoint",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            _ => "unresolved",
        };
        Self {
            status,
            scim_type,
            reason: scim_type.unwrap_or(reason),
            detail: refusal.detail,
            retry_after: None,
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
