//! `portreeve host`.

use crate::Global;
use crate::body;
use crate::client::{Api, page_size};
use crate::confirm::Care;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::OfTeam;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a host
    Create(New),
    /// List hosts
    List {
        /// Only those that a tag expression chooses, such as: env=prod and not legacy
        #[arg(long, value_name = "EXPR")]
        hosts: Option<String>,
        /// Only those with this text in their names
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// At most so many [default: all]
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Show a host
    Get(Which),
    /// List who may log in to a host now
    People(Which),
    /// Change a host
    Update(Change),
    /// Remove a host; its certificates are revoked
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name, as ssh is given it
    name: String,
    /// What grants choose it by, such as env=prod; once for each
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// Others are reached through it
    #[arg(long)]
    bastion: bool,
    /// Bastion through which it is reached
    #[arg(long, value_name = "HOST", add = live::hosts())]
    via: Option<String>,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
    /// New name
    #[arg(long, value_name = "NEW")]
    name: Option<String>,
    /// Tag that it is to have, in place of one with that key; once for each
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// Key of a tag that it is to have no longer; once for each
    #[arg(long, value_name = "KEY")]
    untag: Vec<String>,
    /// Whether others are reached through it
    #[arg(long, value_name = "YES|NO")]
    bastion: Option<bool>,
    /// Bastion through which it is reached; an empty one takes it away
    #[arg(long, value_name = "HOST", add = live::hosts())]
    via: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name or id
    #[arg(add = live::hosts())]
    host: String,
    #[command(flatten)]
    team: OfTeam,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::made("TAGS", "tags", tags),
        Column::text("VIA", "bastion"),
        Column::time("LAST CONTACT", "last_contact_at", "never"),
    ],
    name: "name",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Id", "id"),
        Column::made("Tags", "tags", tags),
        Column::made("Bastion", "is_bastion", is_bastion),
        Column::text("Via", "bastion"),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
        Column::time("Last contact", "last_contact_at", "never"),
    ],
    name: "name",
};

const PEOPLE: Shape = Shape {
    columns: &[
        Column::text("WHO", "name"),
        Column::text("ACCOUNT", "account"),
        Column::text("SUDO", "sudo"),
        Column::time("UNTIL", "until", ""),
    ],
    name: "name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create(new) => create(&api, format, &new).await,
        Command::List {
            hosts,
            search,
            limit,
            team,
        } => {
            let limit = limit.unwrap_or(usize::MAX);
            let size = page_size(limit);
            let mut query = team.query();
            query.push(("count", &size));
            query.extend(hosts.as_deref().map(|hosts| ("hosts", hosts)));
            query.extend(search.as_deref().map(|text| ("search", text)));
            output::list(format, &LIST, &api.walk(&["hosts"], &query, limit).await?)
        }
        Command::Get(which) => output::one(format, &ONE, &which.find(&api).await?),
        Command::People(which) => {
            let path = ["hosts", &which.host, "people"];
            let found = api.list(&path, &which.team.query()).await;
            output::list(format, &PEOPLE, &found.map_err(missing)?)
        }
        Command::Update(change) => update(&api, format, &change).await,
        Command::Delete { which, care } => delete(&api, format, &which, &care).await,
    }
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let mut body = body::given([("bastion", &new.via), ("team", &new.team.team)]);
    body.insert("name".into(), json!(new.name));
    body.insert("tags".into(), Value::Object(pairs(&new.tag)?));
    body.insert("is_bastion".into(), json!(new.bastion));
    let made = api.post(&["hosts"], &Value::Object(body)).await;
    output::one(format, &ONE, &made.map_err(missing)?)
}

async fn update(api: &Api, format: Format, change: &Change) -> Result<(), Failure> {
    let mut body = body::given([("name", &change.name)]);
    body.extend(body::changed([("bastion", &change.via)]));
    if let Some(bastion) = change.bastion {
        body.insert("is_bastion".into(), json!(bastion));
    }
    let before = change.which.find(api).await?;
    if !change.tag.is_empty() || !change.untag.is_empty() {
        let mut tags = before["tags"].as_object().cloned().unwrap_or_default();
        tags.retain(|key, _| !change.untag.contains(key));
        tags.extend(pairs(&change.tag)?);
        body.insert("tags".into(), Value::Object(tags));
    }
    body::something(&body, "--name, --tag, --untag, --bastion or --via")?;
    if change.dry_run {
        return body::preview(format, &before, &body);
    }
    let path = ["hosts", &plain(&before["id"])];
    let team = change.which.team.query();
    let changed = api.patch_where(&path, &team, &Value::Object(body)).await;
    output::one(format, &ONE, &changed.map_err(missing)?)
}

async fn delete(api: &Api, format: Format, which: &Which, care: &Care) -> Result<(), Failure> {
    let found = which.find(api).await?;
    let name = harmless(&plain(&found["name"]));
    let loss = format!("the host \"{name}\" will be lost, and its certificates are revoked");
    if !care.allows(format, &ONE, &found, &loss)? {
        return Ok(());
    }
    let path = ["hosts", &plain(&found["id"])];
    api.delete_where(&path, &which.team.query()).await?;
    output::gone(format, &ONE, &found)
}

impl Which {
    async fn find(&self, api: &Api) -> Result<Value, Failure> {
        let found = api.get(&["hosts", &self.host], &self.team.query()).await;
        found.map_err(missing)
    }
}

/// Tags as they are written, as members of an object.
fn pairs(written: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut pairs = Map::new();
    for text in written {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("\"{text}\" is no tag")).hint("write it as key=value")
        })?;
        if pairs
            .insert(key.trim().to_owned(), json!(value.trim()))
            .is_some()
        {
            return Err(Failure::usage(format!("the tag \"{key}\" is given twice"))
                .hint("a host has one value for each key"));
        }
    }
    Ok(pairs)
}

fn tags(host: &Value) -> String {
    let tags = host["tags"].as_object().into_iter().flatten();
    let tags: Vec<_> = tags
        .map(|(key, value)| format!("{key}={}", plain(value)))
        .collect();
    tags.join(" ")
}

fn is_bastion(host: &Value) -> String {
    match host["is_bastion"] == true {
        true => "yes: others are reached through it".to_owned(),
        false => String::new(),
    }
}

pub(crate) fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve host list shows those there are")
}
