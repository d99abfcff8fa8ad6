//! Files as a source: CSV tables and JSON lines.
//!
//! Users and groups are rows with a key, memberships pairs of keys. A read streams each file once and compares every row
//! with the fingerprint that the last read left in the state folder; only rows that differ are taken apart. A file whose
//! size and time of change are what they were is not read at all.
//!
//! A row that cannot be used is told with its line and never costs a person the account: as long as there are rows whose
//! key cannot be read, nobody is taken as gone. A file that is empty, half-written, changed while it was read, or holds
//! less than half of what it held is refused as a whole.

mod guard;
mod json;
mod reading;
mod row;
mod table;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ledger::{Shelf, blocking, mark};
use super::{Error, Home, Kind, Member, Next, Object, Page, Place};
use crate::target::Surroundings;
use guard::Stamps;
use row::Item;
pub use watch::Watch;

/// Tables of comma-separated values (RFC 4180), UTF-8 with or without byte order mark. The first row names the columns,
/// which become the attributes; an empty cell is an attribute without value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvSettings {
    /// The table of people. Paths are relative to the file that holds these settings.
    pub users: PathBuf,
    /// The table of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<PathBuf>,
    /// The table of memberships: columns `group` and `member`, keys of a group and of a user or group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memberships: Option<PathBuf>,
    /// The column that identifies a row for good. A row with another key is another person.
    #[serde(default = "default_key")]
    pub key: String,
    /// Between columns.
    #[serde(default = "default_delimiter")]
    pub delimiter: char,
    /// Columns that hold lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// Between the values of a list.
    #[serde(default = "default_list_separator")]
    pub list_separator: char,
    /// A column of the table of groups that lists the keys of members, besides or instead of a table of memberships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<String>,
    /// A table that holds fewer than this many per cent of the rows it held is refused as cut off. 0 takes any.
    #[serde(default = "default_keep_at_least")]
    pub keep_at_least: u8,
}

/// JSON lines: one object on each line, UTF-8. Members of a group are a list of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonlSettings {
    /// The file of people. Paths are relative to the file that holds these settings.
    pub users: PathBuf,
    /// The file of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<PathBuf>,
    /// The attribute that identifies an object for good.
    #[serde(default = "default_key")]
    pub key: String,
    /// The attribute of a group that lists the keys of its members.
    #[serde(default = "default_members")]
    pub members: String,
    /// A file that holds fewer than this many per cent of the objects it held is refused as cut off. 0 takes any.
    #[serde(default = "default_keep_at_least")]
    pub keep_at_least: u8,
}

fn default_key() -> String {
    "id".to_owned()
}

fn default_delimiter() -> char {
    ','
}

fn default_list_separator() -> char {
    '|'
}

fn default_members() -> String {
    "members".to_owned()
}

fn default_keep_at_least() -> u8 {
    50
}

/// People and groups in files.
#[derive(Debug, Clone)]
pub struct File {
    files: Files,
    shelf: Shelf,
    /// Fingerprint of the settings that change what a file says.
    settings: String,
    surroundings: Arc<dyn Surroundings>,
}

/// What is read, and how.
#[derive(Debug, Clone)]
struct Files {
    users: PathBuf,
    groups: Option<PathBuf>,
    memberships: Option<PathBuf>,
    key: String,
    members: Option<String>,
    keep_at_least: u8,
    format: Format,
}

#[derive(Debug, Clone)]
enum Format {
    Csv {
        delimiter: u8,
        lists: Vec<String>,
        list_separator: char,
    },
    JsonLines,
}

impl File {
    /// Tables of comma-separated values.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the delimiter is not a single byte, or no delimiter at all.
    pub fn csv(settings: &CsvSettings, home: &Home) -> Result<Self, Error> {
        let delimiter = u8::try_from(settings.delimiter)
            .ok()
            .filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n'));
        let delimiter = delimiter.ok_or_else(|| {
            Error::Unusable(format!(
                "delimiter {:?} cannot stand between columns; take a comma, a semicolon or a tab",
                settings.delimiter
            ))
        })?;
        let files = Files {
            users: home.folder.join(&settings.users),
            groups: settings.groups.as_ref().map(|path| home.folder.join(path)),
            memberships: settings
                .memberships
                .as_ref()
                .map(|path| home.folder.join(path)),
            key: settings.key.clone(),
            members: settings.members.clone(),
            keep_at_least: settings.keep_at_least,
            format: Format::Csv {
                delimiter,
                lists: settings.lists.clone(),
                list_separator: settings.list_separator,
            },
        };
        Ok(Self::new(files, home))
    }

    /// JSON lines.
    #[must_use]
    pub fn json_lines(settings: &JsonlSettings, home: &Home) -> Self {
        let files = Files {
            users: home.folder.join(&settings.users),
            groups: settings.groups.as_ref().map(|path| home.folder.join(path)),
            memberships: None,
            key: settings.key.clone(),
            members: Some(settings.members.clone()),
            keep_at_least: settings.keep_at_least,
            format: Format::JsonLines,
        };
        Self::new(files, home)
    }

    fn new(files: Files, home: &Home) -> Self {
        let settings = format!(
            "{:?}",
            (&files.key, &files.members, &files.format, files.paths())
        );
        Self {
            settings: format!("{:016x}", mark([settings.as_bytes()])),
            files,
            shelf: Shelf::new(&home.state),
            surroundings: Arc::clone(&home.surroundings),
        }
    }

    /// Reads everything, what has changed, or the next page of such a read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where a file is missing or being written, [`Error::Unusable`] where it is empty, cut off or
    /// not what the settings say, [`Error::Expired`] where the state folder does not know the place.
    pub async fn read(&self, from: &Place) -> Result<Page, Error> {
        let (this, from) = (self.clone(), from.clone());
        blocking(move || match &from {
            Place::Page(at) => this.shelf.page(at),
            Place::Everything | Place::Since(_) => this.survey(&from),
        })
        .await
    }

    /// One user or group by its key.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn one(&self, kind: Kind, key: &str) -> Result<Option<Object>, Error> {
        let (this, key) = (self.clone(), key.to_owned());
        blocking(move || {
            let mut found = None;
            this.files.each(kind, &mut |item| {
                if let Item::Row(row) = item
                    && found.is_none()
                    && row.key == key
                {
                    found = row.object(kind).ok();
                }
                Ok(())
            })?;
            Ok(found)
        })
        .await
    }

    /// Users or groups whose attribute has this value, in either case of letters.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn find(
        &self,
        kind: Kind,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<Object>, Error> {
        let (this, attribute, value) = (self.clone(), attribute.to_owned(), value.to_lowercase());
        blocking(move || {
            let mut found = Vec::new();
            this.files.each(kind, &mut |item| {
                if let Item::Row(row) = item
                    && let Ok(object) = row.object(kind)
                    && object.has(&attribute, &value)
                {
                    found.push(object);
                }
                Ok(())
            })?;
            Ok(found)
        })
        .await
    }

    /// Up to `limit` members of a group.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn members(&self, group: &str, limit: usize) -> Result<Vec<Member>, Error> {
        let (this, group) = (self.clone(), group.to_owned());
        blocking(move || this.files.members_of(&group, limit)).await
    }

    /// Reads the files without taking anything in, and says what was found.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn check(&self) -> Result<String, Error> {
        let this = self.clone();
        blocking(move || this.files.census()).await
    }

    /// Waits for changes of the files.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.files.paths(), Arc::clone(&self.surroundings))
    }

    fn survey(&self, from: &Place) -> Result<Page, Error> {
        let stamps = Stamps::take(&self.files.paths())?;
        if let (Place::Since(id), Some(head)) = (from, self.shelf.head(from, &self.settings)?)
            && stamps.settled_in(&head.note)
        {
            return Ok(Page {
                changes: Vec::new(),
                next: Next::Watermark(id.clone()),
                total: Some(0),
            });
        }
        stamps.refuse_half_written(self.surroundings.now())?;
        let id = format!("{:016x}", self.surroundings.random());
        let survey = reading::survey(&self.files, &self.shelf, from, &self.settings, id)?;
        stamps.refuse_changed(&self.files.paths())?;
        let note = stamps.note(self.surroundings.now());
        let id = survey.finish(&self.settings, note, super::ledger::Owner::Group)?;
        self.shelf.page(&id)
    }
}

impl Files {
    fn paths(&self) -> Vec<PathBuf> {
        let others = self.groups.iter().chain(&self.memberships);
        std::iter::once(&self.users)
            .chain(others)
            .cloned()
            .collect()
    }

    fn path(&self, kind: Kind) -> Option<&Path> {
        match kind {
            Kind::User => Some(&self.users),
            Kind::Group => self.groups.as_deref(),
        }
    }

    /// Goes through the rows of users or groups.
    fn each(
        &self,
        kind: Kind,
        visit: &mut dyn FnMut(Item<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(path) = self.path(kind) else {
            return Ok(());
        };
        let members = self.members.as_deref().filter(|_| kind == Kind::Group);
        match &self.format {
            Format::Csv {
                delimiter,
                lists,
                list_separator,
            } => {
                let columns = table::Columns {
                    key: &self.key,
                    members,
                    lists,
                    list_separator: *list_separator,
                };
                table::each(path, *delimiter, &columns, visit)
            }
            Format::JsonLines => json::each(path, &self.key, members, visit),
        }
    }
}
