//! `portreeve backup`, and what its failures and those of `portreeve restore` mean to a person.

use crate::database::{Database, Place, Which};
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Format, Shape, say};
use crate::progress::Unit;
use crate::watched::{self, Watched};
use crate::{Global, postgres};
use indicatif::{HumanBytes, HumanCount};
use portreeve_store::Error;
use portreeve_store::backup::{self, BackupError, Contents, Progress, Watch};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The server may run meanwhile. The backup does not hold the key of the installation, master.key in the data folder: keep a copy of it apart from the backups, and as secret."
)]
pub(crate) struct Args {
    /// File to make
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
    /// With PostgreSQL, run pg_dump instead of showing its command
    #[arg(long)]
    run: bool,
    #[command(flatten)]
    which: Which,
}

const MADE: Shape = Shape {
    columns: &[
        Column::text("FILE", "file"),
        Column::made("SIZE", "size", size),
        Column::text("SCHEMA", "schema_version"),
        Column::made("ROWS", "tables", rows),
    ],
    name: "file",
};

pub(crate) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let place = args.which.place(global)?;
    match &place.database {
        Database::Server(url) => {
            postgres::backup(global.output, url, &args.file, args.force, args.run)?
        }
        Database::File(database) => {
            save(global.output, database.clone(), &place.master_key(), args)?
        }
    }
    remind(global.output, &place);
    Ok(())
}

fn save(format: Format, database: PathBuf, key: &Path, args: Args) -> Result<(), Failure> {
    let (made, file) = watched::run_blocking(format, move |watched| {
        let made = backup::save(&database, &args.file, args.force, &watch(watched));
        made.map(|made| (made, args.file))
            .map_err(|error| failed(&error))
    })?;
    let size = fs::metadata(&file).map_or(0, |found| found.len());
    let object = json!({
        "file": file.display().to_string(),
        "size": size,
        "schema_version": made.version,
        "tables": tables(&made),
        "not_included": [key.display().to_string()],
    });
    output::one(format, &MADE, &object)
}

/// A backup without the key is half of what a new machine needs.
fn remind(format: Format, place: &Place) {
    let key = place.master_key();
    say(
        format,
        &format!(
            "{} is not in the backup: keep a copy of it too, in another place than the backups.",
            key.display()
        ),
    );
}

/// Shows how far the store has come.
pub(crate) fn watch(watched: Arc<Watched>) -> Watch {
    Arc::new(move |progress| match progress {
        Progress::Copying { done, total } => watched.at("copying", Unit::Bytes, done, Some(total)),
        Progress::Checking => watched.at("checking", Unit::Nothing, 0, None),
    })
}

/// The tables of a backup, as objects.
pub(crate) fn tables(contents: &Contents) -> Vec<Value> {
    let tables = contents
        .tables
        .iter()
        .map(|table| json!({"name": table.name, "rows": table.rows}));
    tables.collect()
}

/// Says what to do about it.
pub(crate) fn failed(error: &BackupError) -> Failure {
    let code = match error {
        BackupError::Cancelled => return watched::cancelled(),
        BackupError::Exists(_) | BackupError::UnderWay(_) => Code::Conflict,
        BackupError::Itself(_) => Code::Usage,
        _ => Code::Failure,
    };
    let failure = Failure::new(code, error);
    match error {
        BackupError::Exists(_) => failure.hint("--force replaces it"),
        BackupError::Newer { .. } => failure.hint("use the version of portreeve that made it"),
        BackupError::Store(Error::Changed { .. }) => {
            failure.hint("the backup comes from another release; nothing was changed")
        }
        BackupError::Unusable { .. } => failure.hint("nothing was changed; take another backup"),
        BackupError::Store(Error::Open { .. }) => {
            failure.hint("say where the database is with --data or --database")
        }
        _ => failure,
    }
}

fn size(object: &Value) -> String {
    HumanBytes(object["size"].as_u64().unwrap_or(0)).to_string()
}

fn rows(object: &Value) -> String {
    let tables = object["tables"].as_array().map_or(&[][..], Vec::as_slice);
    let rows = tables.iter().filter_map(|table| table["rows"].as_u64());
    format!("{} in {} tables", HumanCount(rows.sum()), tables.len())
}
