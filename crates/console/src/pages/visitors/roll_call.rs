//! Who is in the house, for the moment in which everybody has to leave it.

use askama::Template;

use super::{Visited, crumb, tabs};
use crate::parts::{Count, Empty, Filter, Tabs};
use crate::{Crumb, Page, Section, Shell};

/// The visitors who are at a location now. It is printed as it is.
#[derive(Debug, Template)]
#[template(path = "visitors/roll_call.html")]
pub struct RollCall {
    /// The frame.
    pub shell: Shell,
    /// Chooses the location, where there are several.
    pub filters: Vec<Filter>,
    /// The location.
    pub location: String,
    /// When that was so, by the clock on the wall there.
    pub at: String,
    /// The visitors by name.
    pub rows: Vec<Present>,
    /// What is said when there are none.
    pub empty: Empty,
}

/// A visitor in the house.
#[derive(Debug)]
pub struct Present {
    /// The name.
    pub visitor: String,
    /// Whom the visitor works for; may be empty.
    pub company: String,
    /// Whom they came to see.
    pub visited: Visited,
    /// Since when, by that clock.
    pub came: String,
}

impl RollCall {
    fn tabs(&self) -> Tabs {
        tabs("Roll call")
    }

    fn count(&self) -> Count {
        Count(u64::try_from(self.rows.len()).unwrap_or(u64::MAX))
    }
}

impl Page for RollCall {
    fn title(&self) -> String {
        "Roll call".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Visitors)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![crumb()]
    }
}
