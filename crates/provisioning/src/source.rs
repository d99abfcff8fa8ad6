//! Where people and groups come from, as the engine sees it.
//!
//! Every source is read in the same three ways: page by page from a [`Place`], which is everything or what has changed
//! since a watermark; one object by its key; and people or groups by an attribute, for provisioning on demand. A place
//! is text that only its source understands. The engine stores it and comes back with it, so a cycle that was killed goes
//! on where it stood.
//!
//! Sources may repeat themselves: the same object may come several times, the members of one group may be spread over many
//! pages, and changes may be played again. The engine merges them; nothing here need remember what was sent.

use serde_json::{Map, Value};

/// Users or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Debug, Clone, PartialEq)]
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

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// User or group; `None` where the source does not say.
    pub kind: Option<Kind>,
    /// Its key.
    pub key: String,
}

/// Something that a source tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The object is there, with all attributes that it has now.
    Present(Object),
    /// Only these attributes have changed; `null` is one that has no value any more.
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
    /// Assigned to the application, directly; sources without assignments never say so.
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
