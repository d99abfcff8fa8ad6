//! `portreeve migrate`: everything from one database into another, whatever kinds they are.

use crate::failure::{Code, Failure};
use crate::output::{self, Column, Shape, say};
use crate::progress::Unit;
use crate::watched::{self, Watched};
use crate::{Global, environment, time};
use portreeve_directory::roll;
use portreeve_store::copy::{self, CopyError, Progress, Watch};
use portreeve_store::{Database, Error, Options, Store};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Stop the servers first; start them again with --database and the new URL. master.key stays in the data folder."
)]
pub(crate) struct Args {
    /// Database to read: sqlite:///absolute/path or postgres://user@host/name
    #[arg(long, value_name = "URL")]
    from: String,
    /// Empty database to fill
    #[arg(long, value_name = "URL")]
    to: String,
}

const COPIED: Shape = Shape {
    columns: &[
        Column::text("TABLE", "table"),
        Column::text("ROWS", "rows"),
        Column::text("SHA-256 ON BOTH SIDES", "sha256"),
    ],
    name: "table",
};

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    if global.url.is_some() {
        return Err(Failure::usage(
            "this command works on the databases themselves, so --url has no meaning here",
        ));
    }
    let source = database(&args.from)?;
    let target = database(&args.to)?;
    let name = target.to_string();
    if source.to_string() == name {
        return Err(Failure::usage("--from and --to are one database"));
    }
    if let Database::Sqlite { path } = &source
        && !path.exists()
    {
        let message = format!("there is no database {}", path.display());
        return Err(Failure::new(Code::NotFound, message));
    }
    let copied = watched::run(global.output, |watched| async move {
        let source = open(source, "source").await?;
        let target = open(target, "target").await?;
        let copied = copy::copy(&source, &target, watch(watched)).await;
        let closed = tokio::task::spawn_blocking(|| {
            source.close();
            target.close();
        });
        closed.await.map_err(Failure::plain)?;
        copied.map_err(failed)
    })?;
    let items = copied
        .iter()
        .map(|table| json!({"table": table.table, "rows": table.rows, "sha256": table.checksum}));
    output::list(global.output, &COPIED, &items.collect::<Vec<Value>>())?;
    say(
        global.output,
        &format!("Everything is the same on both sides. Start the server with --database {name}"),
    );
    Ok(())
}

fn database(url: &str) -> Result<Database, Failure> {
    Database::parse(url, environment::var).map_err(Failure::usage)
}

/// Opens a database and brings its schema up to date, as a server does at its start.
async fn open(database: Database, side: &'static str) -> Result<Store, Failure> {
    let now = time::now().as_microsecond();
    let options = Options::new(database, roll::MIGRATIONS, now);
    let opened = tokio::task::spawn_blocking(move || Store::open(&options)).await;
    opened.map_err(Failure::plain)?.map_err(|error| {
        let failure = Failure::plain(format!("the {side}: {error}"));
        match error {
            Error::Locked { .. } => failure.hint("stop the server first"),
            _ => failure,
        }
    })
}

const ROWS: Unit = Unit::Things("rows");

fn watch(watched: Arc<Watched>) -> Watch {
    Arc::new(move |progress| match progress {
        Progress::Copying { done, total } => watched.at("copying", ROWS, done, Some(total)),
        Progress::Comparing { done, total } => watched.at("comparing", ROWS, done, Some(total)),
    })
}

fn failed(error: CopyError) -> Failure {
    match error {
        CopyError::Cancelled => watched::cancelled(),
        CopyError::NotEmpty { .. } => {
            Failure::new(Code::Conflict, error).hint("say an empty database with --to")
        }
        error => Failure::plain(error).hint("nothing was copied"),
    }
}
