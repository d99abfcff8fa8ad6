//! Messages: what happened, what is missing, what comes next.

use askama::Template;

use super::{Icon, Sentence, Tone, markup};
use crate::Address;

/// A way to somewhere, with its words.
#[derive(Clone, Debug)]
pub struct Link {
    /// The words.
    pub label: String,
    /// Where it leads.
    pub href: Address,
}

impl Link {
    /// A way to somewhere.
    pub fn new(label: impl Into<String>, href: Address) -> Self {
        Self {
            label: label.into(),
            href,
        }
    }
}

/// A box that says something about the page.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/alert.html")]
pub struct Alert {
    /// How it is meant.
    pub tone: Tone,
    /// What it is about.
    pub title: String,
    /// What is so, and what to do.
    pub text: String,
    /// Where that is done.
    pub link: Option<Link>,
}

impl Alert {
    fn sentence(&self) -> Sentence {
        Sentence(self.text.clone())
    }

    /// A box without a link.
    pub fn new(tone: Tone, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            tone,
            title: title.into(),
            text: text.into(),
            link: None,
        }
    }

    /// With where something is done about it.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = Some(link);
        self
    }
}

/// What stands where a list has nothing: why, and how something gets there.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/empty.html")]
pub struct Empty {
    /// A picture.
    pub icon: Icon,
    /// "No users yet".
    pub title: String,
    /// Why, and how they get here.
    pub text: String,
    /// Where to begin.
    pub link: Option<Link>,
}

/// The way through something in several steps.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/steps.html")]
pub struct Steps {
    /// What they lead to, for screen readers.
    pub label: String,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One of [`Steps`].
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done in it.
    pub label: String,
    /// A few words more; may be empty.
    pub detail: String,
    /// How far it is.
    pub state: StepState,
    /// Its page.
    pub href: Option<Address>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Done.
    Done,
    /// The one to do now.
    Current,
    /// To be done later.
    Ahead,
}

markup!(Alert, Empty, Steps);
