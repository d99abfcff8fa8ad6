//! How a directory is connected with its provider: step by step, as far as it has come.

use askama::Template;

use super::{Head, View};
use crate::parts::{Alert, Copyable, Icon, PostButton, Steps, Tone};
use crate::{Page, Shell};

/// The way from a new directory to people who arrive.
#[derive(Debug, Template)]
#[template(path = "directories/connect.html")]
pub struct Connect {
    /// The frame.
    pub shell: Shell,
    /// The directory.
    pub head: Head,
    /// What needs attention.
    pub attention: Vec<Alert>,
    /// What the steps lead to: "Connect Okta".
    pub heading: String,
    /// The steps, in the order in which one goes through them at the provider.
    pub steps: Steps,
    /// What the provider's form asks for.
    pub tenant_url: Copyable,
    /// What is to be mapped to what.
    pub mappings: Vec<Mapping>,
    /// Tries whether the provider could reach this server, where the person may.
    pub test: Option<PostButton>,
    /// What came of that.
    pub probe: Option<Probe>,
    /// Attributes that the provider sends and nobody understands.
    pub unknown: Vec<String>,
}

/// What is to be mapped to what, for one kind of objects.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// "Users".
    pub title: &'static str,
    /// The rows.
    pub rows: Vec<MappingRow>,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct MappingRow {
    /// At the provider.
    pub from: Copyable,
    /// Here.
    pub to: Copyable,
    /// What to look out for; may be empty.
    pub note: &'static str,
}

/// What came of trying out a connection.
#[derive(Clone, Debug)]
pub struct Probe {
    /// In a sentence.
    pub summary: Alert,
    /// Step by step.
    pub steps: Vec<ProbeStep>,
}

/// One step of it.
#[derive(Clone, Debug)]
pub struct ProbeStep {
    /// What was tried.
    pub label: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; may be empty.
    pub remedy: String,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Good,
    /// It may be right.
    Doubtful,
    /// It failed.
    Failed,
}

impl Verdict {
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Good => Tone::Good,
            Self::Doubtful => Tone::Warn,
            Self::Failed => Tone::Bad,
        }
    }

    pub(super) fn icon(self) -> Icon {
        self.tone().icon()
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "Well",
            Self::Doubtful => "To be looked at",
            Self::Failed => "Failed",
        }
    }
}
