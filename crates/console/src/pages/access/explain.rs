//! Why somebody may log in to a host, or may not.

use askama::Template;

use super::tabs;
use crate::parts::{Alert, Chain, Code, Facts, Field, Tabs};
use crate::{Page, Section, Shell};

/// The question, and the answer where it was asked.
#[derive(Debug, Template)]
#[template(path = "access/explain.html")]
pub struct Explain {
    /// The frame.
    pub shell: Shell,
    /// Who, and which host.
    pub fields: Vec<Field>,
    /// What can be put in: people and hosts with such names.
    pub known: Vec<(&'static str, Vec<String>)>,
    /// What was wrong with the question.
    pub problem: Option<Alert>,
    /// The answer.
    pub answer: Option<Answer>,
}

/// Whether somebody may log in to a host, and why.
#[derive(Debug)]
pub struct Answer {
    /// In a sentence, with the nearest change where it is no.
    pub verdict: Alert,
    /// How it comes about.
    pub chain: Chain,
    /// What comes with it; nothing where it is no.
    pub details: Option<Facts>,
    /// The command that says the same.
    pub command: Code,
}

impl Explain {
    fn tabs(&self) -> Tabs {
        tabs(true)
    }
}

impl Page for Explain {
    fn title(&self) -> String {
        "Access".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Access)
    }
}
