//! Printing: rows for people, JSON for programs.

use super::failure::Failure;
use clap::ValueEnum;
use serde::Serialize;
use std::io::{ErrorKind, Write, stdout};

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// Prints something: `rows` for people, the thing itself for programs.
pub(crate) fn show(
    format: Format,
    thing: &impl Serialize,
    rows: &[Vec<String>],
) -> Result<(), Failure> {
    match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(thing).map_err(Failure::plain)?;
            print(&format!("{text}\n"))
        }
        Format::Table => print(&table(rows)),
    }
}

/// Says something to the person, where one is expected to read.
pub(crate) fn say(format: Format, text: &str) {
    if format == Format::Table {
        eprintln!("{text}");
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        done => {
            done.map_err(|error| Failure::plain(format!("the output cannot be written: {error}")))
        }
    }
}

/// Rows in columns; the last column is as long as it is.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let cell = harmless(cell);
            format!("{cell:width$}  ")
        });
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}

/// Text that cannot steer a terminal or break a line.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
