//! Printing: tables for people, JSON, YAML, CSV and names for programs.

use crate::failure::Failure;
use crate::time;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use std::io::{ErrorKind, IsTerminal, Write, stdout};

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// The object of the API; lists are arrays
    Json,
    /// The same as YAML
    Yaml,
    /// The columns of the table with exact values
    Csv,
    /// Only what other commands take to name the thing, one per line
    Name,
}

/// How a kind of object looks in a table.
pub(crate) struct Shape {
    pub(crate) columns: &'static [Column],
    /// The member that names the object to other commands.
    pub(crate) name: &'static str,
}

/// One column of a list, or one line of a single object.
pub(crate) struct Column {
    title: &'static str,
    /// Name of the member, with dots between levels; also the heading in CSV.
    path: &'static str,
    cell: Cell,
}

enum Cell {
    Text,
    /// A time, and what its absence means.
    Time(&'static str),
    /// Made from the whole object.
    Made(fn(&Value) -> String),
    /// The same, in several lines.
    Lines(fn(&Value) -> Vec<String>),
}

impl Column {
    pub(crate) const fn text(title: &'static str, path: &'static str) -> Self {
        Self {
            title,
            path,
            cell: Cell::Text,
        }
    }

    pub(crate) const fn time(
        title: &'static str,
        path: &'static str,
        absent: &'static str,
    ) -> Self {
        Self {
            title,
            path,
            cell: Cell::Time(absent),
        }
    }

    pub(crate) const fn made(
        title: &'static str,
        path: &'static str,
        make: fn(&Value) -> String,
    ) -> Self {
        Self {
            title,
            path,
            cell: Cell::Made(make),
        }
    }

    pub(crate) const fn lines(
        title: &'static str,
        path: &'static str,
        make: fn(&Value) -> Vec<String>,
    ) -> Self {
        Self {
            title,
            path,
            cell: Cell::Lines(make),
        }
    }

    fn for_people(&self, object: &Value) -> String {
        let text = match (&self.cell, member(object, self.path)) {
            (Cell::Lines(make), _) => {
                let lines: Vec<_> = make(object).iter().map(|line| harmless(line)).collect();
                return lines.join("\n");
            }
            (Cell::Made(make), _) => make(object),
            (Cell::Time(absent), Value::Null) => (*absent).to_owned(),
            (Cell::Time(_), value) => time::relative(&plain(value), time::now()),
            (Cell::Text, value) => plain(value),
        };
        harmless(&text)
    }

    fn exact(&self, object: &Value) -> String {
        match (member(object, self.path), &self.cell) {
            (Value::Bool(value), _) => value.to_string(),
            (Value::Null | Value::Array(_) | Value::Object(_), Cell::Made(make)) => make(object),
            (_, Cell::Lines(make)) => make(object).join("\n"),
            (value, _) => plain(value),
        }
    }
}

/// Prints a list.
pub(crate) fn list(format: Format, shape: &Shape, items: &[Value]) -> Result<(), Failure> {
    match format {
        Format::Json => json(&Value::from(items)),
        Format::Yaml => yaml(&Value::from(items)),
        Format::Csv => csv(shape, items),
        Format::Name => names(shape, items),
        Format::Table if items.is_empty() => Ok(()),
        Format::Table => {
            let titles = shape.columns.iter().map(|column| column.title.to_owned());
            let rows = items.iter().map(|item| cells(shape, item));
            print(&table(std::iter::once(titles.collect()).chain(rows)))
        }
    }
}

/// Prints one object; in a table, a line per member that has a value.
pub(crate) fn one(format: Format, shape: &Shape, object: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => json(object),
        Format::Yaml => yaml(object),
        Format::Csv => csv(shape, std::slice::from_ref(object)),
        Format::Name => names(shape, std::slice::from_ref(object)),
        Format::Table => {
            let titles = shape.columns.iter().map(|column| column.title.to_owned());
            let lines = titles.zip(cells(shape, object));
            let lines = lines.filter(|(_, value)| !value.is_empty());
            print(&table(lines.map(|(title, value)| vec![title, value])))
        }
    }
}

/// Says that an object is gone; programs get it as it last was.
pub(crate) fn gone(format: Format, shape: &Shape, object: &Value) -> Result<(), Failure> {
    match format {
        Format::Table => {
            let name = harmless(&plain(member(object, shape.name)));
            say(format, &format!("\"{name}\" is gone; its events stay."));
            Ok(())
        }
        _ => one(format, shape, object),
    }
}

/// One object as one line of JSON, for a stream of them.
pub(crate) fn json_line(object: &Value) -> Result<(), Failure> {
    print(&format!("{object}\n"))
}

/// One object as one document of YAML, for a stream of them.
pub(crate) fn yaml_document(object: &Value) -> Result<(), Failure> {
    print("---\n")?;
    yaml(object)
}

/// One object as one row of CSV without a heading, for a stream of them.
pub(crate) fn csv_row(shape: &Shape, object: &Value) -> Result<(), Failure> {
    csv_text(shape, std::slice::from_ref(object), false)
}

/// Prints text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        done => {
            done.map_err(|error| Failure::plain(format!("the output cannot be written: {error}")))
        }
    }
}

/// Says something to the person, where one is expected to read: never where a program reads the output.
pub(crate) fn say(format: Format, text: &str) {
    if format == Format::Table {
        eprintln!("{text}");
    }
}

/// Rows in columns, without borders.
pub(crate) fn table(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Lines are broken for a terminal only; in a pipe one row is one line.
    table.set_content_arrangement(match stdout().is_terminal() {
        true => ContentArrangement::Dynamic,
        false => ContentArrangement::Disabled,
    });
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// The member at a path such as `object.name`.
pub(crate) fn member<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(object, |at, name| &at[name])
}

/// A value as a cell: text without quotes, nothing for null.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Text that cannot steer a terminal or break a line: names come from outside.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn cells(shape: &Shape, object: &Value) -> Vec<String> {
    shape
        .columns
        .iter()
        .map(|column| column.for_people(object))
        .collect()
}

fn json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

fn yaml(value: &Value) -> Result<(), Failure> {
    let text = serde_saphyr::to_string(value).map_err(Failure::plain)?;
    print(&format!("{}\n", text.trim_end()))
}

fn names(shape: &Shape, items: &[Value]) -> Result<(), Failure> {
    let lines = items
        .iter()
        .map(|item| harmless(&plain(member(item, shape.name))) + "\n");
    print(&lines.collect::<String>())
}

fn csv(shape: &Shape, items: &[Value]) -> Result<(), Failure> {
    csv_text(shape, items, true)
}

fn csv_text(shape: &Shape, items: &[Value], with_heading: bool) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_heading {
        let heading = shape.columns.iter().map(|column| column.path);
        writer.write_record(heading).map_err(Failure::plain)?;
    }
    for item in items {
        let row = shape.columns.iter().map(|column| column.exact(item));
        writer.write_record(row).map_err(Failure::plain)?;
    }
    let bytes = writer.into_inner().map_err(Failure::plain)?;
    print(&String::from_utf8_lossy(&bytes))
}
