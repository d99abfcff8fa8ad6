//! The log: who changed what, and what happened.

use askama::Template;

use crate::parts::{
    Alert, Column, Confirm, Empty, Facts, Field, Filter, Link, Pager, PostButton, Time,
};
use crate::{Address, Crumb, Page, Section, Shell};

/// The log, as far as it was narrowed down.
#[derive(Debug, Template)]
#[template(path = "logs/list.html")]
pub struct List {
    /// The frame.
    pub shell: Shell,
    /// The categories, as chips, and other things that narrow it down at a click.
    pub filters: Vec<Filter>,
    /// What narrows it down by writing.
    pub fields: Vec<Field>,
    /// What of the address the form keeps.
    pub kept: Vec<(String, String)>,
    /// Whether the form is open, because something was filled in.
    pub is_narrowed: bool,
    /// The log without any of that, where there is any.
    pub clear: Option<Address>,
    /// What is wrong with what was filled in.
    pub problem: Option<Alert>,
    /// The events, the newest first.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
    /// Whether new events appear by themselves: only at the beginning of the log.
    pub is_live: bool,
    /// What there is as files: CSV, JSON lines.
    pub exports: Vec<Link>,
    /// Filters that somebody has given a name.
    pub views: Vec<View>,
    /// Gives the filters a name, where there are some and the person may.
    pub save: Option<Confirm>,
}

/// An event of a [`List`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// When.
    pub at: Time,
    /// The category.
    pub category: String,
    /// What happened, with who did it.
    pub text: String,
    /// Why it was refused; empty where it was not.
    pub reason: String,
}

/// A saved filter.
#[derive(Debug)]
pub struct View {
    /// Its name.
    pub name: String,
    /// The log with it.
    pub href: Address,
    /// Forgets it.
    pub remove: Option<PostButton>,
}

impl List {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("What"),
            Column::new("Category"),
            Column::new("Refused for"),
            Column::new("When"),
        ]
    }

    fn live(&self) -> &'static str {
        if self.is_live { "*" } else { "nothing" }
    }
}

impl Page for List {
    fn title(&self) -> String {
        "Logs".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Logs)
    }
}

/// One event.
#[derive(Debug, Template)]
#[template(path = "logs/event.html")]
pub struct Event {
    /// The frame.
    pub shell: Shell,
    /// What happened, with who did it.
    pub text: String,
    /// Why it was refused, and what to do.
    pub refusal: Option<Alert>,
    /// Everything about it.
    pub facts: Facts,
    /// What became what: attribute, before, after.
    pub changes: Vec<(String, String, String)>,
    /// Everything that the same request did.
    pub same_request: Option<Link>,
}

impl Page for Event {
    fn title(&self) -> String {
        "Event".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Logs)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Logs", Section::Logs.address())]
    }
}
