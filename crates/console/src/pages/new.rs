//! The forms that make something with a page of its own.

use askama::Template;

use crate::parts::{Alert, Field};
use crate::{Address, Crumb, Page, Section, Shell};

/// The form that makes a user, a group, a host, a directory or a location.
#[derive(Debug, Template)]
#[template(path = "new.html")]
pub struct New {
    /// The frame.
    pub shell: Shell,
    /// What is made.
    pub kind: Kind,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// What is to be filled in.
    pub fields: Vec<Field>,
}

/// What a form makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody in a native directory.
    User,
    /// A group in a native directory.
    Group,
    /// A host.
    Host,
    /// A directory.
    Directory,
    /// A location where visitors are received.
    Location,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Host => "host",
            Self::Directory => "directory",
            Self::Location => "location",
        }
    }

    /// Where such things are listed, and where the form posts to.
    fn all(self) -> Address {
        match self {
            Self::Location => self.section().address().join("locations"),
            _ => self.section().address(),
        }
    }

    /// The entry of the navigation that they belong to.
    fn section(self) -> Section {
        match self {
            Self::User => Section::Users,
            Self::Group => Section::Groups,
            Self::Host => Section::Hosts,
            Self::Directory => Section::Directories,
            Self::Location => Section::Visitors,
        }
    }

    fn lead(self) -> Option<&'static str> {
        match self {
            Self::User | Self::Group => None,
            Self::Host => Some("Its tags say which grants let people in."),
            Self::Directory => {
                Some("Say who will feed it. The next page shows, step by step, what to do there.")
            }
            Self::Location => {
                Some("The next page has all its settings, and makes the device for its door.")
            }
        }
    }
}

impl Page for New {
    fn title(&self) -> String {
        format!("New {}", self.kind.noun())
    }

    fn section(&self) -> Option<Section> {
        Some(self.kind.section())
    }

    fn crumbs(&self) -> Vec<Crumb> {
        let section = self.kind.section();
        let mut crumbs = vec![Crumb::new(section.label(), section.address())];
        if self.kind == Kind::Location {
            crumbs.push(Crumb::new("Locations", self.kind.all()));
        }
        crumbs
    }
}
