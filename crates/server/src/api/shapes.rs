//! The forms of bodies that other crates write and read, for the API's description. Whether answers really have them is
//! judged from outside, by the suite `schemathesis`.
#![expect(
    dead_code,
    reason = "these types are never values: they say what JSON looks like that others write"
)]

use crate::admin::view::At;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An event of the log.
#[derive(JsonSchema)]
pub(super) struct Event {
    id: String,
    /// Rises with every event of the team.
    position: i64,
    time: At,
    category: portreeve_directory::events::Category,
    /// What was done, such as `create` or `sign_in_refused`.
    action: String,
    outcome: Outcome,
    /// What it was done to.
    #[schemars(skip_serializing_if = "Option::is_none")]
    object: Option<EventObject>,
    /// Who did it.
    actor: EventActor,
    #[schemars(skip_serializing_if = "Option::is_none")]
    directory_id: Option<String>,
    /// The `X-Request-Id` of the request that caused it.
    #[schemars(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// A code for why it was refused, which does not change with the wording.
    #[schemars(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it was refused, for people.
    #[schemars(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    duration_us: Option<i64>,
    /// The version that the object is at since then.
    #[schemars(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// What has changed: attributes with their old and new values.
    #[schemars(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Value>>,
}

/// How it went.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok,
    Refused,
}

#[derive(JsonSchema)]
struct EventObject {
    #[schemars(rename = "type")]
    #[schemars(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(JsonSchema)]
struct EventActor {
    /// Such as `user`, `owner`, `service`, `directory_token`, `local` or `system`.
    #[schemars(rename = "type")]
    kind: String,
    #[schemars(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

/// A piece of the feed of changes.
#[derive(JsonSchema)]
pub(super) struct Changes {
    changes: Vec<Event>,
    /// Where to go on.
    next: i64,
    /// Whether there is more already.
    more: bool,
}

/// A resource as SCIM has it (RFC 7643).
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Resource(Map<String, Value>);

/// A whole document of OpenAPI 3.1.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Document(Map<String, Value>);

/// The definition of an application, as `portreeve app` reads it from a file; see the manual's chapter on provisioning.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Definition {
    /// Unique in the team.
    name: String,
    /// The team that it belongs to; without it that of whoever asks.
    #[schemars(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// Where objects come from.
    source: Map<String, Value>,
    /// Where they go to.
    target: Map<String, Value>,
    /// The rest of the declaration.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Members of a definition, each of which replaces the one there is; `null` takes it away.
#[derive(Deserialize, JsonSchema)]
#[schemars(transparent)]
pub(super) struct DefinitionChange(Map<String, Value>);

/// How a job is, in Entra's words.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct JobStatus {
    /// Of the application.
    id: String,
    name: String,
    /// In one word.
    code: JobCode,
    quarantine: Option<Map<String, Value>>,
    /// The latest cycle, which may be under way.
    last_execution: Option<Map<String, Value>>,
    /// The latest cycle that came to its end without failing.
    last_successful_execution: Option<Map<String, Value>>,
    /// When the next cycle begins.
    next_run: Option<At>,
    /// A restart that the next cycle takes up: its scopes.
    restart: Option<String>,
    users: u64,
    groups: u64,
    /// Objects that failed and are tried again.
    escrowed: u64,
    escrowed_references: u64,
    /// How far the cycle has come that runs on this server.
    #[schemars(skip_serializing_if = "Option::is_none")]
    progress: Option<Map<String, Value>>,
    /// Why the job cannot run on this server.
    #[schemars(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

#[derive(JsonSchema)]
enum JobCode {
    NotRun,
    Active,
    Paused,
    Disabled,
    Quarantine,
}

/// An entry of a provisioning log, in the form of Microsoft Graph's `provisioningObjectSummary`.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct Record {
    id: String,
    /// Rises with every entry of the application.
    #[schemars(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    activity_date_time: At,
    job_id: String,
    cycle_id: String,
    change_id: String,
    provisioning_action: String,
    duration_in_milliseconds: u64,
    provisioning_status_info: Map<String, Value>,
    provisioning_steps: Vec<Map<String, Value>>,
    modified_properties: Vec<Map<String, Value>>,
    source_identity: Map<String, Value>,
    /// The resource at the target, as far as it is known.
    #[schemars(skip_serializing_if = "Option::is_none")]
    target_identity: Option<Map<String, Value>>,
    source_system: Map<String, Value>,
    target_system: Map<String, Value>,
    initiated_by: Map<String, Value>,
}

/// What a test of source and target found.
#[derive(JsonSchema)]
pub(super) struct Tested {
    source: TestedEnd,
    target: TestedEnd,
}

#[derive(JsonSchema)]
struct TestedEnd {
    /// Whether it can be used.
    ok: bool,
    /// What is there, or what is wrong and what to do about it.
    detail: String,
}

/// What is to be provisioned at once.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OnDemandRequest {
    /// User or group.
    kind: ObjectKind,
    /// Its key at the source, or a value of `attribute`.
    object: String,
    /// The source attribute by which it is looked for; without one, the key.
    attribute: Option<String>,
    /// Keys of the members that go along with a group. Where there is none, the first few of the source.
    #[serde(default)]
    members: Vec<String>,
    /// How many members may go along.
    #[serde(default)]
    most: usize,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ObjectKind {
    User,
    Group,
}

/// What came of it.
#[derive(JsonSchema)]
pub(super) struct OnDemandResult {
    /// How it went with the object that was asked for, or with one of those that went along, if that went worse.
    result: String,
    /// Why, unless all went well.
    #[schemars(skip_serializing_if = "Option::is_none")]
    error: Option<Map<String, Value>>,
    /// The log's records with every step.
    records: Vec<Map<String, Value>>,
}

/// What the next initial cycle would do.
#[derive(JsonSchema)]
pub(super) struct DryRun {
    result: String,
    error: Option<String>,
    counters: Map<String, Value>,
    requests: u64,
    /// Whether the guard against accidental deletions would hold it.
    held: bool,
    began: At,
    ended: Option<At>,
    /// An entry as in the log for each object.
    records: Vec<Map<String, Value>>,
}
