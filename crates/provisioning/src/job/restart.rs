//! What an admin does with a job: restart it with Entra's scopes, pause it, start it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use portreeve_directory::Refusal;
use portreeve_directory::applications::{self, Status, escrows, links, references};
use portreeve_store::Tx;
use serde::{Deserialize, Serialize};

use super::state::{JobError, Owner, State};

/// What a restart begins anew: Entra's `resetScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResetScope {
    /// Nothing.
    None,
    /// The links: every object is matched or made again.
    ConnectorDataStore,
    /// Failures: what failed is not tried again until it changes.
    Escrows,
    /// The watermark: everything is read and compared again.
    Watermark,
    /// The quarantine, for now.
    QuarantineState,
    /// All of that.
    Full,
    /// Deletes and disables that the guard against accidental deletions holds are let through once.
    ForceDeletes,
}

impl ResetScope {
    const ALL: [Self; 7] = [
        Self::None,
        Self::ConnectorDataStore,
        Self::Escrows,
        Self::Watermark,
        Self::QuarantineState,
        Self::Full,
        Self::ForceDeletes,
    ];
}

impl fmt::Display for ResetScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Which scopes a restart has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reset(BTreeSet<ResetScope>);

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no scope of a restart; there are ConnectorDataStore, Escrows, Watermark, QuarantineState, Full and ForceDeletes, several of them with commas"
)]
pub struct UnknownScope(String);

impl Reset {
    /// What Entra's portal does on "Restart provisioning", and what an empty list of scopes means.
    #[must_use]
    pub fn usual() -> Self {
        use ResetScope::{Escrows, QuarantineState, Watermark};
        [QuarantineState, Watermark, Escrows].into_iter().collect()
    }

    fn has(&self, scope: ResetScope) -> bool {
        let full = self.0.contains(&ResetScope::Full) && scope != ResetScope::ForceDeletes;
        full || self.0.contains(&scope)
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|scope| *scope == ResetScope::None)
    }
}

impl FromIterator<ResetScope> for Reset {
    fn from_iter<I: IntoIterator<Item = ResetScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for Reset {
    type Err = UnknownScope;

    /// Scopes with commas between them, as Entra takes them; letter case does not matter.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let words = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        let scope = |word: &str| {
            let same = |scope: &ResetScope| scope.to_string().eq_ignore_ascii_case(word);
            let known = ResetScope::ALL.into_iter().find(same);
            known.ok_or_else(|| UnknownScope(word.to_owned()))
        };
        let scopes: Self = words.map(scope).collect::<Result<_, _>>()?;
        Ok(match scopes.0.is_empty() {
            true => Self::usual(),
            false => scopes,
        })
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&words.join(", "))
    }
}

impl State {
    /// Has the job begin anew what the scopes say, in a cycle that begins now, or after the one that is under way. A job
    /// that was paused or disabled runs again. What an earlier restart has asked for and no cycle has taken up yet is
    /// asked for, too.
    ///
    /// # Errors
    /// [`JobError::State`].
    pub async fn restart(&self, reset: &Reset, now: Timestamp) -> Result<(), JobError> {
        let reset = reset.clone();
        self.administer(move |tx, owner| restart(tx, owner, &reset, now.as_microsecond()))
            .await
    }

    /// Lets no further cycle begin. Whoever runs the one that is under way asks it to stop where it can go on.
    ///
    /// # Errors
    /// [`JobError::State`].
    pub async fn pause(&self) -> Result<(), JobError> {
        self.administer(|tx, owner| {
            applications::by_id(tx, &owner.team_id, &owner.application_id)?;
            set_status(tx, owner, Status::Paused, None)
        })
        .await
    }

    /// Lets the job go on where it stood, out of quarantine.
    ///
    /// # Errors
    /// [`JobError::State`].
    pub async fn start(&self, now: Timestamp) -> Result<(), JobError> {
        self.administer(move |tx, owner| {
            applications::by_id(tx, &owner.team_id, &owner.application_id)?;
            applications::set_quarantine(tx, &owner.team_id, &owner.application_id, None)?;
            set_status(tx, owner, Status::Running, Some(now.as_microsecond()))
        })
        .await
    }
}

fn set_status(
    tx: &mut Tx<'_>,
    owner: &Owner,
    status: Status,
    next_run_at: Option<i64>,
) -> Result<(), Refusal> {
    let Owner {
        team_id,
        application_id,
    } = owner;
    applications::set_status(tx, team_id, application_id, status, next_run_at)
}

/// As [`State::restart`], in a transaction that does more than that.
///
/// # Errors
/// [`Refusal::NotFound`] where there is no such application.
pub fn restart(tx: &mut Tx<'_>, owner: &Owner, reset: &Reset, now: i64) -> Result<(), Refusal> {
    let Owner {
        team_id,
        application_id,
    } = owner;
    let application = applications::by_id(tx, team_id, application_id)?;
    if reset.has(ResetScope::QuarantineState) {
        applications::set_quarantine(tx, team_id, application_id, None)?;
    }
    let asked = asked(application.reset.as_deref());
    let together: Reset = asked.0.union(&reset.0).copied().collect();
    applications::ask_reset(tx, team_id, application_id, &together.to_string(), now)?;
    set_status(tx, owner, Status::Running, Some(now))
}

/// The restart that was asked for and no cycle has taken up yet.
fn asked(noted: Option<&str>) -> Reset {
    let words = noted.filter(|text| !text.is_empty());
    words
        .and_then(|words| words.parse().ok())
        .unwrap_or_default()
}

/// What a restart means for the cycle that takes it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TakenUp {
    /// Everything is read.
    pub(super) full: bool,
    /// The guard against accidental deletions lets this cycle through.
    pub(super) forced: bool,
}

/// Does what a restart asks for, before a cycle begins. `expand`: nested groups are expanded.
pub(super) fn take_up(
    tx: &mut Tx<'_>,
    owner: &Owner,
    noted: Option<&str>,
    expand: bool,
) -> Result<TakenUp, Refusal> {
    let reset = asked(noted);
    let (team, id) = (&owner.team_id, &owner.application_id);
    if !reset.is_empty() {
        if reset.has(ResetScope::Escrows) {
            escrows::clear(tx, id)?;
        }
        if reset.has(ResetScope::ConnectorDataStore) {
            links::unlink_all(tx, id)?;
            references::lost_all(tx, id)?;
        }
        if reset.has(ResetScope::Watermark) {
            applications::set_watermark(tx, team, id, None)?;
            references::reconsider(tx, id)?;
        }
        if reset.has(ResetScope::Watermark) || reset.has(ResetScope::ConnectorDataStore) {
            links::touch_all(tx, id)?;
        }
        if reset.has(ResetScope::Watermark) && expand {
            links::all_stale(tx, id)?;
        }
    }
    Ok(TakenUp {
        full: reset.has(ResetScope::Watermark),
        forced: reset.has(ResetScope::ForceDeletes),
    })
}
