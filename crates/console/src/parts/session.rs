//! Who is signed in where.

use askama::Template;

use super::{Icon, Link, PostButton, Time, markup};

/// Sessions, each with a button that ends it.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/sessions.html")]
pub struct Sessions {
    /// What they are, for screen readers: "Sessions of Ada Lovelace".
    pub caption: String,
    /// The sessions, the one last seen first.
    pub rows: Vec<Session>,
}

/// A browser or a command line that is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whether it is a command line, not a browser.
    pub command_line: bool,
    /// The program and system: "Firefox on Linux".
    pub device: String,
    /// Whose it is, where sessions of several people are shown.
    pub who: Option<Link>,
    /// The network address it was last used from.
    pub address: String,
    /// When it began.
    pub started: Time,
    /// When it was last used, to a minute.
    pub last_seen: Time,
    /// When it ends at the latest.
    pub ends: Time,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What ends it, where the person may.
    pub end: Option<PostButton>,
}

impl Sessions {
    fn shows_who(&self) -> bool {
        self.rows.iter().any(|row| row.who.is_some())
    }
}

markup!(Sessions);
