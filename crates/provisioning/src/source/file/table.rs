//! Tables of comma-separated values.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::ByteRecord;
use serde_json::{Map, Value};

use super::guard::{name, open};
use super::row::{Broken, Content, Item, Row};
use crate::source::Error;
use crate::source::ledger::mark;

/// Which columns mean something.
pub(super) struct Columns<'a> {
    pub(super) key: &'a str,
    pub(super) members: Option<&'a str>,
    pub(super) lists: &'a [String],
    pub(super) list_separator: char,
}

/// Goes through the rows of a table whose rows have a key.
pub(super) fn each(
    path: &Path,
    delimiter: u8,
    columns: &Columns<'_>,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut table = Table::open(path, delimiter)?;
    let key = table.column(columns.key)?;
    let members = columns.members.map(|name| table.column(name)).transpose()?;
    let layout = Layout {
        lists: columns
            .lists
            .iter()
            .filter_map(|list| table.names.iter().position(|name| name == list))
            .collect(),
        members,
        list_separator: columns.list_separator,
    };
    let shape = mark(table.names.iter().map(String::as_bytes));
    while table.next()? {
        let line = table.line();
        let item = match table.cells() {
            Err(reason) => Item::Broken(Broken {
                line,
                key: table.intact(key),
                reason,
            }),
            Ok(cells) => {
                let content = Cells {
                    names: &table.names,
                    cells: &cells,
                    layout: &layout,
                };
                match cells.get(key).copied().filter(|key| !key.is_empty()) {
                    Some(key) => {
                        let shape = shape.to_le_bytes();
                        let row = std::iter::once(shape.as_slice())
                            .chain(cells.iter().map(|cell| cell.as_bytes()));
                        visit(Item::Row(Row {
                            line,
                            key,
                            mark: mark(row),
                            content: &content,
                        }))?;
                        continue;
                    }
                    None => Item::Broken(Broken {
                        line,
                        key: None,
                        reason: format!(
                            "column \"{}\" is empty; give the row a key that nobody else has",
                            columns.key
                        ),
                    }),
                }
            }
        };
        visit(item)?;
    }
    Ok(())
}

/// A membership, or what is wrong with the row.
pub(super) type Pair<'a> = Result<(&'a str, &'a str), String>;

/// Goes through a table of memberships.
pub(super) fn pairs(
    path: &Path,
    delimiter: u8,
    visit: &mut dyn FnMut(u64, Pair<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut table = Table::open(path, delimiter)?;
    let (group, member) = (table.column("group")?, table.column("member")?);
    while table.next()? {
        let line = table.line();
        let cells = table.cells();
        let pair = match &cells {
            Err(reason) => Err(reason.clone()),
            Ok(cells) => match (cells.get(group), cells.get(member)) {
                (Some(group), Some(member)) if !group.is_empty() && !member.is_empty() => {
                    Ok((*group, *member))
                }
                _ => Err("group or member is empty; name both by their keys".to_owned()),
            },
        };
        visit(line, pair)?;
    }
    Ok(())
}

/// What columns are, by number.
struct Layout {
    lists: Vec<usize>,
    members: Option<usize>,
    list_separator: char,
}

/// A row that is text and has as many cells as columns.
struct Cells<'a> {
    names: &'a [String],
    cells: &'a [&'a str],
    layout: &'a Layout,
}

impl Cells<'_> {
    fn list<'a>(&self, cell: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        cell.split(self.layout.list_separator)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }
}

impl Content for Cells<'_> {
    fn attributes(&self) -> Map<String, Value> {
        let mut attributes = Map::new();
        for (at, (name, cell)) in self.names.iter().zip(self.cells).enumerate() {
            if cell.is_empty() || self.layout.members == Some(at) {
                continue;
            }
            let value = if self.layout.lists.contains(&at) {
                self.list(cell).map(Value::from).collect()
            } else {
                Value::from(*cell)
            };
            attributes.insert(name.clone(), value);
        }
        attributes
    }

    fn members(&self) -> Result<Vec<String>, String> {
        let cell = self.layout.members.and_then(|at| self.cells.get(at));
        Ok(cell.map_or_else(Vec::new, |cell| {
            self.list(cell).map(str::to_owned).collect()
        }))
    }
}

/// An open table.
struct Table<'a> {
    path: &'a Path,
    names: Vec<String>,
    reader: csv::Reader<Quotes<File>>,
    record: ByteRecord,
    /// Whether the row has a cell that goes on over the end of a line.
    spans_lines: bool,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, delimiter: u8) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(Quotes {
                file: open(path)?,
                odd: false,
            });
        let header = reader
            .byte_headers()
            .map_err(|cause| unreadable(path, &cause))?;
        let mut names = Vec::with_capacity(header.len());
        for cell in header {
            let text = std::str::from_utf8(cell).map_err(|_| {
                Error::Unusable(format!(
                    "{} line 1: the names of the columns are not UTF-8; save the file as UTF-8",
                    name(path)
                ))
            })?;
            names.push(text.trim().to_owned());
        }
        let table = Self {
            path,
            names,
            reader,
            record: ByteRecord::new(),
            spans_lines: false,
        };
        table.refuse_unclear_names()?;
        Ok(table)
    }

    fn refuse_unclear_names(&self) -> Result<(), Error> {
        for (at, column) in self.names.iter().enumerate() {
            if column.is_empty() {
                return Err(Error::Unusable(format!(
                    "{} line 1: column {} has no name; name every column",
                    name(self.path),
                    at + 1
                )));
            }
            if self.names.iter().take(at).any(|earlier| earlier == column) {
                return Err(Error::Unusable(format!(
                    "{} line 1: two columns are named \"{column}\"; rename or remove one",
                    name(self.path)
                )));
            }
        }
        Ok(())
    }

    fn column(&self, wanted: &str) -> Result<usize, Error> {
        let at = self.names.iter().position(|name| name == wanted);
        at.ok_or_else(|| {
            Error::Unusable(format!(
                "{} has no column \"{wanted}\"; its columns are {}. Correct the file, or the names and the delimiter in the settings",
                name(self.path),
                self.names.join(", ")
            ))
        })
    }

    /// Goes to the next row; `false` at the end.
    fn next(&mut self) -> Result<bool, Error> {
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|cause| unreadable(self.path, &cause))?;
        // A quotation mark inside a cell is harmless; one that begins a cell and is never closed swallows every row after it.
        if !more && self.spans_lines && self.reader.get_ref().odd {
            return Err(Error::Unusable(format!(
                "{}: a quotation mark is opened and never closed, so the end of the file cannot be told apart; look for a lone \"",
                name(self.path)
            )));
        }
        self.spans_lines = self.record.as_slice().contains(&b'\n');
        Ok(more)
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// The row as text, or what is wrong with it.
    fn cells(&self) -> Result<Vec<&str>, String> {
        if self.record.len() != self.names.len() {
            return Err(format!(
                "it has {} columns where there are {}; look for a missing or surplus delimiter, or put the cell that holds one into quotation marks",
                self.record.len(),
                self.names.len()
            ));
        }
        let mut cells = Vec::with_capacity(self.record.len());
        for (cell, name) in self.record.iter().zip(&self.names) {
            let text = std::str::from_utf8(cell)
                .map_err(|_| format!("column \"{name}\" is not UTF-8; save the file as UTF-8"))?;
            cells.push(text.trim());
        }
        Ok(cells)
    }

    /// A cell of a row that is broken elsewhere.
    fn intact(&self, column: usize) -> Option<String> {
        if self.record.len() != self.names.len() {
            return None;
        }
        let text = std::str::from_utf8(self.record.get(column)?).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// Passes bytes through and knows whether their quotation marks are odd in number.
struct Quotes<R> {
    file: R,
    odd: bool,
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.file.read(buffer)?;
        let read = buffer.get(..length).unwrap_or_default();
        let marks = read.iter().filter(|byte| **byte == b'"').count();
        self.odd ^= marks % 2 == 1;
        Ok(length)
    }
}

fn unreadable(path: &Path, cause: &csv::Error) -> Error {
    Error::Unavailable {
        reason: format!("{}: {cause}", name(path)),
        retry_after: None,
    }
}
