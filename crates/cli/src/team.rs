//! `portreeve team`.

use crate::Global;
use crate::client::Api;
use crate::confirm;
use crate::failure::{Code, Failure};
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List teams
    List,
    /// Show a team
    Get {
        /// Name or id; may be left out where there is only one
        #[arg(add = live::teams())]
        team: Option<String>,
    },
    /// Make a team; on the machine of the server only
    Create {
        /// Name, which is in addresses
        name: String,
    },
    /// Rename a team
    Update {
        /// Name or id
        #[arg(add = live::teams())]
        team: String,
        /// New name
        #[arg(long, value_name = "NEW")]
        name: String,
    },
    /// Let another directory decide who reaches machines
    Switch(Switch),
}

#[derive(Debug, Args)]
pub(crate) struct Switch {
    /// Directory that is to decide, by id or name
    #[arg(required_unless_present = "none", add = live::directories())]
    directory: Option<String>,
    /// No directory at all
    #[arg(long, conflicts_with = "directory")]
    none: bool,
    /// Team; may be left out where there is only one
    #[arg(long, value_name = "NAME", add = live::teams())]
    team: Option<String>,
    /// Only show who loses and who gains access
    #[arg(long, visible_alias = "dry-run", conflicts_with = "yes")]
    preview: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("ACTIVE DIRECTORY", "active_directory.name"),
        Column::time("CREATED", "created_at", ""),
        Column::text("ID", "id"),
    ],
    name: "name",
};

const PREVIEW: Shape = Shape {
    columns: &[
        Column::text("Lose access", "losing.count"),
        Column::text("Among them", "losing.names"),
        Column::text("Gain access", "gaining.count"),
        Column::text("Among them", "gaining.names"),
    ],
    name: "losing.count",
};

const TEAMS: &str = "portreeve team list shows the teams there are";

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List => output::list(format, &LIST, &api.list(&["teams"], &[]).await?),
        Command::Get { team } => {
            let team = resolve(&api, team).await?;
            let found = api.get(&["teams", &team], &[]).await;
            output::one(
                format,
                &LIST,
                &found.map_err(|failure| failure.hint_if_missing(TEAMS))?,
            )
        }
        Command::Create { name } => {
            let made = api.post(&["teams"], &json!({"name": name})).await?;
            output::one(format, &LIST, &made)
        }
        Command::Update { team, name } => {
            let changed = api.patch(&["teams", &team], &json!({"name": name})).await;
            output::one(
                format,
                &LIST,
                &changed.map_err(|failure| failure.hint_if_missing(TEAMS))?,
            )
        }
        Command::Switch(switch) => run_switch(&api, format, switch).await,
    }
}

async fn run_switch(api: &Api, format: Format, switch: Switch) -> Result<(), Failure> {
    let team = resolve(api, switch.team).await?;
    let wanted = switch.directory.unwrap_or_default();
    let query = [("active_directory_id", wanted.as_str())];
    let preview = api.get(&["teams", &team, "preview"], &query).await;
    let preview = preview.map_err(|failure| failure.hint_if_missing(crate::scope::DIRECTORIES))?;
    if switch.preview {
        output::one(format, &PREVIEW, &preview)?;
        output::say(format, "\nNothing was changed.");
        return Ok(());
    }
    if !switch.yes {
        confirm::confirm(&loss(&preview))?;
    }
    // The address of a directory takes a name, too; what is kept is its id.
    let id = match wanted.as_str() {
        "" => Value::Null,
        wanted => api.get(&["directories", wanted], &[]).await?["id"].take(),
    };
    let changed = api
        .patch(&["teams", &team], &json!({"active_directory_id": id}))
        .await?;
    output::one(format, &LIST, &changed)
}

fn loss(preview: &Value) -> String {
    let some = |people: &Value| {
        let names = harmless(&plain(&people["names"]));
        match names.is_empty() {
            true => plain(&people["count"]),
            false => format!("{} ({names})", plain(&people["count"])),
        }
    };
    format!(
        "users that lose access: {}; that gain it: {}",
        some(&preview["losing"]),
        some(&preview["gaining"])
    )
}

/// The team that is named, or the only one.
async fn resolve(api: &Api, team: Option<String>) -> Result<String, Failure> {
    if let Some(team) = team {
        return Ok(team);
    }
    let all = api.list(&["teams"], &[]).await?;
    match all.as_slice() {
        [only] => Ok(plain(&only["id"])),
        many => {
            let names: Vec<_> = many
                .iter()
                .map(|team| harmless(&plain(&team["name"])))
                .collect();
            Err(
                Failure::new(Code::Usage, "there are several teams; say which one")
                    .hint(format!("they are: {}", names.join(", "))),
            )
        }
    }
}
