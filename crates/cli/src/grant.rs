//! `portreeve grant`.

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
    /// Grant a group access to hosts, or a user for a limited time
    Create(New),
    /// List grants
    List {
        /// Those too that have ended lately
        #[arg(long)]
        ended: bool,
        /// At most so many [default: all]
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Show a grant
    Get(Which),
    /// Change a grant; who has it stays
    Update(Change),
    /// Take a grant away, at once
    Revoke {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
    /// Show what a grant would come to: hosts, people, and who gets in where that does not now
    Preview {
        #[command(flatten)]
        to: To,
        /// Which hosts, as a tag expression; * for all
        #[arg(long, value_name = "EXPR")]
        hosts: String,
        #[command(flatten)]
        team: OfTeam,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    #[command(flatten)]
    to: To,
    /// Which hosts, as a tag expression, such as: env=prod and (region=eu or region=us); * for all
    #[arg(long, value_name = "EXPR")]
    hosts: String,
    /// With sudo
    #[arg(long)]
    sudo: bool,
    /// POSIX group that people are in there; once for each, or with commas
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    posix_group: Vec<String>,
    /// Principal that certificates get besides people's own; once for each, or with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    principal: Vec<String>,
    /// When it begins: a length such as 8h, or a date [default: at once]
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// When it ends: a length such as 8h, or a date [default: never; a user needs an end]
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Args)]
#[group(id = "subject", required = true, multiple = false)]
pub(crate) struct Subject {
    /// Group, by name or id
    #[arg(long, value_name = "GROUP", add = live::groups())]
    group: Option<String>,
    /// User or service account, by name or id: temporary access
    #[arg(long, value_name = "USER", add = live::users())]
    user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct To {
    #[command(flatten)]
    subject: Subject,
    /// Directory of group or user [default: the active SSH directory, then the others]
    #[arg(long, short, value_name = "ID|NAME", add = live::directories())]
    directory: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
    /// Which hosts, as a tag expression
    #[arg(long, value_name = "EXPR")]
    hosts: Option<String>,
    /// Whether sudo comes with it
    #[arg(long, value_name = "YES|NO")]
    sudo: Option<bool>,
    /// When it ends: a length such as 8h, or a date; an empty one: never
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Id, as portreeve grant list shows it
    #[arg(add = live::grants())]
    grant: String,
    #[command(flatten)]
    team: OfTeam,
}

const LIST: Shape = Shape {
    columns: &[
        Column::made("WHO", "to.name", who),
        Column::text("HOSTS", "hosts"),
        Column::text("MAY", "level"),
        Column::text("STATE", "state"),
        Column::time("UNTIL", "until", ""),
        Column::text("ID", "id"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::made("Who", "to.name", who),
        Column::text("Hosts", "hosts"),
        Column::text("Matches", "host_count"),
        Column::text("May", "level"),
        Column::text("POSIX groups", "posix_groups"),
        Column::text("Principals", "principals"),
        Column::time("From", "from", ""),
        Column::time("Until", "until", ""),
        Column::text("State", "state"),
        Column::text("Note", "note"),
        Column::text("Made by", "made_by"),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
        Column::text("Id", "id"),
    ],
    name: "id",
};

const PREVIEW: Shape = Shape {
    columns: &[
        Column::text("Hosts", "hosts.count"),
        Column::text("People", "people.count"),
        Column::made("Adds", "adds.logins", adds),
        Column::made("Removes", "removes.logins", removes),
    ],
    name: "hosts.count",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create(new) => create(&api, format, &new).await,
        Command::List { ended, limit, team } => {
            let limit = limit.unwrap_or(usize::MAX);
            let size = page_size(limit);
            let mut query = team.query();
            query.push(("count", &size));
            query.extend(ended.then_some(("ended", "true")));
            output::list(format, &LIST, &api.walk(&["grants"], &query, limit).await?)
        }
        Command::Get(which) => output::one(format, &ONE, &which.find(&api).await?),
        Command::Update(change) => update(&api, format, &change).await,
        Command::Revoke { which, care } => revoke(&api, format, &which, &care).await,
        Command::Preview { to, hosts, team } => {
            let mut body = to.members();
            body.extend(body::given([("team", &team.team)]));
            body.insert("hosts".into(), json!(hosts));
            let found = api.post(&["grants", "preview"], &Value::Object(body)).await;
            output::one(format, &PREVIEW, &found.map_err(nobody)?)
        }
    }
}

async fn create(api: &Api, format: Format, new: &New) -> Result<(), Failure> {
    let mut body = new.to.members();
    let from = body::end("--from", new.from.as_ref())?;
    let until = body::end("--until", new.until.as_ref())?;
    body.extend(body::given([
        ("from", &from),
        ("until", &until),
        ("note", &new.note),
        ("team", &new.team.team),
    ]));
    body.insert("hosts".into(), json!(new.hosts));
    body.insert("sudo".into(), json!(new.sudo));
    body.insert("posix_groups".into(), json!(new.posix_group));
    body.insert("principals".into(), json!(new.principal));
    let made = api.post(&["grants"], &Value::Object(body)).await;
    output::one(format, &ONE, &made.map_err(nobody)?)
}

async fn update(api: &Api, format: Format, change: &Change) -> Result<(), Failure> {
    let mut body = body::given([("hosts", &change.hosts), ("note", &change.note)]);
    match change.until.as_deref() {
        None => {}
        Some("") => drop(body.insert("until".into(), Value::Null)),
        Some(_) => {
            let until = body::end("--until", change.until.as_ref())?;
            body.insert("until".into(), json!(until));
        }
    }
    if let Some(sudo) = change.sudo {
        body.insert("sudo".into(), json!(sudo));
    }
    body::something(&body, "--hosts, --sudo, --until or --note")?;
    if change.dry_run {
        return body::preview(format, &change.which.find(api).await?, &body);
    }
    let path = ["grants", &change.which.grant];
    let team = change.which.team.query();
    let changed = api.patch_where(&path, &team, &Value::Object(body)).await;
    output::one(format, &ONE, &changed.map_err(missing)?)
}

async fn revoke(api: &Api, format: Format, which: &Which, care: &Care) -> Result<(), Failure> {
    let found = which.find(api).await?;
    let loss = format!(
        "{} will lose {} on the hosts {}",
        harmless(&who(&found)),
        harmless(&plain(&found["level"])),
        harmless(&plain(&found["hosts"])),
    );
    if !care.allows(format, &ONE, &found, &loss)? {
        return Ok(());
    }
    let path = ["grants", &which.grant];
    let revoked = api.delete_where(&path, &which.team.query()).await?;
    output::one(format, &ONE, &revoked)
}

impl To {
    fn members(&self) -> Map<String, Value> {
        body::given([
            ("group", &self.subject.group),
            ("user", &self.subject.user),
            ("directory", &self.directory),
        ])
    }
}

impl Which {
    async fn find(&self, api: &Api) -> Result<Value, Failure> {
        let found = api.get(&["grants", &self.grant], &self.team.query()).await;
        found.map_err(missing)
    }
}

fn who(grant: &Value) -> String {
    match grant["to"]["name"].as_str() {
        Some(name) => name.to_owned(),
        None => format!("a {} that is gone", plain(&grant["to"]["kind"])),
    }
}

fn adds(preview: &Value) -> String {
    difference(&preview["adds"])
}

fn removes(preview: &Value) -> String {
    difference(&preview["removes"])
}

fn difference(gained: &Value) -> String {
    let number = |name: &str| gained[name].as_u64().unwrap_or_default();
    match number("logins") {
        0 => "nobody anywhere".to_owned(),
        _ => format!(
            "{} on {}",
            counted(number("people"), "person", "people"),
            counted(number("hosts"), "host", "hosts")
        ),
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve grant list shows those there are")
}

fn nobody(failure: Failure) -> Failure {
    failure.hint_if_missing(
        "portreeve group list shows the groups there are, portreeve user list the people",
    )
}
