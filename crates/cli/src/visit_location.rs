//! `portreeve visit-location`: where visitors are received.

mod hours;

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::confirm::Care;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::OfTeam;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a location
    Create(New),
    /// List locations, and whether they receive visitors now
    List(OfTeam),
    /// Show a location
    Get(Which),
    /// Change a location
    Update(Change),
    /// Show the secret that what the program of a location is told is signed with
    WebhookSecret(Which),
    /// Remove a location with its devices; its past visits stay
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name, as people know it
    name: String,
    #[command(flatten)]
    decided: Decided,
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
    #[command(flatten)]
    decided: Decided,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name or id
    #[arg(add = live::visit_locations())]
    location: String,
    #[command(flatten)]
    team: OfTeam,
}

/// What is decided about a location.
#[derive(Debug, Args)]
pub(crate) struct Decided {
    /// By which clock it opens, such as Europe/Vienna
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// When it receives visitors, such as "mon-fri 08:00-18:00"; once for each part, all of them, or "" for always
    #[arg(long = "open", value_name = "HOURS")]
    hours: Vec<String>,
    /// Group whose people can be visited, by name or id; once for each, all of them, or "" for everybody
    #[arg(long = "group", value_name = "GROUP", add = live::groups())]
    groups: Vec<String>,
    /// How much of a name visitors see
    #[arg(long, value_parser = ["full", "short"])]
    names: Option<String>,
    /// Whether visitors see departments
    #[arg(long, value_name = "BOOL")]
    departments: Option<bool>,
    /// Who is told where nobody else can be, such as "Reception <reception@contoso.example>"; "" for nobody
    #[arg(long, value_name = "MAILBOX")]
    fallback: Option<String>,
    /// Language that is offered; once for each, the first of them at first
    #[arg(long = "language", value_parser = ["en", "de", "fr", "es"])]
    languages: Vec<String>,
    /// Whether visitors are asked whom they work for
    #[arg(long, value_name = "BOOL")]
    ask_company: Option<bool>,
    /// Whether visitors are asked what they come for
    #[arg(long, value_name = "BOOL")]
    ask_purpose: Option<bool>,
    /// What visitors consent to when a picture of them is taken; "" for no pictures
    #[arg(long, value_name = "TEXT")]
    photo_consent: Option<String>,
    /// Where each visit is told to a program, https://…; "" for nowhere
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("OPEN", "is_open"),
        Column::made("HOURS", "hours", opening),
        Column::text("TIME ZONE", "time_zone"),
        Column::made("GROUPS", "group_names", groups),
    ],
    name: "name",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Id", "id"),
        Column::text("Page", "url"),
        Column::text("Open", "is_open"),
        Column::made("Hours", "hours", opening),
        Column::text("Time zone", "time_zone"),
        Column::made("Groups", "group_names", groups),
        Column::text("Names", "names"),
        Column::text("Departments", "departments"),
        Column::made("Fallback", "fallback", mailbox),
        Column::text("Languages", "languages"),
        Column::text("Asks for company", "ask_company"),
        Column::text("Asks for purpose", "ask_purpose"),
        Column::text("Picture", "photo_consent"),
        Column::text("Webhook", "webhook"),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "name",
};

const SECRET: Shape = Shape {
    columns: &[Column::text("Secret", "secret")],
    name: "secret",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create(new) => create(&api, format, &new).await,
        Command::List(team) => {
            let all = api.list(&["visit-locations"], &team.query()).await?;
            output::list(format, &LIST, &all)
        }
        Command::Get(which) => output::one(format, &ONE, &which.find(&api).await?),
        Command::Update(change) => update(&api, format, &change).await,
        Command::WebhookSecret(which) => {
            let path = ["visit-locations", &which.location, "webhook-secret"];
            let secret = api.get(&path, &which.team.query()).await;
            output::one(format, &SECRET, &secret.map_err(missing)?)
        }
        Command::Delete { which, care } => delete(&api, format, &which, &care).await,
    }
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let mut body = body::given([("team", &new.team.team)]);
    body.insert("name".into(), json!(new.name));
    body.extend(new.decided.body()?);
    let made = api.post(&["visit-locations"], &Value::Object(body)).await?;
    output::one(format, &ONE, &made)?;
    let name = harmless(&plain(&made["name"]));
    output::say(
        format,
        &format!("\nLet a tablet in with: portreeve visit-device create Door --location '{name}'"),
    );
    Ok(())
}

async fn update(api: &Api, format: Format, change: &Change) -> Result<(), Failure> {
    let mut body = body::given([("name", &change.name)]);
    body.extend(change.decided.body()?);
    body::something(&body, "--name, --open, --group, --fallback or another one")?;
    let before = change.which.find(api).await?;
    if change.dry_run {
        return body::preview(format, &before, &body);
    }
    let path = ["visit-locations", &plain(&before["id"])];
    let team = change.which.team.query();
    let changed = api.patch_where(&path, &team, &Value::Object(body)).await;
    output::one(format, &ONE, &changed.map_err(missing)?)
}

async fn delete(api: &Api, format: Format, which: &Which, care: &Care) -> Result<(), Failure> {
    let found = which.find(api).await?;
    let name = harmless(&plain(&found["name"]));
    let loss = format!("the location \"{name}\" will be lost with its devices; its visits stay");
    if !care.allows(format, &ONE, &found, &loss)? {
        return Ok(());
    }
    let path = ["visit-locations", &plain(&found["id"])];
    api.delete_where(&path, &which.team.query()).await?;
    output::gone(format, &ONE, &found)
}

impl Which {
    async fn find(&self, api: &Api) -> Result<Value, Failure> {
        let path = ["visit-locations", self.location.as_str()];
        let found = api.get(&path, &self.team.query()).await;
        found.map_err(missing)
    }
}

impl Decided {
    fn body(&self) -> Result<Map<String, Value>, Failure> {
        let mut body = body::given([("time_zone", &self.time_zone), ("names", &self.names)]);
        body.extend(body::changed([
            ("photo_consent", &self.photo_consent),
            ("webhook", &self.webhook),
        ]));
        let truths = [
            ("departments", self.departments),
            ("ask_company", self.ask_company),
            ("ask_purpose", self.ask_purpose),
        ];
        for (name, truth) in truths {
            body.extend(truth.map(|truth| (name.to_owned(), json!(truth))));
        }
        if !self.hours.is_empty() {
            let parts = self.hours.iter().filter(|part| !part.is_empty());
            let parts = parts.map(|part| hours::parse(part));
            let parts: Vec<Value> = parts.collect::<Result<_, _>>()?;
            body.insert("hours".into(), json!(parts));
        }
        if !self.groups.is_empty() {
            let groups = self.groups.iter().filter(|group| !group.is_empty());
            body.insert("groups".into(), json!(groups.collect::<Vec<_>>()));
        }
        if !self.languages.is_empty() {
            body.insert("languages".into(), json!(self.languages));
        }
        if let Some(fallback) = &self.fallback {
            body.insert("fallback".into(), parse_mailbox(fallback)?);
        }
        Ok(body)
    }
}

/// `Name <address>`, or nobody.
fn parse_mailbox(text: &str) -> Result<Value, Failure> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let parts = text.strip_suffix('>').and_then(|text| text.split_once('<'));
    let (name, email) = parts.ok_or_else(|| {
        Failure::usage(format!("--fallback: \"{text}\" is no name with an address"))
            .hint("write it as \"Reception <reception@contoso.example>\"")
    })?;
    Ok(json!({"name": name.trim(), "email": email.trim()}))
}

fn mailbox(location: &Value) -> String {
    match &location["fallback"] {
        Value::Null => String::new(),
        fallback => format!(
            "{} <{}>",
            plain(&fallback["name"]),
            plain(&fallback["email"])
        ),
    }
}

fn opening(location: &Value) -> String {
    let parts = location["hours"].as_array().map_or(&[][..], Vec::as_slice);
    match parts {
        [] => "always".to_owned(),
        parts => parts.iter().map(hours::text).collect::<Vec<_>>().join("; "),
    }
}

fn groups(location: &Value) -> String {
    let names = location["group_names"].as_array();
    let name = |name: &Value| match plain(name) {
        name if name.is_empty() => "(one that is gone)".to_owned(),
        name => name,
    };
    let names = names.into_iter().flatten().map(name);
    names.collect::<Vec<_>>().join(", ")
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve visit-location list shows the locations there are")
}
