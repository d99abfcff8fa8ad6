//! What a file holds that pg_dump wrote, as pg_restore tells it.

use super::tools::output;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Archive {
    path: PathBuf,
    /// What a person calls it.
    name: PathBuf,
    /// Schema and name of each table with data.
    tables: Vec<(String, String)>,
}

impl Archive {
    pub(super) fn open(path: &Path, name: &Path) -> Result<Self, Failure> {
        let listed = output(
            Command::new("pg_restore").arg("--list").arg(path),
            "pg_restore",
        );
        let listed = listed.map_err(|failure| {
            failure.hint(format!(
                "say a file that portreeve backup made, or pg_dump --format=custom; {} is none",
                name.display()
            ))
        })?;
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            tables: listed.lines().filter_map(table).collect(),
        })
    }

    /// The names of the tables.
    pub(super) fn tables(&self) -> Vec<&str> {
        let names = self.tables.iter().map(|(_, name)| name.as_str());
        names.collect()
    }

    /// The schema that holds our table of migrations, without which this is the backup of another program.
    pub(super) fn expect_migrations(&self) -> Result<String, Failure> {
        let found = self.tables.iter().find(|(_, name)| name == "migrations");
        match found {
            Some((schema, _)) => Ok(schema.clone()),
            None => Err(Failure::plain(format!(
                "{} is no backup of a database of Portreeve",
                self.name.display()
            ))),
        }
    }

    /// The newest migration that the backup remembers.
    pub(super) fn schema_version(&self) -> Result<i64, Failure> {
        let mut command = Command::new("pg_restore");
        command
            .args(["--data-only", "--table=migrations", "--file=-"])
            .arg(&self.path);
        let text = output(&mut command, "pg_restore")?;
        // "COPY public.migrations (version, name, …) FROM stdin;", rows with tabs, "\."
        let rows = text.lines().skip_while(|line| !line.starts_with("COPY "));
        let rows = rows.skip(1).take_while(|line| *line != "\\.");
        let versions = rows.filter_map(|row| row.split('\t').next()?.parse().ok());
        Ok(versions.max().unwrap_or(0))
    }

    /// A command that reads the file to its end, and so finds what is missing or damaged.
    pub(super) fn read_all(&self) -> Command {
        let mut command = Command::new("pg_restore");
        command.arg("--file=/dev/null").arg(&self.path);
        command
    }
}

/// Of a line such as `3349; 0 16391 TABLE DATA public events portreeve`, the schema and the name.
fn table(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once(" TABLE DATA ")?;
    let mut words = rest.split(' ');
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn tables_are_found_in_the_list() {
        for (line, found) in [
            (
                "3349; 0 16391 TABLE DATA public events ann",
                Some(("public", "events")),
            ),
            ("215; 1259 16385 TABLE public events ann", None),
            (";     Format: CUSTOM", None),
        ] {
            let found =
                found.map(|(schema, name): (&str, &str)| (schema.to_owned(), name.to_owned()));
            assert_eq!(table(line), found, "{line}");
        }
    }
}
