//! `portreeve group`.

use crate::Global;
use crate::body;
use crate::client::{Api, page_size};
use crate::confirm::Care;
use crate::failure::{Code, Failure};
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::{Listing, Scope};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List groups
    List(Listing),
    /// Show a group
    Get {
        /// displayName or id
        #[arg(add = live::groups())]
        group: String,
        #[command(flatten)]
        scope: Scope,
    },
    /// List the members of a group
    Members {
        /// displayName or id
        #[arg(add = live::groups())]
        group: String,
        #[command(flatten)]
        scope: Scope,
        /// At most so many
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
    },
    /// Make a group in a native directory
    Create(New),
    /// Change a group of a native directory
    Update(Change),
    /// Remove a group of a native directory
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
    /// Make somebody a member; in a group that a provider manages it does not hear of them
    Add {
        #[command(flatten)]
        which: Which,
        /// userName, group or id
        #[arg(required = true, value_name = "WHO", add = live::users())]
        members: Vec<String>,
        /// When it ends: a length such as 8h, or a date [default: never]
        #[arg(long, value_name = "WHEN")]
        until: Option<String>,
    },
    /// End a membership that was made here
    Remove {
        #[command(flatten)]
        which: Which,
        /// userName, group or id
        #[arg(required = true, value_name = "WHO", add = live::users())]
        members: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// displayName
    name: String,
    /// Id at another system
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Member from the beginning: userName, group or id; once for each
    #[arg(long, value_name = "WHO", add = live::users())]
    member: Vec<String>,
    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
    /// New displayName
    #[arg(long, value_name = "NEW")]
    name: Option<String>,
    /// Id at another system; an empty one takes it away
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// displayName or id
    #[arg(add = live::groups())]
    group: String,
    #[command(flatten)]
    scope: Scope,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "display_name"),
        Column::text("MEMBERS", "member_count"),
        Column::made("NESTED GROUPS", "has_nested_groups", nested),
        Column::time("CHANGED", "updated_at", ""),
    ],
    name: "display_name",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "display_name"),
        Column::text("Id", "id"),
        Column::text("External id", "external_id"),
        Column::text("Managed by", "managed_by.name"),
        Column::text("Members", "member_count"),
        Column::made("Nested groups", "has_nested_groups", nested),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "display_name",
};

const MEMBERS: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("TYPE", "type"),
        Column::text("ID", "id"),
        Column::text("MANAGED BY", "managed_by.name"),
        Column::time("ENDS", "local.expires_at", ""),
        Column::made("WARNING", "warning", warning),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List(listing) => {
            output::list(format, &LIST, &listing.fetch(&api, "groups").await?)
        }
        Command::Get { group, scope } => {
            let (_, found) = find(&api, &Which { group, scope }).await?;
            output::one(format, &ONE, &found)
        }
        Command::Members {
            group,
            scope,
            limit,
        } => {
            let directory = scope.resolve(&api).await?;
            let path = ["directories", &directory, "groups", &group, "members"];
            let limit = limit.unwrap_or(usize::MAX);
            let size = page_size(limit);
            let items = api.walk(&path, &[("limit", &size)], limit).await;
            let items = items.map_err(|failure| missing(failure, &directory))?;
            output::list(format, &MEMBERS, &items)
        }
        Command::Create(new) => create(&api, format, &new).await,
        Command::Update(change) => update(&api, format, &change).await,
        Command::Delete { which, care } => delete(&api, format, &which, &care).await,
        Command::Add {
            which,
            members,
            until,
        } => add(&api, format, &which, &members, until.as_ref()).await,
        Command::Remove { which, members } => remove(&api, format, &which, &members).await,
    }
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let directory = new.scope.resolve(api).await?;
    let mut body = body::given([("external_id", &new.external_id)]);
    body.insert("display_name".into(), json!(new.name));
    let members = ids(api, &directory, &new.member).await?;
    body.insert("members".into(), json!(members));
    let path = ["directories", &directory, "groups"];
    let made = api.post(&path, &Value::Object(body)).await;
    let made = made.map_err(|failure| failure.hint_if_missing(crate::scope::DIRECTORIES))?;
    output::one(format, &ONE, &made)
}

async fn update(api: &Api, format: Format, change: &Change) -> Result<(), Failure> {
    let mut body = body::changed([("external_id", &change.external_id)]);
    body.extend(body::given([("display_name", &change.name)]));
    body::something(&body, "--name or --external-id")?;
    let (directory, before) = find(api, &change.which).await?;
    if change.dry_run {
        return body::preview(format, &before, &body);
    }
    let path = ["directories", &directory, "groups", &plain(&before["id"])];
    output::one(format, &ONE, &api.patch(&path, &Value::Object(body)).await?)
}

async fn delete(api: &Api, format: Format, which: &Which, care: &Care) -> Result<(), Failure> {
    let (directory, group) = find(api, which).await?;
    let name = harmless(&plain(&group["display_name"]));
    let loss = format!(
        "\"{name}\" will be lost, with its memberships: {}",
        plain(&group["member_count"])
    );
    if !care.allows(format, &ONE, &group, &loss)? {
        return Ok(());
    }
    let path = ["directories", &directory, "groups", &plain(&group["id"])];
    api.delete(&path).await?;
    output::gone(format, &ONE, &group)
}

async fn add(
    api: &Api,
    format: Format,
    which: &Which,
    members: &[String],
    until: Option<&String>,
) -> Result<(), Failure> {
    let end = body::end("--until", until)?;
    let (directory, group) = find(api, which).await?;
    let path = [
        "directories",
        &directory,
        "groups",
        &plain(&group["id"]),
        "members",
    ];
    let mut added = Vec::new();
    // Nobody is added when one of them is nobody.
    for id in ids(api, &directory, members).await? {
        added.push(
            api.post(&path, &json!({"id": id, "expires_at": end}))
                .await?,
        );
    }
    output::list(format, &MEMBERS, &added)
}

async fn remove(
    api: &Api,
    format: Format,
    which: &Which,
    members: &[String],
) -> Result<(), Failure> {
    let (directory, group) = find(api, which).await?;
    let id = plain(&group["id"]);
    let ids = ids(api, &directory, members).await?;
    for member in &ids {
        let path = ["directories", &directory, "groups", &id, "members", member];
        api.delete(&path).await?;
    }
    let name = harmless(&plain(&group["display_name"]));
    output::say(
        format,
        &format!("Memberships of \"{name}\" that have ended: {}", ids.len()),
    );
    Ok(())
}

/// The ids of users, or of groups, that were named somehow.
async fn ids(api: &Api, directory: &str, names: &[String]) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for name in names {
        let user = api
            .get(&["directories", directory, "users", name], &[])
            .await;
        let found = match user {
            Err(failure) if failure.code == Code::NotFound => {
                let group = api
                    .get(&["directories", directory, "groups", name], &[])
                    .await;
                group.map_err(|failure| match failure.code {
                    Code::NotFound => Failure::new(
                        Code::NotFound,
                        format!("there is neither a user nor a group \"{name}\" here"),
                    )
                    .hint(format!("portreeve user list --directory '{directory}' --search '{name}' looks for them")),
                    _ => failure,
                })?
            }
            other => other?,
        };
        ids.push(plain(&found["id"]));
    }
    Ok(ids)
}

/// The group and the directory.
async fn find(api: &Api, which: &Which) -> Result<(String, Value), Failure> {
    let directory = which.scope.resolve(api).await?;
    let path = ["directories", &directory, "groups", &which.group];
    let found = api.get(&path, &[]).await;
    let found = found.map_err(|failure| missing(failure, &directory))?;
    Ok((directory, found))
}

fn missing(failure: Failure, directory: &str) -> Failure {
    failure.hint_if_missing(format!(
        "portreeve group list --directory '{directory}' shows the groups there are"
    ))
}

fn nested(group: &Value) -> String {
    match group["has_nested_groups"] == true {
        true => "yes: Entra does not send their people as members".to_owned(),
        false => String::new(),
    }
}

fn warning(member: &Value) -> String {
    plain(&member["warning"])
}
