//! `portreeve user`.

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Shape, plain};
use crate::scope::{Listing, Scope};
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List users
    List(Listing),
    /// Show a user with status, level and groups
    Get {
        /// userName or id
        user: String,
        #[command(flatten)]
        scope: Scope,
    },
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
        Column::made("Groups", "groups", name_groups),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "user_name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    match command {
        Command::List(listing) => {
            let items = listing.fetch(&api, "users").await?;
            output::list(global.output, &LIST, &items)
        }
        Command::Get { user, scope } => {
            let directory = scope.resolve(&api).await?;
            let found = api
                .get(&["directories", &directory, "users", &user], &[])
                .await;
            let found = found.map_err(|failure| {
                failure.hint_if_missing(format!(
                    "portreeve user list --directory '{directory}' shows the users there are"
                ))
            })?;
            output::one(global.output, &ONE, &found)
        }
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
