//! The certificate authority of each team: its keys ([`keyring`]), the one way to an SSH certificate ([`issue`]), and the list
//! of what is revoked ([`krl`]).

mod issue;
mod keyring;
mod keys;
mod krl;
mod public;
mod rotation;
mod settings;
mod token;

pub(crate) use issue::{ForWhom, Issued, Once, Wanted, issue, issue_here};
pub(crate) use keyring::Keyring;
pub(crate) use krl::List;
pub(crate) use public::router;
pub(crate) use rotation::{Begun, Rotation, begin, turn};
pub(crate) use settings::{CaKeyType, RulesChange, Settings, SettingsChange};
pub(crate) use token::Token;

use crate::app::App;
use crate::keys::MasterKey;
use aws_lc_rs::rand;
use portreeve_directory::events::Cause;
use portreeve_directory::{Actor, Clock, Ids, Refusal};
use std::io;
use std::sync::Arc;

/// What the server has for the authorities of all teams.
pub(crate) struct Authorities {
    keys: Arc<keys::Keys>,
    rings: keyring::Rings,
    lists: krl::Lists,
}

impl Authorities {
    /// With a key derived from the installation's own, or keys in a token.
    pub(crate) fn new(master: &MasterKey, token: Option<Token>) -> io::Result<Self> {
        Ok(Self {
            keys: Arc::new(keys::Keys::new(master, token)?),
            rings: keyring::Rings::default(),
            lists: krl::Lists::default(),
        })
    }
}

/// Who has an authority do something, and when; a transaction takes a clone of it along.
#[derive(Clone)]
pub(crate) struct By {
    /// Who it is.
    pub(crate) actor: Actor,
    /// What the answer carries as `X-Request-Id`.
    pub(crate) request_id: String,
    /// When the request arrived (microseconds since 1970 UTC).
    pub(crate) at: i64,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
}

impl By {
    /// Somebody whose request arrives now.
    pub(crate) fn new(app: &App, actor: Actor, request_id: &str) -> Self {
        Self::with(actor, request_id, app.clock.now(), &app.clock, &app.ids)
    }

    /// Somebody whose request arrived then.
    pub(crate) fn with(
        actor: Actor,
        request_id: &str,
        at: i64,
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
    ) -> Self {
        Self {
            actor,
            request_id: request_id.to_owned(),
            at,
            clock: clock.clone(),
            ids: ids.clone(),
        }
    }

    /// Portreeve itself.
    pub(crate) fn system(app: &App) -> Self {
        Self::new(app, Actor::System, "")
    }

    /// Who causes an event.
    pub(crate) fn cause<'a>(
        &'a self,
        team_id: &'a str,
        directory_id: Option<&'a str>,
    ) -> Cause<'a> {
        Cause {
            team_id,
            directory_id,
            actor: &self.actor,
            request_id: Some(&self.request_id)
                .filter(|id| !id.is_empty())
                .map(String::as_str),
            at: self.at,
            clock: &*self.clock,
            ids: &self.ids,
        }
    }
}

/// Why an authority does not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Whoever asks may not have that. The sentence is for them.
    #[error("{detail}")]
    Refused {
        /// Does not change with the wording.
        code: &'static str,
        /// Why, and what to do.
        detail: String,
    },
    /// The authority's own keys cannot be used.
    #[error("{0}")]
    Keys(String),
    /// The database, or the rules of the roll.
    #[error(transparent)]
    Failed(#[from] Refusal),
}

impl Error {
    #[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
    pub(crate) fn refused(code: &'static str, detail: impl ToString) -> Self {
        Self::Refused {
            code,
            detail: detail.to_string(),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
    pub(crate) fn keys(detail: impl ToString) -> Self {
        Self::Keys(detail.to_string())
    }
}

impl From<portreeve_ssh_cert::authority::Error> for Error {
    fn from(error: portreeve_ssh_cert::authority::Error) -> Self {
        Self::keys(error)
    }
}

impl From<portreeve_x509::Error> for Error {
    fn from(error: portreeve_x509::Error) -> Self {
        Self::keys(error)
    }
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::keys("the machine gives no random numbers"))?;
    Ok(bytes)
}
