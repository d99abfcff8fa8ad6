//! `portreeve visitor-host`: people whom visitors come to see.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::{AtLocation, Listing, Scope};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the people of a directory for visitors, and whether visitors find them; with --search, whom they find
    #[command(mut_arg("search", |search| search.help("Only whom visitors find by these beginnings of the words of a name")))]
    List(Listing),
    /// Show whether visitors find somebody, and who is told of them
    Get(Which),
    /// Hide somebody from visitors, or say who is told of them and what they are called as well
    Update(Update),
    /// Show what visitors of a location see of somebody, and why they do not find them
    Preview {
        #[command(flatten)]
        which: Which,
        /// Location, by name or id; may be left out where there is only one
        #[command(flatten)]
        at: AtLocation,
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
pub(crate) struct Update {
    #[command(flatten)]
    which: Which,
    /// Whether visitors do not find them, although their provider would have it
    #[arg(long, value_name = "BOOL")]
    hidden: Option<bool>,
    /// Address that is told of their visitors as well; once for each, all of them, or "" for none
    #[arg(long = "alternate", value_name = "ADDRESS")]
    alternates: Vec<String>,
    /// Whether the address at work is not told of them
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

const PREVIEW: Shape = Shape {
    columns: &[
        Column::text("Location", "location.name"),
        Column::text("Found by visitors", "is_found"),
        Column::made("Why not", "why_not", why_not),
        Column::text("Name", "seen.name"),
        Column::text("Department", "seen.department"),
    ],
    name: "seen.name",
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
        Command::Preview { which, at } => {
            let directory = which.scope.resolve(&api).await?;
            let location = at.resolve(&api).await?;
            let path = [
                "directories",
                &directory,
                "visitor-hosts",
                &which.user,
                "preview",
            ];
            let seen = api.get(&path, &[("location", &location)]).await;
            let seen = seen.map_err(|failure| missing(failure, &directory))?;
            output::one(format, &PREVIEW, &seen)
        }
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
    match &host["visibility"] {
        Value::String(visible) if visible == "visible" => "yes".to_owned(),
        reason => format!("no: {}", because(reason)),
    }
}

fn why_not(preview: &Value) -> String {
    because(&preview["why_not"])
}

fn because(reason: &Value) -> String {
    match reason.as_str() {
        Some("unassigned") => "deactivated at the source".to_owned(),
        Some("suspended") => "suspended here".to_owned(),
        Some("hidden_by_hand") => "hidden here".to_owned(),
        Some("not_in_groups") => "in none of the groups of the location".to_owned(),
        _ => plain(reason),
    }
}
