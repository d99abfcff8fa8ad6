//! The accounts that the people of a directory have on hosts.

use askama::Template;

use super::{Head, View};
use crate::parts::{Alert, Badge, Field, Link, Pager};
use crate::{Page, Shell};

/// How account names are made, what another rule would come to, and the accounts.
#[derive(Debug, Template)]
#[template(path = "directories/accounts.html")]
pub struct Accounts {
    /// The frame.
    pub shell: Shell,
    /// The directory.
    pub head: Head,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// The rule; nobody can write into it who may not.
    pub fields: Vec<Field>,
    /// Whether the person may change it.
    pub may_change: bool,
    /// What the rule would come to that is filled in.
    pub forecast: Option<Forecast>,
    /// The accounts, a page of them.
    pub rows: Vec<Account>,
    /// The way on.
    pub pager: Pager,
}

/// What a rule would come to.
#[derive(Debug)]
pub struct Forecast {
    /// In sentences.
    pub summary: Vec<Alert>,
    /// Who would be called otherwise: user name, now, then.
    pub renames: Vec<(String, String, String)>,
    /// Who would have no name: who, and why.
    pub without: Vec<(Link, String)>,
}

/// Somebody with their account.
#[derive(Debug)]
pub struct Account {
    /// The user.
    pub who: Link,
    /// The name of the account; empty without one.
    pub name: String,
    /// Numbers of the user and of the user's own group; empty where they are not given yet.
    pub numbers: String,
    /// What is wrong.
    pub problem: String,
    /// Whether that keeps them out.
    pub state: Badge,
}
