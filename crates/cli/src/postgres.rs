//! Backup and restoration of a PostgreSQL database, with PostgreSQL's own programs: found, checked and, if wanted, run.
//!
//! Without `--run` the command is shown, because whoever runs PostgreSQL has a way of doing this already.

mod address;
mod archive;
mod tools;

use crate::backup::failed;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape, print, say};
use address::Address;
use archive::Archive;
use indicatif::HumanBytes;
use portreeve_directory::roll;
use portreeve_store::backup::{PARTIAL, Partial};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tools::{Server, Tool};

const COMMAND: Shape = Shape {
    columns: &[Column::text("COMMAND", "command")],
    name: "command",
};

const MADE: Shape = Shape {
    columns: &[
        Column::text("FILE", "file"),
        Column::made("SIZE", "size", size),
        Column::made("TABLES", "tables", tables),
    ],
    name: "file",
};

const RESTORED: Shape = Shape {
    columns: &[
        Column::text("DATABASE", "database"),
        Column::text("SCHEMA", "schema"),
        Column::made("TABLES", "tables", tables),
    ],
    name: "database",
};

/// Shows or runs the pg_dump that backs up the database at `url`.
pub(crate) fn backup(
    format: Format,
    url: &str,
    file: &Path,
    force: bool,
    run: bool,
) -> Result<(), Failure> {
    let address = Address::parse(url);
    let pg_dump = Tool::find("pg_dump")?;
    let server = Server::ask(&address)?;
    pg_dump.suits(&server)?;
    let Some(schema) = server.schema_of_migrations(&address)? else {
        return Err(Failure::plain(format!(
            "{} holds no database of Portreeve",
            address.shown()
        )));
    };
    if !run {
        let command = dump(&address, &schema, file);
        return show(format, &command, &pg_dump, &server);
    }
    let partial = Partial::make(file, PARTIAL, force).map_err(|error| failed(&error))?;
    let command = dump(&address, &schema, partial.path());
    tools::run(format, "dumping", command, &address, Some(partial.path()))?;
    let archive = Archive::open(partial.path(), file)?;
    archive.expect_migrations()?;
    let read = archive.read_all();
    tools::run(format, "checking", read, &address, None)?;
    partial.publish().map_err(|error| failed(&error))?;
    let size = fs::metadata(file).map_or(0, |found| found.len());
    let made =
        json!({"file": file.display().to_string(), "size": size, "tables": archive.tables()});
    output::one(format, &MADE, &made)
}

/// Shows or runs the pg_restore that puts `file` into the empty database at `url`.
pub(crate) fn restore(format: Format, url: &str, file: &Path, run: bool) -> Result<(), Failure> {
    let address = Address::parse(url);
    let pg_restore = Tool::find("pg_restore")?;
    let archive = Archive::open(file, file)?;
    let schema = archive.expect_migrations()?;
    not_newer(&archive, file)?;
    let server = Server::ask(&address)?;
    server.expect_empty(&address, &schema)?;
    let mut command = Command::new("pg_restore");
    command
        .args(["--no-owner", "--no-privileges", "--exit-on-error"])
        .args(["--single-transaction", "--schema"])
        .arg(&schema)
        .args(["--dbname", address.shown()])
        .arg(file);
    if !run {
        return show(format, &command, &pg_restore, &server);
    }
    tools::run(format, "restoring", command, &address, None)?;
    if server.schema_of_migrations(&address)?.as_deref() != Some(&*schema) {
        let hint = format!(
            "add options=-csearch_path%3D{schema} to the URL, or set search_path for the user"
        );
        let message = format!(
            "everything is restored in the schema {schema}, but this user does not look there"
        );
        return Err(Failure::plain(message).hint(hint));
    }
    let restored =
        json!({"database": address.shown(), "schema": schema, "tables": archive.tables()});
    output::one(format, &RESTORED, &restored)
}

fn dump(address: &Address, schema: &str, file: &Path) -> Command {
    let mut command = Command::new("pg_dump");
    command
        .args([
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            "--schema",
        ])
        .arg(tools::exactly(schema))
        .arg("--file")
        .arg(file)
        .args(["--dbname", address.shown()]);
    command
}

/// A backup of a newer program would be refused when a server starts, after the restoration.
fn not_newer(archive: &Archive, file: &Path) -> Result<(), Failure> {
    let known = roll::MIGRATIONS.last().map_or(0, |last| last.version);
    match archive.schema_version()? {
        found if found > known => Err(Failure::plain(format!(
            "{} has schema version {found}, this program knows versions up to {known}",
            file.display()
        ))
        .hint("use the version of portreeve that made it")),
        _ => Ok(()),
    }
}

fn show(format: Format, command: &Command, tool: &Tool, server: &Server) -> Result<(), Failure> {
    let command = tools::in_a_shell(command);
    if format == Format::Table {
        print(&format!("{command}\n"))?;
    } else {
        let shown = json!({"command": command, "version": tool.version, "server": server.version});
        output::one(format, &COMMAND, &shown)?;
    }
    let checked = format!(
        "{} {} suits the server, which is {}. --run runs it and checks the result.",
        tool.name, tool.version, server.version
    );
    say(format, &checked);
    Ok(())
}

fn size(object: &Value) -> String {
    HumanBytes(object["size"].as_u64().unwrap_or(0)).to_string()
}

fn tables(object: &Value) -> String {
    object["tables"].as_array().map_or(0, Vec::len).to_string()
}
