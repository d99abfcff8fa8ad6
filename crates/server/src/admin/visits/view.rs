//! Visits as they are shown.

use crate::admin::view::At;
use portreeve_directory::Refusal;
use portreeve_directory::mails::Waiting;
use portreeve_directory::visits::{Answer, State, Visit};
use schemars::JsonSchema;
use serde::Serialize;

/// A visit as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct VisitView {
    pub(crate) id: String,
    pub(crate) location: VisitPlace,
    pub(crate) state: State,
    /// Who is visited; `null` where nobody is known.
    pub(crate) visitor_host: Option<Visited>,
    /// Since when whoever is visited cannot be found by visitors any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) visitor_host_is_gone_since: Option<At>,
    /// The visitor; empty once the visit is anonymous.
    pub(crate) visitor_name: String,
    /// Whom the visitor works for.
    pub(crate) company: String,
    /// What for.
    pub(crate) purpose: String,
    /// Whether there is a picture.
    pub(crate) has_photo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected_at: Option<At>,
    /// When the visitor signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) came_at: Option<At>,
    /// When the visitor signed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) left_at: Option<At>,
    /// What the one who is visited has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Answered>,
    /// Whether nobody knows any more who it was.
    pub(crate) is_anonymous: bool,
    /// Its place in lists.
    #[serde(skip)]
    pub(crate) place: Place,
}

/// Where a visit takes place.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct VisitPlace {
    pub(crate) id: String,
    /// Empty once the location is gone.
    pub(crate) name: String,
}

/// Whoever is visited.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Visited {
    pub(crate) id: String,
    pub(crate) directory_id: String,
    /// Their name at the time.
    pub(crate) name: String,
}

/// An answer to the mail that tells of a visitor.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Answered {
    pub(crate) what: Answer,
    pub(crate) at: At,
}

/// The place of a visit in the list of all, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) at: i64,
    pub(super) id: String,
}

impl Place {
    /// The place with that text.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a text that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let parts = text.split_once('.');
        let place = parts.and_then(|(at, id)| {
            Some(Self {
                at: at.parse().ok()?,
                id: id.to_owned(),
            })
        });
        place.ok_or_else(|| Refusal::Invalid {
            attribute: "cursor",
            reason: "it is none of this list; take it from the header Link of the page before, or leave it out".to_owned(),
        })
    }

    /// The place as text.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}", self.at, self.id)
    }
}

impl VisitView {
    pub(super) fn of(visit: Visit, location: Option<&str>) -> Self {
        let name = visit.host_name;
        Self {
            place: Place {
                at: visit.at,
                id: visit.id.clone(),
            },
            id: visit.id,
            location: VisitPlace {
                id: visit.location_id,
                name: location.unwrap_or_default().to_owned(),
            },
            state: visit.state,
            visitor_host: visit.host.map(|(directory_id, id)| Visited {
                id,
                directory_id,
                name,
            }),
            visitor_host_is_gone_since: visit.host_gone_at.map(At),
            visitor_name: visit.visitor_name,
            company: visit.company,
            purpose: visit.purpose,
            has_photo: visit.has_photo,
            expected_at: visit.expected_at.map(At),
            came_at: visit.came_at.map(At),
            left_at: visit.left_at.map(At),
            answer: visit.answer.map(|(what, at)| Answered { what, at: At(at) }),
            is_anonymous: visit.is_anonymous,
        }
    }
}

/// What people and programs are still to be told.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct NoticesView {
    pub(crate) mails: WaitingView,
    pub(crate) webhooks: WaitingView,
}

/// What waits to be sent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct WaitingView {
    /// How many there are.
    pub(crate) waiting: i64,
    /// Since when the oldest waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) oldest_at: Option<At>,
    /// Why the newest of those that were tried could not be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_error: Option<String>,
}

impl From<Waiting> for WaitingView {
    fn from(waiting: Waiting) -> Self {
        Self {
            waiting: waiting.waiting,
            oldest_at: waiting.oldest_at.map(At),
            last_error: waiting.last_error,
        }
    }
}
