//! How things are, at a glance.

use askama::Template;

use crate::parts::{Alert, Chart, Icon, Steps, Time, Tone};
use crate::{Address, Page, Section, Shell};

/// The first page: whether everything runs, what needs somebody, what is still to be set up, what happened.
#[derive(Debug, Template)]
#[template(path = "overview/overview.html")]
pub struct Overview {
    /// The frame.
    pub shell: Shell,
    /// The health of each part.
    pub tiles: Vec<Tile>,
    /// What needs attention, the worst first.
    pub attention: Vec<Alert>,
    /// What is still to be set up; gone when everything is.
    pub checklist: Option<Steps>,
    /// Activity over time.
    pub charts: Vec<Chart>,
    /// What happened last, the newest first.
    pub recent: Vec<Happening>,
}

/// One number or word that says how a part of the whole is.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Which part: "Last request".
    pub label: &'static str,
    /// How it is.
    pub value: TileValue,
    /// A few words more; may be empty.
    pub detail: String,
    /// Whether that is good.
    pub tone: Tone,
    /// Where there is more.
    pub href: Address,
}

/// What a [`Tile`] shows.
#[derive(Clone, Debug)]
pub enum TileValue {
    /// Words or a number.
    Text(String),
    /// A moment.
    Time(Time),
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The event's page.
    pub href: Address,
    /// The category: `SCIM_SYNC`.
    pub category: String,
    /// What happened, with who did it: "Contoso Entra suspended Jürgen Groß".
    pub text: String,
    /// When.
    pub at: Time,
    /// Whether it was refused or failed.
    pub failed: bool,
}

impl Page for Overview {
    fn title(&self) -> String {
        "Overview".to_owned()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Overview)
    }
}
