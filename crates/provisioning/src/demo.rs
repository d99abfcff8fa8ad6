//! Contoso, a sample company of 500 people and 40 groups, provisioned over HTTP as Microsoft Entra ID would.
//!
//! [`run`] sends two rounds. The first is Entra's initial cycle: a probe, then for each person a lookup by `userName`
//! and a POST, then the managers, then for each group a lookup by `displayName`, a POST without members, and PATCHes
//! that add the members. The second is an incremental cycle on the company's second day: people join, leave, return
//! and change their names, and groups change.
//!
//! Running it again creates nothing: what exists is matched, and only differences are sent. All people are invented,
//! their addresses end in `contoso.example`, and their telephone numbers are set aside for fiction or not assigned.

mod company;
mod round;
mod wire;

use std::fmt;

use serde::Serialize;

use crate::target::{self, Client, ResourceId, ResourceKind};

use company::Company;
use round::Cycles;

/// Provisions the sample company into a target: 500 people, 40 groups and 3,000 memberships, then the second day.
///
/// A single object that the target refuses becomes a [`Problem`] of the report, and the rest goes on.
///
/// # Errors
/// When the target cannot be used at all: the probe fails, the token stops working, or nobody answers.
pub async fn run(client: &Client, progress: &mut dyn Progress) -> Result<Report, Error> {
    let first_day = Company::first_day()?;
    let second_day = first_day.second_day()?;
    progress.begin(Phase::Probe, 2);
    for kind in [ResourceKind::User, ResourceKind::Group] {
        client.probe(kind).await.map_err(|source| Error::Target {
            doing: format!("the {kind:?} probe"),
            source,
        })?;
        progress.advance(1);
    }
    let mut cycles = Cycles::new(client, progress);
    let again = cycles.second_day_has_begun(&first_day, &second_day).await?;
    let (first_round, second_round) = if again {
        (
            cycles.resume(&first_day, &second_day).await?,
            Round::default(),
        )
    } else {
        let first_round = cycles.initial(&first_day).await?;
        (
            first_round,
            cycles.incremental(&first_day, &second_day).await?,
        )
    };
    let (links, problems) = cycles.into_outcome();
    let notable = second_day.notable_since(&first_day, &links);
    Ok(Report {
        again,
        first_round,
        second_round,
        notable,
        problems,
    })
}

/// What [`run`] is doing, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The two requests of Entra's Test Connection.
    Probe,
    /// People are matched or created.
    Users,
    /// Each person's manager is set.
    Managers,
    /// Groups are matched or created.
    Groups,
    /// Members join the groups; counted in memberships.
    Members,
    /// The incremental cycle; counted in changed people and groups.
    Changes,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probe => "Test connection",
            Self::Users => "People",
            Self::Managers => "Managers",
            Self::Groups => "Groups",
            Self::Members => "Memberships",
            Self::Changes => "Changes of the second day",
        })
    }
}

/// Hears how far [`run`] has come.
pub trait Progress: Send {
    /// A phase with `total` steps begins; the phase before it is over.
    fn begin(&mut self, phase: Phase, total: u64);

    /// So many more steps of the phase are done.
    fn advance(&mut self, steps: u64);
}

/// Nobody listens.
impl Progress for () {
    fn begin(&mut self, _: Phase, _: u64) {}

    fn advance(&mut self, _: u64) {}
}

/// What [`run`] did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether an earlier run had come to the second day already; the second round is empty then.
    pub again: bool,
    /// The initial cycle.
    pub first_round: Round,
    /// The incremental cycle.
    pub second_round: Round,
    /// People and groups worth a look, whichever run made their change.
    pub notable: Vec<Notable>,
    /// Objects that the target refused.
    pub problems: Vec<Problem>,
}

/// The counts of one cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Round {
    /// People.
    pub users: Counts,
    /// Groups, without their members.
    pub groups: Counts,
    /// People whose manager was set.
    pub managers_set: u64,
    /// Memberships that were sent to be added.
    pub members_added: u64,
    /// Memberships that were sent to be removed.
    pub members_removed: u64,
}

/// What happened to the objects of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The target had none; it was created.
    pub created: u64,
    /// The target had it with other values, and the differences were sent.
    pub updated: u64,
    /// The target had it as it should be; nothing was sent.
    pub unchanged: u64,
    /// The target refused it; see [`Report::problems`].
    pub failed: u64,
}

impl Counts {
    fn and(&self, other: &Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            failed: self.failed + other.failed,
        }
    }
}

/// A person or a group that shows something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notable {
    /// What it shows.
    pub what: What,
    /// The `userName` of a person, the `displayName` of a group.
    pub name: String,
    /// Its id at the target; nothing if the target refused it.
    pub id: Option<ResourceId>,
    /// The rest of the story, for a person to read: "was Amélie Rousseau".
    pub detail: String,
}

/// What a [`Notable`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A person who joined on the second day.
    Joined,
    /// A person with a new name and a new `userName`.
    Renamed,
    /// A person who left: `active` became false.
    Left,
    /// A person who came back: `active` became true.
    Restored,
    /// A group with a new name.
    GroupRenamed,
    /// A group that people joined or left.
    MembersChanged,
    /// A person who was disabled from the beginning.
    Disabled,
    /// A person without an e-mail address.
    NoEmail,
}

/// An object that the target refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The `userName` of a person, the `displayName` of a group.
    pub name: String,
    /// What the target said.
    pub error: String,
    /// What a person can do about it.
    pub remedy: &'static str,
}

/// Why the sample company could not be provisioned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target cannot be used; [`target::Error::remedy`] says what to do.
    #[error("{doing} failed: {source}")]
    Target {
        /// Which request it was.
        doing: String,
        /// What the target answered.
        source: target::Error,
    },
    /// The sample data that is built into the program is damaged.
    #[error("the built-in sample company cannot be read: {0}")]
    Data(String),
}
