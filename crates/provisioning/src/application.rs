//! What an admin declares about an application, and what of it a cycle needs.
//!
//! A [`Definition`] is TOML in a file or JSON in the API, with the same members: a source, a target, mappings, and the
//! rules that Entra keeps on the pages of an enterprise application. [`Definition::compile`] checks it as a whole and
//! gives the [`Application`], in which no mistake is left that could be found without asking anybody.
//!
//! ```toml
//! name = "Smallstep"
//! template = "smallstep"
//! notify = ["it@contoso.com"]
//!
//! [source]
//! type = "csv"
//! users = "people.csv"
//! key = "objectId"
//!
//! [target]
//! url = "https://app.example/scim/v2"
//! authentication = { type = "bearer", token = { env = "APP_TOKEN" } }
//! ```
//!
//! [`document`] reads and writes definitions as text, [`secrets`] takes what must not be shown out of them,
//! [`templates`] are mappings for applications that we know, [`lint`] says what is doubtful about mappings in the light of
//! what the target says of itself, [`survey`] what they would make of everybody in a source, [`connection`] whether both ends answer, and [`standalone`] runs an application without
//! a server.

mod compile;
pub mod connection;
mod consequence;
pub mod document;
pub mod lint;
pub mod mappings;
pub mod secrets;
pub mod standalone;
pub mod survey;
pub mod templates;

#[cfg(test)]
mod tests;

use jiff::SignedDuration;
use portreeve_mapping::Mappings;
use serde::{Deserialize, Deserializer, de};

use crate::engine::plan::{self, Soft};
use crate::engine::quarantine::Thresholds;
use crate::source::{self, Kind, graph};
use crate::target;

pub use compile::DefinitionError;
pub use consequence::consequence;
pub use mappings::Written;
pub use templates::Template;

/// The shortest time between the beginnings of two cycles.
const SHORTEST_INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// The longest: after more, Microsoft Graph no longer knows what has changed.
const LONGEST_INTERVAL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An application as an admin declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// Where people and groups come from.
    pub source: source::Settings,
    /// Where they go.
    pub target: target::Settings,
    /// Mappings for an application that we know; either these or [`mappings`](Self::mappings).
    #[serde(default)]
    pub template: Option<Template>,
    /// The mappings themselves, or the file that they are in.
    #[serde(default)]
    pub mappings: Option<Written>,
    /// Who is provisioned. Without it, those who are assigned where the source knows assignments, and else all.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Values of application roles of which an assignment must have one; empty where any will do.
    #[serde(default)]
    pub required_roles: Vec<String>,
    /// How long after the beginning of a cycle the next one begins, such as `"5m"` or `"PT40M"`; a second to a week.
    #[serde(default = "five_minutes", deserialize_with = "interval")]
    pub interval: SignedDuration,
    /// Whether members and managers who come to the target later are linked then. Entra forgets them.
    #[serde(default = "yes")]
    pub late_references: bool,
    /// Whether the people in groups within a group count as its members. Entra counts direct members only.
    #[serde(default)]
    pub expand_nested_groups: bool,
    /// Whether a full cycle compares everything with the target and repairs what was changed there. Entra never looks.
    #[serde(default)]
    pub drift: bool,
    /// Whether who goes out of scope keeps access: Entra's `SkipOutOfScopeDeletions`.
    #[serde(default)]
    pub skip_out_of_scope_deletions: bool,
    /// What becomes of those who leave, where it is not what follows from the mappings.
    #[serde(default)]
    pub deprovisioning: Deprovisioning,
    /// How many may lose access in one cycle.
    #[serde(default)]
    pub accidental_deletions: AccidentalDeletions,
    /// How many failures put the job into quarantine.
    #[serde(default)]
    pub quarantine: Thresholds,
    /// Mail addresses of those who are told when something is wrong with the job.
    #[serde(default)]
    pub notify: Vec<String>,
    /// The tenant's domain, for the function `DefaultDomain()`.
    #[serde(default)]
    pub default_domain: Option<String>,
}

/// Who is provisioned, in Entra's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// "Sync only assigned users and groups".
    Assigned,
    /// "Sync all users and groups".
    All,
}

/// What becomes of those who leave but may come back. Without it, people are disabled where `active` is mapped and kept
/// where it is not, as Entra does it, and groups are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deprovisioning {
    /// People.
    pub users: Option<Soft>,
    /// Groups, which can be deleted or kept.
    pub groups: Option<Soft>,
}

/// Entra's "accidental deletion prevention".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccidentalDeletions {
    /// Whether anything is held at all.
    pub enabled: bool,
    /// With more users and groups than this to be disabled or deleted in one cycle, none of them is.
    pub threshold: u64,
}

/// Entra's sample value.
impl Default for AccidentalDeletions {
    fn default() -> Self {
        Self {
            enabled: true,
            threshold: 500,
        }
    }
}

/// An application that was checked: what a cycle needs to know of it.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its id, which is its job's id as well.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How people are provisioned; `None` where they are not.
    pub users: Option<ObjectRules>,
    /// How groups are provisioned; `None` where they are not.
    pub groups: Option<ObjectRules>,
    /// Whether only those are provisioned who are assigned.
    pub assigned_only: bool,
    /// Roles of which an assignment must have one; empty where any will do.
    pub required_roles: Vec<String>,
    /// Whether references are written once the target has what they refer to.
    pub late_references: bool,
    /// Whether the people in groups within a group count as its members.
    pub expand_nested_groups: bool,
    /// Whether a full cycle compares everything with the target.
    pub drift: bool,
    /// How many may lose access in one cycle; `None` where nobody counts.
    pub guard_threshold: Option<u64>,
    /// How many failures put the job into quarantine.
    pub thresholds: Thresholds,
    /// From the beginning of a cycle to that of the next.
    pub interval: SignedDuration,
    /// Whom to tell when something is wrong.
    pub notify: Vec<String>,
    /// The source's name for people.
    pub source_name: String,
    /// The target's name for people.
    pub target_name: String,
    /// The tenant's domain.
    pub default_domain: Option<String>,
}

/// How the objects of one kind are provisioned.
#[derive(Debug, Clone)]
pub struct ObjectRules {
    /// Which attributes they get, and who is in scope.
    pub mappings: Mappings,
    /// What may be done.
    pub rules: plan::Rules,
    /// The attribute of the target that the members of a group are written to; `None` where they are not, and for
    /// people.
    pub members: Option<String>,
}

impl Application {
    /// How objects of this kind are provisioned, if they are.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<&ObjectRules> {
        match kind {
            Kind::User => self.users.as_ref(),
            Kind::Group => self.groups.as_ref(),
        }
    }

    /// The attributes of the source that mappings and scoping filters use, for sources that must ask for each.
    #[must_use]
    pub fn asked(&self) -> graph::Asked {
        let names = |rules: &Option<ObjectRules>| {
            let used = rules.iter().flat_map(|it| it.mappings.source_attributes());
            used.map(str::to_owned).collect()
        };
        graph::Asked {
            users: names(&self.users),
            groups: names(&self.groups),
        }
    }
}

impl Definition {
    /// How to reach the source. Where the application's scope is said, it takes the place of that of the source.
    #[must_use]
    pub fn source(&self) -> source::Settings {
        Scope::applied(self.scope, self.source.clone())
    }
}

impl Scope {
    /// A source as an application with this scope, if it has one, reads it.
    #[must_use]
    pub fn applied(scope: Option<Self>, source: source::Settings) -> source::Settings {
        match (source, scope) {
            (source::Settings::Graph(mut graph), Some(scope)) => {
                graph.scope = match scope {
                    Self::Assigned => graph::Scope::Assigned,
                    Self::All => graph::Scope::All,
                };
                source::Settings::Graph(graph)
            }
            (source, _) => source,
        }
    }
}

fn yes() -> bool {
    true
}

fn five_minutes() -> SignedDuration {
    SignedDuration::from_mins(5)
}

fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let length: SignedDuration = text.parse().map_err(|_| {
        de::Error::custom(format!(
            "{text:?} is no length of time; write it as \"5m\", \"1h 30m\" or \"PT40M\""
        ))
    })?;
    match (SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&length) {
        true => Ok(length),
        false => Err(de::Error::custom(format!(
            "{text:?} is no interval between cycles; it is a second at least and a week at most"
        ))),
    }
}
