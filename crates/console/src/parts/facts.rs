//! What is known about something, line by line.

use std::fmt;

use askama::Template;

use super::{Badge, Copyable, Level, Link, Source, Status, Tags, Time, markup};

/// What is known about something.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "parts/facts.html")]
pub struct Facts(pub Vec<Fact>);

/// One thing that is known.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is: "Department".
    pub label: String,
    /// What is known.
    pub value: Shown,
    /// A few words more, such as where it came from; may be empty.
    pub note: String,
}

/// A value as it is shown.
#[derive(Clone, Debug)]
pub enum Shown {
    /// Nothing is known.
    Nothing,
    /// Text.
    Text(String),
    /// What is often pasted elsewhere.
    Copyable(Copyable),
    /// A moment.
    Time(Time),
    /// A word in a frame.
    Badge(Badge),
    /// Whether somebody may use anything.
    Status(Status),
    /// What somebody may do here.
    Level(Level),
    /// Who manages it.
    Source(Source),
    /// A way to somewhere.
    Link(Link),
    /// What a host is called by.
    Tags(Tags),
}

impl Fact {
    /// Without a note.
    pub fn new(label: impl Into<String>, value: Shown) -> Self {
        Self {
            label: label.into(),
            value,
            note: String::new(),
        }
    }

    /// Text; nothing where it is empty.
    pub fn text(label: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let value = match text.is_empty() {
            true => Shown::Nothing,
            false => Shown::Text(text),
        };
        Self::new(label, value)
    }

    /// With a few words more.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.write_str(r#"<span class="muted">none</span>"#),
            Self::Text(text) => Text { text }.fmt(out),
            Self::Copyable(value) => value.fmt(out),
            Self::Time(value) => value.fmt(out),
            Self::Badge(value) => value.fmt(out),
            Self::Status(value) => value.fmt(out),
            Self::Level(value) => value.fmt(out),
            Self::Source(value) => value.fmt(out),
            Self::Link(link) => Anchor { link }.fmt(out),
            Self::Tags(tags) => tags.fmt(out),
        }
    }
}

#[derive(Template)]
#[template(source = "<bdi>{{ text }}</bdi>", ext = "html")]
struct Text<'a> {
    text: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<a href="{{ link.href }}"><bdi>{{ link.label }}</bdi></a>"#,
    ext = "html"
)]
struct Anchor<'a> {
    link: &'a Link,
}

markup!(Facts, Shown);
