//! The secret tokens of a directory.

use askama::Template;

use super::{Head, View, all};
use crate::parts::{Alert, Badge, Confirm, Copyable, Link, Secret, Time};
use crate::{Crumb, Page, Section, Shell};

/// The tokens of a directory.
#[derive(Debug, Template)]
#[template(path = "directories/tokens.html")]
pub struct Tokens {
    /// The frame.
    pub shell: Shell,
    /// The directory.
    pub head: Head,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// The tokens, the newest first.
    pub rows: Vec<Token>,
    /// Makes one, where the person may.
    pub create: Option<Confirm>,
    /// Makes one in the place of the others.
    pub rotate: Option<Confirm>,
}

/// One of them.
#[derive(Debug)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// Whether it works.
    pub state: Badge,
    /// When it was made.
    pub created: Time,
    /// When it was last used.
    pub last_used: Option<Time>,
    /// When it ends.
    pub ends: Option<Time>,
    /// Ends it now.
    pub revoke: Option<Confirm>,
}

/// A token that was just made, with its secret.
#[derive(Debug, Template)]
#[template(path = "directories/made.html")]
pub struct Made {
    /// The frame.
    pub shell: Shell,
    /// What was made.
    pub title: String,
    /// The directory.
    pub name: String,
    /// What the provider's form asks for besides.
    pub tenant_url: Copyable,
    /// The secret.
    pub secret: Secret,
    /// What follows, such as tokens that end because of it; may be empty.
    pub follows: String,
    /// What to do next.
    pub next: Link,
}

impl Page for Made {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Directories)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![all(), Crumb::new(self.name.clone(), self.next.href.clone())]
    }
}
