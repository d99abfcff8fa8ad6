//! `portreeve owner`.

use crate::Global;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Shape};
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List local owners
    List,
    /// Make a link that signs a local owner in: once, within 15 minutes
    Link {
        /// Name of the local owner, who is made if need be [default: owner]
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Team, where there are several [default: main]
        #[arg(long)]
        team: Option<String>,
    },
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("ID", "id"),
        Column::time("CREATED", "created_at", ""),
    ],
    name: "name",
};

const LINK: Shape = Shape {
    columns: &[
        Column::text("Link", "url"),
        Column::time("Good until", "expires_at", ""),
    ],
    name: "url",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    match command {
        Command::List => output::list(global.output, &LIST, &api.list(&["owners"], &[]).await?),
        Command::Link { name, team } => {
            let wanted = json!({"name": name, "team": team});
            let link = api.post(&["owners", "link"], &wanted).await?;
            output::one(global.output, &LINK, &link)
        }
    }
}
