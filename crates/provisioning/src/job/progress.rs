//! How far a cycle has come, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::subject::{Counted, Outcome};
use crate::engine::guard::Losses;
use crate::engine::quarantine::{Change, Verdict};

/// What a cycle is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Reading the source.
    Import,
    /// Noting who was not told of again, and who is in which group through others.
    Absent,
    /// Counting who would lose access.
    Plan,
    /// Writing people, and then groups.
    Export,
    /// Writing members and managers.
    References,
    /// Drawing conclusions.
    End,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::Import,
        Self::Absent,
        Self::Plan,
        Self::Export,
        Self::References,
        Self::End,
    ];

    /// Its name where cycles are kept.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Absent => "absent",
            Self::Plan => "plan",
            Self::Export => "export",
            Self::References => "references",
            Self::End => "end",
        }
    }

    pub(super) fn by_name(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|phase| phase.name() == name);
        known.unwrap_or(Self::Import)
    }
}

/// Which of the two kinds of cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CycleKind {
    /// Everything is read.
    Initial,
    /// What has changed since the watermark is read.
    Incremental,
}

impl CycleKind {
    /// Its name where cycles are kept.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Incremental => "incremental",
        }
    }

    pub(super) fn by_name(name: &str) -> Self {
        match name {
            "initial" => Self::Initial,
            _ => Self::Incremental,
        }
    }
}

/// How far a cycle has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The number of the cycle; 0 before it has begun.
    pub number: i64,
    /// Which kind of cycle it is.
    pub kind: CycleKind,
    /// What it is doing.
    pub phase: Phase,
    /// How many objects (or references) the phase has dealt with.
    pub done: u64,
    /// Of how many, where that is known.
    pub total: Option<u64>,
    /// How many have failed in this cycle.
    pub failed: u64,
    /// How many requests about objects were sent since the cycle began or was resumed.
    pub requests: u64,
    /// When the cycle began.
    pub began: Timestamp,
}

impl Progress {
    /// Before a cycle has begun.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            number: 0,
            kind: CycleKind::Incremental,
            phase: Phase::Import,
            done: 0,
            total: None,
            failed: 0,
            requests: 0,
            began: now,
        }
    }
}

/// What a cycle has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counters {
    /// Objects that the source told of.
    pub imported: u64,
    /// Members that the source told of.
    pub imported_references: u64,
    /// Rows or entries of the source that cannot be used.
    pub unusable: u64,
    /// Resources made.
    pub created: u64,
    /// Resources changed or linked.
    pub updated: u64,
    /// Resources disabled.
    pub disabled: u64,
    /// Resources deleted.
    pub deleted: u64,
    /// Resources that are left alone from now on.
    pub released: u64,
    /// Objects whose resource had every value already.
    pub unchanged: u64,
    /// Objects of which nothing was to be done.
    pub skipped: u64,
    /// Deletes and disables that the guard against accidental deletions holds.
    pub held: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Members and managers written or taken away.
    pub references_written: u64,
    /// Members and managers that failed.
    pub references_failed: u64,
}

impl Counters {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        // An object that stops a cycle is still to be done.
        if outcome.stop.is_some() {
            return;
        }
        let counter = match outcome.counted {
            Counted::Created => &mut self.created,
            Counted::Updated => &mut self.updated,
            Counted::Disabled => &mut self.disabled,
            Counted::Deleted => &mut self.deleted,
            Counted::Released => &mut self.released,
            Counted::Unchanged => &mut self.unchanged,
            Counted::Skipped => &mut self.skipped,
            Counted::Held => &mut self.held,
            Counted::Failed => &mut self.failed,
        };
        *counter += 1;
    }

    /// Resources that were changed in any way: Entra's `countExported`.
    #[must_use]
    pub fn exported(&self) -> u64 {
        self.created + self.updated + self.disabled + self.deleted
    }
}

/// How a cycle ended, in Entra's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum RunResult {
    Succeeded,
    /// It was stopped by something that concerns every object.
    Failed,
    /// Some objects failed.
    EntryLevelErrors,
}

impl RunResult {
    /// Its name where cycles are kept.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::EntryLevelErrors => "EntryLevelErrors",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        [Self::Succeeded, Self::Failed, Self::EntryLevelErrors]
            .into_iter()
            .find(|result| result.name() == name)
    }
}

/// What came of a cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Counts the cycles of an application from 1.
    pub number: i64,
    /// The id that its records carry.
    pub id: String,
    /// Which kind of cycle it was.
    pub kind: CycleKind,
    /// How it ended.
    pub result: RunResult,
    /// Why it failed, in a sentence.
    pub error: Option<String>,
    /// What it has done.
    pub counters: Counters,
    /// How many requests about objects it took, since it began or was resumed.
    pub requests: u64,
    /// What the guard against accidental deletions holds, if it does.
    pub held: Option<Losses>,
    /// What follows from how it went.
    pub verdict: Verdict,
    /// What that changes for the job.
    pub quarantine: Change,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// When the next cycle begins; `None` where the job does not run any more.
    pub next_run: Option<Timestamp>,
}
