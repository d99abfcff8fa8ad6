//! Who asks, for which directory, and when: what every rule that writes needs to know about the request.

use crate::clock::Clock;
use crate::directories::Directory;
use crate::events::Category;
use crate::ids::Ids;
use portreeve_store::Scope;
use std::fmt;
use std::sync::Arc;

/// Who caused a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A provisioning client, known by the token it used.
    Token(String),
    /// Somebody on the machine itself, through the local socket; the user id of the process.
    Local(u32),
    /// A user of a directory who is signed in.
    User(String),
    /// A local owner who is signed in.
    Owner(String),
    /// A service account, by one of its API tokens.
    Service(String),
    /// A host, by its agent.
    Host(String),
    /// A tablet at the door.
    Device(String),
    /// A visitor, by their badge.
    Visitor,
    /// Portreeve itself.
    System,
    /// Nobody we know: a refused request.
    Anonymous,
}

impl Actor {
    /// The kind as it is stored and shown.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Local(_) => "local",
            Self::User(_) => "user",
            Self::Owner(_) => "owner",
            Self::Service(_) => "service",
            Self::Host(_) => "host",
            Self::Device(_) => "device",
            Self::Visitor => "visitor",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }

    /// The id within the kind.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Token(id)
            | Self::User(id)
            | Self::Owner(id)
            | Self::Service(id)
            | Self::Host(id)
            | Self::Device(id) => Some(id.clone()),
            Self::Local(uid) => Some(uid.to_string()),
            Self::Visitor | Self::System | Self::Anonymous => None,
        }
    }
}

/// One request on one directory.
#[derive(Clone)]
pub struct Call {
    /// The directory it concerns, with its rules.
    pub directory: Arc<Directory>,
    /// Who asks.
    pub actor: Actor,
    /// The id that the answer carries as `X-Request-Id`.
    pub request_id: String,
    /// When the request arrived (microseconds since 1970 UTC).
    pub at: i64,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<Ids>,
}

impl Call {
    /// A new id, as text.
    pub fn new_id(&self) -> String {
        self.ids.next(self.clock.now()).to_string()
    }

    /// What its changes are in the log: those of a provider, or, where no provider feeds the directory, an admin's.
    pub fn category(&self) -> Category {
        match self.directory.is_fed() {
            true => Category::ScimSync,
            false => Category::Admin,
        }
    }

    /// What its changes may touch: its directory.
    pub fn scope(&self) -> Scope {
        Scope::of(&self.directory.id)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("directory", &self.directory.id)
            .field("actor", &self.actor)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
