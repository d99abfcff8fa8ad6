//! What the log is narrowed down by; all of it is in the address.

use crate::console::visit::Visit;
use portreeve_console::parts::Field;
use portreeve_console::{Address, Section};
use portreeve_directory::events::{Place, Query};
use portreeve_scim::time;

/// The parameters of the address.
pub(super) const PARAMETERS: &[&str] = &[
    "category", "outcome", "object", "actor", "action", "reason", "request", "from", "to", "before",
];
/// Those that are chosen by a click.
const CHIPS: &[&str] = &["category", "outcome"];
/// Those that are written, with what they are.
const WRITTEN: &[(&str, &str, &str)] = &[
    (
        "object",
        "About",
        "The id of a user, group or anything else.",
    ),
    ("actor", "By", "The id of a user, owner or token."),
    (
        "action",
        "Action",
        "Such as create, patch, sign_in_refused.",
    ),
    ("reason", "Reason", "Such as unknown_user, token_expired."),
    (
        "request",
        "Request or reference",
        "As somebody was shown it.",
    ),
];

/// What the log is narrowed down by.
pub(super) struct Filters(Vec<(&'static str, String)>);

impl Filters {
    /// From the address.
    pub(super) fn of(visit: &Visit) -> Self {
        Self(
            PARAMETERS
                .iter()
                .map(|name| (*name, visit.query(name).trim().to_owned()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| *other == name);
        found.map_or("", |(_, value)| value)
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }

    /// The log with them.
    pub(super) fn address(&self) -> Address {
        let start = Section::Logs.address();
        self.0.iter().fold(start, |address, (name, value)| {
            address.with(*name, value.clone())
        })
    }

    /// Whether anything narrows the log down.
    pub(super) fn any(&self) -> bool {
        self.0
            .iter()
            .any(|(name, value)| *name != "before" && !value.is_empty())
    }

    /// Whether anything was written.
    pub(super) fn any_written(&self) -> bool {
        let written = |name: &&str| !CHIPS.contains(name) && *name != "before";
        self.0
            .iter()
            .any(|(name, value)| written(name) && !value.is_empty())
    }

    /// What was chosen by a click, for the form to keep.
    pub(super) fn chips(&self) -> Vec<(String, String)> {
        let chosen = CHIPS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.some(name)?)));
        chosen.collect()
    }

    /// The form for what is written.
    pub(super) fn fields(&self) -> Vec<Field> {
        let line = |(name, label, help): &(&'static str, &str, &str)| {
            Field::line("log", name, *label, self.get(name)).help(*help)
        };
        let moment = |name, label: &str| {
            Field::line("log", name, label, self.get(name))
                .kind("datetime-local")
                .help("In UTC.")
        };
        let mut fields: Vec<Field> = WRITTEN.iter().map(line).collect();
        fields.extend([moment("from", "From"), moment("to", "To")]);
        fields
    }

    /// The question to the log, or what is wrong with it.
    pub(super) fn query(&self, limit: i64) -> Result<Query, String> {
        let moment = |name: &str| match self.some(name) {
            None => Ok(None),
            Some(text) => {
                let full = if text.len() == 16 {
                    format!("{text}:00Z")
                } else {
                    text.clone()
                };
                let read = time::parse(&full).map(Some);
                read.ok_or_else(|| format!("“{text}” is no moment; write it as 2026-11-22T08:00"))
            }
        };
        Ok(Query {
            category: self.some("category"),
            outcome: self.some("outcome"),
            object_id: self.some("object"),
            actor_id: self.some("actor"),
            action: self.some("action"),
            reason: self.some("reason"),
            request: self.some("request"),
            from: moment("from")?,
            to: moment("to")?,
            before: self.some("before").map(|place| Place::parse(&place)),
            limit,
            ..Query::default()
        })
    }
}
