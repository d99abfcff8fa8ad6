//! `portreeve restore`.

use crate::backup::{failed, tables, watch};
use crate::database::{Database, Place, Which};
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Format, Shape, say};
use crate::{Global, postgres, time, watched};
use portreeve_directory::roll;
use portreeve_store::Error;
use portreeve_store::backup::{self, BackupError, Restored};
use serde_json::json;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The server must not run. A database that is there is kept beside the restored one, as .before-restore and the time."
)]
pub(crate) struct Args {
    /// File that `portreeve backup` made
    file: PathBuf,
    /// Put the backup in the place of a database that is there
    #[arg(long)]
    force: bool,
    /// With PostgreSQL, run pg_restore instead of showing its command
    #[arg(long)]
    run: bool,
    #[command(flatten)]
    which: Which,
}

const TABLES: Shape = Shape {
    columns: &[Column::text("TABLE", "name"), Column::text("ROWS", "rows")],
    name: "name",
};

pub(crate) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let place = args.which.place(global)?;
    match &place.database {
        Database::Server(url) => postgres::restore(global.output, url, &args.file, args.run)?,
        Database::File(database) => put_in_place(global.output, database, args)?,
    }
    remind(global.output, &place);
    Ok(())
}

fn put_in_place(format: Format, database: &Path, args: Args) -> Result<(), Failure> {
    make_folder(database)?;
    let now = time::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut aside = database.as_os_str().to_owned();
    aside.push(format!(".before-restore-{now}"));
    let target = database.to_owned();
    let restored = watched::run_blocking(format, move |watched| {
        let (file, watch) = (&args.file, watch(watched));
        let aside = Path::new(&aside);
        backup::restore(file, &target, aside, args.force, roll::MIGRATIONS, &watch)
            .map_err(|error| refused(&error))
    })?;
    tell(format, database, &restored)
}

fn tell(format: Format, database: &Path, restored: &Restored) -> Result<(), Failure> {
    let tables = tables(&restored.contents);
    match format {
        Format::Json | Format::Yaml => {
            let object = json!({
                "database": database.display().to_string(),
                "kept": restored.kept.as_ref().map(|kept| kept.display().to_string()),
                "schema_version": restored.contents.version,
                "tables": tables,
            });
            output::one(format, &TABLES, &object)?;
        }
        _ => output::list(format, &TABLES, &tables)?,
    }
    say(format, &format!("{} is restored.", database.display()));
    if let Some(kept) = &restored.kept {
        let kept = kept.display();
        say(format, &format!("What was there before is {kept}."));
    }
    Ok(())
}

/// On a new machine there is no data folder yet; like the server, it makes one for its owner alone.
fn make_folder(database: &Path) -> Result<(), Failure> {
    let folder = database.parent().unwrap_or(Path::new("/"));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        Failure::plain(format!(
            "the folder {} cannot be made: {error}",
            folder.display()
        ))
    })
}

fn refused(error: &BackupError) -> Failure {
    match error {
        BackupError::Store(Error::Locked { .. }) => {
            let message = "a server uses this database; nothing was changed";
            Failure::new(Code::Conflict, message).hint("stop the server first")
        }
        BackupError::Exists(path) => {
            let message = format!("there is a database already: {}", path.display());
            Failure::new(Code::Conflict, message)
                .hint("--force puts the backup in its place and keeps it beside")
        }
        _ => failed(error),
    }
}

/// Without the old key the server does not start, unless it is told that the key is lost.
fn remind(format: Format, place: &Place) {
    let key = place.master_key();
    if !key.exists() {
        let key = key.display();
        say(
            format,
            &format!(
                "{key} is missing: put the copy of it there before you start the server. If it is lost, start the server once with --replace-master-key yes, and make streams of security events with a sealed Authorization value anew."
            ),
        );
    }
}
