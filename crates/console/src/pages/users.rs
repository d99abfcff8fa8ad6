//! Users.

mod offboarding;

pub use offboarding::{Account, Offboarding, Removal};

use askama::Template;

use crate::parts::{
    Alert, Badge, Certificates, Column, Confirm, Empty, Facts, Field, Icon, Level, Pager,
    ReachedHosts, Sessions, Source, Status, Time, Toolbar,
};
use crate::{Address, Crumb, Page, Section, Shell};

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
    /// The primary e-mail address; empty without one, and where it is the user name.
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
            Column::new("Changed"),
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

/// Somebody, with what can be done about them.
#[derive(Debug, Template)]
#[template(path = "users/user.html")]
pub struct User {
    /// The frame.
    pub shell: Shell,
    /// The name to show.
    pub name: String,
    /// Whether they may use anything.
    pub status: Status,
    /// What they may do here.
    pub level: Level,
    /// Where they are managed.
    pub source: Source,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// What the provider says of them, or what was written here.
    pub profile: Facts,
    /// Changes that, where they are edited here and the person may.
    pub edit: Option<Edit>,
    /// The groups they are in.
    pub groups: Vec<Membership>,
    /// Where they are signed in.
    pub sessions: Option<Sessions>,
    /// Ends all of that.
    pub end_sessions: Option<Confirm>,
    /// Where they may log in, where the person may know.
    pub access: Option<Access>,
    /// Their certificates, where the person may see them.
    pub certificates: Option<Certificates>,
    /// What happened to them, the newest first.
    pub history: Vec<Change>,
    /// All of that.
    pub all_history: Address,
    /// Changes the level.
    pub change_level: Option<Confirm>,
    /// Suspends or reinstates.
    pub change_status: Option<Confirm>,
    /// Removes them.
    pub delete: Option<Confirm>,
    /// Whether visitors find them, and their page as a visitor host; in a directory for visitors, where the person may know.
    pub visitors: Option<(Badge, Address)>,
}

/// Where somebody may log in, and as whom.
#[derive(Debug)]
pub struct Access {
    /// Why it is nowhere, said to admins; empty where it is somewhere.
    pub nowhere: String,
    /// The hosts.
    pub hosts: ReachedHosts,
    /// Where it is said why somebody may log in, or may not.
    pub explain: Address,
    /// Where temporary access is given, where the person may.
    pub grant: Option<Address>,
    /// The account: name, numbers, what is wrong with it.
    pub account: Facts,
    /// Other names on some hosts.
    pub identities: Vec<Identity>,
    /// Adds one of those, where the person may.
    pub add: Option<Confirm>,
    /// What became of their accounts on hosts, also of those where they may not log in any more.
    pub offboarding: Address,
}

/// Another account name on some hosts.
#[derive(Debug)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The tag expression.
    pub hosts: String,
    /// Takes it away, where the person may.
    pub remove: Option<Confirm>,
}

impl Access {
    fn dialogs(&self) -> impl Iterator<Item = &Confirm> {
        let of_rows = self.identities.iter().filter_map(|one| one.remove.as_ref());
        of_rows.chain(&self.add)
    }
}

/// The form that changes somebody who is edited here.
#[derive(Debug)]
pub struct Edit {
    /// Where it posts to.
    pub action: Address,
    /// What is to be filled in.
    pub fields: Vec<Field>,
}

/// A group that somebody is in.
#[derive(Debug)]
pub struct Membership {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: Address,
    /// Where the membership is managed.
    pub source: Source,
    /// Whether it is only through another group.
    pub nested: bool,
    /// When it ends.
    pub until: Option<Time>,
}

/// Something that happened to a user or a group.
#[derive(Debug)]
pub struct Change {
    /// The event's page.
    pub href: Address,
    /// What happened, with who did it.
    pub text: String,
    /// When.
    pub at: Time,
    /// What became what: attribute, before, after.
    pub values: Vec<(String, String, String)>,
    /// Whether it was refused.
    pub failed: bool,
}

impl User {
    fn is_foreign(&self) -> bool {
        self.source.is_foreign()
    }
}

impl Page for User {
    fn title(&self) -> String {
        self.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Users)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Users", Section::Users.address())]
    }
}
