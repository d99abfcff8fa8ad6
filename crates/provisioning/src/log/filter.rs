//! Which entries somebody looks for.

use jiff::{SignedDuration, Timestamp};
use portreeve_directory::applications::records;
use serde::Serialize;
use serde::de::{DeserializeOwned, IntoDeserializer, value};

use super::word;
use crate::engine::codes::Code;
use crate::engine::steps::{Identity, Record, RecordAction, Status};

/// Entries are in the order of commits. Two of them may have their times the other way round, by as much as the clock
/// was set back in between; more than this is not expected of it.
const CLOCK: SignedDuration = SignedDuration::from_hours(24);

/// What an entry must be like. What is empty lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these.
    pub statuses: Vec<Status>,
    /// One of these.
    pub actions: Vec<RecordAction>,
    /// One of these.
    pub codes: Vec<Code>,
    /// Is part of the key, the name or a detail of the object at the source, in capitals or not.
    pub source: String,
    /// The same at the target.
    pub target: String,
    /// The same at either.
    pub object: String,
    /// Not before then.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// A status, an action or an error code by its name in the log.
    ///
    /// # Errors
    /// There is none of that name; the text lists those there are.
    pub fn word<T: DeserializeOwned>(name: &str) -> Result<T, String> {
        T::deserialize(IntoDeserializer::<value::Error>::into_deserializer(name))
            .map_err(|error| error.to_string())
    }

    /// Whether an entry is let through.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        let information = &record.provisioning_status_info.error_information;
        let code = information.as_ref().map(|error| error.error_code);
        let at = record.activity_date_time;
        let in_source = |text: &str| identifies(&record.source_identity, text);
        let in_target = |text: &str| {
            let target = record.target_identity.as_ref();
            target.is_some_and(|target| identifies(target, text))
        };
        let object = &self.object;
        one_of(&self.statuses, Some(record.provisioning_status_info.status))
            && one_of(&self.actions, Some(record.provisioning_action))
            && one_of(&self.codes, code)
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && (self.source.is_empty() || in_source(&self.source))
            && (self.target.is_empty() || in_target(&self.target))
            && (object.is_empty() || in_source(object) || in_target(object))
    }

    /// What the columns of an entry say of [`matches`](Self::matches), which needs the whole of it.
    pub(super) fn may_match(&self, row: &records::Record) -> bool {
        named(&self.statuses, Some(&row.status))
            && named(&self.actions, Some(&row.action))
            && named(&self.codes, row.error_code.as_deref())
    }

    /// Whether an entry of that time (microseconds since 1970 UTC) is so old that nothing before it is of interest.
    pub(super) fn is_past(&self, at: i64) -> bool {
        let oldest = self.since.and_then(|since| since.checked_sub(CLOCK).ok());
        oldest.is_some_and(|oldest| at < oldest.as_microsecond())
    }
}

fn one_of<T: PartialEq>(wanted: &[T], found: Option<T>) -> bool {
    wanted.is_empty() || found.is_some_and(|found| wanted.contains(&found))
}

fn named<T: Serialize>(wanted: &[T], column: Option<&str>) -> bool {
    wanted.is_empty() || wanted.iter().any(|value| column == Some(&word(value)))
}

fn identifies(identity: &Identity, text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |value: &str| value.to_lowercase().contains(&text);
    has(&identity.id)
        || identity.display_name.as_deref().is_some_and(has)
        || identity
            .details
            .values()
            .filter_map(|value| value.as_str())
            .any(has)
}
