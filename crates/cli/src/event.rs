//! `portreeve event`.

use crate::Global;
use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, member, plain};
use crate::time;
use clap::{Args, Subcommand};
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List events, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
    /// Show an event with every change
    Get {
        /// Id of the event
        event: String,
    },
    /// Show the latest events, oldest first; with -f, go on as they come
    Tail {
        #[command(flatten)]
        filter: Filter,
        /// How many to begin with
        #[arg(long, value_name = "NUMBER", default_value_t = 10)]
        limit: usize,
        /// Go on until Ctrl-C; JSON and YAML come one object at a time
        #[arg(long, short)]
        follow: bool,
    },
    /// Write the log out, newest first: CSV with -o csv, else one JSON object per line
    Export {
        #[command(flatten)]
        filter: Filter,
        /// Only events from this time on: how long ago, such as 30d, or a date
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only of this team; to follow, it must be known where there are several
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// Only of this directory, by id or name
    #[arg(long, short, value_name = "ID|NAME", add = live::directories())]
    directory: Option<String>,
    /// Only about the object with this id
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Only of this category: SCIM_SYNC, ADMIN, PROVISIONING, AUTH, SESSION, ACCESS, SSH_CERT, VISITOR
    #[arg(long)]
    category: Option<String>,
    /// Only this verb: create, patch, delete, ...
    #[arg(long)]
    action: Option<String>,
    /// Only with this outcome
    #[arg(long, value_parser = ["ok", "refused"])]
    outcome: Option<String>,
}

/// The server's largest page.
const LARGEST: &str = "1000";

const LIST: Shape = Shape {
    columns: &[
        Column::time("TIME", "time", ""),
        Column::text("CATEGORY", "category"),
        Column::text("ACTION", "action"),
        Column::text("OUTCOME", "outcome"),
        Column::made("OBJECT", "object", object),
        Column::made("WHAT", "what", what),
        Column::text("ID", "id"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Position", "position"),
        Column::text("Time", "time"),
        Column::text("Category", "category"),
        Column::text("Action", "action"),
        Column::text("Outcome", "outcome"),
        Column::made("Object", "object", object),
        Column::text("Object id", "object.id"),
        Column::made("By", "actor", actor),
        Column::text("Directory", "directory_id"),
        Column::text("Request", "request_id"),
        Column::text("Reason", "reason"),
        Column::text("Detail", "detail"),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    match command {
        Command::List { filter, limit } => {
            let items = latest(&api, &filter, limit).await?;
            output::list(global.output, &LIST, &items)
        }
        Command::Get { event } => {
            let found = api.get(&["events", &event], &[]).await;
            let found = found.map_err(|failure| {
                failure.hint_if_missing(
                    "portreeve event list -o name shows the ids of the latest events",
                )
            })?;
            output::one(global.output, &ONE, &found)?;
            match global.output {
                Format::Table => changes(&found),
                _ => Ok(()),
            }
        }
        Command::Export { filter, since } => {
            export(&api, global.output, &filter, since.as_deref()).await
        }
        Command::Tail {
            filter,
            limit,
            follow,
        } => {
            // Asked first, so that nothing falls between the latest events and what follows them.
            let end = match follow {
                true => Some(end(&api, &filter).await?),
                false => None,
            };
            let mut items = latest(&api, &filter, limit).await?;
            items.reverse();
            match end {
                Some(end) => self::follow(&api, global.output, &filter, items, end).await,
                None => output::list(global.output, &LIST, &items),
            }
        }
    }
}

/// Writes the log out as it comes, whatever its length.
async fn export(
    api: &Api,
    format: Format,
    filter: &Filter,
    since: Option<&str>,
) -> Result<(), Failure> {
    let since = since.map(|text| time::since(text, time::now()));
    let since = since
        .transpose()
        .map_err(|wrong| Failure::usage(format!("--since: {wrong}")))?;
    let is_wanted = |event: &Value| {
        let at = plain(&event["time"]).parse::<jiff::Timestamp>();
        since.is_none_or(|since| at.is_ok_and(|at| at >= since))
    };
    if format == Format::Csv {
        output::list(format, &LIST, &[])?;
    }
    let mut query = filter.query();
    query.push(("limit", LARGEST));
    let exported = api.pages(&["events"], &query, |page| {
        for event in &page {
            // What follows is older still.
            if !is_wanted(event) {
                return Ok(false);
            }
            match format {
                Format::Csv => output::csv_row(&LIST, event)?,
                Format::Yaml => output::yaml_document(event)?,
                Format::Name => output::list(format, &LIST, std::slice::from_ref(event))?,
                Format::Json | Format::Table => output::json_line(event)?,
            }
        }
        Ok(true)
    });
    exported
        .await
        .map_err(|failure| failure.hint_if_missing(crate::scope::DIRECTORIES))
}

async fn latest(api: &Api, filter: &Filter, limit: usize) -> Result<Vec<Value>, Failure> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let size = page_size(limit);
    let mut query = filter.query();
    query.push(("limit", &size));
    let found = api.walk(&["events"], &query, limit).await;
    found.map_err(|failure| failure.hint_if_missing(crate::scope::DIRECTORIES))
}

/// Shows events as they come, after some that are there: those that are not later than `end`, and maybe a few later ones.
async fn follow(
    api: &Api,
    format: Format,
    filter: &Filter,
    mut items: Vec<Value>,
    end: i64,
) -> Result<(), Failure> {
    let mut known = end;
    loop {
        for item in &items {
            line(format, item)?;
        }
        let last = items.last().and_then(|last| last["position"].as_i64());
        known = last.unwrap_or(known).max(known);
        let after = known.to_string();
        let mut query = filter.query();
        query.extend([("after", after.as_str()), ("wait", "30")]);
        items = api.list(&["events"], &query).await?;
    }
}

/// Where the log ends now, whatever else the filter says.
async fn end(api: &Api, filter: &Filter) -> Result<i64, Failure> {
    let mut query = filter.place();
    query.push(("after", "now"));
    let found = api.get(&["changes"], &query).await;
    let end = found.map_err(|failure| failure.hint_if_missing(crate::scope::DIRECTORIES))?;
    end["next"].as_i64().ok_or_else(|| {
        Failure::plain("the server does not say where its log ends; is it of another version?")
    })
}

/// One event in a stream: columns would need to know what is still to come.
fn line(format: Format, event: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => output::json_line(event),
        Format::Yaml => output::yaml_document(event),
        Format::Csv => output::csv_row(&LIST, event),
        Format::Name => output::list(format, &LIST, std::slice::from_ref(event)),
        Format::Table => {
            let time = plain(&event["time"]);
            let time = time.split('.').next().unwrap_or(&time);
            let text = format!(
                "{time}Z  {:9}  {:12}  {:7}  {}  {}",
                plain(&event["category"]),
                plain(&event["action"]),
                plain(&event["outcome"]),
                object(event),
                what(event)
            );
            output::print(&(harmless(text.trim_end()) + "\n"))
        }
    }
}

fn object(event: &Value) -> String {
    let parts = [member(event, "object.type"), member(event, "object.name")];
    let parts = parts.map(plain);
    parts.join(" ").trim().to_owned()
}

fn actor(event: &Value) -> String {
    let parts = [member(event, "actor.type"), member(event, "actor.id")];
    parts.map(plain).join(" ").trim().to_owned()
}

/// Why it was refused, or which attributes changed.
fn what(event: &Value) -> String {
    const SHOWN: usize = 3;
    if let Some(detail) = event["detail"].as_str() {
        return detail.to_owned();
    }
    let changes = event["changes"].as_array().map_or(&[][..], Vec::as_slice);
    let names = changes.iter().map(|change| plain(&change["attribute"]));
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    match changes.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn changes(event: &Value) -> Result<(), Failure> {
    let changes = event["changes"].as_array().map_or(&[][..], Vec::as_slice);
    if changes.is_empty() {
        return Ok(());
    }
    let heading = ["ATTRIBUTE", "BEFORE", "AFTER"].map(str::to_owned).to_vec();
    let rows = changes.iter().map(|change| {
        ["attribute", "old", "new"]
            .map(|name| harmless(&plain(&change[name])))
            .to_vec()
    });
    output::print("\n")?;
    output::print(&output::table(std::iter::once(heading).chain(rows)))
}

impl Filter {
    fn query(&self) -> Vec<(&str, &str)> {
        let mut query = self.place();
        query.extend(given([
            ("object", &self.object),
            ("category", &self.category),
            ("action", &self.action),
            ("outcome", &self.outcome),
        ]));
        query
    }

    /// Whose log it is.
    fn place(&self) -> Vec<(&str, &str)> {
        given([("team", &self.team), ("directory", &self.directory)]).collect()
    }
}

fn given<'a, const N: usize>(
    members: [(&'a str, &'a Option<String>); N],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let present = |(name, value): (&'a str, &'a Option<String>)| Some((name, value.as_deref()?));
    members.into_iter().filter_map(present)
}
