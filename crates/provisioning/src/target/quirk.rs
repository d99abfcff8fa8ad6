//! Where targets depart from the RFCs and are understood all the same.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A departure that a target was seen to make. It is worked around, and worth telling the target's makers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Quirk {
    /// Attributes came although the request excluded them (RFC 7644 section 3.9); they are left out here.
    ExcludedReturned,
    /// A resource was created and came back without its `id` (RFC 7644 section 3.3); it is looked up.
    IdMissing,
    /// An `id` is a number where it must be text (RFC 7643 section 3.1); its digits are the id.
    IdIsNumber,
    /// A creation was answered with another status than 201 (RFC 7644 section 3.3).
    CreatedWithoutStatus,
    /// An answer with another status than 204 has no body; nothing is told, and what is needed is read.
    EmptyAnswer,
    /// A truth value is written as text (RFC 7643 section 2.3.2); it is read as a truth value.
    BooleanIsText,
    /// A search that finds nothing is answered with 404 instead of an empty list (RFC 7644 section 3.4.2).
    NotFoundForNothing,
    /// PATCH is refused as such; the resource is read and replaced (RFC 7644 section 3.5.1).
    PatchRefused,
    /// A change without `If-Match` is refused; it is sent again with the version that is there (RFC 7644 section 3.14).
    VersionWanted,
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExcludedReturned => "it returns attributes that a request excludes",
            Self::IdMissing => "it answers a creation without the id",
            Self::IdIsNumber => "its ids are numbers",
            Self::CreatedWithoutStatus => "it answers a creation with another status than 201",
            Self::EmptyAnswer => "it answers with an empty body where there should be one",
            Self::BooleanIsText => "it writes truth values as text",
            Self::NotFoundForNothing => "it answers a search that finds nothing with 404",
            Self::PatchRefused => "it does not take PATCH, so resources are read and replaced",
            Self::VersionWanted => "it changes nothing without If-Match",
        })
    }
}

/// The quirks that one target has shown so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Quirks(Arc<Mutex<BTreeSet<Quirk>>>);

impl Quirks {
    /// Remembers a quirk, and logs it when it is new.
    pub(super) fn note(&self, quirk: Quirk) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(quirk) {
            tracing::warn!(%quirk, "the target departs from SCIM; this is worked around");
        }
    }

    pub(super) fn seen(&self) -> Vec<Quirk> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().copied().collect()
    }
}
