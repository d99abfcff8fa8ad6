//! Visitor hosts: whom visitors come to see, and why somebody is not found.

use askama::Template;

use super::{crumb, tabs};
use crate::pages::users::Change;
use crate::parts::{
    Alert, Badge, Column, Confirm, Empty, Facts, Field, Link, Pager, Source, Tabs, Time, Toolbar,
};
use crate::{Address, Crumb, Page, Section, Shell};

/// The people of a directory for visitors, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "visitors/people.html")]
pub struct People {
    /// The frame.
    pub shell: Shell,
    /// What is looked for and what narrows it down; not there without a directory for visitors.
    pub toolbar: Option<Toolbar>,
    /// The people.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
}

/// Somebody in [`People`].
#[derive(Debug)]
pub struct Row {
    /// The user's id.
    pub id: String,
    /// Their page.
    pub href: Address,
    /// The name to show.
    pub name: String,
    /// `userName`; empty where it stands elsewhere in the row.
    pub user_name: String,
    /// Whether visitors find them, and why not.
    pub visibility: Badge,
    /// Their department; may be empty.
    pub department: String,
    /// The names of their groups.
    pub groups: Vec<String>,
    /// The addresses that are told of a visitor.
    pub told: Vec<String>,
    /// Where they are changed.
    pub source: Source,
}

impl People {
    fn tabs(&self) -> Tabs {
        tabs("Visitor hosts")
    }

    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Name"),
            Column::new("Visibility"),
            Column::new("Department"),
            Column::new("Groups"),
            Column::new("Told of visitors"),
            Column::new("Managed by"),
        ]
    }
}

impl Page for People {
    fn title(&self) -> String {
        "Visitor hosts".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![crumb()]
    }
}

/// Somebody whom visitors come to see.
#[derive(Debug, Template)]
#[template(path = "visitors/person.html")]
pub struct Person {
    /// The frame.
    pub shell: Shell,
    /// The name to show.
    pub name: String,
    /// Whether visitors find them.
    pub visibility: Badge,
    /// Where they are managed.
    pub source: Source,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// Why they are not found, and what to do; nothing where they are.
    pub why: Option<Alert>,
    /// What the provider says of them.
    pub profile: Facts,
    /// What a visitor sees, location by location.
    pub seen: Vec<Seen>,
    /// The groups they are in.
    pub groups: Vec<Link>,
    /// Visitors who are with them or expected.
    pub open: Vec<Open>,
    /// All of their visits.
    pub visits: Address,
    /// Where the settings are changed, with what is to be filled in; where the person may.
    pub edit: Option<(Address, Vec<Field>)>,
    /// Announces a visitor, where the person may.
    pub expect: Option<Confirm>,
    /// Their page as a user, where the person may see it.
    pub user: Option<Address>,
    /// What happened to them, the newest first.
    pub history: Vec<Change>,
    /// All of that.
    pub all_history: Address,
}

/// What a visitor sees of somebody at a location.
#[derive(Debug)]
pub struct Seen {
    /// The location.
    pub location: Link,
    /// The name as it is shown there; `None`: they are not found.
    pub name: Option<String>,
    /// The department as it is shown there; may be empty.
    pub department: String,
    /// Why they are not found; empty where they are.
    pub why: String,
}

/// A visitor who is with somebody, or expected.
#[derive(Debug)]
pub struct Open {
    /// The visit.
    pub href: Address,
    /// The visitor.
    pub visitor: String,
    /// Whom the visitor works for; may be empty.
    pub company: String,
    /// How it stands.
    pub state: Badge,
    /// Where.
    pub location: String,
    /// Since when, or for when.
    pub at: Time,
}

impl Person {
    fn is_foreign(&self) -> bool {
        self.source.is_foreign()
    }
}

impl Page for Person {
    fn title(&self) -> String {
        self.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        let people = Section::Visitors.address().join("people");
        vec![crumb(), Crumb::new("Visitor hosts", people)]
    }
}
