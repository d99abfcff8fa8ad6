//! `portreeve token`.

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use crate::scope::{DIRECTORIES, Scope};
use crate::time;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token; it is shown this once
    Create(New),
    /// List tokens: when each was made and last used, and when it ends
    List(Scope),
    /// End a token now
    Revoke {
        /// Id of the token
        token: String,
        #[command(flatten)]
        scope: Scope,
    },
    /// Make a token, and let the others end after an overlap
    Rotate {
        #[command(flatten)]
        new: New,
        /// How long the others go on: 24h, 7d, 0s
        #[arg(long, value_name = "LENGTH", default_value = "24h")]
        overlap: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    #[command(flatten)]
    scope: Scope,
    /// Name, to tell tokens apart
    #[arg(long)]
    name: Option<String>,
    /// When it ends: a length such as 90d, or a date [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("ID", "id"),
        Column::text("NAME", "name"),
        Column::text("STATUS", "status"),
        Column::time("CREATED", "created_at", ""),
        Column::time("LAST USED", "last_used_at", "never"),
        Column::time("ENDS", "expires_at", "never"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Name", "name"),
        Column::text("Status", "status"),
        Column::time("Created", "created_at", ""),
        Column::time("Last used", "last_used_at", "never"),
        Column::time("Revoked", "revoked_at", ""),
    ],
    name: "id",
};

/// What the provider's form asks for.
const MADE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Name", "name"),
        Column::text("Tenant URL", "tenant_url"),
        Column::text("Secret token", "secret_token"),
        Column::time("Ends", "expires_at", "never"),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    let done = match command {
        Command::Create(new) => create(&api, format, &new).await,
        Command::List(scope) => list(&api, format, &scope).await,
        Command::Revoke { token, scope } => revoke(&api, format, &scope, &token).await,
        Command::Rotate { new, overlap } => rotate(&api, format, &new, &overlap).await,
    };
    done.map_err(|failure| failure.hint_if_missing(DIRECTORIES))
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let body = members(new)?;
    let directory = new.scope.resolve(api).await?;
    let made = api
        .post(&["directories", &directory, "tokens"], &Value::Object(body))
        .await?;
    shown_once(format, &made)
}

async fn list(api: &Api, format: Format, scope: &Scope) -> Result<(), Failure> {
    let directory = scope.resolve(api).await?;
    let items = api
        .list(&["directories", &directory, "tokens"], &[])
        .await?;
    output::list(format, &LIST, &items)
}

async fn revoke(api: &Api, format: Format, scope: &Scope, token: &str) -> Result<(), Failure> {
    let directory = scope.resolve(api).await?;
    let revoked = api
        .delete(&["directories", &directory, "tokens", token])
        .await
        .map_err(|failure| {
            failure.hint_if_missing(format!(
                "portreeve token list --directory '{directory}' shows the tokens there are"
            ))
        })?;
    output::one(format, &ONE, &revoked)
}

async fn rotate(api: &Api, format: Format, new: &New, overlap: &str) -> Result<(), Failure> {
    let overlap =
        time::duration(overlap).map_err(|wrong| Failure::usage(format!("--overlap: {wrong}")))?;
    let mut body = members(new)?;
    body.insert("overlap_seconds".into(), json!(overlap.as_secs()));
    let directory = new.scope.resolve(api).await?;
    let made = api
        .post(
            &["directories", &directory, "tokens", "rotate"],
            &Value::Object(body),
        )
        .await?;
    shown_once(format, &made)?;
    for old in made["ending"].as_array().into_iter().flatten() {
        let end = time::relative(old["expires_at"].as_str().unwrap_or_default(), time::now());
        output::say(
            format,
            &format!("The token {} ends {end}.", output::plain(&old["id"])),
        );
    }
    Ok(())
}

fn shown_once(format: Format, made: &Value) -> Result<(), Failure> {
    output::one(format, &MADE, made)?;
    output::say(
        format,
        "\nGive the secret token to the provider. It is not shown again.",
    );
    Ok(())
}

fn members(new: &New) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    if let Some(name) = &new.name {
        body.insert("name".into(), json!(name));
    }
    if let Some(expires) = &new.expires {
        let end = time::end(expires, time::now())
            .map_err(|wrong| Failure::usage(format!("--expires: {wrong}")))?;
        body.insert("expires_at".into(), json!(end.to_string()));
    }
    Ok(body)
}
