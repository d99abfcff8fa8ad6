//! Access: grants, temporary access, and why somebody may log in somewhere or may not.

mod editor;
mod explain;

pub use editor::{Editor, Effect, Matched, Preview, Subject};
pub use explain::{Answer, Explain};

use askama::Template;

use crate::parts::{Alert, Badge, Confirm, Countdown, Empty, Filter, Link, Pager, Tab, Tabs, Time};
use crate::{Address, Page, Section, Shell};

/// The grants of a team.
#[derive(Debug, Template)]
#[template(path = "access/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// What narrows the list down.
    pub filters: Vec<Filter>,
    /// What was wrong with what was asked for.
    pub problem: Option<Alert>,
    /// Grants to groups.
    pub grants: Vec<Row>,
    /// Grants to one person or service account.
    pub temporary: Vec<Row>,
    /// What is said when there are neither.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
    /// Where one is made, where the person may.
    pub create: Option<Address>,
}

/// A grant of a [`List`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// Who has it.
    pub who: Link,
    /// The tag expression.
    pub hosts: String,
    /// Whether `sudo` comes with it.
    pub sudo: bool,
    /// Why, for people; may be empty.
    pub note: String,
    /// Whether it counts, where it does not simply.
    pub state: Option<Badge>,
    /// When it ends.
    pub until: Option<Time>,
    /// Ends it.
    pub revoke: Option<Confirm>,
}

impl Row {
    fn countdown(&self) -> Option<Countdown> {
        self.until.filter(|_| self.revoke.is_some()).map(Countdown)
    }
}

impl List {
    fn tabs(&self) -> Tabs {
        tabs(false)
    }

    fn dialogs(&self) -> impl Iterator<Item = &Confirm> {
        let rows = self.temporary.iter().chain(&self.grants);
        rows.filter_map(|row| row.revoke.as_ref())
    }
}

/// The pages about access.
fn tabs(explains: bool) -> Tabs {
    let tab = |label, path, current| Tab {
        label,
        href: Address::new(path),
        current,
        count: None,
    };
    Tabs {
        label: "Access".to_owned(),
        tabs: vec![
            tab("Grants", "/console/access", !explains),
            tab("Explain", "/console/access/explain", explains),
        ],
    }
}

impl Page for List {
    fn title(&self) -> String {
        "Access".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Access)
    }
}
