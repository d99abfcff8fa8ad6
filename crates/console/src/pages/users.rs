//! Users.

use askama::Template;

use crate::parts::{Column, Empty, Icon, Level, Pager, Source, Status, Time, Toolbar};
use crate::{Address, Page, Section, Shell};

/// The people of all directories of a team, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "users/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// The page as it is now, with what is looked for (`q`), filters and order (`sort`) in it.
    pub address: Address,
    /// What is looked for and what narrows it down.
    pub toolbar: Toolbar,
    /// The people.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
    /// Where one is made, where there is a directory for it and the person may.
    pub create: Option<Address>,
}

/// Somebody in a [`List`].
#[derive(Debug)]
pub struct Row {
    /// The user's id.
    pub id: String,
    /// The user's page.
    pub href: Address,
    /// The name to show.
    pub name: String,
    /// `userName`.
    pub user_name: String,
    /// The primary e-mail address; empty without one.
    pub email: String,
    /// Who manages the user.
    pub source: Source,
    /// Whether the user may use anything.
    pub status: Status,
    /// What the user may do here.
    pub level: Level,
    /// When the user last signed in.
    pub last_sign_in: Option<Time>,
    /// When the user was last changed.
    pub changed: Time,
}

impl List {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Name").sorted(&self.address, "name"),
            Column::new("User name").sorted(&self.address, "user_name"),
            Column::new("Managed by"),
            Column::new("Status"),
            Column::new("Level"),
            Column::new("Last sign-in"),
            Column::new("Changed").sorted(&self.address, "changed"),
        ]
    }
}

impl Page for List {
    fn title(&self) -> String {
        "Users".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Users)
    }
}
