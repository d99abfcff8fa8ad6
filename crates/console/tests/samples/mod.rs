//! A sample of every page, with the data of a small company or with hostile data in its place.

mod access;
mod certificates;
mod directories;
mod groups;
mod hosts;
mod logs;
mod me;
mod overview;
mod parts;
mod settings;
mod sign_in;
mod users;
mod visitors;

use jiff::Timestamp;
use portreeve_console::parts::{Confirm, Level, Time};
use portreeve_console::{Address, Page, Section, Shell, Who};

/// A page with data in it.
#[derive(Clone)]
pub(crate) struct Sample {
    /// The name of the page, and what is special about it: `users`, `users-empty`.
    pub(crate) name: &'static str,
    /// What its `html` made.
    pub(crate) html: String,
}

impl Sample {
    /// A page as it is rendered.
    pub(crate) fn new(name: &'static str, page: &impl Page) -> Self {
        let html = page.html();
        Self { name, html }
    }
}

/// What is said where a page shows what comes from elsewhere: as it is, or hostile.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    hostile: bool,
}

impl Words {
    /// A company's data.
    pub(crate) const PLAIN: Self = Self { hostile: false };

    /// The same, with an attack behind each word.
    pub(crate) const HOSTILE: Self = Self { hostile: true };

    /// What somebody else wrote.
    pub(crate) fn of(self, text: &str) -> String {
        match self.hostile {
            false => text.to_owned(),
            true => format!("{text}{ATTACK}"),
        }
    }

    /// The same, but nothing stays nothing.
    pub(crate) fn of_some(self, text: &str) -> String {
        match text {
            "" => String::new(),
            text => self.of(text),
        }
    }
}

/// Markup in text, the ends of attributes and of elements, an address that is a script, text from right to left.
const ATTACK: &str = "<img src=x onerror=alert(1)>\"' onmouseover=\"alert(2)' style='x' javascript:alert(3)</title></textarea></script><script>alert(4)</script>{{7*7}}&lt;\u{202e}evil";

/// Every page.
pub(crate) fn all(words: Words) -> Vec<Sample> {
    let pages = [
        sign_in::samples(words),
        overview::samples(words),
        users::samples(words),
        groups::samples(words),
        hosts::samples(words),
        access::samples(words),
        certificates::samples(words),
        visitors::samples(words),
        logs::samples(words),
        settings::samples(words),
        directories::samples(words),
        me::samples(words),
        parts::samples(words),
    ];
    pages.concat()
}

/// The frame of the samples.
pub(crate) fn shell(words: Words) -> Shell {
    Shell {
        team: words.of("contoso"),
        who: Who {
            name: words.of("Ada Lovelace"),
            level: Level::Owner,
        },
        sections: Section::ALL.to_vec(),
        position: Some(7),
        needs_attention: 2,
        flash: None,
    }
}

/// A question before something is done.
pub(crate) fn confirm(words: Words, id: &str) -> Confirm {
    Confirm {
        id: id.to_owned(),
        opener: words.of("Do it…"),
        title: words.of("Do it to Ada Lovelace?"),
        effect: words.of("Two sessions end at once."),
        action: Address::new("/console/users"),
        label: words.of("Do it"),
        values: vec![("user", words.of("0199-1"))],
        fields: Vec::new(),
        danger: true,
    }
}

/// A moment some minutes before the samples are looked at.
pub(crate) fn minutes_ago(minutes: i64) -> Time {
    Time(Timestamp::constant(1_795_323_180 - minutes * 60, 0))
}
