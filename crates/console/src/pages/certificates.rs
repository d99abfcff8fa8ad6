//! SSH certificates.

use askama::Template;

use crate::parts::{Alert, Badge, Certificates, Confirm, Empty, Facts, Link, Pager, Toolbar};
use crate::{Crumb, Page, Section, Shell};

/// The certificates of a team, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "certificates/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// What is looked for and what narrows it down.
    pub toolbar: Toolbar,
    /// What is wrong with what is looked for.
    pub problem: Option<Alert>,
    /// The certificates.
    pub certificates: Certificates,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
}

impl Page for List {
    fn title(&self) -> String {
        "Certificates".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Certificates)
    }
}

/// One certificate.
#[derive(Debug, Template)]
#[template(path = "certificates/certificate.html")]
pub struct Certificate {
    /// The frame.
    pub shell: Shell,
    /// What the logs of servers show.
    pub name: String,
    /// Whether it counts.
    pub state: Badge,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// Everything about it.
    pub facts: Facts,
    /// The grants that it rests on, where it is somebody's.
    pub grants: Option<Vec<Link>>,
    /// Ends it.
    pub revoke: Option<Confirm>,
}

impl Page for Certificate {
    fn title(&self) -> String {
        self.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Certificates)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Certificates", Section::Certificates.address())]
    }
}
