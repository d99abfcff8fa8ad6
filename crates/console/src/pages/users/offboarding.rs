//! What became of somebody's accounts on hosts.

use askama::Template;

use crate::parts::{Alert, Badge, Confirm, Link, Time};
use crate::{Address, Crumb, Page, Section, Shell};

/// On which hosts somebody has or had an account, and what they have left there.
#[derive(Debug, Template)]
#[template(path = "users/offboarding.html")]
pub struct Offboarding {
    /// The frame.
    pub shell: Shell,
    /// Their name.
    pub name: String,
    /// Their page.
    pub user: Address,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// How things stand.
    pub summary: Alert,
    /// The hosts, by name.
    pub rows: Vec<Account>,
    /// What can be done about what is left, where the person may.
    pub actions: Vec<Confirm>,
}

/// An account on a host.
#[derive(Debug)]
pub struct Account {
    /// The host.
    pub host: Link,
    /// The name of the account.
    pub name: String,
    /// How far it has come.
    pub state: Badge,
    /// Since when they are to be shut out.
    pub denied: Option<Time>,
    /// Since when the host says that they are.
    pub acknowledged: Option<Time>,
    /// What they have left there, in words; `None`: the host has not said.
    pub left: Option<String>,
    /// Whether they could use `sudo`.
    pub had_sudo: bool,
    /// What was asked for about that.
    pub removal: Option<Removal>,
    /// When the host reported last.
    pub reported: Option<Time>,
}

/// What was asked for about what somebody has left.
#[derive(Debug)]
pub struct Removal {
    /// What came of it, in words.
    pub said: Badge,
    /// When it was asked for, or answered.
    pub at: Time,
    /// What was removed, or would be; why it was not.
    pub lines: Vec<String>,
}

impl Page for Offboarding {
    fn title(&self) -> String {
        "Offboarding".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Users)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![
            Crumb::new("Users", Section::Users.address()),
            Crumb::new(self.name.clone(), self.user.clone()),
        ]
    }
}
