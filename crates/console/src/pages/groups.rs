//! Groups.

use askama::Template;

use super::users::Change;
use crate::parts::{Alert, Column, Confirm, Count, Empty, Facts, Pager, Source, Time, Toolbar};
use crate::{Address, Crumb, Page, Section, Shell};

/// The groups of a team, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "groups/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// What is looked for and what narrows it down.
    pub toolbar: Toolbar,
    /// The groups.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
    /// Where one is made, where there is a directory for it and the person may.
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
    /// Where it is managed.
    pub source: Source,
    /// How many members it has.
    pub members: Count,
    /// Whether groups are members of it.
    pub nested: bool,
    /// When it was last changed.
    pub changed: Time,
}

impl List {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Name"),
            Column::new("Managed by"),
            Column::new("Members").numeric(),
            Column::new("Changed"),
        ]
    }
}

impl Page for List {
    fn title(&self) -> String {
        "Groups".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Groups)
    }
}

/// A group with its members.
#[derive(Debug, Template)]
#[template(path = "groups/group.html")]
pub struct Group {
    /// The frame.
    pub shell: Shell,
    /// Its name.
    pub name: String,
    /// Where it is managed.
    pub source: Source,
    /// What was wrong with what was sent, or is to be known.
    pub notes: Vec<Alert>,
    /// What is known about it.
    pub profile: Facts,
    /// Its members, a page of them.
    pub members: Vec<Member>,
    /// The way on.
    pub pager: Pager,
    /// Adds a member here, where the person may.
    pub add: Option<Confirm>,
    /// Gives it another name.
    pub rename: Option<Confirm>,
    /// Removes it.
    pub delete: Option<Confirm>,
    /// What happened to it.
    pub history: Vec<Change>,
    /// All of that.
    pub all_history: Address,
}

/// A member of a group.
#[derive(Debug)]
pub struct Member {
    /// The name to show.
    pub name: String,
    /// Its page.
    pub href: Address,
    /// Whether it is a group.
    pub is_group: bool,
    /// Where the membership is managed.
    pub source: Source,
    /// When it ends.
    pub until: Option<Time>,
    /// Takes it away.
    pub remove: Option<Confirm>,
}

impl Group {
    fn is_foreign(&self) -> bool {
        self.source.is_foreign()
    }
}

impl Page for Group {
    fn title(&self) -> String {
        self.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Groups)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Groups", Section::Groups.address())]
    }
}
