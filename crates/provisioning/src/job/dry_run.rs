//! A dry run: a whole cycle on a copy of what the job knows, at a target that is only read.

use std::path::Path;
use std::sync::Arc;

use portreeve_directory::applications::references::Reference;
use portreeve_directory::applications::{self, Kind, New, links, references};
use portreeve_directory::{Refusal, roll};
use portreeve_store::{Database, Options, Store};
use tokio::sync::watch;

use super::progress::{Progress, Summary};
use super::restart::{Reset, ResetScope};
use super::state::{JobError, State};
use super::target::Target;
use super::{Job, Stop};
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
    /// with a state folder of its own. Everything is compared with the target, whatever was written before.
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
        copy_links(&self.state, &copy).await?;
        copy_references(&self.state, &copy).await?;
        let everything: Reset = [ResetScope::Watermark].into_iter().collect();
        copy.restart(&everything, now).await?;
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
        copy.write(move |tx, _| applications::create(tx, &new, now).map(|_| ()))
            .await
    }
}

/// Reads begin anew in the copy, so nothing in it was seen by any of them.
async fn copy_links(from: &State, to: &State) -> Result<(), JobError> {
    for kind in [Kind::User, Kind::Group] {
        let mut after = String::new();
        loop {
            let key = after.clone();
            let read = from
                .read(move |tx, owner| links::page(tx, &owner.application_id, kind, &key, PAGE));
            let page = read.await?;
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
                        dirty: true,
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
