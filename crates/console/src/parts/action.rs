//! Buttons that change something.

use askama::Template;

use super::{Field, Icon, markup};
use crate::Address;

/// A button that posts at once: for what is harmless or easily undone.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/post_button.html")]
pub struct PostButton {
    /// Where it posts to.
    pub action: Address,
    /// The words on it.
    pub label: String,
    /// What is sent with it.
    pub values: Vec<(&'static str, String)>,
    /// The class of the styles: empty, `primary`, `danger`, `quiet` or `small`, also several of them.
    pub class: &'static str,
}

/// A question before something is done that cannot be undone easily. Its dialog names the object and says what follows.
///
/// In a page `{{ confirm }}` puts in the dialog, and `{{ confirm.opener() }}` the button that opens it. They may stand apart:
/// a dialog should stand outside of what is refreshed live.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/confirm.html")]
pub struct Confirm {
    /// Unique on the page, and a word: it is the address at which the dialog is open without a script.
    pub id: String,
    /// The words on the button that opens the dialog: "Suspend…".
    pub opener: String,
    /// The question, with the object's name: "Suspend Ada Lovelace?".
    pub title: String,
    /// What follows: "Two sessions end at once. …".
    pub effect: String,
    /// Where it posts to.
    pub action: Address,
    /// The words on the button that does it: "Suspend".
    pub label: String,
    /// What is sent with it.
    pub values: Vec<(&'static str, String)>,
    /// What is to be filled in.
    pub fields: Vec<Field>,
    /// Whether something is lost by it.
    pub danger: bool,
}

/// The button that opens a [`Confirm`].
#[derive(Template)]
#[template(
    source = r##"<a class="button{% if danger %} danger{% endif %}" href="#{{ id }}" data-dialog="{{ id }}" aria-haspopup="dialog">{{ opener }}</a>"##,
    ext = "html"
)]
pub struct Opener<'a> {
    id: &'a str,
    opener: &'a str,
    danger: bool,
}

impl Confirm {
    /// The button that opens the dialog.
    pub fn opener(&self) -> Opener<'_> {
        Opener {
            id: &self.id,
            opener: &self.opener,
            danger: self.danger,
        }
    }
}

/// What can be done with one row of a list.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/menu.html")]
pub struct Menu {
    /// What it is the menu of: "Actions for Ada Lovelace".
    pub label: String,
    /// What can be done.
    pub items: Vec<MenuItem>,
}

/// One of the things that a [`Menu`] offers.
#[derive(Clone, Debug)]
pub enum MenuItem {
    /// Goes somewhere.
    Link {
        /// The words.
        label: String,
        /// Where it leads.
        href: Address,
    },
    /// Does something at once.
    Post(PostButton),
    /// Opens the [`Confirm`] of this id, which is elsewhere on the page.
    Ask {
        /// The words.
        label: String,
        /// The dialog.
        id: String,
        /// Whether something is lost by it.
        danger: bool,
    },
}

markup!(PostButton, Confirm, Opener<'_>, Menu);
