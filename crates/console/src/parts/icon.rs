//! Icons of the sprite that every page carries.

use std::fmt;

use super::markup;

/// A small picture beside a word. It says nothing by itself and is hidden from screen readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Icon {
    Alert,
    Browser,
    Certificate,
    Check,
    ChevronDown,
    ChevronRight,
    Clock,
    Close,
    Copy,
    Device,
    Directory,
    Dots,
    Download,
    External,
    Filter,
    Gauge,
    Groups,
    Host,
    Info,
    Key,
    Link,
    Lock,
    Log,
    Mail,
    Mark,
    Menu,
    Minus,
    Moon,
    Passkey,
    Plus,
    Refresh,
    Search,
    Settings,
    Shield,
    SignOut,
    Sun,
    Trash,
    User,
    Users,
    Visitor,
}

impl Icon {
    /// All of them.
    pub const ALL: [Self; 40] = [
        Self::Alert,
        Self::Browser,
        Self::Certificate,
        Self::Check,
        Self::ChevronDown,
        Self::ChevronRight,
        Self::Clock,
        Self::Close,
        Self::Copy,
        Self::Device,
        Self::Directory,
        Self::Dots,
        Self::Download,
        Self::External,
        Self::Filter,
        Self::Gauge,
        Self::Groups,
        Self::Host,
        Self::Info,
        Self::Key,
        Self::Link,
        Self::Lock,
        Self::Log,
        Self::Mail,
        Self::Mark,
        Self::Menu,
        Self::Minus,
        Self::Moon,
        Self::Passkey,
        Self::Plus,
        Self::Refresh,
        Self::Search,
        Self::Settings,
        Self::Shield,
        Self::SignOut,
        Self::Sun,
        Self::Trash,
        Self::User,
        Self::Users,
        Self::Visitor,
    ];
}

markup!(Icon);

impl fmt::Display for Icon {
    /// The symbol in `templates/sprite.svg` has the name of the variant.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            r##"<svg class="icon" aria-hidden="true"><use href="#i-{self:?}"/></svg>"##
        )
    }
}
