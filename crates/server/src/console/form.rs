//! What a page posts.

use super::trouble::Trouble;
use crate::app::App;
use crate::body;
use axum::body::Body;
use http::HeaderMap;
use std::borrow::Cow;

/// The most bytes of a form.
pub(super) const LIMIT: usize = 64 << 10;

/// The fields of a form, in their order.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form.
    pub(crate) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Self, Trouble> {
        let bytes = body::read_form(app, headers, body, LIMIT).await?;
        let pairs = url::form_urlencoded::parse(&bytes);
        Ok(Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        ))
    }

    /// As if these fields had been sent.
    pub(crate) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The value of a field without the blanks around it, empty where it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The same; `None` when nothing was filled in.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        Some(self.text(name))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// A moment, which the field says is in UTC: what a browser sends for one has no seconds and no zone.
    pub(crate) fn moment(&self, name: &str) -> Option<String> {
        self.filled(name).map(|text| match text.len() {
            16 => format!("{text}:00Z"),
            19 => format!("{text}Z"),
            _ => text,
        })
    }

    /// Every field as it was sent.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// All values of a field of which several can be chosen.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        Cow::Borrowed(self.text(name)) == "true"
    }
}
