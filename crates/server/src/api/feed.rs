//! Which team's log a request is about.

use super::ask::{Admin, Ask};
use super::problem::Problem;
use portreeve_directory::{Refusal, What};
use portreeve_store::Tx;

/// A log, or the part of it that concerns one directory.
pub(super) struct Part {
    /// `None`: there are several teams, and the request does not say which.
    pub(super) team_id: Option<String>,
    pub(super) directory_id: Option<String>,
}

impl Part {
    /// The log of the team and the directory that were named; where there is one team only, it need not be.
    pub(super) async fn named(
        ask: &Ask,
        team: Option<String>,
        directory: Option<String>,
    ) -> Result<Self, Problem> {
        let admin = ask.admin.clone();
        ask.read(move |tx| find(tx, &admin, team.as_deref(), directory.as_deref()))
            .await
    }

    /// The team, for what there is per team only.
    pub(super) fn team(&self) -> Result<String, Problem> {
        self.team_id.clone().ok_or_else(|| {
            Problem::invalid("team: there are several teams; say which team, or which directory")
        })
    }
}

fn find(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: Option<&str>,
    directory: Option<&str>,
) -> Result<Part, Refusal> {
    let team_id = match team {
        Some(name) => Some(admin.team(tx, Some(name))?.id),
        None => None,
    };
    if let Some(named) = directory {
        let directory = admin.directory(tx, named)?;
        if team_id.is_some_and(|team_id| team_id != directory.team_id) {
            return Err(Refusal::NotFound(What::Directory, named.to_owned()));
        }
        return Ok(Part {
            team_id: Some(directory.team_id),
            directory_id: Some(directory.id),
        });
    }
    let only = match (team_id, admin.teams(tx)?.as_slice()) {
        (Some(team_id), _) => Some(team_id),
        (None, [only]) => Some(only.id.clone()),
        (None, _) => None,
    };
    Ok(Part {
        team_id: only,
        directory_id: None,
    })
}
