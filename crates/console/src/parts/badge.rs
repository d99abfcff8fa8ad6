//! Words in a small frame: what something is. Never by colour alone.

use std::fmt;

use askama::Template;

use super::{Icon, markup};

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Neutral,
    /// To be known.
    Info,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Tone {
    /// The picture that goes with it.
    pub(crate) fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Info => Icon::Info,
            Self::Good => Icon::Check,
            Self::Warn | Self::Bad => Icon::Alert,
        }
    }
}

impl fmt::Display for Tone {
    /// The class of the styles.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        })
    }
}

/// A word in a frame.
#[derive(Clone, Debug, Template)]
#[template(
    source = r#"<span class="badge {{ tone }}">{% if let Some(icon) = icon %}{{ icon }}{% endif %}<bdi>{{ text }}</bdi></span>"#,
    ext = "html"
)]
pub struct Badge {
    /// How it is meant.
    pub tone: Tone,
    /// A picture before it.
    pub icon: Option<Icon>,
    /// The word.
    pub text: String,
}

impl Badge {
    /// A word without a picture.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            icon: None,
            text: text.into(),
        }
    }

    /// With a picture.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }
}

/// Whether somebody may use anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// May.
    Active,
    /// Deactivated at the source or here.
    Suspended,
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, word) = match self {
            Self::Active => ("good", "Active"),
            Self::Suspended => ("bad", "Suspended"),
        };
        write!(out, r#"<span class="state {class}">{word}</span>"#)
    }
}

/// What somebody may do in Portreeve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Owner,
    /// Everything but levels, owners and the team.
    Admin,
    /// See everything.
    Auditor,
    /// See the own page.
    User,
}

impl Level {
    /// All of them, the highest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Auditor, Self::User];

    /// The word for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Auditor => "Auditor",
            Self::User => "User",
        }
    }

    /// The word in forms, API and command line.
    pub fn value(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::User => "user",
        }
    }

    /// What it lets somebody do.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "Everything, also making admins and owners.",
            Self::Admin => "Everything but making admins and owners.",
            Self::Auditor => "See everything, change nothing.",
            Self::User => "Sign in and see the own page.",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.label();
        let class = self.value();
        write!(out, r#"<span class="level {class}">{word}</span>"#)
    }
}

/// Who manages a user, a group or a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Portreeve: it can be changed here.
    Portreeve,
    /// An identity provider, through the directory of this name: it is changed there.
    Directory(String),
}

impl Source {
    /// Whether it is changed somewhere else.
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Directory(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Portreeve => Badge::new(Tone::Neutral, "Portreeve")
                .icon(Icon::Mark)
                .fmt(out),
            Self::Directory(name) => Foreign { name }.fmt(out),
        }
    }
}

#[derive(Template)]
#[template(
    source = r#"<span class="badge info" title="Managed by {{ name }}: change it there">{{ Icon::Lock }}<bdi>{{ name }}</bdi></span>"#,
    ext = "html"
)]
struct Foreign<'a> {
    name: &'a str,
}

markup!(Badge, Status, Level, Source);
