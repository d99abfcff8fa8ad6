//! `portreeve stream`.

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use crate::scope::{DIRECTORIES, Scope};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a stream, which begins with the next change
    Create(New),
    /// List streams: where they go, and whether their receivers take what they are sent
    List(Scope),
    /// End a stream
    Delete {
        /// Id of the stream
        stream: String,
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Args, Serialize)]
pub(crate) struct New {
    #[command(flatten)]
    #[serde(skip)]
    scope: Scope,
    /// How events reach the receiver
    #[arg(long, value_enum)]
    delivery: Delivery,
    /// Where events are pushed to: an https:// URL
    #[arg(long, value_name = "URL", required_if_eq("delivery", "push"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// Authorization that each push carries, such as: "Bearer …"
    #[arg(
        long,
        value_name = "VALUE",
        env = "PORTREEVE_STREAM_AUTHORIZATION",
        hide_env_values = true
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<String>,
    /// Whom the events are meant for, their "aud" [default: the endpoint, or the URL that is polled]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<String>,
    /// How much events tell
    #[arg(long, value_enum, default_value_t = Content::Notice)]
    content: Content,
}

/// Without the authorization, which is a secret.
impl std::fmt::Debug for New {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("New")
            .field("delivery", &self.delivery)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Delivery {
    /// The receiver fetches them (RFC 8936)
    Poll,
    /// They are sent to the receiver (RFC 8935)
    Push,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    /// The names of what changed
    Notice,
    /// The values too
    Full,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("ID", "id"),
        Column::text("DELIVERY", "delivery"),
        Column::text("CONTENT", "content"),
        Column::text("AUDIENCE", "audience"),
        Column::time("LAST DELIVERY", "last_delivered_at", "never"),
        Column::text("STATUS", "status"),
        Column::text("LAST ERROR", "last_error"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Delivery", "delivery"),
        Column::text("Content", "content"),
        Column::text("Audience", "audience"),
        Column::text("Endpoint", "endpoint"),
        Column::text("Poll URL", "poll_url"),
        Column::text("Secret", "secret"),
        Column::text("Issuer", "issuer"),
        Column::text("Keys (JWKS)", "jwks_url"),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    let done = match command {
        Command::Create(new) => create(&api, format, &new).await,
        Command::List(scope) => list(&api, format, &scope).await,
        Command::Delete { stream, scope } => delete(&api, format, &scope, &stream).await,
    };
    done.map_err(|failure| failure.hint_if_missing(DIRECTORIES))
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let body = json!(new);
    let directory = new.scope.resolve(api).await?;
    let made = api
        .post(&["directories", &directory, "streams"], &body)
        .await?;
    output::one(format, &ONE, &made)?;
    let next = match made["secret"] {
        Value::String(_) => {
            "\nGive the poll URL and the secret (as Authorization: Bearer) to the receiver. The secret is not shown again."
        }
        _ => "\nEvents go to the endpoint from now on. See how that works: portreeve stream list",
    };
    output::say(format, next);
    Ok(())
}

async fn list(api: &Api, format: Format, scope: &Scope) -> Result<(), Failure> {
    let directory = scope.resolve(api).await?;
    let items = api
        .list(&["directories", &directory, "streams"], &[])
        .await?;
    output::list(format, &LIST, &items)
}

async fn delete(api: &Api, format: Format, scope: &Scope, stream: &str) -> Result<(), Failure> {
    let directory = scope.resolve(api).await?;
    let gone = api
        .delete(&["directories", &directory, "streams", stream])
        .await
        .map_err(|failure| {
            failure.hint_if_missing(format!(
                "portreeve stream list --directory '{directory}' shows the streams there are"
            ))
        })?;
    output::one(format, &ONE, &gone)
}
