//! Visitors: who comes, where they are received, and whom they find.

mod locations;
mod people;
mod roll_call;

pub use locations::{Location, Locations, Part, Row as LocationRow};
pub use people::{Open, People, Person, Row as PersonRow, Seen};
pub use roll_call::{Present, RollCall};

use askama::Template;

use super::users::Change;
use crate::parts::{
    Alert, Badge, Column, Confirm, Empty, Facts, Field, Filter, Link, Pager, PostButton, Tab, Tabs,
    Time,
};
use crate::{Address, Crumb, Page, Section, Shell};

/// The views of what concerns visitors, of which one is shown.
fn tabs(shown: &str) -> Tabs {
    let start = Section::Visitors.address();
    let [roll_call, locations, people] =
        ["roll-call", "locations", "people"].map(|path| start.clone().join(path));
    let all = [
        ("Visits", start),
        ("Roll call", roll_call),
        ("Locations", locations),
        ("Visitor hosts", people),
    ];
    let tab = |(label, href)| Tab {
        label,
        href,
        current: label == shown,
        count: None,
    };
    Tabs {
        label: "Visitors".to_owned(),
        tabs: all.into_iter().map(tab).collect(),
    }
}

fn crumb() -> Crumb {
    Crumb::new("Visitors", Section::Visitors.address())
}

/// The visits of a team, as far as they were looked for.
#[derive(Debug, Template)]
#[template(path = "visitors/list.html")]
pub struct Visits {
    /// The frame.
    pub shell: Shell,
    /// What somebody should look at, such as mails that wait.
    pub alerts: Vec<Alert>,
    /// What was wrong with what was sent or looked for.
    pub problem: Option<Alert>,
    /// What can be chosen by a click.
    pub filters: Vec<Filter>,
    /// What can be written to look for less.
    pub fields: Vec<Field>,
    /// What was chosen by a click, which the form keeps.
    pub kept: Vec<(&'static str, String)>,
    /// Whether anything was written.
    pub is_narrowed: bool,
    /// The list without any of that, where there is any.
    pub clear: Option<Address>,
    /// The visits, the latest first.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// The way on.
    pub pager: Pager,
    /// Whether the page shows what comes in.
    pub is_live: bool,
    /// The list as a file.
    pub exports: Vec<Link>,
    /// Announces somebody, where the person may.
    pub expect: Option<Confirm>,
}

/// One of [`Visits`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// The visitor; `None` where nobody knows any more who it was.
    pub visitor: Option<String>,
    /// Whom the visitor works for; may be empty.
    pub company: String,
    /// How it stands.
    pub state: Badge,
    /// Whom they come to see.
    pub visited: Visited,
    /// Where.
    pub location: String,
    /// When the visitor came.
    pub came: Option<Time>,
    /// When the visitor was expected, where they have not come.
    pub expected: Option<Time>,
    /// When the visitor left.
    pub left: Option<Time>,
    /// Signs out, where the person may.
    pub sign_out: Option<PostButton>,
}

/// Whom a visitor comes to see.
#[derive(Debug, Default)]
pub struct Visited {
    /// Their name; empty where the visitor knew nobody.
    pub name: String,
    /// Their page, where there is one.
    pub href: Option<Address>,
    /// What they have answered, or that visitors do not find them any more.
    pub note: Option<Badge>,
}

impl Visits {
    fn tabs(&self) -> Tabs {
        tabs("Visits")
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns = vec![
            Column::new("Visitor"),
            Column::new("State"),
            Column::new("Comes to see"),
            Column::new("Location"),
            Column::new("Came"),
            Column::new("Left"),
        ];
        if self.rows.iter().any(|row| row.sign_out.is_some()) {
            columns.push(Column::new(""));
        }
        columns
    }

    fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| row.sign_out.is_some())
    }

    fn live(&self) -> &'static str {
        match self.is_live {
            true => "Visit VISITOR",
            false => "nothing",
        }
    }
}

impl Page for Visits {
    fn title(&self) -> String {
        "Visitors".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }
}

/// A visit.
#[derive(Debug, Template)]
#[template(path = "visitors/visit.html")]
pub struct Visit {
    /// The frame.
    pub shell: Shell,
    /// The visitor, or what is said of one whom nobody knows any more.
    pub visitor: String,
    /// How it stands.
    pub state: Badge,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// What somebody should look at.
    pub alerts: Vec<Alert>,
    /// Who, where, whom, when.
    pub facts: Facts,
    /// Where the visitor's picture is, where there is one.
    pub photo: Option<Address>,
    /// What happened, the newest first.
    pub history: Vec<Change>,
    /// Signs out or takes the announcement back, where the person may.
    pub sign_out: Option<PostButton>,
}

impl Page for Visit {
    fn title(&self) -> String {
        self.visitor.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![crumb()]
    }
}
