//! The console at a large directory with a long log: how long each page takes, how long an answer to each letter typed
//! into the search, and how much a browser loads at first.
//!
//! One visitor asks for one page after the other, so that a time is that of the server and of nobody who waits before.

mod visitor;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

use crate::cycle::{self, Company, Filled, index};
use crate::database::Kind;
use crate::load::{Amount, run as generate};
use crate::machine::Machine;
use crate::report;
use crate::requests;
use crate::scenario::say;
use visitor::{Visitor, first_link, loaded_by};

/// Milliseconds in which a page is wanted.
const PAGE: f64 = 50.0;
/// The same of an answer to what was typed.
const SEARCH: f64 = 100.0;
/// Compressed bytes within which the first page is wanted, with everything it loads.
const FIRST_LOAD: usize = 120_000;

/// How long one page is asked for again and again, at most: a slow one has said what it has to say after that.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked for in any case.
const ROUNDS: u64 = 5;

/// What a person types, letter by letter: what everybody is called, one number, an address, and what nobody is called.
const TYPED: &[&str] = &[
    "person 4213",
    "4213",
    "person99@contoso",
    "son 777",
    "zebra",
];

/// How much is stored, and how often it is looked at.
#[derive(Args)]
pub(crate) struct Console {
    #[command(flatten)]
    company: Company,
    /// Events in the log
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    events: u64,
    /// How often each page is asked for
    #[arg(long, value_name = "N", default_value_t = 200)]
    times: u64,
    /// Database of the server
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    database: Kind,
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Folder on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for console.json and console.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

/// How long something took.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// Compressed bytes of one answer.
    bytes: usize,
}

#[derive(Debug, Serialize)]
struct Outcome {
    machine: Machine,
    database: Kind,
    #[serde(flatten)]
    company: Company,
    events: u64,
    pages: Vec<Figure>,
    searches: Vec<Figure>,
    /// What the overview loads at the first visit, compressed: the page and everything it names.
    first_load: Vec<(String, usize)>,
}

pub(crate) async fn run(console: &Console) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let program = console
        .portreeve
        .clone()
        .unwrap_or_else(|| beside.join("portreeve"));
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(console.data.as_deref().unwrap_or(beside))?;
    let data = folder.path().join("portreeve");
    std::fs::create_dir(&data)?;
    let mut filled = cycle::fill(&program, &data, console.company, console.database).await?;
    write_log(&mut filled, console).await?;
    let outcome = look(&filled, console, &program, &data).await?;
    report::save(&console.out, "console", &outcome, &outcome.markdown()?)?;
    Ok(std::io::stdout().write_all(outcome.markdown()?.as_bytes())?)
}

/// Changes people, one event each, until the log has as many as are wanted.
async fn write_log(filled: &mut Filled, console: &Console) -> Result<()> {
    let missing = console.events.saturating_sub(filled.changes);
    say(&format!("changing people: {missing}"))?;
    let people: Arc<[Arc<str>]> = filled.people.clone().into();
    let count = people.len() as u64;
    let change = move |number: u64| {
        let (person, pass) = (number % count, number / count);
        // Every fiftieth is suspended and comes back; of the others one attribute or another changes.
        let form = if person % 50 == 0 { 2 } else { person % 2 };
        requests::change(&people[index(person)], person, 3 * pass + form)
    };
    let connections = console.company.connections;
    let target = &filled.server.target;
    generate(
        target,
        connections,
        Amount::Requests(missing),
        change,
        |_, _| Ok(()),
    )
    .await?;
    filled.changes += missing;
    Ok(())
}

async fn look(filled: &Filled, console: &Console, program: &Path, data: &Path) -> Result<Outcome> {
    let mut visitor = Visitor::sign_in(filled.server.target.address, program, data).await?;
    let first_load = loaded_by(&mut visitor, "/console").await?;
    let mut pages = Vec::new();
    for (name, path) in every_page(&mut visitor).await? {
        say(&format!("{name}: {path}"))?;
        pages.push(figure(&mut visitor, &name, &[path], console.times).await?);
    }
    let mut searches = Vec::new();
    for typed in TYPED {
        for (place, path) in [
            ("users", "/console/users?q="),
            ("palette", "/console/palette?q="),
        ] {
            say(&format!("typing {typed:?} into {place}"))?;
            let paths: Vec<String> = letter_by_letter(typed)
                .map(|part| format!("{path}{}", part.replace(' ', "+").replace('@', "%40")))
                .collect();
            let name = format!("{place}: {typed}");
            searches.push(figure(&mut visitor, &name, &paths, console.times / 10).await?);
        }
    }
    Ok(Outcome {
        machine: Machine::describe()?,
        database: console.database,
        company: console.company,
        events: filled.changes,
        pages,
        searches,
        first_load,
    })
}

/// Every kind of page, with an object where it is about one: the first that its list links to.
async fn every_page(visitor: &mut Visitor) -> Result<Vec<(String, String)>> {
    let mut pages: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, path: String| pages.push((name.to_owned(), path));
    for list in ["users", "groups", "directories", "logs"] {
        let path = format!("/console/{list}");
        let first = visitor.page(&path).await?;
        let object = first_link(&first.text, &format!("{path}/"))
            .with_context(|| format!("{path} links to none of its own"))?;
        add(list, path);
        add(&format!("one of {list}"), object);
    }
    for (name, path) in [
        ("overview", "/console"),
        ("users, suspended", "/console/users?status=suspended"),
        ("logs, one category", "/console/logs?category=SCIM_SYNC"),
        ("logs, one that is rare", "/console/logs?category=AUTH"),
        ("logs, refused", "/console/logs?outcome=refused"),
        ("logs, one action", "/console/logs?action=create"),
        ("own page", "/console/me"),
    ] {
        add(name, path.to_owned());
    }
    Ok(pages)
}

/// `abc`: `a`, `ab`, `abc`.
fn letter_by_letter(typed: &str) -> impl Iterator<Item = &str> {
    typed
        .char_indices()
        .map(|(at, letter)| &typed[..at + letter.len_utf8()])
}

/// Asks for all of the paths, again and again.
async fn figure(visitor: &mut Visitor, name: &str, paths: &[String], times: u64) -> Result<Figure> {
    let mut taken = Histogram::<u64>::new(3)?;
    let mut bytes = 0;
    let began = Instant::now();
    for round in 0..=times.max(1) {
        if round > ROUNDS && began.elapsed() > PATIENCE {
            break;
        }
        for path in paths {
            let page = visitor.page(path).await?;
            bytes = bytes.max(page.compressed);
            // The first time fills caches that a server in use has full.
            if round > 0 {
                taken.record(u64::try_from(page.took.as_micros())?)?;
            }
        }
    }
    ensure!(!taken.is_empty(), "{name} was not asked for");
    let milliseconds = |quantile| taken.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(Figure {
        name: name.to_owned(),
        p50_ms: milliseconds(0.50),
        p99_ms: milliseconds(0.99),
        max_ms: milliseconds(1.0),
        bytes,
    })
}

impl Outcome {
    fn markdown(&self) -> Result<String> {
        let mut text = format!(
            "{}\n{}: {} users, {} groups, {} memberships, {} events; one visitor.\n\n",
            self.machine,
            self.database.name(),
            self.company.users,
            self.company.groups,
            self.company.memberships,
            self.events
        );
        table(&mut text, "page", &self.pages, PAGE)?;
        table(
            &mut text,
            "search, letter by letter",
            &self.searches,
            SEARCH,
        )?;
        writeln!(
            text,
            "| first load | bytes compressed | wanted |\n|---|---:|---|"
        )?;
        for (path, bytes) in &self.first_load {
            writeln!(text, "| `{path}` | {bytes} | |")?;
        }
        let all: usize = self.first_load.iter().map(|(_, bytes)| bytes).sum();
        writeln!(text, "| all | {all} | {FIRST_LOAD} |")?;
        Ok(text)
    }
}

fn table(text: &mut String, what: &str, figures: &[Figure], wanted: f64) -> Result<()> {
    writeln!(
        text,
        "| {what} | p50 ms | p99 ms | most ms | bytes compressed | wanted |\n|---|---:|---:|---:|---:|---|"
    )?;
    for figure in figures {
        let Figure {
            name,
            p50_ms,
            p99_ms,
            max_ms,
            bytes,
        } = figure;
        let verdict = if *p99_ms <= wanted { "" } else { ", missed" };
        writeln!(
            text,
            "| {name} | {p50_ms:.1} | {p99_ms:.1} | {max_ms:.1} | {bytes} | {wanted} ms{verdict} |"
        )?;
    }
    Ok(writeln!(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_slow_is_said_to_be() {
        let figure = |name: &str, p99_ms| Figure {
            name: name.to_owned(),
            p50_ms: 2.0,
            p99_ms,
            max_ms: 90.0,
            bytes: 4_000,
        };
        let mut text = String::new();
        table(
            &mut text,
            "page",
            &[figure("logs", 50.0), figure("users", 50.1)],
            PAGE,
        )
        .unwrap();
        for line in [
            "| logs | 2.0 | 50.0 | 90.0 | 4000 | 50 ms |",
            "| users | 2.0 | 50.1 | 90.0 | 4000 | 50 ms, missed |",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn typing_goes_letter_by_letter() {
        assert_eq!(
            letter_by_letter("aé1").collect::<Vec<_>>(),
            ["a", "aé", "aé1"]
        );
    }
}
