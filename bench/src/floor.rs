//! The bare handlers over SQLite: what is left of their throughput once a request finds its row among as many as the
//! server has, and a change is on disk, with a line of a log, before it is answered. Nothing else is done: nobody is
//! asked who they are, and what is asked for is neither checked nor worked out.
//!
//! It is about what a server on this database could reach, were all its other work free.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Path as Segment, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use bytes::Bytes;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::bare::{Answers, answer, listen};
use crate::requests;

/// The fewest indexes with which the requests can be answered, and the log be searched for what became of somebody.
const TABLES: &str = "
    CREATE TABLE users (id TEXT NOT NULL, user_name TEXT NOT NULL, external_id TEXT, resource TEXT NOT NULL);
    CREATE UNIQUE INDEX users_id ON users (id);
    CREATE UNIQUE INDEX users_user_name ON users (user_name);
    CREATE INDEX users_external_id ON users (external_id);
    CREATE TABLE events (position INTEGER PRIMARY KEY, object_id TEXT NOT NULL, changes TEXT NOT NULL);
    CREATE INDEX events_object ON events (object_id, position);";
const INSERT: &str =
    "INSERT INTO users (id, user_name, external_id, resource) VALUES (?1, ?2, ?3, ?4)";
const UPDATE: &str = "UPDATE users SET resource = ?2 WHERE id = ?1";
const LOG: &str = "INSERT INTO events (object_id, changes) VALUES (?1, ?2)";
const BY_ID: &str = "SELECT resource FROM users WHERE id = ?1";
const BY_USER_NAME: &str = "SELECT resource FROM users WHERE user_name = ?1";
const BY_EXTERNAL_ID: &str = "SELECT resource FROM users WHERE external_id = ?1";

/// The most changes that share a commit.
const GROUP: usize = 64;

/// Pages (32 MiB) after which the log is carried over: a page that is written often is carried over once.
const CHECKPOINT: u32 = 8192;

/// Fills a database and serves until it is killed; prints its address first.
pub(crate) async fn serve(answers: &Path, database: &Path, users: u64) -> Result<()> {
    let answers = Answers::read(answers)?;
    let mut connection = open(database)?;
    fill(&mut connection, &answers.create, users)?;
    let (changes, queue) = channel();
    std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || {
            if let Err(error) = write(&connection, &queue) {
                // Whoever waits is told by the end of the queue.
                drop(writeln!(std::io::stderr(), "{error:#}"));
            }
        })?;
    let floor = Floor {
        database: database.to_owned(),
        changes,
    };
    let app = Router::new()
        .route("/Users", post(create).get(lookup))
        .route("/Users/{id}", patch(change))
        .with_state(Arc::new(floor));
    listen(app).await
}

fn open(database: &Path) -> Result<Connection> {
    let connection = Connection::open(database)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = {CHECKPOINT};"
    ))?;
    Ok(connection)
}

/// Stores as many people as the server has, with a line of the log for each.
fn fill(connection: &mut Connection, resource: &str, users: u64) -> Result<()> {
    connection.execute_batch(TABLES)?;
    let all = connection.transaction()?;
    for number in 0..users {
        let new = Change::New {
            user_name: requests::user_name(number),
            external_id: requests::external_id(number),
            resource: resource.replace(&requests::user_name(0), &requests::user_name(number)),
        };
        new.carry_out(&all)?;
    }
    Ok(all.commit()?)
}

struct Floor {
    database: PathBuf,
    changes: Sender<(Change, oneshot::Sender<()>)>,
}

/// People have the same id here as at their provider.
enum Change {
    New {
        user_name: String,
        external_id: String,
        resource: String,
    },
    Another {
        id: String,
        resource: String,
        changes: String,
    },
}

impl Change {
    fn carry_out(&self, connection: &Connection) -> Result<()> {
        let (id, changes) = match self {
            Self::New {
                user_name,
                external_id,
                resource,
            } => {
                connection.prepare_cached(INSERT)?.execute((
                    external_id,
                    user_name,
                    external_id,
                    resource,
                ))?;
                (external_id, resource)
            }
            Self::Another {
                id,
                resource,
                changes,
            } => {
                connection.prepare_cached(UPDATE)?.execute((id, resource))?;
                (id, changes)
            }
        };
        connection.prepare_cached(LOG)?.execute((id, changes))?;
        Ok(())
    }
}

/// Carries out what waits, commits it together, and says so.
fn write(connection: &Connection, queue: &Receiver<(Change, oneshot::Sender<()>)>) -> Result<()> {
    while let Ok(first) = queue.recv() {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let (mut next, mut waiting) = (Some(first), Vec::new());
        while let Some((change, told)) = next {
            change.carry_out(connection)?;
            waiting.push(told);
            next = match waiting.len() < GROUP {
                true => queue.try_recv().ok(),
                false => None,
            };
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        for told in waiting {
            // Who does not wait any more need not know.
            let _ = told.send(());
        }
    }
    Ok(())
}

impl Floor {
    /// Finds the one that a statement asks for, on a connection of this thread.
    fn find(&self, statement: &str, key: &str) -> Result<String> {
        thread_local! {
            static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
        }
        READER.with_borrow_mut(|reader| {
            let connection = match reader {
                Some(connection) => connection,
                None => reader.insert(open(&self.database)?),
            };
            let mut statement = connection.prepare_cached(statement)?;
            Ok(statement.query_row([key], |row| row.get(0))?)
        })
    }

    /// Waits until a change is on disk.
    async fn keep(&self, change: Change) -> Result<()> {
        let (tell, told) = oneshot::channel();
        self.changes
            .send((change, tell))
            .ok()
            .context("the writer has ended")?;
        Ok(told.await?)
    }
}

/// Whatever goes wrong; the generator ends with it.
struct Wrong(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", self.0)).into_response()
    }
}

async fn create(State(floor): State<Arc<Floor>>, body: Bytes) -> Result<Response, Wrong> {
    let new: Value = serde_json::from_slice(&body)?;
    let text = |name: &str| {
        new[name]
            .as_str()
            .map(str::to_owned)
            .context("it is missing")
    };
    let (user_name, external_id) = (text("userName")?, text("externalId")?);
    let resource = new.to_string();
    let answered = resource.clone();
    let change = Change::New {
        user_name,
        external_id,
        resource,
    };
    floor.keep(change).await?;
    Ok(answer(StatusCode::CREATED, answered))
}

#[derive(Deserialize)]
struct Asked {
    filter: String,
}

async fn lookup(
    State(floor): State<Arc<Floor>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Wrong> {
    let key = asked.filter.split('"').nth(1).context("no value")?;
    let statement = match asked.filter.starts_with("userName") {
        true => BY_USER_NAME,
        false => BY_EXTERNAL_ID,
    };
    let found = floor.find(statement, key)?;
    let list = format!("{{\"totalResults\":1,\"itemsPerPage\":1,\"Resources\":[{found}]}}");
    Ok(answer(StatusCode::OK, list))
}

async fn change(
    State(floor): State<Arc<Floor>>,
    Segment(id): Segment<String>,
    body: Bytes,
) -> Result<Response, Wrong> {
    let asked: Value = serde_json::from_slice(&body)?;
    let resource = floor.find(BY_ID, &id)?;
    let answered = resource.clone();
    let changes = asked["Operations"].to_string();
    let change = Change::Another {
        id,
        resource,
        changes,
    };
    floor.keep(change).await?;
    Ok(answer(StatusCode::OK, answered))
}
