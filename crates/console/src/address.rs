//! Where a link leads: always a place on this server.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What needs no escaping in a segment of a path and in a query (RFC 3986, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path of this server with its query. It can lead nowhere else: the path begins with text of the program, and whatever
/// is added is encoded. Filters, sorting and pages of a list are all in it, so that a link shows the same to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    path: String,
    query: Vec<(Cow<'static, str>, String)>,
    fragment: Option<Cow<'static, str>>,
}

impl Address {
    /// A path of the program, which begins with a slash.
    pub fn new(path: &'static str) -> Self {
        Self {
            path: path.to_owned(),
            query: Vec::new(),
            fragment: None,
        }
    }

    /// One segment more, such as an id.
    #[must_use]
    pub fn join(mut self, segment: &str) -> Self {
        self.path.push('/');
        self.path.extend(utf8_percent_encode(segment, RESERVED));
        self
    }

    /// The same query at another path of the program.
    #[must_use]
    pub fn under(mut self, path: &'static str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// With a parameter, in place of one of that name; an empty value takes it away.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self = self.without(&name);
        if !value.is_empty() {
            self.query.push((name, value));
        }
        self
    }

    /// Without the parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.query.retain(|(other, _)| other != name);
        self
    }

    /// At an element of the page.
    #[must_use]
    pub fn at(mut self, id: impl Into<Cow<'static, str>>) -> Self {
        self.fragment = Some(id.into());
        self
    }

    /// The path alone, encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of a parameter, empty without it.
    pub fn get(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    /// The parameters but this one, for the hidden inputs of the form that sets it.
    pub fn others(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        self.query
            .iter()
            .filter(move |(other, _)| other != name)
            .map(|(name, value)| (name.as_ref(), value.as_str()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            out.write_str(if index == 0 { "?" } else { "&" })?;
            write!(out, "{}=", utf8_percent_encode(name, RESERVED))?;
            write!(out, "{}", utf8_percent_encode(value, RESERVED))?;
        }
        if let Some(fragment) = &self.fragment {
            write!(out, "#{}", utf8_percent_encode(fragment, RESERVED))?;
        }
        Ok(())
    }
}
