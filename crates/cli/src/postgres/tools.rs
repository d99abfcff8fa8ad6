//! PostgreSQL's programs: which there are, what they say of a server, and running them.

use super::address::Address;
use crate::failure::{Code, Failure};
use crate::output::Format;
use crate::progress::Unit;
use crate::watched;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often a program that runs is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A program and its version.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Such as `15.18`.
    pub(super) version: String,
}

/// A server that answers.
pub(super) struct Server {
    /// Such as `15.18`.
    pub(super) version: String,
    major: u32,
}

impl Tool {
    pub(super) fn find(name: &'static str) -> Result<Self, Failure> {
        let said = output(Command::new(name).arg("--version"), name)?;
        // "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
        let version = said
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        match version {
            Some(version) => Ok(Self {
                name,
                version: version.to_owned(),
            }),
            None => Err(Failure::plain(format!(
                "{name} --version says \"{}\", which is no version",
                said.trim()
            ))),
        }
    }

    /// pg_dump knows servers of its own version and older ones.
    pub(super) fn suits(&self, server: &Server) -> Result<(), Failure> {
        if major(&self.version) >= server.major {
            return Ok(());
        }
        Err(Failure::plain(format!(
            "{} is version {}, older than the server, which is {}",
            self.name, self.version, server.version
        ))
        .hint(format!(
            "install the client programs of PostgreSQL {}, such as the package postgresql-client-{0}, and put them first in PATH",
            server.major
        )))
    }
}

impl Server {
    pub(super) fn ask(address: &Address) -> Result<Self, Failure> {
        let version = psql(address, "SHOW server_version")?;
        let version = version.split_whitespace().next().unwrap_or_default();
        Ok(Self {
            version: version.to_owned(),
            major: major(version),
        })
    }

    /// The schema in which this user finds our table of migrations.
    pub(super) fn schema_of_migrations(
        &self,
        address: &Address,
    ) -> Result<Option<String>, Failure> {
        let found = psql(address, "\\dt migrations")?;
        // "public|migrations|table|owner"
        Ok(found
            .split_once("|migrations|")
            .map(|(schema, _)| schema.trim().to_owned()))
    }

    /// The schema is there with nothing in it.
    pub(super) fn expect_empty(&self, address: &Address, schema: &str) -> Result<(), Failure> {
        let name = exactly(schema);
        if psql(address, &format!("\\dn {name}"))?.trim().is_empty() {
            let message = format!(
                "the backup belongs in the schema {schema}, which this database does not have"
            );
            return Err(
                Failure::plain(message).hint(format!("CREATE SCHEMA {name}, then try again"))
            );
        }
        let found = psql(address, &format!("\\dtvms {name}.*"))?;
        let Some(first) = found.lines().find(|line| !line.trim().is_empty()) else {
            return Ok(());
        };
        let first = first.split('|').nth(1).unwrap_or_default();
        let message =
            format!("the schema {schema} of this database is not empty: there is {first}");
        Err(Failure::new(Code::Conflict, message)
            .hint("restore into a new database, then let --database of the server name that one"))
    }
}

/// What psql prints for one command, a line per row and `|` between columns.
fn psql(address: &Address, command: &str) -> Result<String, Failure> {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--field-separator=|", "--no-password"])
        .args(["--command", command, "--dbname", address.shown()]);
    address.hand_over(&mut psql);
    output(&mut psql, "psql").map_err(|failure| {
        failure.hint("--database says which database, PGPASSFILE or ~/.pgpass the password")
    })
}

/// Runs a program that answers at once. Its own words say why it failed.
pub(super) fn output(command: &mut Command, name: &str) -> Result<String, Failure> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_run(name, &error))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&done.stderr);
    Err(Failure::plain(
        why.trim().trim_start_matches(&format!("{name}: error: ")),
    ))
}

fn cannot_run(name: &str, error: &std::io::Error) -> Failure {
    Failure::plain(format!("{name} cannot be run: {error}"))
        .hint("install the client programs of PostgreSQL, such as the package postgresql-client")
}

/// Runs a program to its end, and shows how large the file is that it writes. What it has to say it says itself.
pub(super) fn run(
    format: Format,
    stage: &'static str,
    mut command: Command,
    address: &Address,
    file: Option<&Path>,
) -> Result<(), Failure> {
    address.hand_over(&mut command);
    let name = command.get_program().to_string_lossy().into_owned();
    watched::run(format, |watched| async move {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut child = child.map_err(|error| cannot_run(&name, &error))?;
        loop {
            let ended = child.try_wait();
            let size = file.and_then(|file| fs::metadata(file).ok());
            let (unit, size) = size.map_or((Unit::Nothing, 0), |found| (Unit::Bytes, found.len()));
            if watched.at(stage, unit, size, None).is_break() {
                end(&mut child);
                return Err(watched::cancelled());
            }
            match ended {
                Ok(None) => tokio::time::sleep(LOOK).await,
                Ok(Some(status)) => return done(&name, status),
                Err(error) => return Err(Failure::plain(error)),
            }
        }
    })
}

fn done(name: &str, status: ExitStatus) -> Result<(), Failure> {
    match status.success() {
        true => Ok(()),
        false => Err(Failure::plain(format!(
            "{name} failed: {status}; nothing was changed"
        ))),
    }
}

fn end(child: &mut Child) {
    // Both fail harmlessly when it has ended by itself, as it does when the signal came from a terminal.
    let _ = child.kill();
    let _ = child.wait();
}

/// A name as psql and pg_dump take it where they would take a pattern.
pub(super) fn exactly(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The command as one types it.
pub(super) fn in_a_shell(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@%+,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// `15` of `15.18`, and of `15beta1`.
fn major(version: &str) -> u32 {
    let digits = version.find(|c: char| !c.is_ascii_digit());
    version[..digits.unwrap_or(version.len())]
        .parse()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_suits_servers_that_are_not_newer() {
        for (tool, server, suits) in [
            ("15.18", "15.18", true),
            ("15.1", "15.18", true),
            ("17.0", "14.11", true),
            ("17beta1", "17.0", true),
            ("14.11", "15.0", false),
            ("9.6.24", "15.0", false),
        ] {
            let tool = Tool {
                name: "pg_dump",
                version: tool.to_owned(),
            };
            let server = Server {
                version: server.to_owned(),
                major: major(server),
            };
            let said = tool.suits(&server).map_err(|failure| failure.to_string());
            assert_eq!(said.is_ok(), suits, "{} {}", tool.version, server.version);
        }
    }

    #[test]
    fn a_command_can_be_typed() {
        let mut command = Command::new("pg_dump");
        command.args([
            "--schema",
            "\"a b\"",
            "--file=it's",
            "",
            "postgres://h/d?a=b",
        ]);
        let typed = "pg_dump --schema '\"a b\"' '--file=it'\\''s' '' 'postgres://h/d?a=b'";
        assert_eq!(in_a_shell(&command), typed);
    }
}
