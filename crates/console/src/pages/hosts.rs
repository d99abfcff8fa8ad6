//! Hosts: managed machines.

mod agent;
mod enrolment;
mod fleet;

pub use agent::{Agent, Conflict, Finding, Open};
pub use enrolment::Enrolment;
pub use fleet::{Fleet, Row as FleetRow};

use askama::Template;

use super::users::Change;
use crate::parts::{
    Alert, Certificates, Code, Column, Confirm, Count, Empty, Facts, Field, Link, Pager, Search,
    Tab, Tabs, Tags, Time,
};
use crate::{Address, Crumb, Page, Section, Shell};

/// The views of hosts, of which one is shown.
fn tabs(shown: &str) -> Tabs {
    let start = Section::Hosts.address();
    let [fleet, enrolment] = ["fleet", "enrolment"].map(|path| start.clone().join(path));
    let all = [("Hosts", start), ("Fleet", fleet), ("Enrolment", enrolment)];
    let tab = |(label, href)| Tab {
        label,
        href,
        current: label == shown,
        count: None,
    };
    Tabs {
        label: "Hosts".to_owned(),
        tabs: all.into_iter().map(tab).collect(),
    }
}

/// The hosts of a team, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "hosts/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// By name, or by a tag expression.
    pub search: Search,
    /// What is wrong with the expression.
    pub problem: Option<Misread>,
    /// The hosts by name.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// How to begin, where a team has no host.
    pub commands: Option<Code>,
    /// The way on.
    pub pager: Pager,
    /// Where one is made, where the person may.
    pub create: Option<Address>,
}

/// One of a [`List`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// Its name.
    pub name: String,
    /// A few words more, such as the bastion before it; may be empty.
    pub note: String,
    /// What it is called by.
    pub tags: Tags,
    /// How many people may log in, where the person may know.
    pub people: Option<Count>,
    /// Whether there are even more.
    pub is_more: bool,
    /// When its certificate runs out, where it has one and the person may know.
    pub certificate: Option<Time>,
    /// When it was last heard of.
    pub contact: Option<Time>,
}

/// A tag expression that cannot be read, and where.
#[derive(Clone, Debug)]
pub struct Misread {
    /// What stands before the place.
    pub before: String,
    /// What stands at the place and after it; empty where something is missing at the end.
    pub after: String,
    /// What is wrong there, and what could stand there.
    pub why: String,
}

impl List {
    fn tabs(&self) -> Tabs {
        tabs("Hosts")
    }

    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Name"),
            Column::new("Tags"),
            Column::new("May log in").numeric(),
            Column::new("Certificate until"),
            Column::new("Last contact"),
        ]
    }
}

impl Page for List {
    fn title(&self) -> String {
        "Hosts".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Hosts)
    }
}

/// A host, and who may log in there.
#[derive(Debug, Template)]
#[template(path = "hosts/host.html")]
pub struct Host {
    /// The frame.
    pub shell: Shell,
    /// Its name.
    pub name: String,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// What is known about it.
    pub profile: Facts,
    /// Where it is changed, with what is to be filled in; where the person may.
    pub edit: Option<(Address, Vec<Field>)>,
    /// Who may log in, where the person may know.
    pub people: Option<People>,
    /// Says of somebody whether they may log in, and why; where the person may know.
    pub explain: Option<Vec<Field>>,
    /// What its agent has said.
    pub agent: Agent,
    /// Its certificates, where the person may see them.
    pub certificates: Option<Certificates>,
    /// What happened to it, the newest first.
    pub history: Vec<Change>,
    /// All of that.
    pub all_history: Address,
    /// Removes it.
    pub delete: Option<Confirm>,
}

/// Who may log in to a host.
#[derive(Debug)]
pub struct People {
    /// By user name, the first of them.
    pub rows: Vec<Person>,
    /// How many there are in all.
    pub total: Count,
    /// They are more than this, so that nobody is shown.
    pub too_many: Option<usize>,
    /// Where access is given, where the person may.
    pub grant: Option<Address>,
}

/// One of them.
#[derive(Debug)]
pub struct Person {
    /// The user name.
    pub name: String,
    /// The decision with its reasons.
    pub href: Address,
    /// The name of the account.
    pub account: String,
    /// Whether `sudo` may be used.
    pub sudo: bool,
    /// By which grants.
    pub by: Vec<Link>,
    /// When that may end.
    pub until: Option<Time>,
}

impl People {
    fn is_cut(&self) -> bool {
        u64::try_from(self.rows.len()).is_ok_and(|shown| shown < self.total.0)
    }
}

impl Page for Host {
    fn title(&self) -> String {
        self.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Hosts)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Hosts", Section::Hosts.address())]
    }
}
