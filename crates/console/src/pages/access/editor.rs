//! The form of a grant, which says what it would come to while it is filled in.

use askama::Template;

use crate::pages::hosts::Misread;
use crate::pages::users::Change;
use crate::parts::{Alert, Badge, Confirm, Facts, Field, Link};
use crate::{Address, Crumb, Page, Section, Shell};

/// The form of a new grant, or of one that there is.
#[derive(Debug, Template)]
#[template(path = "access/editor.html")]
pub struct Editor {
    /// The frame.
    pub shell: Shell,
    /// What it is called.
    pub title: String,
    /// Whether it counts, of one that there is.
    pub state: Option<Badge>,
    /// Where it is saved. A `GET` there shows what it would come to.
    pub action: Address,
    /// What was wrong with what was sent.
    pub problem: Option<Alert>,
    /// Who has it, of one that there is: that stays.
    pub subject: Option<Facts>,
    /// What is to be filled in.
    pub fields: Vec<Field>,
    /// What is seldom needed.
    pub more: Vec<Field>,
    /// Whether some of that is filled in.
    pub shows_more: bool,
    /// The button.
    pub save: &'static str,
    /// Whether the person may change it.
    pub may_change: bool,
    /// Names that can be put in as who has it.
    pub known: Vec<String>,
    /// What it would come to.
    pub preview: Preview,
    /// Ends it.
    pub revoke: Option<Confirm>,
    /// What happened to it.
    pub history: Vec<Change>,
}

/// What a grant would come to.
#[derive(Debug, Default)]
pub struct Preview {
    /// Whom the name was found to be.
    pub subject: Subject,
    /// What is wrong with the expression.
    pub misread: Option<Misread>,
    /// The hosts that it chooses.
    pub hosts: Option<Matched>,
    /// What changes for whom.
    pub effects: Vec<Effect>,
    /// What to think of beforehand.
    pub notes: Vec<Alert>,
}

/// Who is to have a grant.
#[derive(Debug, Default)]
pub enum Subject {
    /// Not said yet.
    #[default]
    Unsaid,
    /// Found.
    Found {
        /// Who.
        link: Link,
        /// A few words more: "12 people".
        note: String,
    },
    /// Not found, and why.
    Unknown(String),
}

/// The hosts that an expression chooses.
#[derive(Debug)]
pub struct Matched {
    /// How many, in words: "12 hosts".
    pub total: String,
    /// The first of them.
    pub first: Vec<Link>,
    /// Whether there are more.
    pub is_cut: bool,
}

/// What it changes.
#[derive(Debug)]
pub struct Effect {
    /// How many, in words: "adds 3 people".
    pub text: String,
    /// Who, the first of them.
    pub who: String,
}

impl Page for Editor {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Access)
    }

    fn crumbs(&self) -> Vec<Crumb> {
        vec![Crumb::new("Access", Section::Access.address())]
    }
}
