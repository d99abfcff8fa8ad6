//! Values: times, numbers, what is to be copied.

use std::fmt;

use askama::Template;
use jiff::Timestamp;

use super::{Icon, markup};

/// A moment. Without a script it is read exactly; a script shows how long ago it was, and the exact time on hover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Time {
    /// As people read it: `22 Nov 2026, 04:53 UTC`.
    pub fn text(self) -> String {
        self.0.strftime("%-d %b %Y, %H:%M UTC").to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.0.strftime("%Y-%m-%dT%H:%M:%SZ");
        let exact = self.0.strftime("%Y-%m-%d %H:%M:%S UTC");
        let text = self.text();
        write!(
            out,
            r#"<time datetime="{machine}" title="{exact}">{text}</time>"#
        )
    }
}

/// A sentence. The moments in it, which stand there as machines write them (RFC 3339), are written for people; they stay
/// exact, because "until in 2 hours" is no sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Template)]
#[template(path = "parts/sentence.html")]
pub struct Sentence(pub String);

/// A part of a sentence.
enum Piece<'a> {
    Words(&'a str),
    Moment(Exact),
}

/// A moment that scripts leave as it is.
struct Exact(Time);

impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.to_string();
        out.write_str(&time.replacen("<time ", "<time data-exact ", 1))
    }
}

impl Sentence {
    fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        for word in self.0.split_inclusive(' ') {
            let end = word.rfind('Z').map_or(0, |at| at + 1);
            let (moment, rest) = word.split_at(end);
            match moment.parse() {
                Ok(moment) => {
                    pieces.extend([Piece::Moment(Exact(Time(moment))), Piece::Words(rest)])
                }
                Err(_) => pieces.push(Piece::Words(word)),
            }
        }
        pieces
    }
}

/// A number with commas between thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.write_str(",")?;
            }
            write!(out, "{digit}")?;
        }
        Ok(())
    }
}

/// A value that is often pasted elsewhere, with a button that copies it.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/copyable.html")]
pub struct Copyable {
    /// What it is, for the button's name: "tenant URL".
    pub what: String,
    /// The value.
    pub value: String,
}

impl Copyable {
    /// A value, and what it is.
    pub fn new(what: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            value: value.into(),
        }
    }
}

/// Several lines that are copied as they are.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/code.html")]
pub struct Code {
    /// What it is: "command".
    pub what: String,
    /// The lines.
    pub text: String,
}

/// A secret that is shown this one time.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/secret.html")]
pub struct Secret {
    /// Unique on the page.
    pub id: &'static str,
    /// What it is: "Secret token".
    pub label: String,
    /// The secret.
    pub value: String,
    /// What to do with it, and what if it is lost.
    pub advice: String,
}

markup!(Time, Exact, Sentence, Count, Copyable, Code, Secret);
