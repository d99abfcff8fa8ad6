//! What is kept of an object, and how it is read.

use crate::Refusal;
use crate::applications::Kind;
use portreeve_store::Row;

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "source_key, presence, attributes, roles, seen, roles_seen, stale, dirty, state, target_id, exported"
    };
}

pub(super) use columns;

/// Whether the source has an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It is there.
    Present,
    /// It can come back with the same key.
    Suspended,
    /// It is gone for good, or was never told of and only assigned.
    Gone,
}

/// What is known of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// There is none.
    None,
    /// It was to be made, and what came of the request is not known.
    Sent,
    /// It was disabled when all links were dropped.
    Dropped,
    /// It follows the object.
    Managed,
    /// It follows the object and was last written as disabled.
    Disabled,
    /// It is left alone.
    Released,
}

/// An object of the source with what it is linked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its key at the source.
    pub source_key: String,
    /// Whether the source has it.
    pub presence: Presence,
    /// All that the source has told of it, as a canonical JSON object.
    pub attributes: String,
    /// The roles of its own assignment, as a JSON list; `None`: not assigned directly.
    pub roles: Option<String>,
    /// The number of the full read that saw it last.
    pub seen: i64,
    /// The number of the telling of all assignments that told of it last.
    pub roles_seen: i64,
    /// Of a group: its members through nested groups are to be worked out anew.
    pub stale: bool,
    /// Whether something has changed since it was last settled.
    pub dirty: bool,
    /// What is known of the resource.
    pub state: State,
    /// Its id.
    pub target_id: Option<String>,
    /// The fingerprint of the values last written or found equal.
    pub exported: Option<String>,
}

impl Link {
    /// An object of which nothing is known but that somebody speaks of it.
    pub fn unknown(source_key: &str) -> Self {
        Self {
            source_key: source_key.to_owned(),
            presence: Presence::Gone,
            attributes: "{}".to_owned(),
            roles: None,
            seen: 0,
            roles_seen: 0,
            stale: false,
            dirty: false,
            state: State::None,
            target_id: None,
            exported: None,
        }
    }
}

/// What is known of a resource after something was done with it, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its state.
    pub state: State,
    /// Its id.
    pub target_id: Option<String>,
    /// The fingerprint of its values.
    pub exported: Option<String>,
    /// Whether something is still to be done.
    pub dirty: bool,
}

/// An object, and what it is linked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Its key at the source.
    pub source_key: String,
    /// What is known of the resource.
    pub state: State,
    /// Its id.
    pub target_id: Option<String>,
}

/// How many objects of a kind are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// User or group.
    pub kind: Kind,
    /// The state.
    pub state: State,
    /// How many there are.
    pub count: i64,
}

/// A row of [`columns`].
pub(super) fn from_row(mut row: Row) -> Result<Link, Refusal> {
    Ok(Link {
        presence: Presence::by_name(row.text(1)?),
        seen: row.int(4)?,
        roles_seen: row.int(5)?,
        stale: row.bool(6)?,
        dirty: row.bool(7)?,
        state: State::by_name(row.text(8)?),
        source_key: row.take_text(0)?,
        attributes: row.take_text(2)?,
        roles: row.take_opt_text(3)?,
        target_id: row.take_opt_text(9)?,
        exported: row.take_opt_text(10)?,
    })
}

impl Presence {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Suspended => "suspended",
            Self::Gone => "gone",
        }
    }

    pub(super) fn by_name(name: &str) -> Self {
        match name {
            "present" => Self::Present,
            "suspended" => Self::Suspended,
            _ => Self::Gone,
        }
    }
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Managed => "managed",
            Self::Disabled => "disabled",
            Self::Released => "released",
        }
    }

    pub(super) fn by_name(name: &str) -> Self {
        match name {
            "sent" => Self::Sent,
            "dropped" => Self::Dropped,
            "managed" => Self::Managed,
            "disabled" => Self::Disabled,
            "released" => Self::Released,
            _ => Self::None,
        }
    }
}
