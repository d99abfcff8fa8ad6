//! A dry run: a whole cycle on a copy of what the job knows, at a target that is only read.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use portreeve_directory::applications::escrows::Escrow;
use portreeve_directory::applications::references::Reference;
use portreeve_directory::applications::{self, Kind, New, escrows, links, references};
use portreeve_directory::{Refusal, roll};
use portreeve_store::{Database, Options, Store};
use tokio::sync::watch;

use super::progress::{Progress, Summary};
use super::state::{JobError, State};
use super::target::Target;
use super::{Job, Stop};
use crate::engine::codes::Code;
use crate::log::word;
use crate::source::Source;

/// How many rows are copied at once.
const PAGE: i64 = 1_000;

/// The file of the copy, in the folder that is given.
const FILE: &str = "dry-run.sqlite";

/// What a cycle would do.
#[derive(Debug)]
pub struct DryRun {
    /// What it would have done, counted.
    pub summary: Summary,
    /// The copy that it worked on. Its log says of each object what would be done, with old and new values.
    pub state: State,
}

impl Job {
    /// Runs an initial cycle that changes nothing: not the target, not what the job knows, not the source's own notes.
    ///
    /// `scratch` is an empty folder, which the result needs as long as it is read. `source` is the job's source once more,
    /// with a state folder of its own. Everything is compared with the target, whatever was written before, except for what
    /// has failed and waits: the next cycle would not try it either. A restart that was asked for is taken up.
    ///
    /// # Errors
    /// As [`Job::cycle`], and where the copy cannot be made.
    pub async fn dry_run(
        &self,
        scratch: &Path,
        source: Source,
        progress: &watch::Sender<Progress>,
        stop: &Stop,
    ) -> Result<DryRun, JobError> {
        let now = self.now();
        let database = Database::Sqlite {
            path: scratch.join(FILE),
        };
        let options = Options::new(database, roll::MIGRATIONS, now.as_microsecond());
        let store = Store::open(&options).map_err(Refusal::from)?;
        let copy = State::new(store, self.state.team_id(), self.state.application_id());
        self.declare(&copy).await?;
        copy_escrows(&self.state, &copy).await?;
        copy_links(&self.state, &copy).await?;
        copy_references(&self.state, &copy).await?;
        let dry = Self {
            application: Arc::clone(&self.application),
            source: Arc::new(source),
            target: Arc::new(Target::dry(self.target.client().clone())),
            state: copy.clone(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
        };
        let summary = dry.cycle(progress, stop).await?;
        Ok(DryRun {
            summary,
            state: copy,
        })
    }

    async fn declare(&self, copy: &State) -> Result<(), JobError> {
        let new = New {
            id: copy.application_id().to_owned(),
            team_id: copy.team_id().to_owned(),
            name: self.application.name.clone(),
            definition: "{}".to_owned(),
        };
        let now = self.clock.now();
        let known = self
            .state
            .lookup(|tx, owner| applications::by_id(tx, &owner.team_id, &owner.application_id));
        let asked = known.await?.reset.unwrap_or_default();
        copy.write(move |tx, owner| {
            applications::create(tx, &new, now)?;
            let (team, id) = (&owner.team_id, &owner.application_id);
            applications::ask_reset(tx, team, id, &asked, now)
        })
        .await
    }
}

/// What is held by the guard is no failure, and is to be told again.
async fn copy_escrows(from: &State, to: &State) -> Result<(), JobError> {
    let mut after: Option<Escrow> = None;
    loop {
        let last = after.clone();
        let read = from
            .read(move |tx, owner| escrows::page(tx, &owner.application_id, last.as_ref(), PAGE));
        let page = read.await?;
        after = page.last().cloned();
        if after.is_none() {
            return Ok(());
        }
        to.write(move |tx, owner| {
            page.iter()
                .filter(|escrow| is_failure(escrow))
                .try_for_each(|escrow| escrows::put(tx, &owner.application_id, escrow))
        })
        .await?;
    }
}

fn is_failure(escrow: &Escrow) -> bool {
    escrow.code != word(&Code::TooManyDeletes)
}

/// Reads begin anew in the copy, so nothing in it was seen by any of them.
async fn copy_links(from: &State, to: &State) -> Result<(), JobError> {
    for kind in [Kind::User, Kind::Group] {
        let mut after = String::new();
        loop {
            let key = after.clone();
            let read = from.read(move |tx, owner| {
                let id = &owner.application_id;
                let page = links::page(tx, id, kind, &key, PAGE)?;
                let keys: Vec<&str> = page.iter().map(|it| it.source_key.as_str()).collect();
                let failed = escrows::of(tx, id, kind, &keys)?;
                let failed = failed
                    .into_iter()
                    .filter(|it| it.attribute.is_empty() && is_failure(it));
                let failed: HashSet<String> = failed.map(|it| it.source_key).collect();
                Ok((page, failed))
            });
            let (page, failed) = read.await?;
            let Some(last) = page.last() else { break };
            after = last.source_key.clone();
            to.write(move |tx, owner| {
                for link in &page {
                    let unseen = links::Link {
                        seen: 0,
                        roles_seen: 0,
                        ..link.clone()
                    };
                    let resource = links::Settled {
                        state: link.state,
                        target_id: link.target_id.clone(),
                        exported: None,
                        dirty: link.dirty || !failed.contains(&link.source_key),
                    };
                    let id = &owner.application_id;
                    links::put(tx, id, kind, &unseen)?;
                    links::settle(tx, id, kind, &link.source_key, &resource)?;
                }
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}

async fn copy_references(from: &State, to: &State) -> Result<(), JobError> {
    let mut after: Option<Reference> = None;
    loop {
        let last = after.clone();
        let read = from.read(move |tx, owner| {
            references::page(tx, &owner.application_id, last.as_ref(), PAGE)
        });
        let page = read.await?;
        after = page.last().cloned();
        if after.is_none() {
            return Ok(());
        }
        to.write(move |tx, owner| {
            for reference in &page {
                let unseen = Reference {
                    seen: 0,
                    ..reference.clone()
                };
                references::put(tx, &owner.application_id, &unseen)?;
            }
            Ok(())
        })
        .await?;
    }
}
