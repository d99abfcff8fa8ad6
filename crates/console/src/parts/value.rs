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

markup!(Time, Count, Copyable, Code, Secret);
