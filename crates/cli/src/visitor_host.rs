//! `portreeve visitor-host`: people whom visitors come to see.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::{Listing, Scope};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the people of a directory for visitors, and whether visitors find them; with --search, whom they find
    List(Listing),
    /// Show whether visitors find somebody, and who is told of them
    Get(Which),
    /// Hide somebody from visitors, or say who is told of them and what they are called as well
    Update(Update),
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
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// Whether visitors do not find them, although their provider would have it
    #[arg(long, value_name = "BOOL")]
    hidden: Option<bool>,
    /// Address that is told of their visitors as well; once for each, all of them, or "" for none
    #[arg(long = "alternate", value_name = "ADDRESS")]
    alternates: Vec<String>,
    /// Whether only those are told
    #[arg(long, value_name = "BOOL")]
    only_alternates: Option<bool>,
    /// What visitors may call them as well; "" for nothing
    #[arg(long, value_name = "WORDS")]
    nicknames: Option<String>,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("DEPARTMENT", "department"),
        Column::made("FOUND", "visibility", found),
        Column::text("USER NAME", "user_name"),
    ],
    name: "user_name",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("User name", "user_name"),
        Column::text("Id", "id"),
        Column::text("Department", "department"),
        Column::made("Found by visitors", "visibility", found),
        Column::text("Also called", "nicknames"),
        Column::text("Told of visitors", "told"),
        Column::text("Managed by", "managed_by.name"),
    ],
    name: "user_name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List(listing) => {
            let items = listing.fetch(&api, "visitor-hosts").await?;
            output::list(format, &LIST, &items)
        }
        Command::Get(which) => {
            let directory = which.scope.resolve(&api).await?;
            let path = ["directories", &directory, "visitor-hosts", &which.user];
            let found = api.get(&path, &[]).await;
            output::one(
                format,
                &ONE,
                &found.map_err(|failure| missing(failure, &directory))?,
            )
        }
        Command::Update(wanted) => update(&api, format, &wanted).await,
    }
}

async fn update(api: &Api, format: Format, wanted: &Update) -> Result<(), Failure> {
    let mut body = Map::new();
    if let Some(hidden) = wanted.hidden {
        body.insert("is_hidden".into(), json!(hidden));
    }
    if !wanted.alternates.is_empty() {
        let given = wanted.alternates.iter().filter(|one| !one.is_empty());
        body.insert("alternates".into(), json!(given.collect::<Vec<_>>()));
    }
    if let Some(only) = wanted.only_alternates {
        body.insert("only_alternates".into(), json!(only));
    }
    if let Some(nicknames) = &wanted.nicknames {
        body.insert("nicknames".into(), json!(nicknames));
    }
    body::something(
        &body,
        "--hidden, --alternate, --only-alternates or --nicknames",
    )?;
    let directory = wanted.which.scope.resolve(api).await?;
    let path = [
        "directories",
        &directory,
        "visitor-hosts",
        &wanted.which.user,
    ];
    let changed = api.patch(&path, &Value::Object(body)).await;
    output::one(
        format,
        &ONE,
        &changed.map_err(|failure| missing(failure, &directory))?,
    )
}

fn missing(failure: Failure, directory: &str) -> Failure {
    failure.hint_if_missing(format!(
        "portreeve visitor-host list --directory '{directory}' shows the people there are"
    ))
}

fn found(host: &Value) -> String {
    match host["visibility"].as_str() {
        Some("visible") => "yes".to_owned(),
        Some("unassigned") => "no: deactivated at the source".to_owned(),
        Some("suspended") => "no: suspended here".to_owned(),
        Some("hidden_by_hand") => "no: hidden here".to_owned(),
        _ => plain(&host["visibility"]),
    }
}
