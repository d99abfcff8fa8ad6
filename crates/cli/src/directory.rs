//! `portreeve directory`.

use crate::Global;
use crate::account;
use crate::client::Api;
use crate::confirm::Care;
use crate::connection;
use crate::failure::{Code, Failure};
use crate::live;
use crate::output::{self, Column, Format, Shape, member, plain};
use crate::scope::{DIRECTORIES, Scope};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a directory, and a first token for its provider
    Create(Create),
    /// List directories
    List,
    /// Show a directory: its rules, what is in it, when its provider was last heard of
    Get {
        /// Id or name
        #[arg(add = live::directories())]
        directory: String,
    },
    /// Change name or rules
    Update(Update),
    /// Remove a directory with everyone in it
    Delete {
        /// Id or name
        #[arg(add = live::directories())]
        directory: String,
        #[command(flatten)]
        care: Care,
    },
    /// Ask the directory what its provider will ask, through the address that the provider uses
    Test {
        /// Id or name; may be left out where there is only one
        #[arg(add = live::directories())]
        directory: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Name, for people
    name: String,
    /// Who feeds it
    #[arg(long, value_enum, default_value_t = Provider::Generic)]
    provider: Provider,
    /// Team it belongs to; made if there is none of that name
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// What it is made for; it decides the rules that are left out
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    #[command(flatten)]
    rules: Rules,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Id or name
    #[arg(add = live::directories())]
    directory: String,
    /// New name
    #[arg(long, value_name = "NEW")]
    name: Option<String>,
    #[command(flatten)]
    rules: Rules,
}

/// What both take; the members are those of the API.
#[derive(Debug, Args, Serialize)]
struct Rules {
    /// Which quirks of clients are tolerated [default: what suits the provider]
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
    /// What becomes of users whom the provider deletes [default: delete]
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<UserRemoval>,
    /// What becomes of groups that the provider deletes [default: delete]
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<GroupRemoval>,
    /// Whether two groups may not have the same name [default: true]
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_group_names: Option<bool>,
    /// Whether receivers can be told of changes, and requests be answered later (RFC 9967) [default: false]
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    security_events: Option<bool>,
    /// Which part of userName makes the name of an account on hosts [default: local]
    #[arg(long, value_enum)]
    #[serde(skip)]
    account_part: Option<account::Part>,
    /// What becomes of dots in the name of an account [default: drop]
    #[arg(long, value_enum)]
    #[serde(skip)]
    account_dots: Option<account::Dots>,
    /// Whether its people can be found by visitors [default: false]
    #[arg(long, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    visitors: Option<bool>,
    /// Path of an attribute that every user must have, such as name.givenName; once for each, all of them, or "" for none
    #[arg(long = "require", value_name = "PATH")]
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "without_empty"
    )]
    required_attributes: Vec<String>,
    /// Schema of further attributes of users, as JSON in the form of RFC 7643 section 7; once for each schema
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    user_extension: Vec<PathBuf>,
    /// Schema of further attributes of groups, likewise
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    group_extension: Vec<PathBuf>,
}

fn without_empty<S: serde::Serializer>(paths: &[String], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(paths.iter().filter(|path| !path.is_empty()))
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Preset {
    /// People whom visitors come to see: hidden when they are gone, each with a name and an address
    VisitorHosts,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Provider {
    Entra,
    Okta,
    Google,
    Generic,
    /// Edited in Portreeve itself
    Native,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Profile {
    Strict,
    Entra,
    Okta,
    Lenient,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum UserRemoval {
    /// Kept, but may do nothing
    Suspend,
    /// As suspend, and not shown to visitors
    Hide,
    /// Gone
    Delete,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum GroupRemoval {
    /// Kept here, and gone for the provider
    Keep,
    /// Gone
    Delete,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("PROVIDER", "provider"),
        Column::text("TEAM", "team"),
        Column::time("LAST REQUEST", "last_request_at", "never"),
        Column::text("ID", "id"),
    ],
    name: "name",
};

/// What the provider's form asks for.
const MADE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Id", "id"),
        Column::text("Provider", "provider"),
        Column::text("Tenant URL", "tenant_url"),
        Column::text("Secret token", "secret_token"),
    ],
    name: "name",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Id", "id"),
        Column::text("Team", "team"),
        Column::text("Provider", "provider"),
        Column::text("Tenant URL", "tenant_url"),
        Column::text("Profile", "profile"),
        Column::text("Deleted users", "users"),
        Column::text("Deleted groups", "groups"),
        Column::text("Unique group names", "unique_group_names"),
        Column::text("Security events", "security_events"),
        Column::made("Account names", "posix_names", names),
        Column::text("For visitors", "visitors"),
        Column::text("Required attributes", "required_attributes"),
        Column::text("Active users", "counts.active_users"),
        Column::text("Suspended users", "counts.suspended_users"),
        Column::text("Groups", "counts.groups"),
        Column::text("Unknown attributes", "unknown_attributes"),
        Column::time("Created", "created_at", ""),
    ],
    name: "name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create(wanted) => create(&api, format, &wanted).await,
        Command::List => list(&api, format).await,
        Command::Get { directory } => get(&api, format, &directory).await,
        Command::Update(wanted) => update(&api, format, &wanted).await,
        Command::Delete { directory, care } => delete(&api, format, &directory, &care).await,
        Command::Test { directory } => test(&api, format, directory).await,
    }
}

async fn create(api: &Api, format: Format, wanted: &Create) -> Result<(), Failure> {
    let mut body = members(&wanted.rules)?;
    body.extend(posix_names(&wanted.rules, &Value::Null));
    body.insert("name".into(), json!(wanted.name));
    body.insert("provider".into(), json!(wanted.provider));
    if let Some(team) = &wanted.team {
        body.insert("team".into(), json!(team));
    }
    if let Some(preset) = &wanted.preset {
        body.insert("preset".into(), json!(preset));
    }
    let made = api.post(&["directories"], &Value::Object(body)).await;
    let made = made.map_err(|failure| match failure.code {
        Code::Conflict => failure.hint(DIRECTORIES),
        _ => failure,
    })?;
    output::one(format, &MADE, &made)?;
    if made["secret_token"].is_string() {
        output::say(
            format,
            "\nGive the tenant URL and the secret token to the provider. The token is not shown again.",
        );
    }
    Ok(())
}

async fn list(api: &Api, format: Format) -> Result<(), Failure> {
    let items = api.list(&["directories"], &[]).await?;
    if items.is_empty() {
        output::say(
            format,
            "There is no directory yet. Make one with: portreeve directory create NAME --provider entra",
        );
    }
    output::list(format, &LIST, &items)
}

async fn get(api: &Api, format: Format, directory: &str) -> Result<(), Failure> {
    let one = find(api, directory).await?;
    output::one(format, &ONE, &one)?;
    if format != Format::Table {
        return Ok(());
    }
    if one["provider"] != "native" {
        output::print(&match one["last_request_at"].as_str() {
            Some(time) => format!(
                "\nLast request from your provider {}.\n",
                crate::time::relative(time, crate::time::now())
            ),
            None => "\nYour provider has not sent a request yet.\n".to_owned(),
        })?;
    }
    for warning in one["warnings"].as_array().into_iter().flatten() {
        output::print(&format!("\nWarning: {}.\n", plain(&warning["detail"])))?;
    }
    Ok(())
}

async fn update(api: &Api, format: Format, wanted: &Update) -> Result<(), Failure> {
    let mut body = members(&wanted.rules)?;
    if wanted.rules.account_part.is_some() || wanted.rules.account_dots.is_some() {
        let before = find(api, &wanted.directory).await?;
        body.extend(posix_names(&wanted.rules, &before["posix_names"]));
    }
    if let Some(name) = &wanted.name {
        body.insert("name".into(), json!(name));
    }
    if body.is_empty() {
        return Err(Failure::usage("nothing to change was named")
            .hint("say what with --name, --profile, --users, --groups, --unique-group-names, --security-events, --account-part, --account-dots, --user-extension or --group-extension"));
    }
    let changed = api
        .patch(&["directories", &wanted.directory], &Value::Object(body))
        .await;
    let changed = changed.map_err(|failure| failure.hint_if_missing(DIRECTORIES))?;
    output::one(format, &ONE, &changed)
}

async fn delete(api: &Api, format: Format, directory: &str, care: &Care) -> Result<(), Failure> {
    let one = find(api, directory).await?;
    if !care.allows(format, &ONE, &one, &loss(&one))? {
        return Ok(());
    }
    let id = plain(&one["id"]);
    api.delete(&["directories", &id]).await?;
    output::gone(format, &ONE, &one)
}

async fn test(api: &Api, format: Format, directory: Option<String>) -> Result<(), Failure> {
    let directory = Scope { directory }.resolve(api).await?;
    let found = api
        .post(&["directories", &directory, "test"], &json!({}))
        .await;
    let found = found.map_err(|failure| failure.hint_if_missing(DIRECTORIES))?;
    connection::steps(format, &found)?;
    connection::verdict(&found)
}

/// What will be lost.
fn loss(directory: &Value) -> String {
    let count = |path| member(directory, path).as_i64().unwrap_or(0);
    let users = count("counts.active_users") + count("counts.suspended_users");
    let name = output::harmless(&plain(&directory["name"]));
    format!(
        "\"{name}\" will be lost: users: {users}, groups: {}, with all memberships, and the tokens of its provider",
        count("counts.groups")
    )
}

async fn find(api: &Api, directory: &str) -> Result<Value, Failure> {
    let found = api.get(&["directories", directory], &[]).await;
    found.map_err(|failure| failure.hint_if_missing(DIRECTORIES))
}

fn members(rules: &Rules) -> Result<Map<String, Value>, Failure> {
    let mut members = match serde_json::to_value(rules).map_err(Failure::plain)? {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, files) in [
        ("user_extensions", &rules.user_extension),
        ("group_extensions", &rules.group_extension),
    ] {
        if !files.is_empty() {
            let schemas = files.iter().map(|file| schema(file));
            members.insert(name.into(), schemas.collect::<Result<_, _>>()?);
        }
    }
    Ok(members)
}

/// The rule for account names, if either half of it is named; the other half is as it was.
fn posix_names(rules: &Rules, before: &Value) -> Option<(String, Value)> {
    let given = account::rule(rules.account_part, rules.account_dots)?;
    let mut names = before.as_object().cloned().unwrap_or_default();
    names.extend(given);
    Some(("posix_names".to_owned(), Value::Object(names)))
}

/// How account names are made, in two words.
fn names(directory: &Value) -> String {
    let rule = &directory["posix_names"];
    format!("{}, {}", plain(&rule["part"]), plain(&rule["dots"]))
}

/// The schema in a file. Whether it is a good one is for the server to say.
fn schema(file: &Path) -> Result<Value, Failure> {
    let wrong = |error: &dyn Display| {
        let file = file.display();
        Failure::new(Code::Usage, format!("the schema in {file}: {error}"))
    };
    let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}
