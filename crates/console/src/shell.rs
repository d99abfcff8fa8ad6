//! What stands around a page: navigation, who is signed in, where one is.

use askama::Template;

use crate::Address;
use crate::parts::{Icon, Level, Tone};

/// A page of the console or a page before it.
///
/// The frame shows title, way and actions; the page's template fills in the rest.
pub trait Page: Template {
    /// What the page is about; its heading and the first words of the window's title.
    fn title(&self) -> String;

    /// The entry of the navigation that the page belongs to.
    fn section(&self) -> Option<Section> {
        None
    }

    /// The pages above this one, the topmost first.
    fn crumbs(&self) -> Vec<Crumb> {
        Vec::new()
    }

    /// The HTML of the page.
    fn html(&self) -> String {
        // A template can fail only when something that it shows cannot be written, and writing to memory never fails.
        self.render().unwrap_or_else(|error| error.to_string())
    }
}

/// What every page of the console is framed with.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The team's name.
    pub team: String,
    /// Who is signed in.
    pub who: Who,
    /// The entries of the navigation that this person may open, in order.
    pub sections: Vec<Section>,
    /// Where the team's feed ended before what the page shows was read: the page hears what has happened since. `None`:
    /// it hears what happens once it listens.
    pub position: Option<i64>,
    /// How many things on the Overview need attention.
    pub needs_attention: usize,
    /// What the last action did, shown once.
    pub flash: Option<Flash>,
}

impl Shell {
    /// The navigation, of which `current` is shown.
    pub(crate) fn entries(&self, current: Option<Section>) -> Vec<Entry> {
        let entry = |section: &Section| Entry {
            section: *section,
            current: Some(*section) == current,
            badge: match section {
                Section::Overview => self.needs_attention,
                _ => 0,
            },
        };
        self.sections.iter().map(entry).collect()
    }

    /// The initials of who is signed in, two at most.
    pub(crate) fn initials(&self) -> String {
        let words = self.who.name.split_whitespace();
        let letters = words.filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
        let letters: Vec<char> = letters.collect();
        match letters.as_slice() {
            [] => "?".to_owned(),
            [only] => only.to_uppercase().to_string(),
            [first, .., last] => first.to_uppercase().chain(last.to_uppercase()).collect(),
        }
    }
}

/// An entry of the navigation, as it is shown.
pub(crate) struct Entry {
    pub(crate) section: Section,
    pub(crate) current: bool,
    pub(crate) badge: usize,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Who {
    /// The name to show.
    pub name: String,
    /// What the person may do.
    pub level: Level,
}

/// What the last action did.
#[derive(Clone, Debug)]
pub struct Flash {
    /// Good or bad.
    pub tone: Tone,
    /// A sentence.
    pub text: String,
}

/// A page above the one that is shown.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// Its title.
    pub label: String,
    /// Where it is.
    pub href: Address,
}

impl Crumb {
    /// A page above.
    pub fn new(label: impl Into<String>, href: Address) -> Self {
        Self {
            label: label.into(),
            href,
        }
    }
}

/// The frame of pages that nobody needs to be signed in for.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    /// The team's name, where it is known.
    pub team: Option<String>,
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// How things are.
    Overview,
    /// People.
    Users,
    /// Sets of people.
    Groups,
    /// Machines.
    Hosts,
    /// Who may log in where.
    Access,
    /// What lets them in.
    Certificates,
    /// Who comes to see somebody, and where.
    Visitors,
    /// Sources of people.
    Directories,
    /// Who changed what, and what happened.
    Logs,
    /// Levels, sessions, tokens and so on.
    Settings,
    /// One's own page.
    Me,
}

impl Section {
    /// All of them, in the order of the navigation.
    pub const ALL: [Self; 11] = [
        Self::Overview,
        Self::Users,
        Self::Groups,
        Self::Hosts,
        Self::Access,
        Self::Certificates,
        Self::Visitors,
        Self::Directories,
        Self::Logs,
        Self::Settings,
        Self::Me,
    ];

    /// The name in the navigation.
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Users => "Users",
            Self::Groups => "Groups",
            Self::Hosts => "Hosts",
            Self::Access => "Access",
            Self::Certificates => "Certificates",
            Self::Visitors => "Visitors",
            Self::Directories => "Directories",
            Self::Logs => "Logs",
            Self::Settings => "Settings",
            Self::Me => "My page",
        }
    }

    /// The path of its first page.
    pub fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console",
            Self::Users => "/console/users",
            Self::Groups => "/console/groups",
            Self::Hosts => "/console/hosts",
            Self::Access => "/console/access",
            Self::Certificates => "/console/certificates",
            Self::Visitors => "/console/visitors",
            Self::Directories => "/console/directories",
            Self::Logs => "/console/logs",
            Self::Settings => "/console/settings",
            Self::Me => "/console/me",
        }
    }

    /// Its first page.
    pub fn address(self) -> Address {
        Address::new(self.path())
    }

    /// The letter that leads there after `g`.
    pub fn key(self) -> char {
        match self {
            Self::Overview => 'o',
            Self::Users => 'u',
            Self::Groups => 'g',
            Self::Hosts => 'h',
            Self::Access => 'a',
            Self::Certificates => 'c',
            Self::Visitors => 'v',
            Self::Directories => 'd',
            Self::Logs => 'l',
            Self::Settings => 's',
            Self::Me => 'm',
        }
    }

    pub(crate) fn icon(self) -> Icon {
        match self {
            Self::Overview => Icon::Gauge,
            Self::Users => Icon::Users,
            Self::Groups => Icon::Groups,
            Self::Hosts => Icon::Host,
            Self::Access => Icon::Shield,
            Self::Certificates => Icon::Certificate,
            Self::Visitors => Icon::Visitor,
            Self::Directories => Icon::Directory,
            Self::Logs => Icon::Log,
            Self::Settings => Icon::Settings,
            Self::Me => Icon::User,
        }
    }
}
