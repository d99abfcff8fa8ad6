//! Where people and groups come from, as the engine sees it.
//!
//! Every source is read in the same three ways: page by page from a [`Place`], which is everything or what has changed
//! since a watermark; one object by its key; and people or groups by an attribute, for provisioning on demand. A place
//! is text that only its source understands. The engine stores it and comes back with it, so a cycle that was killed goes
//! on where it stood.
//!
//! Sources may repeat themselves: the same object may come several times, the members of one group may be spread over many
//! pages, and changes may be played again. The engine merges them; nothing here need remember what was sent.

pub mod directory;
pub mod file;
pub mod graph;
pub mod ldap;
mod ledger;
pub mod population;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::target::{Limits, Surroundings};

/// What a source is given besides its settings.
#[derive(Debug, Clone)]
pub struct Home {
    /// Where relative paths in settings begin: the folder of the file they are from.
    pub folder: PathBuf,
    /// A folder of its own, for what it must remember between reads. It is made when it is needed.
    pub state: PathBuf,
    /// Time and chance.
    pub surroundings: Arc<dyn Surroundings>,
    /// Looks up a variable of the environment, for secrets that are kept there.
    pub environment: fn(&str) -> Option<String>,
    /// The directories of the team, inside a server; `None` for a run on its own.
    pub directories: Option<directory::Directories>,
}

/// Users or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person.
    User,
    /// A group of people, and perhaps of groups.
    Group,
}

/// Where in a source to read: opaque to everybody but the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// From the beginning: everything there is.
    Everything,
    /// The next page of a read under way.
    Page(String),
    /// What has changed since a read that came to its end. This is the watermark.
    Since(String),
}

/// An object of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Whether it is a user or a group.
    pub kind: Kind,
    /// What identifies it in the source for good, whatever else about it changes: Entra's `objectId`, LDAP's
    /// `entryUUID` or `objectGUID`, the key column of a file.
    pub key: String,
    /// Attributes with a value: text, numbers, truth values, or lists of text. References such as `manager` hold the key
    /// of the object they refer to. Membership is not among them.
    pub attributes: Map<String, Value>,
}

impl Object {
    /// Whether an attribute has a value, or a list one like it; `value` is in lower case.
    fn has(&self, attribute: &str, value: &str) -> bool {
        let is = |candidate: &Value| match candidate {
            Value::String(text) => text.to_lowercase() == value,
            Value::Bool(truth) => value == if *truth { "true" } else { "false" },
            Value::Number(number) => number.to_string().as_str() == value,
            _ => false,
        };
        let mut named = self.attributes.iter();
        match named.find(|(name, _)| name.eq_ignore_ascii_case(attribute)) {
            Some((_, Value::Array(values))) => values.iter().any(is),
            Some((_, single)) => is(single),
            None => false,
        }
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// User or group; `None` where the source does not say.
    pub kind: Option<Kind>,
    /// Its key.
    pub key: String,
}

/// Something that a source tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The object is there, with all attributes that it has now.
    Present(Object),
    /// The object is there, and this is known of it; `null` is an attribute that has no value any more, and one that
    /// is not named keeps its value. A read of everything starts from nothing: what has not been told of an object by
    /// its end, over all that was told of it, has no value. One that begins again is another read.
    Altered(Object),
    /// It can come back with the same key (Entra's recycle bin, a disabled row).
    Suspended {
        /// User or group.
        kind: Kind,
        /// Its key.
        key: String,
    },
    /// It is gone for good.
    Gone {
        /// User or group.
        kind: Kind,
        /// Its key.
        key: String,
    },
    /// Members of a group that was told of before or comes later.
    Members {
        /// Key of the group.
        group: String,
        /// Members it has. Others may follow.
        added: Vec<Member>,
        /// Members it no longer has.
        removed: Vec<Member>,
    },
    /// From here to the end of this read every assignment is told anew: who is not told of again is not assigned any
    /// more, and has only the roles that are told. It may come again in a read that starts over.
    AssignmentsAnew,
    /// Assigned to the application, directly; sources without assignments never say so. Somebody with several roles may
    /// be told of several times, each time with others of them.
    Assigned {
        /// User or group.
        kind: Kind,
        /// Its key.
        key: String,
        /// Values of the application roles that come with it.
        roles: Vec<String>,
    },
    /// Not assigned directly any more.
    Unassigned {
        /// User or group.
        kind: Kind,
        /// Its key.
        key: String,
    },
    /// A row or an entry that cannot be used: it is told in the log and passed over.
    Unusable {
        /// Where it is, for people: a line of a file, a distinguished name.
        place: String,
        /// What is wrong, and what to do about it.
        reason: String,
    },
}

/// A part of what a source tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In the order of the source.
    pub changes: Vec<Change>,
    /// Where to read on.
    pub next: Next,
    /// How many objects the whole read will tell of, where the source knows.
    pub total: Option<u64>,
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// More of this read, from this place.
    Page(String),
    /// Nothing now; changes from here on are read with this watermark.
    Watermark(String),
}

/// Why a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The watermark or page is too old or unknown: everything must be read anew.
    #[error(
        "the source no longer knows what has changed since the last cycle ({0}); everything is read anew"
    )]
    Expired(String),
    /// The credentials are refused.
    #[error("the source refuses the credentials: {0}")]
    Credentials(String),
    /// The source does not answer or has too much to do; it is tried again later.
    #[error("the source cannot be read now: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// For how many seconds it asks to be left alone.
        retry_after: Option<u64>,
    },
    /// What it says cannot be understood, or it is set up in a way that cannot work.
    #[error("the source cannot be used: {0}")]
    Unusable(String),
}

/// How to reach a source; `type` says which kind it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Settings {
    /// Tables of comma-separated values.
    Csv(file::CsvSettings),
    /// JSON lines.
    Jsonl(file::JsonlSettings),
    /// An LDAP directory, Active Directory among them.
    Ldap(Box<ldap::LdapSettings>),
    /// Microsoft Entra ID, through Microsoft Graph.
    Graph(Box<graph::Settings>),
    /// A Portreeve directory, through its change feed.
    Directory(directory::DirectorySettings),
}

/// Where people and groups come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files.
    File(file::File),
    /// An LDAP directory.
    Ldap(ldap::Ldap),
    /// Microsoft Entra ID.
    Graph(graph::Graph),
    /// A Portreeve directory.
    Directory(directory::Directory),
}

impl Source {
    /// A source as settings describe it. Nothing is read or asked yet.
    ///
    /// # Errors
    /// [`Error::Unusable`] where the settings cannot work, [`Error::Credentials`] where a secret cannot be had.
    pub fn new(settings: &Settings, home: &Home) -> Result<Self, Error> {
        Ok(match settings {
            Settings::Csv(settings) => Self::File(file::File::csv(settings, home)?),
            Settings::Jsonl(settings) => Self::File(file::File::json_lines(settings, home)),
            Settings::Ldap(settings) => Self::Ldap(ldap::Ldap::new(settings, home)?),
            Settings::Graph(settings) => {
                Self::Graph(graph::Graph::new(settings, home, Limits::default())?)
            }
            Settings::Directory(settings) => {
                Self::Directory(directory::Directory::new(settings, home)?)
            }
        })
    }

    /// The same source, told of the attributes that mappings and scoping filters use. A source that must ask for each
    /// attribute asks for these; the others tell all that they have.
    #[must_use]
    pub fn asking(self, asked: &graph::Asked) -> Self {
        match self {
            Self::Graph(graph) => Self::Graph(graph.asking(asked)),
            other => other,
        }
    }

    /// Reads everything, what has changed since a watermark, or the next page of such a read.
    ///
    /// # Errors
    /// When the source cannot be read now, refuses, says what cannot be used, or no longer knows the place.
    pub async fn read(&self, from: &Place) -> Result<Page, Error> {
        match self {
            Self::File(file) => file.read(from).await,
            Self::Ldap(ldap) => ldap.read(from).await,
            Self::Graph(graph) => graph.read(from).await,
            Self::Directory(directory) => directory.read(from).await,
        }
    }

    /// One user or group by its key; `None` if there is none.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn one(&self, kind: Kind, key: &str) -> Result<Option<Object>, Error> {
        match self {
            Self::File(file) => file.one(kind, key).await,
            Self::Ldap(ldap) => ldap.one(kind, key).await,
            Self::Graph(graph) => graph.one(kind, key).await,
            Self::Directory(directory) => directory.one(kind, key).await,
        }
    }

    /// Users or groups whose attribute has this value.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn find(
        &self,
        kind: Kind,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<Object>, Error> {
        match self {
            Self::File(file) => file.find(kind, attribute, value).await,
            Self::Ldap(ldap) => ldap.find(kind, attribute, value).await,
            Self::Graph(graph) => graph.find(kind, attribute, value).await,
            Self::Directory(directory) => directory.find(kind, attribute, value).await,
        }
    }

    /// The assignments of one object: its own, and those of the groups that it is directly in, each
    /// [`Change::Assigned`]. `None` where there are none to be asked for: everybody counts, or the source knows none.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn assignments(&self, kind: Kind, key: &str) -> Result<Option<Vec<Change>>, Error> {
        match self {
            Self::Graph(graph) => graph.granted(kind, key).await,
            Self::File(_) | Self::Ldap(_) | Self::Directory(_) => Ok(None),
        }
    }

    /// Up to `limit` members of a group.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn members(&self, group: &str, limit: usize) -> Result<Vec<Member>, Error> {
        match self {
            Self::File(file) => file.members(group, limit).await,
            Self::Ldap(ldap) => ldap.members(group, limit).await,
            Self::Graph(graph) => graph.members(group, limit).await,
            Self::Directory(directory) => directory.members(group, limit).await,
        }
    }

    /// Reaches the source without taking anything in, and says in a sentence what is there.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn check(&self) -> Result<String, Error> {
        match self {
            Self::File(file) => file.check().await,
            Self::Ldap(ldap) => ldap.check().await,
            Self::Graph(graph) => graph.check().await,
            Self::Directory(directory) => directory.check().await,
        }
    }
}
