//! `portreeve account`.

use crate::Global;
use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::{DIRECTORIES, Scope};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the names and numbers that people have on hosts, and what is wrong with them
    List {
        #[command(flatten)]
        scope: Scope,
        /// At most so many [default: all]
        #[arg(long, value_name = "NUMBER")]
        limit: Option<usize>,
    },
    /// Show which names a rule would make, and which it could not; portreeve directory update sets it
    Preview {
        #[command(flatten)]
        scope: Scope,
        /// Which part of userName counts [default: local]
        #[arg(long, value_enum)]
        part: Option<Part>,
        /// What becomes of dots [default: drop]
        #[arg(long, value_enum)]
        dots: Option<Dots>,
    },
    /// Show or set the names of a user on hosts that do not take the usual one
    Remote(Remote),
}

#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// userName or id
    #[arg(add = live::users())]
    user: String,
    #[command(flatten)]
    scope: Scope,
    /// Name on the hosts that a tag expression chooses; all there are to be, the first that fits counting
    #[arg(long, value_name = "NAME=EXPR", conflicts_with = "clear")]
    set: Vec<String>,
    /// Take all away
    #[arg(long)]
    clear: bool,
}

/// Which part of a `userName` makes the name of an account.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    /// What stands before the last @
    Local,
    /// All of it
    Whole,
}

/// What becomes of dots in the name of an account.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dots {
    /// adalovelace
    Drop,
    /// ada_lovelace
    Underscore,
    /// ada-lovelace
    Hyphen,
    /// They stay, so that the name is reported as one that cannot be used
    Refuse,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("USER", "user_name"),
        Column::text("NAME", "name"),
        Column::text("UID", "uid"),
        Column::text("GID", "gid"),
        Column::made("PROBLEM", "problems", problems),
    ],
    name: "name",
};

const PREVIEW: Shape = Shape {
    columns: &[
        Column::text("People", "people"),
        Column::text("With a name", "named"),
        Column::text("Renamed", "renamed"),
        Column::made("Renames", "renames", renames),
        Column::made("Without a name", "problems", without),
    ],
    name: "named",
};

const REMOTE: Shape = Shape {
    columns: &[Column::text("NAME", "name"), Column::text("HOSTS", "hosts")],
    name: "name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List { scope, limit } => {
            let directory = scope.resolve(&api).await?;
            let limit = limit.unwrap_or(usize::MAX);
            let path = ["directories", &directory, "accounts"];
            let query = [("count", page_size(limit))];
            let query: Vec<_> = query
                .iter()
                .map(|(name, it)| (*name, it.as_str()))
                .collect();
            let items = api.walk(&path, &query, limit).await;
            output::list(format, &LIST, &items.map_err(missing)?)
        }
        Command::Preview { scope, part, dots } => {
            let directory = scope.resolve(&api).await?;
            let body = match rule(part, dots) {
                None => json!({}),
                Some(rule) => json!({"posix_names": rule}),
            };
            let path = ["directories", &directory, "accounts", "preview"];
            let found = api.post(&path, &body).await;
            output::one(format, &PREVIEW, &found.map_err(missing)?)
        }
        Command::Remote(remote) => remote.run(&api, format).await,
    }
}

/// What is said of a rule for names, as the API takes it; `None`: nothing.
pub(crate) fn rule(part: Option<Part>, dots: Option<Dots>) -> Option<Map<String, Value>> {
    let part = part.map(|part| ("part".to_owned(), json!(part)));
    let dots = dots.map(|dots| ("dots".to_owned(), json!(dots)));
    let said: Map<_, _> = part.into_iter().chain(dots).collect();
    (!said.is_empty()).then_some(said)
}

impl Remote {
    async fn run(&self, api: &Api, format: Format) -> Result<(), Failure> {
        let directory = self.scope.resolve(api).await?;
        let path = [
            "directories",
            &directory,
            "users",
            &self.user,
            "remote-identities",
        ];
        let all = match self.set.is_empty() && !self.clear {
            true => api.get(&path, &[]).await,
            false => api.put(&path, &self.wanted()?).await,
        };
        let all = all.map_err(|failure| {
            failure.hint_if_missing("portreeve user list shows the people there are")
        })?;
        let all = all.as_array().cloned().unwrap_or_default();
        output::list(format, &REMOTE, &all)
    }

    fn wanted(&self) -> Result<Value, Failure> {
        let mut wanted = Vec::new();
        for text in &self.set {
            let (name, hosts) = text.split_once('=').ok_or_else(|| {
                Failure::usage(format!("\"{text}\" says no hosts"))
                    .hint("write it as NAME=EXPR, such as ubuntu=os=ubuntu")
            })?;
            wanted.push(json!({"name": name, "hosts": hosts}));
        }
        Ok(Value::Array(wanted))
    }
}

fn problems(account: &Value) -> String {
    lines(&account["problems"], |one| plain(&one["detail"]))
}

fn renames(preview: &Value) -> String {
    lines(&preview["renames"], |one| {
        let new = match &one["new"] {
            Value::Null => "nothing".to_owned(),
            new => plain(new),
        };
        format!(
            "{}: {} becomes {new}",
            plain(&one["user_name"]),
            plain(&one["old"])
        )
    })
}

fn without(preview: &Value) -> String {
    lines(&preview["problems"], |one| {
        format!("{}: {}", plain(&one["user_name"]), plain(&one["detail"]))
    })
}

fn lines(list: &Value, line: impl Fn(&Value) -> String) -> String {
    let lines = list.as_array().into_iter().flatten().map(line);
    lines.collect::<Vec<_>>().join("; ")
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing(DIRECTORIES)
}
