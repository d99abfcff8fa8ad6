//! Settings of the team: who may come in, and by which means.

use askama::Template;

use crate::parts::{Alert, Confirm, Facts, Secret, Sessions, Shown, Tab, Tabs, markup};
use crate::{Address, Page, Section, Shell};

/// One of the pages of the settings: some blocks, each with a heading.
#[derive(Debug, Template)]
#[template(path = "settings/page.html")]
pub struct Settings {
    /// The frame.
    pub shell: Shell,
    /// The pages, of which one is shown.
    pub pages: Vec<(&'static str, Address)>,
    /// The name of the one that is shown.
    pub shown: &'static str,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// A secret that was made just now.
    pub secret: Option<Secret>,
    /// What is on the page.
    pub blocks: Vec<Block>,
}

/// A part of a page, with the dialogs of what can be done there.
#[derive(Debug, Template)]
#[template(path = "settings/block.html")]
pub struct Block {
    /// A word, unique on the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it is about.
    pub lead: String,
    /// What can be done with all of it.
    pub actions: Vec<Confirm>,
    /// What is in it.
    pub content: Content,
    /// After which kinds of changes it is asked for again.
    pub live: &'static str,
}

/// What is in a [`Block`].
#[derive(Debug)]
pub enum Content {
    /// A list.
    Table(Table),
    /// What is known about one thing.
    Facts(Facts),
    /// Who is signed in.
    Sessions(Sessions),
    /// Nothing but the words over it.
    Nothing,
}

/// A list.
#[derive(Debug)]
pub struct Table {
    /// The heads of its columns.
    pub head: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: &'static str,
}

/// A row of a [`Table`].
#[derive(Debug)]
pub struct Row {
    /// Its cells, one for each head.
    pub cells: Vec<Shown>,
    /// What can be done with it.
    pub actions: Vec<Confirm>,
}

impl Table {
    /// The cells of a row, each with the head of its column.
    fn cells<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'static str, &'a Shown)> {
        self.head.iter().copied().zip(&row.cells)
    }

    fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| !row.actions.is_empty())
    }
}

impl Block {
    /// The dialogs of everything that can be done, which stand outside of what is refreshed.
    fn dialogs(&self) -> Vec<&Confirm> {
        let rows: &[Row] = match &self.content {
            Content::Table(table) => &table.rows,
            _ => &[],
        };
        let of_rows = rows.iter().flat_map(|row| &row.actions);
        self.actions.iter().chain(of_rows).collect()
    }
}

impl Settings {
    fn tabs(&self) -> Tabs {
        let tab = |(label, href): &(&'static str, Address)| Tab {
            label,
            href: href.clone(),
            current: *label == self.shown,
            count: None,
        };
        Tabs {
            label: "Settings".to_owned(),
            tabs: self.pages.iter().map(tab).collect(),
        }
    }
}

impl Page for Settings {
    fn title(&self) -> String {
        "Settings".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Settings)
    }
}

markup!(Block);
