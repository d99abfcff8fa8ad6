//! `portreeve owner`.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::confirm::Care;
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Shape, harmless, plain};
use crate::scope::OfTeam;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List local owners
    List(OfTeam),
    /// Make a local owner
    Create {
        /// Name, for people
        name: String,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Remove a local owner, with sessions and passkeys
    Remove {
        /// Name or id
        owner: String,
        #[command(flatten)]
        team: OfTeam,
        #[command(flatten)]
        care: Care,
    },
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
        Command::List(team) => {
            let owners = api.list(&["owners"], &team.query()).await?;
            output::list(global.output, &LIST, &owners)
        }
        Command::Create { name, team } => {
            let mut wanted = body::given([("team", &team.team)]);
            wanted.insert("name".into(), json!(name));
            let made = api.post(&["owners"], &Value::Object(wanted)).await?;
            output::one(global.output, &LIST, &made)
        }
        Command::Remove { owner, team, care } => {
            let owners = api.list(&["owners"], &team.query()).await?;
            let found = owners
                .into_iter()
                .find(|one| one["id"] == owner || one["name"] == owner);
            let found = found.ok_or_else(|| missing(&owner))?;
            let name = harmless(&plain(&found["name"]));
            let loss =
                format!("the local owner \"{name}\" will be lost, with sessions and passkeys");
            if !care.allows(global.output, &LIST, &found, &loss)? {
                return Ok(());
            }
            api.delete_where(&["owners", &plain(&found["id"])], &team.query())
                .await?;
            output::gone(global.output, &LIST, &found)
        }
        Command::Link { name, team } => {
            let wanted = json!({"name": name, "team": team});
            let link = api.post(&["owners", "link"], &wanted).await?;
            output::one(global.output, &LINK, &link)
        }
    }
}

fn missing(owner: &str) -> Failure {
    let message = format!("there is no local owner with id or name \"{owner}\" here");
    Failure::new(Code::NotFound, message).hint("portreeve owner list shows those there are")
}
