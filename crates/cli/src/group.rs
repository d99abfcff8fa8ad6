//! `portreeve group`.

use crate::Global;
use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::output::{self, Column, Shape};
use crate::scope::{Listing, Scope};
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List groups
    List(Listing),
    /// Show a group
    Get {
        /// displayName or id
        group: String,
        #[command(flatten)]
        scope: Scope,
    },
    /// List the members of a group
    Members {
        /// displayName or id
        group: String,
        #[command(flatten)]
        scope: Scope,
        /// At most so many
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
    },
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
        Column::made("WARNING", "warning", warning),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    match command {
        Command::List(listing) => {
            let items = listing.fetch(&api, "groups").await?;
            output::list(global.output, &LIST, &items)
        }
        Command::Get { group, scope } => {
            let directory = scope.resolve(&api).await?;
            let found = api
                .get(&["directories", &directory, "groups", &group], &[])
                .await;
            output::one(
                global.output,
                &ONE,
                &found.map_err(|failure| missing(failure, &directory))?,
            )
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
            output::list(
                global.output,
                &MEMBERS,
                &items.map_err(|failure| missing(failure, &directory))?,
            )
        }
    }
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
    output::plain(&member["warning"])
}
