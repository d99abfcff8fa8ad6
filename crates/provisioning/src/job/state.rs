//! Where a job keeps what it knows: a database of Portreeve.

use std::fmt;
use std::sync::Arc;

use portreeve_directory::Refusal;
use portreeve_directory::applications::{self, links};
use portreeve_directory::leases::Halted;
use portreeve_store::{Scope, Store, Tx};

use super::progress::Summary;
use crate::engine::plan::{Link, Presence};
use crate::engine::quarantine::Quarantine;
use crate::source::Kind;

/// Checks, as the first thing in every transaction of a job, that the job is still this process's to do.
pub type Hold = Arc<dyn Fn(&mut Tx<'_>) -> Result<(), Halted> + Send + Sync>;

/// Is told how a cycle ended, and in which quarantine the job was before, in the transaction that ends it: what follows
/// from it is written down with it or not at all.
pub type Ended =
    Arc<dyn Fn(&mut Tx<'_>, &Summary, Option<&Quarantine>) -> Result<(), Refusal> + Send + Sync>;

/// Why a job does not go on. Whatever it was doing goes on where it stood when it runs again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It was asked to stop.
    #[error("the cycle was stopped and goes on from there when the job runs again")]
    Stopped,
    /// The job is paused.
    #[error("the job is paused; start it first")]
    Paused,
    /// It was in quarantine for four weeks.
    #[error(
        "the job was disabled after four weeks in quarantine; repair what its log says, then start it"
    )]
    Disabled,
    /// Another server does it now.
    #[error("another server runs this job now")]
    Lost,
    /// The database refuses, or the application is gone.
    #[error(transparent)]
    State(#[from] Refusal),
}

impl From<Halted> for JobError {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::Lost(_) => Self::Lost,
            Halted::Refused(refusal) => Self::State(refusal),
        }
    }
}

/// The part of a database that belongs to one application.
#[derive(Clone)]
pub struct State {
    store: Store,
    team_id: String,
    application_id: String,
    hold: Option<Hold>,
    ended: Option<Ended>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("team_id", &self.team_id)
            .field("application_id", &self.application_id)
            .field("held", &self.hold.is_some())
            .finish_non_exhaustive()
    }
}

impl State {
    /// The state of an application that exists.
    #[must_use]
    pub fn new(store: Store, team_id: &str, application_id: &str) -> Self {
        Self {
            store,
            team_id: team_id.to_owned(),
            application_id: application_id.to_owned(),
            hold: None,
            ended: None,
        }
    }

    /// The same, written to only as long as `hold` says so.
    #[must_use]
    pub fn held_by(self, hold: Hold) -> Self {
        Self {
            hold: Some(hold),
            ..self
        }
    }

    /// The same, where `ended` is told of the end of each cycle.
    #[must_use]
    pub fn telling(self, ended: Ended) -> Self {
        Self {
            ended: Some(ended),
            ..self
        }
    }

    /// Who is told of the end of each cycle.
    pub(super) fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Whose application it is.
    #[must_use]
    pub fn team_id(&self) -> &str {
        &self.team_id
    }

    /// The application.
    #[must_use]
    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs `work` in one transaction, after a check that the job is still to be done here.
    ///
    /// # Errors
    /// [`JobError::Lost`] and [`JobError::State`]; nothing was changed then.
    pub async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Owner) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, JobError> {
        self.write_if(self.hold.clone(), work).await
    }

    /// Runs `work` in one transaction, whoever does the job: what admins change.
    pub(super) async fn administer<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Owner) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, JobError> {
        self.write_if(None, work).await
    }

    async fn write_if<R: Send + 'static>(
        &self,
        hold: Option<Hold>,
        work: impl Fn(&mut Tx<'_>, &Owner) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, JobError> {
        let owner = self.owner();
        let scope = Scope::of(&self.application_id);
        let done = self.store.write(scope, move |tx| -> Result<R, Halted> {
            if let Some(hold) = &hold {
                hold(tx)?;
            }
            Ok(work(tx, &owner)?)
        });
        Ok(done.await?)
    }

    /// Runs `work` on one consistent snapshot.
    ///
    /// # Errors
    /// [`JobError::State`].
    pub async fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Owner) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, JobError> {
        let owner = self.owner();
        Ok(self.store.read(move |tx| work(tx, &owner)).await?)
    }

    /// As [`read`](Self::read), for a handful of rows by key.
    pub(super) async fn lookup<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>, &Owner) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, JobError> {
        let owner = self.owner();
        Ok(self.store.lookup(move |tx| work(tx, &owner)).await?)
    }

    fn owner(&self) -> Owner {
        Owner {
            team_id: self.team_id.clone(),
            application_id: self.application_id.clone(),
        }
    }
}

/// Whose rows a transaction is about.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The team.
    pub team_id: String,
    /// Its application.
    pub application_id: String,
}

pub(super) fn row_kind(kind: Kind) -> applications::Kind {
    match kind {
        Kind::User => applications::Kind::User,
        Kind::Group => applications::Kind::Group,
    }
}

pub(super) fn kind_of(kind: applications::Kind) -> Kind {
    match kind {
        applications::Kind::User => Kind::User,
        applications::Kind::Group => Kind::Group,
    }
}

pub(super) fn presence_of(presence: links::Presence) -> Presence {
    match presence {
        links::Presence::Present => Presence::Present,
        links::Presence::Suspended => Presence::Suspended,
        links::Presence::Gone => Presence::Gone,
    }
}

pub(super) fn link_of(state: links::State) -> Link {
    match state {
        links::State::None => Link::None,
        links::State::Sent => Link::Sent,
        links::State::Dropped => Link::Dropped,
        links::State::Managed => Link::Managed { disabled: false },
        links::State::Disabled => Link::Managed { disabled: true },
        links::State::Released => Link::Released,
    }
}

pub(super) fn row_state(link: Link) -> links::State {
    match link {
        Link::None => links::State::None,
        Link::Sent => links::State::Sent,
        Link::Dropped => links::State::Dropped,
        Link::Managed { disabled: false } => links::State::Managed,
        Link::Managed { disabled: true } => links::State::Disabled,
        Link::Released => links::State::Released,
    }
}
