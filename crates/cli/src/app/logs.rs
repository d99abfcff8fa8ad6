//! `portreeve app logs`: what was done for whom, and why something was not.

use super::file::File;
use super::{Place, Which, shapes};
use crate::Global;
use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::output::{self, Format, harmless};
use crate::time;
use clap::Args;
use jiff::Timestamp;
use portreeve_provisioning::engine::steps::Record;
use portreeve_provisioning::job::State;
use portreeve_provisioning::log::{self, FILES, Filter, Page, Tables};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Entries per read when all are exported.
const BATCH: usize = 500;

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    which: Which,
    /// Only with this status: success, failure, skipped, warning; may be given several times
    #[arg(long)]
    status: Vec<String>,
    /// Only this action: create, update, disable, delete, stagedDelete, other; may be given several times
    #[arg(long)]
    action: Vec<String>,
    /// Only with this error code, such as EntryConflict; may be given several times
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// Only about people or groups with this in key, name or details, at the source or at the target
    #[arg(long, value_name = "TEXT")]
    user: Option<String>,
    /// Not before: a date, a time, or how long ago, such as 24h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before: a date, a time, or how long ago
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// At most so many, the latest first; 0 shows all
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    /// Show what is added, until Ctrl-C; for an application of the server
    #[arg(long, short, conflicts_with = "csv")]
    follow: bool,
    /// Write all of them into three tables of this folder, joined by the id of the change, as Entra exports them
    #[arg(long, value_name = "DIR", conflicts_with = "limit")]
    csv: Option<PathBuf>,
}

pub(super) async fn run(global: &Global, args: &Logs) -> Result<(), Failure> {
    let filter = args.filter()?;
    let limit = match (args.limit, &args.csv) {
        (0, _) | (_, Some(_)) => usize::MAX,
        (limit, None) => limit,
    };
    let source = match args.which.place(global)? {
        Place::File(_) if args.follow => {
            return Err(Failure::usage(
                "nobody else can write this log while it is read, so there is nothing to follow",
            )
            .hint("portreeve app run FILE.toml --watch shows each cycle"));
        }
        Place::File(path) => Log::State(File::open(&path)?.state().await?, Box::new(filter)),
        Place::Server(api, app) => Log::Server(api, app, query(args, &filter)),
    };
    match (&args.csv, args.follow) {
        (Some(folder), _) => export(global, &source, folder).await,
        (None, true) => follow(global.output, &source).await,
        (None, false) => {
            let mut items = Vec::new();
            source
                .read(limit, |record| {
                    items.push(record);
                    Ok(())
                })
                .await?;
            output::list(global.output, &shapes::LOG, &items)
        }
    }
}

/// Where entries come from, newest first.
enum Log {
    State(State, Box<Filter>),
    Server(Api, String, Vec<(&'static str, String)>),
}

impl Log {
    /// Shows `limit` entries at most, one after the other.
    async fn read(
        &self,
        limit: usize,
        each: impl FnMut(Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self {
            Self::State(state, filter) => {
                read(state, filter, log::Place::Before(i64::MAX), limit, each).await
            }
            Self::Server(api, app, query) => {
                let size = page_size(limit);
                let mut query = borrowed(query);
                query.push(("limit", &size));
                let path = ["applications", app, "logs"];
                let items = api.walk(&path, &query, limit).await?;
                items.into_iter().try_for_each(each)
            }
        }
    }
}

/// Shows `limit` entries at most of a log in this process, from a place on.
pub(super) async fn read(
    state: &State,
    filter: &Filter,
    mut place: log::Place,
    limit: usize,
    mut each: impl FnMut(Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut left = limit;
    loop {
        let page = read_page(state, filter, place, left.min(BATCH)).await?;
        left -= page.entries.len();
        for (_, record) in &page.entries {
            each(json!(record))?;
        }
        if page.ended || left == 0 {
            return Ok(());
        }
        place = page.next;
    }
}

async fn read_page(
    state: &State,
    filter: &Filter,
    place: log::Place,
    limit: usize,
) -> Result<Page, Failure> {
    let filter = filter.clone();
    let page =
        state.read(move |tx, owner| log::read(tx, &owner.application_id, &filter, place, limit));
    page.await.map_err(Failure::plain)
}

/// Shows the entries of a server's application that are added from now on.
async fn follow(format: Format, source: &Log) -> Result<(), Failure> {
    let Log::Server(api, app, query) = source else {
        return Ok(());
    };
    let path = ["applications", app, "logs"];
    let position = |entry: &Value| output::plain(&entry["position"]);
    let newest = api.list(&path, &[("limit", "1")]).await?;
    let mut after = newest.first().map_or("0".to_owned(), position);
    loop {
        let mut query = borrowed(query);
        query.extend([("after", after.as_str()), ("wait", "30")]);
        let items = api.list(&path, &query).await?;
        for item in &items {
            line(format, item)?;
        }
        if let Some(last) = items.last() {
            after = position(last);
        }
    }
}

/// One entry in a stream: columns would need to know what is still to come.
fn line(format: Format, record: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => output::json_line(record),
        Format::Yaml => output::yaml_document(record),
        Format::Csv => output::csv_row(&shapes::LOG, record),
        Format::Name => output::list(format, &shapes::LOG, std::slice::from_ref(record)),
        Format::Table => {
            let text = |name: &str| output::plain(output::member(record, name));
            let line = format!(
                "{}  {:12}  {:8}  {}  {}",
                text("activityDateTime"),
                text("provisioningAction"),
                text("provisioningStatusInfo.status"),
                shapes::name(record),
                shapes::what(record)
            );
            output::print(&(harmless(line.trim_end()) + "\n"))
        }
    }
}

/// Writes all entries into three tables.
async fn export(global: &Global, source: &Log, folder: &Path) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| {
        Failure::plain(format!("{} cannot be written: {error}", folder.display()))
            .hint("choose a folder in which this user may write")
    };
    fs::create_dir_all(folder).map_err(cannot)?;
    let mut tables = Tables::create(folder).map_err(cannot)?;
    let mut count: u64 = 0;
    source
        .read(usize::MAX, |record| {
            let record: Record = serde_json::from_value(record).map_err(|_| {
                Failure::plain(
                    "an entry of the log cannot be read; is the server of another version?",
                )
            })?;
            count += 1;
            tables.add(&record).map_err(cannot)
        })
        .await?;
    tables.end().map_err(cannot)?;
    output::say(
        global.output,
        &format!(
            "{count} entries are in {}, {} and {} of {}",
            FILES[0],
            FILES[1],
            FILES[2],
            folder.display()
        ),
    );
    Ok(())
}

impl Logs {
    fn filter(&self) -> Result<Filter, Failure> {
        let now = time::now();
        let at = |option: &str, text: &Option<String>| -> Result<Option<Timestamp>, Failure> {
            let parsed = text
                .as_deref()
                .map(|text| time::since(text, now))
                .transpose();
            parsed.map_err(|wrong| Failure::usage(format!("--{option}: {wrong}")))
        };
        Ok(Filter {
            statuses: words("status", &self.status)?,
            actions: words("action", &self.action)?,
            codes: words("code", &self.code)?,
            object: self.user.clone().unwrap_or_default(),
            since: at("since", &self.since)?,
            until: at("until", &self.until)?,
            ..Filter::default()
        })
    }
}

/// Words of the log, as they are given with an option.
fn words<T: DeserializeOwned>(option: &str, given: &[String]) -> Result<Vec<T>, Failure> {
    let words = given.iter().map(|name| Filter::word(name));
    let words: Result<Vec<T>, String> = words.collect();
    words.map_err(|wrong| Failure::usage(format!("--{option}: {wrong}")))
}

/// The same filter as parameters of the API.
fn query(args: &Logs, filter: &Filter) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    let mut add = |name, values: &[String]| {
        query.extend(values.iter().map(|value| (name, value.clone())));
    };
    add("status", &args.status);
    add("action", &args.action);
    add("code", &args.code);
    add("object", args.user.as_slice());
    add("since", moment(filter.since).as_slice());
    add("until", moment(filter.until).as_slice());
    query
}

fn moment(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn borrowed<'q>(query: &'q [(&'static str, String)]) -> Vec<(&'q str, &'q str)> {
    let pairs = query.iter();
    pairs.map(|(name, value)| (*name, value.as_str())).collect()
}
