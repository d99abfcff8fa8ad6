//! What the provider asked lately.

use askama::Template;

use super::{Head, View};
use crate::parts::{Badge, Column, Link, Time};
use crate::{Page, Shell};

/// The latest requests for a directory, as far as this server has seen them.
#[derive(Debug, Template)]
#[template(path = "directories/requests.html")]
pub struct Requests {
    /// The frame.
    pub shell: Shell,
    /// The directory.
    pub head: Head,
    /// The requests, the newest first.
    pub rows: Vec<Request>,
    /// How many of them are kept.
    pub kept: usize,
}

/// A request.
#[derive(Debug)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// When it came.
    pub at: Time,
    /// `GET`, `POST`, ….
    pub method: String,
    /// What it was for, below the tenant URL.
    pub path: String,
    /// What it looked for, such as a filter; may be empty.
    pub query: String,
    /// How it was answered.
    pub status: Badge,
    /// How long that took.
    pub took: String,
    /// What it changed, or why it was refused, where the person may read the log.
    pub events: Option<Link>,
}

impl Requests {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Request"),
            Column::new("Answer"),
            Column::new("Took").numeric(),
            Column::new("When"),
            Column::new("Events"),
        ]
    }
}
