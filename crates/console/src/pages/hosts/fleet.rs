//! The agents of all hosts: who has heard of the newest policy, and who has not.

use askama::Template;

use super::tabs;
use crate::parts::{Badge, Column, Empty, Pager, Tabs, Time, Toolbar};
use crate::{Address, Crumb, Page, Section, Shell};

/// The hosts of a team with what their agents said last, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "hosts/fleet.html")]
pub struct Fleet {
    /// The frame.
    pub shell: Shell,
    /// The page as it is now, with what is looked for (`q`), the filter and the order (`sort`) in it.
    pub address: Address,
    /// What is looked for and what narrows it down.
    pub toolbar: Toolbar,
    /// How things stand in all, in a few words.
    pub summary: String,
    /// The hosts.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
}

/// One of a [`Fleet`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: Badge,
    /// The version of the agent; empty without one.
    pub agent: String,
    /// The version of the policy in force, and of the newest where that is another.
    pub policy: String,
    /// How long it has been behind; empty where it is not.
    pub lag: String,
    /// When the host closes by itself.
    pub lease: Option<Time>,
    /// When it reported last.
    pub reported: Option<Time>,
    /// How much of the policy it could not do.
    pub conflicts: usize,
}

impl Fleet {
    fn tabs(&self) -> Tabs {
        tabs("Fleet")
    }

    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Host").sorted(&self.address, "name"),
            Column::new("State"),
            Column::new("Agent").sorted(&self.address, "agent"),
            Column::new("Policy"),
            Column::new("Behind for").sorted(&self.address, "lag"),
            Column::new("Lease until").sorted(&self.address, "lease"),
            Column::new("Last report").sorted(&self.address, "reported"),
        ]
    }
}

impl Page for Fleet {
    fn title(&self) -> String {
        "Fleet".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Hosts)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Hosts", Section::Hosts.address())]
    }
}
