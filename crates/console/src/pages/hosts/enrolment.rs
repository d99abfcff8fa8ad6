//! How machines become hosts: tokens, and what is run on the machine.

use askama::Template;

use super::tabs;
use crate::pages::settings::Block;
use crate::parts::{Alert, Secret, Tabs};
use crate::{Crumb, Page, Section, Shell};

/// The tokens with which machines enrol.
#[derive(Debug, Template)]
#[template(path = "hosts/enrolment.html")]
pub struct Enrolment {
    /// The frame.
    pub shell: Shell,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// What is run on the machine, with a token that was made just now.
    pub command: Option<Secret>,
    /// The tokens.
    pub tokens: Block,
}

impl Enrolment {
    fn tabs(&self) -> Tabs {
        tabs("Enrolment")
    }
}

impl Page for Enrolment {
    fn title(&self) -> String {
        "Enrolment".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Hosts)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Hosts", Section::Hosts.address())]
    }
}
