//! Where visitors are received, and the tablets there.

use askama::Template;

use super::{crumb, tabs};
use crate::pages::settings::Block;
use crate::pages::users::Change;
use crate::parts::{
    Alert, Badge, Column, Confirm, Count, Empty, Facts, Field, Link, PostButton, Secret, Tabs,
};
use crate::{Address, Crumb, Page, Section, Shell};

/// The locations of a team.
#[derive(Debug, Template)]
#[template(path = "visitors/locations.html")]
pub struct Locations {
    /// The frame.
    pub shell: Shell,
    /// By name.
    pub rows: Vec<Row>,
    /// What is said when there are none.
    pub empty: Empty,
    /// Where one is made, where the person may.
    pub create: Option<Address>,
}

/// One of [`Locations`].
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its page.
    pub href: Address,
    /// Its name.
    pub name: String,
    /// Whether it receives visitors now.
    pub state: Badge,
    /// By which clock it opens.
    pub time_zone: String,
    /// How many visitors are there.
    pub here: Count,
    /// How many are expected.
    pub expected: Count,
    /// How many tablets stand there.
    pub devices: Count,
}

impl Locations {
    fn tabs(&self) -> Tabs {
        tabs("Locations")
    }

    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("Name"),
            Column::new("State"),
            Column::new("Time zone"),
            Column::new("Here").numeric(),
            Column::new("Expected").numeric(),
            Column::new("Devices").numeric(),
        ]
    }
}

impl Page for Locations {
    fn title(&self) -> String {
        "Locations".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![crumb()]
    }
}

/// A location with its settings and devices.
#[derive(Debug, Template)]
#[template(path = "visitors/location.html")]
pub struct Location {
    /// The frame.
    pub shell: Shell,
    /// Its name.
    pub name: String,
    /// Whether it receives visitors now.
    pub state: Badge,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// What somebody should look at.
    pub alerts: Vec<Alert>,
    /// How a device is set up that was made just now.
    pub secrets: Vec<Secret>,
    /// What is known about it, with what is decided where the person may not change that.
    pub profile: Facts,
    /// Shows with what messages to its program are signed, where there is one and the person may.
    pub show_secret: Option<PostButton>,
    /// Who is there now.
    pub roll_call: Link,
    /// The tablets.
    pub devices: Block,
    /// Where it is changed, with what is to be filled in; where the person may.
    pub edit: Option<(Address, Vec<Part>)>,
    /// What happened to it, the newest first.
    pub history: Vec<Change>,
    /// All of that.
    pub all_history: Address,
    /// Removes it.
    pub delete: Option<Confirm>,
}

/// Settings that belong together.
#[derive(Debug)]
pub struct Part {
    /// What they are about.
    pub title: &'static str,
    /// What is to be filled in.
    pub fields: Vec<Field>,
}

impl Page for Location {
    fn title(&self) -> String {
        self.name.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        let locations = Section::Visitors.address().join("locations");
        vec![crumb(), Crumb::new("Locations", locations)]
    }
}
