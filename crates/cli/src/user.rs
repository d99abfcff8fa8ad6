//! `portreeve user`.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::confirm::Care;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::{Listing, Scope};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

mod offboarding;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List users
    List(Listing),
    /// Show a user with status, level and groups
    Get {
        /// userName or id
        #[arg(add = live::users())]
        user: String,
        #[command(flatten)]
        scope: Scope,
    },
    /// Make a user in a native directory
    Create(Create),
    /// Change a user of a native directory
    Update(Update),
    /// Keep somebody out, whatever their provider says: sessions end at once
    Suspend(Which),
    /// Let somebody in again whom you have suspended; their level is user again
    Reinstate(Which),
    /// Say what somebody may do here
    Level {
        /// userName or id
        #[arg(add = live::users())]
        user: String,
        /// What they may do
        #[arg(value_enum)]
        level: Level,
        #[command(flatten)]
        scope: Scope,
    },
    /// Remove a user of a native directory
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
    /// Show since when each host lets somebody in no longer, and what they have left there
    Offboarding(Which),
    /// Have hosts remove what somebody has left there: home, crontab, and whatever else is theirs. It cannot be undone
    RemoveData {
        #[command(flatten)]
        which: Which,
        /// Only there; once for each [default: all hosts with an agent that let them in no longer]
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        care: Care,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// userName or id
    #[arg(add = live::users())]
    user: String,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The name to sign in with, unique in the directory
    user_name: String,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    attributes: Attributes,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// New userName
    #[arg(long, value_name = "NAME")]
    user_name: Option<String>,
    #[command(flatten)]
    attributes: Attributes,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What both take. Where something is changed, an empty value takes it away.
#[derive(Debug, Args)]
struct Attributes {
    /// Name for people
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Primary e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Id at another system
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// File with other attributes, as JSON in the form of SCIM
    #[arg(long, value_name = "FILE")]
    attributes: Option<PathBuf>,
}

/// A preset over the permissions.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Sees the own page
    User,
    /// Sees everything and changes nothing
    Auditor,
    /// Does everything but making admins and owners
    Admin,
    /// Does everything
    Owner,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("USER NAME", "user_name"),
        Column::text("NAME", "display_name"),
        Column::text("STATUS", "status"),
        Column::text("LEVEL", "level"),
        Column::made("GROUPS", "groups", count_groups),
        Column::time("CHANGED", "updated_at", ""),
    ],
    name: "user_name",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("User name", "user_name"),
        Column::text("Name", "display_name"),
        Column::text("E-mail", "email"),
        Column::text("Id", "id"),
        Column::text("External id", "external_id"),
        Column::text("Status", "status"),
        Column::text("Level", "level"),
        Column::text("Managed by", "managed_by.name"),
        Column::made("Groups", "groups", name_groups),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "user_name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List(listing) => {
            let items = listing.fetch(&api, "users").await?;
            output::list(format, &LIST, &items)
        }
        Command::Get { user, scope } => {
            let (_, found) = find(&api, &Which { user, scope }).await?;
            output::one(format, &ONE, &found)
        }
        Command::Create(wanted) => create(&api, format, &wanted).await,
        Command::Update(wanted) => update(&api, format, &wanted).await,
        Command::Suspend(which) => {
            patch(&api, format, &which, json!({"status": "suspended"})).await
        }
        Command::Reinstate(which) => patch(&api, format, &which, json!({"status": "active"})).await,
        Command::Level { user, level, scope } => {
            patch(
                &api,
                format,
                &Which { user, scope },
                json!({"level": level}),
            )
            .await
        }
        Command::Delete { which, care } => delete(&api, format, &which, &care).await,
        Command::Offboarding(which) => offboarding::show(&api, format, &which).await,
        Command::RemoveData { which, hosts, care } => {
            offboarding::remove(&api, format, &which, (&hosts, &care)).await
        }
    }
}

async fn create(api: &Api, format: Format, wanted: &Create) -> Result<(), Failure> {
    let mut body = wanted.attributes.members()?;
    body.insert("user_name".into(), json!(wanted.user_name));
    let directory = wanted.scope.resolve(api).await?;
    let path = ["directories", &directory, "users"];
    let made = api.post(&path, &Value::Object(body)).await;
    let made = made.map_err(|failure| failure.hint_if_missing(crate::scope::DIRECTORIES))?;
    output::one(format, &ONE, &made)
}

async fn update(api: &Api, format: Format, wanted: &Update) -> Result<(), Failure> {
    let mut body = wanted.attributes.members()?;
    body.extend(body::given([("user_name", &wanted.user_name)]));
    body::something(
        &body,
        "--user-name, --display-name, --email, --external-id or --attributes",
    )?;
    if !wanted.dry_run {
        return patch(api, format, &wanted.which, Value::Object(body)).await;
    }
    let (_, before) = find(api, &wanted.which).await?;
    body::preview(format, &before, &body)
}

async fn patch(api: &Api, format: Format, which: &Which, body: Value) -> Result<(), Failure> {
    let directory = which.scope.resolve(api).await?;
    let path = ["directories", &directory, "users", &which.user];
    let changed = api.patch(&path, &body).await;
    let changed = changed.map_err(|failure| missing(failure, &directory))?;
    output::one(format, &ONE, &changed)
}

async fn delete(api: &Api, format: Format, which: &Which, care: &Care) -> Result<(), Failure> {
    let (directory, user) = find(api, which).await?;
    let name = harmless(&plain(&user["user_name"]));
    let loss = format!(
        "\"{name}\" will be lost, with memberships in groups: {}, and their sessions end",
        groups(&user).count()
    );
    if !care.allows(format, &ONE, &user, &loss)? {
        return Ok(());
    }
    let id = plain(&user["id"]);
    api.delete(&["directories", &directory, "users", &id])
        .await?;
    output::gone(format, &ONE, &user)
}

/// The user and the directory.
async fn find(api: &Api, which: &Which) -> Result<(String, Value), Failure> {
    let directory = which.scope.resolve(api).await?;
    let found = api
        .get(&["directories", &directory, "users", &which.user], &[])
        .await;
    let found = found.map_err(|failure| missing(failure, &directory))?;
    Ok((directory, found))
}

fn missing(failure: Failure, directory: &str) -> Failure {
    failure.hint_if_missing(format!(
        "portreeve user list --directory '{directory}' shows the users there are"
    ))
}

impl Attributes {
    fn members(&self) -> Result<Map<String, Value>, Failure> {
        let mut members = body::changed([
            ("display_name", &self.display_name),
            ("email", &self.email),
            ("external_id", &self.external_id),
        ]);
        if let Some(path) = &self.attributes {
            members.insert("resource".into(), body::file(path)?);
        }
        Ok(members)
    }
}

fn groups(user: &Value) -> impl Iterator<Item = &Value> {
    user["groups"].as_array().into_iter().flatten()
}

fn count_groups(user: &Value) -> String {
    groups(user).count().to_string()
}

fn name_groups(user: &Value) -> String {
    let name = |group: &Value| {
        let through = if group["direct"] == true {
            ""
        } else {
            " (through a nested group)"
        };
        plain(&group["display"]) + through
    };
    groups(user).map(name).collect::<Vec<_>>().join(", ")
}
