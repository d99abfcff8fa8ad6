//! The reception with a large directory of visitor hosts: how long an answer to each letter takes that a visitor types, and how
//! much a tablet loads at first.
//!
//! One tablet after the other asks one question after the other, so that a time is that of the server and of nobody who waits
//! before. There are many tablets, because each may ask only so often.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Args;
use hdrhistogram::Histogram;
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{Connection, Exchange, Target};
use crate::database::{Database, Kind};
use crate::load::{Amount, run as generate};
use crate::machine::Machine;
use crate::report;
use crate::scenario::say;
use crate::server::Server;

/// Milliseconds in which an answer is wanted.
const SEARCH: f64 = 50.0;
/// Compressed bytes within which the page is wanted, with everything it loads.
const FIRST_LOAD: usize = 60_000;
/// Questions that one tablet asks before the next one does.
const OF_ONE: usize = 50;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Parts of names, of which there are so many that each whole name is rare and each beginning is not.
const GIVEN: &[&str] = &[
    "Ada",
    "Alan",
    "Anna",
    "Barbara",
    "Björn",
    "Claire",
    "Dennis",
    "Edith",
    "Émile",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "Jürgen",
    "Katherine",
    "Leonhard",
    "Margaret",
    "Niklaus",
    "Olga",
    "Peter",
];
const FIRST: &[&str] = &[
    "Bar", "Ber", "Can", "Dor", "Ever", "Fal", "Gar", "Hol", "Ing", "Jan", "Kel", "Lin", "Mar",
    "Nor", "Ost", "Pal", "Quin", "Ros", "Sal", "Tor",
];
const MIDDLE: &[&str] = &["a", "e", "en", "er", "i", "in", "o", "on", "u", "y"];
const LAST: &[&str] = &[
    "berg", "dal", "dorf", "feld", "gard", "hausen", "ković", "lund", "mann", "nez", "quist",
    "rup", "sen", "son", "stein", "ström", "thal", "vik", "wood", "zon",
];
const DEPARTMENTS: &[&str] = &["Engines", "Law", "Port", "Sales", "Works council"];

/// What visitors type, letter by letter from the second on: a rare name, what many are called, a name with its beginning, a
/// department with a name, letters with marks, and what nobody is called.
const TYPED: &[&str] = &[
    "garenkovic",
    "margaret",
    "ada mar",
    "engines jur",
    "emile",
    "zzyzx",
];

/// How many there are, and how often somebody looks for one.
#[derive(Args)]
pub(crate) struct Visitors {
    /// People whom visitors come to see
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// How often each text is typed
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Connections that bring the people
    #[arg(long, value_name = "N", default_value_t = 16)]
    connections: usize,
    /// Database of the server
    #[arg(long, value_enum, default_value_t = Kind::Sqlite)]
    database: Kind,
    /// The program to measure [default: `portreeve` beside this one]
    #[arg(long, value_name = "FILE")]
    portreeve: Option<PathBuf>,
    /// Folder on the disk to measure [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for visitors.json and visitors.md
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct Outcome {
    machine: Machine,
    database: Kind,
    people: u64,
    searches: Vec<Figure>,
    /// What a tablet loads at first, compressed: the page and everything it names.
    first_load: Vec<(String, usize)>,
}

/// How long answers to one text took.
#[derive(Debug, Serialize)]
struct Figure {
    typed: String,
    /// How many were found by all of it.
    found: usize,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

pub(crate) async fn run(visitors: &Visitors) -> Result<()> {
    let this = std::env::current_exe()?;
    let beside = this.parent().context("this program is in no folder")?;
    let program = visitors.portreeve.clone();
    let program = program.unwrap_or_else(|| beside.join("portreeve"));
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(visitors.data.as_deref().unwrap_or(beside))?;
    let outcome = measure(visitors, &program, folder.path()).await?;
    let text = outcome.markdown()?;
    report::save(&visitors.out, "visitors", &outcome, &text)?;
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

async fn measure(visitors: &Visitors, program: &Path, data: &Path) -> Result<Outcome> {
    let database = Database::start(visitors.database);
    let server = Server::portreeve(program, data, database.fresh().as_deref()).await?;
    let mut admin = Connection::local(data, "/api/v1").await?;
    let directory =
        json!({"name": "Visitor hosts", "provider": "entra", "preset": "visitor-hosts"});
    let directory = create(&mut admin, "/directories", &directory).await?;
    let people = Target {
        base: directory["tenant_url"]
            .as_str()
            .context("a directory has a tenant URL")?
            .parse::<hyper::Uri>()?
            .path()
            .to_owned(),
        authorization: Some(bearer(&directory["secret_token"])?),
        ..server.target.clone()
    };
    say(&format!("{} people arrive", visitors.people))?;
    let all = Amount::Requests(visitors.people);
    generate(&people, visitors.connections, all, person, |_, _| Ok(())).await?;
    let location = create(&mut admin, "/visit-locations", &json!({"name": "Door"})).await?;
    let id = location["id"].as_str().context("a location has an id")?;
    let door = Door {
        admin,
        target: Target {
            base: format!("/visit/{id}"),
            ..server.target.clone()
        },
        devices: format!("/visit-locations/{id}/devices"),
        tablet: None,
        asked: 0,
    };
    door.measure(visitors).await
}

/// A location, and the tablet that asks at the moment.
struct Door {
    admin: Connection,
    target: Target,
    devices: String,
    tablet: Option<Connection>,
    /// How often it has asked.
    asked: usize,
}

impl Door {
    async fn measure(mut self, visitors: &Visitors) -> Result<Outcome> {
        let mut searches = Vec::new();
        for typed in TYPED {
            say(&format!("typing {typed:?}"))?;
            searches.push(self.figure(typed, visitors.times).await?);
        }
        Ok(Outcome {
            machine: Machine::describe()?,
            database: visitors.database,
            people: visitors.people,
            searches,
            first_load: self.first_load().await?,
        })
    }

    /// Types a text again and again, and waits for the answer to each letter.
    async fn figure(&mut self, typed: &str, times: u64) -> Result<Figure> {
        let mut taken = Histogram::<u64>::new(3)?;
        let mut found = 0;
        for _ in 0..times {
            for part in beginnings(typed) {
                let path = format!("/people?q={}", part.replace(' ', "+"));
                let begun = Instant::now();
                let answer = self.tablet().await?.send(&Method::GET, &path, Bytes::new());
                let answer = answer.await?;
                let took = begun.elapsed();
                ensure!(answer.status == StatusCode::OK, "{path}: {}", answer.status);
                taken.record(u64::try_from(took.as_micros())?)?;
                let people: Vec<Value> = serde_json::from_slice(&answer.body)?;
                found = people.len();
            }
        }
        let milliseconds = |quantile| taken.value_at_quantile(quantile) as f64 / 1000.0;
        Ok(Figure {
            typed: typed.to_owned(),
            found,
            p50_ms: milliseconds(0.50),
            p99_ms: milliseconds(0.99),
            max_ms: milliseconds(1.0),
        })
    }

    /// The tablet that asks next; it has a connection already.
    async fn tablet(&mut self) -> Result<&mut Connection> {
        if self.tablet.is_none() || self.asked == OF_ONE {
            let device = create(&mut self.admin, &self.devices, &json!({"name": "Tablet"})).await?;
            let target = Target {
                authorization: Some(bearer(&device["token"])?),
                ..self.target.clone()
            };
            let mut tablet = Connection::open(&target).await?;
            // The first request of a token is checked against the database, and no visitor waits for it.
            tablet.send(&Method::GET, "/state", Bytes::new()).await?;
            (self.tablet, self.asked) = (Some(tablet), 0);
        }
        self.asked += 1;
        self.tablet.as_mut().context("there is a tablet")
    }

    /// The page and the files that it names, each with its compressed bytes.
    async fn first_load(&self) -> Result<Vec<(String, usize)>> {
        let page = self.target.base.clone();
        let target = Target {
            base: String::new(),
            ..self.target.clone()
        };
        let mut tablet = Connection::open(&target).await?;
        let mut loaded: Vec<(String, usize)> = Vec::new();
        let mut waiting = vec![page];
        while let Some(path) = waiting.pop() {
            if loaded.iter().any(|(known, _)| *known == path) {
                continue;
            }
            let mut sizes = Vec::new();
            for encodings in ["identity", "br, gzip"] {
                let headers = [("accept-encoding", encodings)];
                let answer = tablet
                    .send_with(&Method::GET, &path, &headers, Bytes::new())
                    .await?;
                ensure!(answer.status == StatusCode::OK, "{path}: {}", answer.status);
                if encodings == "identity" {
                    waiting.extend(named(&String::from_utf8_lossy(&answer.body)));
                }
                sizes.push(answer.body.len());
            }
            loaded.push((path, sizes[1]));
        }
        Ok(loaded)
    }
}

impl Outcome {
    fn markdown(&self) -> Result<String> {
        let mut text = format!("# Visitors\n\n{}\n", self.machine);
        writeln!(
            text,
            "{}: {} people whom visitors come to see.\n",
            self.database.name(),
            self.people
        )?;
        writeln!(
            text,
            "| typed, letter by letter | found | p50 ms | p99 ms | most ms | wanted |\n|---|---:|---:|---:|---:|---|"
        )?;
        for figure in &self.searches {
            let Figure {
                typed,
                found,
                p50_ms,
                p99_ms,
                max_ms,
            } = figure;
            let verdict = if *p99_ms <= SEARCH { "" } else { ", missed" };
            writeln!(
                text,
                "| {typed} | {found} | {p50_ms:.1} | {p99_ms:.1} | {max_ms:.1} | {SEARCH} ms{verdict} |"
            )?;
        }
        writeln!(
            text,
            "\n| first load | bytes compressed | wanted |\n|---|---:|---|"
        )?;
        for (path, bytes) in &self.first_load {
            writeln!(text, "| `{path}` | {bytes} | |")?;
        }
        let all: usize = self.first_load.iter().map(|(_, bytes)| bytes).sum();
        let verdict = if all <= FIRST_LOAD { "" } else { ", missed" };
        writeln!(text, "| all | {all} | {FIRST_LOAD}{verdict} |")?;
        Ok(text)
    }
}

/// POST of somebody, with the attributes that Entra sends by the vendor's mapping table.
fn person(number: u64) -> Exchange {
    let of = |parts: &'static [&'static str], step: u64| {
        let place = usize::try_from(number / step % parts.len() as u64).unwrap_or_default();
        parts[place]
    };
    let given = of(GIVEN, 1);
    let family = format!("{}{}{}", of(FIRST, 20), of(MIDDLE, 400), of(LAST, 4000));
    let name = format!("person{number}@contoso.example");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": name,
        "active": true,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"primary": true, "type": "work", "value": name}],
        ENTERPRISE: {"organization": "Contoso", "department": of(DEPARTMENTS, 7)},
    });
    Exchange {
        method: Method::POST,
        path: "/Users".to_owned(),
        body: body.to_string().into(),
        status: StatusCode::CREATED,
        contains: name,
    }
}

async fn create(admin: &mut Connection, path: &str, body: &Value) -> Result<Value> {
    let headers = [("content-type", "application/json")];
    let answer = admin
        .send_with(&Method::POST, path, &headers, body.to_string().into())
        .await?;
    ensure!(
        answer.status == StatusCode::CREATED,
        "{path}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    Ok(serde_json::from_slice(&answer.body)?)
}

fn bearer(token: &Value) -> Result<HeaderValue> {
    let token = token.as_str().context("a token is shown when it is made")?;
    Ok(HeaderValue::from_str(&format!("Bearer {token}"))?)
}

/// `abc`: `ab`, `abc`; fewer letters are not asked for.
fn beginnings(typed: &str) -> impl Iterator<Item = &str> {
    typed
        .char_indices()
        .skip(1)
        .map(|(at, letter)| &typed[..at + letter.len_utf8()])
}

/// The files of the reception that a page or a file names.
fn named(text: &str) -> Vec<String> {
    let found = text.match_indices("/visit/assets/").map(|(at, _)| {
        let path = &text[at..];
        let end = path.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
        path[..end.unwrap_or(path.len())].to_owned()
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_page_names_its_files() {
        let page = r#"<link href="/visit/assets/a.1f.css"><script src="/visit/assets/b.js" defer>"#;
        assert_eq!(
            named(page),
            ["/visit/assets/a.1f.css", "/visit/assets/b.js"]
        );
    }

    #[test]
    fn nobody_searches_for_less_than_two_letters() {
        let typed: Vec<&str> = beginnings("a bé").collect();
        assert_eq!(typed, ["a ", "a b", "a bé"]);
    }

    #[test]
    fn a_hundred_thousand_people_have_eighty_thousand_names() {
        let names: HashSet<String> = (0..100_000)
            .map(|number| {
                let body: Value = serde_json::from_slice(&person(number).body).unwrap();
                body["name"].to_string()
            })
            .collect();
        assert_eq!(names.len(), 80_000);
    }
}
