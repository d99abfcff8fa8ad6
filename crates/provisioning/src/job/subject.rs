//! One object on its way to the target: what is known of it before, and what has become of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use portreeve_directory::{Clock, Ids};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::escrow::Escrow;
use crate::engine::plan::{Facts, Link, Standing};
use crate::engine::quarantine::Reason;
use crate::engine::steps::{Initiator, Record, System};
use crate::source::Kind;
use crate::target::ResourceId;

/// An object that is to be brought to the target, with everything that is known of it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// User or group.
    pub kind: Kind,
    /// Its key at the source.
    pub key: String,
    /// Its attributes, merged from everything that the source told.
    pub attributes: Map<String, Value>,
    /// Values of the application roles that it is assigned with, directly and by groups.
    pub roles: Vec<String>,
    /// What speaks for and against it.
    pub facts: Facts,
    /// What follows from that.
    pub standing: Standing,
    /// What is known of it at the target.
    pub link: Link,
    /// The resource at the target, where there is a link.
    pub target_id: Option<ResourceId>,
    /// Fingerprint of the values that were last written or found equal.
    pub exported: Option<String>,
    /// How it failed before.
    pub escrow: Option<Escrow>,
}

impl Subject {
    /// Its name for people: `displayName`, or what else identifies it to them.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        name_of(&self.attributes)
    }
}

/// The name for people of an object with these attributes.
pub(super) fn name_of(attributes: &Map<String, Value>) -> Option<&str> {
    let names = ["displayName", "userPrincipalName", "userName", "mail", "cn"];
    let text = |name: &str| attributes.get(name)?.as_str();
    names
        .into_iter()
        .filter_map(text)
        .find(|name| !name.is_empty())
}

/// What has become of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// User or group.
    pub kind: Kind,
    /// Its key at the source.
    pub key: String,
    /// What is known of it at the target from now on.
    pub link: Link,
    /// The resource at the target from now on. Where it is another one than before, nothing that referred to the old
    /// one is at the target any more.
    pub target_id: Option<ResourceId>,
    /// Fingerprint of the values that the resource has for certain.
    pub exported: Option<String>,
    /// What its references other than members refer to, by the canonical path of the attribute. An attribute that is
    /// not named, and all of them where there is nothing, keeps what it has.
    pub references: Option<Vec<(String, Vec<String>)>>,
    /// What the target showed in those attributes, where it was compared: ids of resources.
    pub shown_references: Option<Vec<(String, Vec<String>)>>,
    /// When it is tried again, if it failed. A failure without an escrow is given up until the object changes.
    pub escrow: Option<Escrow>,
    /// What went wrong, if it failed.
    pub detail: Option<String>,
    /// What the log tells of it; nothing where nothing was done nor to be done.
    pub record: Option<Record>,
    /// What it counts as.
    pub counted: Counted,
    /// Every other request would fail the same way: the cycle ends here, and this object is still to be done.
    pub stop: Option<(Reason, String)>,
}

impl Outcome {
    /// Whether the object is done with until it changes or its escrow is due.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.stop.is_none() && self.counted != Counted::Held
    }
}

/// What an object counts as in a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Counted {
    /// A resource was made.
    Created,
    /// A resource was changed, or linked.
    Updated,
    /// A resource was disabled.
    Disabled,
    /// A resource was deleted, or was gone already.
    Deleted,
    /// A resource is left alone from now on.
    Released,
    /// The target has every value already.
    Unchanged,
    /// Nothing was to be done.
    Skipped,
    /// The guard against accidental deletions holds it.
    Held,
    /// It failed.
    Failed,
}

/// Decides which object a resource belongs to, before it is changed for one. Two objects with the same matching value
/// would otherwise overwrite each other's resource for ever.
pub trait Claims: Send + Sync {
    /// Claims a resource for an object.
    ///
    /// # Errors
    /// The key of the object that has it already.
    fn claim<'a>(&'a self, kind: Kind, resource: &'a ResourceId, key: &'a str) -> Claim<'a>;

    /// Notes that the resource of an object is gone, before another one is made in its place.
    ///
    /// # Errors
    /// Why that cannot be noted. Nothing may be made then.
    fn replaces<'a>(&'a self, kind: Kind, key: &'a str) -> Claim<'a>;
}

/// The answer to [`Claims::claim`] and [`Claims::replaces`].
pub type Claim<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// What all records of a cycle have in common, and where a cycle takes time and ids from.
#[derive(Clone)]
pub struct Stamp {
    /// The application's job.
    pub job_id: String,
    /// The cycle.
    pub cycle_id: String,
    /// Who or what started it.
    pub initiator: Initiator,
    /// Where objects come from.
    pub source: System,
    /// Where they go.
    pub target: System,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids of records and changes.
    pub ids: Arc<Ids>,
    /// Which object a resource belongs to.
    pub claims: Arc<dyn Claims>,
    /// Whether there are records also of objects that are skipped, with every detail: for a single object on demand.
    pub tells_all: bool,
}

impl Stamp {
    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A new id.
    pub(super) fn id(&self) -> String {
        self.ids.next(self.clock.now()).to_string()
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamp")
            .field("job_id", &self.job_id)
            .field("cycle_id", &self.cycle_id)
            .field("initiator", &self.initiator)
            .field("tells_all", &self.tells_all)
            .finish_non_exhaustive()
    }
}
