//! The people or groups of a source, one after the other: never more than a page of them in memory.

use crate::Global;
use crate::client::Api;
use crate::environment;
use crate::failure::{Code, Failure};
use crate::machine::Machine;
use crate::output;
use clap::ValueEnum;
use portreeve_provisioning::application::Scope;
use portreeve_provisioning::source::directory::{group_shown, user_shown};
use portreeve_provisioning::source::graph::Asked;
use portreeve_provisioning::source::population::{Census, Named, named};
use portreeve_provisioning::source::{Error, Home, Kind, Object, Settings, Source};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use tempfile::TempDir;

/// How many people or groups a server is asked for at once.
const PAGE: usize = 500;

/// How a directory of the server is named on the command line.
const DIRECTORY: &str = "directory:";

/// Users or groups, on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Whom {
    User,
    Group,
}

impl Whom {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Group => Kind::Group,
        }
    }
}

/// Where people are read from, on the command line.
#[derive(Debug, Clone)]
pub(crate) enum From {
    /// The definition of an application, or of a source alone.
    File(PathBuf),
    /// A directory of the server.
    Directory(String),
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.strip_prefix(DIRECTORY) {
            Some(name) => Self::Directory(name.trim().to_owned()),
            None => Self::File(PathBuf::from(text)),
        })
    }
}

/// A source, read for itself: no application's state is touched.
pub(super) enum Population {
    Here {
        source: Box<Source>,
        /// What the source remembers goes with it.
        _state: TempDir,
    },
    /// A directory of the server, read through its API.
    There { api: Api, directory: String },
}

impl Population {
    /// The source that is named: a directory of the server, or what a file describes. `asked` are the attributes that will
    /// be needed of it.
    pub(super) fn open(global: &Global, from: &From, asked: &Asked) -> Result<Self, Failure> {
        let there = |directory: String| {
            let api = Api::open(global)?;
            Ok(Self::There { api, directory })
        };
        let file = match from {
            From::Directory(name) => return there(name.clone()),
            From::File(file) => file,
        };
        let settings = match settings(file)? {
            Settings::Directory(settings) => return there(settings.directory),
            settings => settings,
        };
        let state = TempDir::new().map_err(|error| {
            Failure::plain(format!("there is no place for temporary files: {error}"))
        })?;
        let home = Home {
            folder: file.parent().map_or_else(PathBuf::new, Path::to_owned),
            state: state.path().join("source"),
            surroundings: Arc::new(Machine),
            environment: environment::var,
            directories: None,
        };
        let source = Source::new(&settings, &home).map_err(|error| unreadable(&error))?;
        Ok(Self::Here {
            source: Box::new(source.asking(asked)),
            _state: state,
        })
    }

    /// Shows everybody to `visit`.
    pub(crate) async fn each(
        &self,
        global: &Global,
        visit: &mut dyn FnMut(Kind, &Named),
    ) -> Result<(), Failure> {
        let mut census = Census::default();
        match self {
            Self::Here { source, .. } => {
                let read = census.read(source, usize::MAX, visit).await;
                read.map_err(|error| unreadable(&error))?;
            }
            Self::There { api, directory } => {
                for kind in [Kind::User, Kind::Group] {
                    of_server(api, directory, kind, &mut census, visit).await?;
                }
            }
        }
        for note in census.notes() {
            let text = output::harmless(&note);
            output::say(global.output, &format!("note: {text}"));
        }
        Ok(())
    }

    /// Shows the one with that key to `visit`.
    pub(crate) async fn one(
        &self,
        kind: Kind,
        key: &str,
        visit: &mut dyn FnMut(Kind, &Named),
    ) -> Result<(), Failure> {
        let found = match self {
            Self::Here { source, .. } => {
                let found = source.one(kind, key).await;
                found.map_err(|error| unreadable(&error))?
            }
            Self::There { api, directory } => {
                let path = ["directories", directory, collection(kind), key];
                Some(shown(kind, api.get(&path, &[]).await?))
            }
        };
        let object = found.ok_or_else(|| {
            Failure::new(
                Code::NotFound,
                format!("the source has nobody with the key \"{key}\""),
            )
        })?;
        visit(kind, &named(&object));
        Ok(())
    }
}

/// Everybody of a kind in a directory of a server.
async fn of_server(
    api: &Api,
    directory: &str,
    kind: Kind,
    census: &mut Census,
    visit: &mut dyn FnMut(Kind, &Named),
) -> Result<(), Failure> {
    let mut start = 1;
    loop {
        let (from, count) = (start.to_string(), PAGE.to_string());
        let query = [("startIndex", &*from), ("count", &*count), ("sortBy", "id")];
        let path = ["directories", directory, collection(kind)];
        let page = api.list(&path, &query).await?;
        let read = page.len();
        for item in page {
            census.see(&shown(kind, item), visit);
        }
        if read < PAGE {
            return Ok(());
        }
        start += read;
    }
}

/// What a server shows, as the source tells of it there.
fn shown(kind: Kind, mut item: Value) -> Object {
    let id = item["id"].as_str().unwrap_or_default().to_owned();
    let resource = match item["resource"].take() {
        Value::Object(resource) => resource,
        _ => Map::new(),
    };
    match kind {
        Kind::User => user_shown(&id, item["status"] == "active", &resource),
        Kind::Group => group_shown(&id, &resource),
    }
}

fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "users",
        Kind::Group => "groups",
    }
}

/// What of a definition says where people come from.
#[derive(Deserialize)]
struct Definition {
    source: Settings,
    #[serde(default)]
    scope: Option<Scope>,
}

fn settings(file: &Path) -> Result<Settings, Failure> {
    let text = super::read(file)?;
    let wrong = |error: &dyn std::fmt::Display| {
        let error = error.to_string();
        Failure::usage(format!("{}: {}", file.display(), error.trim_end()))
    };
    let members: Map<String, Value> = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| wrong(&error))?,
        false => toml::from_str(&text).map_err(|error| wrong(&error))?,
    };
    let is_whole = members.contains_key("source");
    let members = Value::Object(members);
    let settings = match is_whole {
        true => serde_json::from_value(members)
            .map(|Definition { source, scope }| Scope::applied(scope, source)),
        false => serde_json::from_value(members),
    };
    settings.map_err(|error| {
        wrong(&error).hint(
            "the file is the definition of an application, or a source alone, such as: type = \"csv\" and users = \"people.csv\"",
        )
    })
}

fn unreadable(error: &Error) -> Failure {
    match error {
        Error::Unusable(_) | Error::Credentials(_) => Failure::usage(error),
        Error::Expired(_) | Error::Unavailable { .. } => Failure::plain(error),
    }
}
