//! `portreeve host`.

mod agent;
mod policy;
mod token;

use crate::Global;
use crate::body;
use crate::client::{Api, page_size};
use crate::confirm::Care;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::OfTeam;
use crate::time;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    There(There),
    #[command(flatten)]
    Here(agent::Command),
}

/// What is asked of the server.
#[derive(Debug, Subcommand)]
pub(crate) enum There {
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
    /// List the sessions on a host that have not ended
    Sessions(Which),
    /// Issue an SSH certificate for the key of a host, whose administrator puts it there
    Certificate(Certificate),
    /// Show what a host is told of people and in which version, or say how long that counts
    Policy(policy::Policy),
    /// Show what all hosts go by, or change it
    Rules(policy::Rules),
    /// Tokens with which machines enrol
    #[command(subcommand)]
    Token(token::Command),
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
    /// File with the public key of its sshd: the machine that has the key enrols without a token
    #[arg(long, value_name = "FILE")]
    host_key: Option<PathBuf>,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Args)]
pub(crate) struct Certificate {
    #[command(flatten)]
    which: Which,
    /// File with the public key of its sshd, such as ssh_host_ed25519_key.pub
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Name or address by which people reach it beside its own; once for each
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// For how long: 30d, 12h [default: as long as usual]
    #[arg(long, value_name = "LENGTH")]
    valid: Option<String>,
    /// Where to put it, such as ssh_host_ed25519_key-cert.pub
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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
        Column::text("STATUS", "status"),
        Column::made("POLICY", "agent", applied),
        Column::made("BEHIND", "agent", behind),
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
        Column::text("Status", "status"),
        Column::text("SSH key", "host_key"),
        Column::made("Agent", "agent", agent_version),
        Column::made("Policy", "agent", applied),
        Column::made("Behind", "agent", behind),
        Column::made("Lease", "agent", lease),
        Column::made("Revocations", "agent", revocations),
        Column::made("Certificate", "agent", certificate),
        Column::made("Conflicts", "agent", conflicts),
    ],
    name: "name",
};

const SESSIONS: Shape = Shape {
    columns: &[
        Column::text("ACCOUNT", "account"),
        Column::made("WHO", "holder", who),
        Column::text("FROM", "address"),
        Column::text("CERTIFICATE", "serial"),
        Column::time("SINCE", "began_at", ""),
    ],
    name: "id",
};

const CERTIFICATE: Shape = Shape {
    columns: &[
        Column::text("Serial", "serial"),
        Column::text("Key id", "key_id"),
        Column::text("Names", "principals"),
        Column::time("From", "valid_after", ""),
        Column::time("Until", "valid_before", ""),
        Column::text("Certificate", "certificate"),
    ],
    name: "serial",
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
    match command {
        Command::Here(command) => agent::go_on(global.output, &command),
        Command::There(command) => ask(&Api::open(global)?, global.output, command).await,
    }
}

async fn ask(api: &Api, format: Format, command: There) -> Result<(), Failure> {
    match command {
        There::Create(new) => create(api, format, &new).await,
        There::List {
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
        There::Get(which) => output::one(format, &ONE, &which.find(api).await?),
        There::People(which) => {
            let path = ["hosts", &which.host, "people"];
            let found = api.list(&path, &which.team.query()).await;
            output::list(format, &PEOPLE, &found.map_err(missing)?)
        }
        There::Sessions(which) => {
            let path = ["hosts", &which.host, "sessions"];
            let open = api.list(&path, &which.team.query()).await;
            output::list(format, &SESSIONS, &open.map_err(missing)?)
        }
        There::Certificate(wanted) => certify(api, format, &wanted).await,
        There::Policy(args) => policy::policy(api, format, &args).await,
        There::Rules(args) => policy::rules(api, format, &args).await,
        There::Token(command) => token::run(api, format, command).await,
        There::Update(change) => update(api, format, &change).await,
        There::Delete { which, care } => delete(api, format, &which, &care).await,
    }
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let mut body = body::given([("bastion", &new.via), ("team", &new.team.team)]);
    body.insert("name".into(), json!(new.name));
    body.insert("tags".into(), Value::Object(pairs(&new.tag)?));
    body.insert("is_bastion".into(), json!(new.bastion));
    if let Some(path) = &new.host_key {
        body.insert("host_key".into(), json!(public_key("--host-key", path)?));
    }
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

async fn certify(api: &Api, format: Format, wanted: &Certificate) -> Result<(), Failure> {
    let mut body = Map::new();
    let key = public_key("--key", &wanted.key)?;
    body.insert("public_key".into(), json!(key));
    body.insert("names".into(), json!(wanted.name));
    if let Some(valid) = &wanted.valid {
        let length =
            time::duration(valid).map_err(|wrong| Failure::usage(format!("--valid: {wrong}")))?;
        body.insert("valid_seconds".into(), json!(length.as_secs()));
    }
    let path = ["hosts", &wanted.which.host, "certificate"];
    let team = wanted.which.team.query();
    let issued = api.post_where(&path, &team, &Value::Object(body)).await;
    let issued = issued.map_err(missing)?;
    if let Some(path) = &wanted.out {
        let line = format!("{}\n", plain(&issued["certificate"]));
        fs::write(path, line).map_err(|error| {
            Failure::plain(format!("{} cannot be written: {error}", path.display()))
        })?;
    }
    output::one(format, &CERTIFICATE, &issued)
}

/// The line of a `.pub` file.
fn public_key(flag: &str, path: &Path) -> Result<String, Failure> {
    let read = fs::read_to_string(path);
    let read = read.map_err(|error| {
        Failure::usage(format!(
            "{flag}: {} cannot be read: {error}",
            path.display()
        ))
    })?;
    if read.contains("PRIVATE KEY") {
        return Err(Failure::usage(format!(
            "{flag}: {} is a private key, which stays where it is",
            path.display()
        ))
        .hint("give the file beside it that ends in .pub"));
    }
    Ok(read.trim().to_owned())
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

fn agent_version(host: &Value) -> String {
    let agent = &host["agent"];
    let parts = [plain(&agent["version"]), plain(&agent["os"])];
    let parts: Vec<_> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    harmless(&parts.join(", "))
}

/// Which policy is in force, and which there is where that is another one.
fn applied(host: &Value) -> String {
    let agent = &host["agent"];
    match (&agent["applied_version"], &agent["policy_version"]) {
        (Value::Null, Value::Null) => String::new(),
        (Value::Null, _) => "none".to_owned(),
        (applied, newest) if applied == newest => applied.to_string(),
        (applied, newest) => format!("{applied} of {newest}"),
    }
}

fn behind(host: &Value) -> String {
    match host["agent"]["lag_seconds"].as_u64() {
        None | Some(0) => String::new(),
        Some(seconds) => length(seconds),
    }
}

/// A length of time in its largest unit.
fn length(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn lease(host: &Value) -> String {
    let agent = &host["agent"];
    match (&agent["lease_until"], agent.is_null()) {
        (_, true) => String::new(),
        (Value::Null, _) => "without end".to_owned(),
        (until, _) => format!("until {}", plain(until)),
    }
}

fn revocations(host: &Value) -> String {
    let agent = &host["agent"];
    match (agent.is_null(), agent["krl_is_current"] == true) {
        (true, _) => String::new(),
        (_, true) => "current".to_owned(),
        (_, false) => "behind".to_owned(),
    }
}

fn certificate(host: &Value) -> String {
    let certificate = &host["agent"]["certificate"];
    match certificate.is_null() {
        true => String::new(),
        false => format!(
            "{} until {}",
            plain(&certificate["serial"]),
            plain(&certificate["valid_before"])
        ),
    }
}

fn conflicts(host: &Value) -> String {
    let all = host["agent"]["conflicts"].as_array().into_iter().flatten();
    let all: Vec<_> = all
        .map(|one| format!("{}: {}", plain(&one["account"]), plain(&one["detail"])))
        .collect();
    harmless(&all.join("; "))
}

fn who(session: &Value) -> String {
    harmless(&plain(&session["holder"]["name"]))
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
