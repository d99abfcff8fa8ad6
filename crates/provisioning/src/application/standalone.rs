//! An application that runs on its own, without a server: its state is a database in a folder of its own.

use std::path::{Path, PathBuf};

use portreeve_directory::applications::{self, New};
use portreeve_directory::{Refusal, roll};
use portreeve_store::{Database, Options, Store, Tx};
use serde_json::Value;

use super::consequence::consequence;
use super::{Application, secrets};
use crate::job::{JobError, Owner, State, restart};

/// The team of what runs on its own.
const TEAM: &str = "local";

/// The database, in the folder.
const DATABASE: &str = "state.sqlite";

/// Why an application cannot run on its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StandaloneError {
    /// The folder.
    #[error("the folder {folder} cannot be used ({cause}); let this user write there")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Another process works on it.
    #[error("another process works on this application now; stop it, or wait for its end")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(portreeve_store::Error),
    /// What it holds.
    #[error(transparent)]
    State(#[from] JobError),
}

impl From<portreeve_store::Error> for StandaloneError {
    fn from(error: portreeve_store::Error) -> Self {
        match error {
            portreeve_store::Error::Locked { .. } => Self::Busy,
            other => Self::Store(other),
        }
    }
}

/// Opens the state of an application, which is made where there is none, and takes note of what the definition says now.
/// What has changed in it since is taken up by the next cycle.
///
/// `definition` is spelt out ([`spell_out`](super::mappings::spell_out)); its secrets are not kept. `now` is in
/// microseconds since 1970 UTC.
///
/// # Errors
/// The folder or the database in it cannot be used, or another process uses it.
pub async fn open_state(
    folder: &Path,
    application: &Application,
    definition: &Value,
    now: i64,
) -> Result<State, StandaloneError> {
    std::fs::create_dir_all(folder).map_err(|cause| StandaloneError::Folder {
        folder: folder.to_owned(),
        cause,
    })?;
    let database = Database::Sqlite {
        path: folder.join(DATABASE),
    };
    let store = Store::open(&Options::new(database, roll::MIGRATIONS, now))?;
    let state = State::new(store, TEAM, &application.id);
    declare_again(&state, application, definition, now).await?;
    Ok(state)
}

/// Takes note of what the definition says now, as [`open_state`] does.
///
/// # Errors
/// The database.
pub async fn declare_again(
    state: &State,
    application: &Application,
    definition: &Value,
    now: i64,
) -> Result<(), JobError> {
    let mut shown = definition.clone();
    secrets::take(&mut shown);
    let name = application.name.clone();
    state
        .write(move |tx, owner| declare(tx, &owner.application_id, &name, &shown, now))
        .await
}

fn declare(
    tx: &mut Tx<'_>,
    id: &str,
    name: &str,
    definition: &Value,
    now: i64,
) -> Result<(), Refusal> {
    let text = definition.to_string();
    let earlier = match applications::by_id(tx, TEAM, id) {
        Ok(earlier) if earlier.definition == text => return Ok(()),
        Ok(earlier) => earlier,
        Err(Refusal::NotFound(..)) => {
            let new = New {
                id: id.to_owned(),
                team_id: TEAM.to_owned(),
                name: name.to_owned(),
                definition: text,
            };
            return applications::create(tx, &new, now).map(drop);
        }
        Err(refusal) => return Err(refusal),
    };
    let before = serde_json::from_str(&earlier.definition).unwrap_or_default();
    applications::declare(tx, &earlier, name, &text, now)?;
    if let Some(reset) = consequence(&before, definition) {
        let owner = Owner {
            team_id: TEAM.to_owned(),
            application_id: id.to_owned(),
        };
        restart(tx, &owner, &reset, now)?;
        // A job that is paused stays so.
        applications::set_status(tx, TEAM, id, earlier.status, earlier.next_run_at)?;
    }
    Ok(())
}
