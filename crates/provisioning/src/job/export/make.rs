//! Making a resource.

use std::collections::BTreeSet;

use portreeve_mapping::mapping::Evaluated;

use super::end::End;
use super::{Ended, Export};
use crate::engine::codes::{Code, During};
use crate::engine::diff;
use crate::engine::plan::{Action, Link};
use crate::engine::steps::{ModifiedProperty, RecordAction, StepName};
use crate::job::evaluation;
use crate::job::failure::Failure;
use crate::job::record;
use crate::job::subject::Counted;
use crate::job::target::resource_kind;
use crate::target::ResourceId;

/// How often a resource is made with another unique value, after somebody else took the one before.
const UNIQUE_TRIES: usize = 3;

/// What came of a request to make a resource.
enum Sent {
    Made(ResourceId, Vec<ModifiedProperty>),
    /// There is another one with a value that must be unique.
    Conflict(Failure),
}

impl Export<'_> {
    /// Has a resource made for an object that a search has not found.
    pub(super) async fn make(&mut self, keys: &[(String, String)], later: &Evaluated<'_>) -> Ended {
        let (evaluation, kind) = (self.evaluation, self.subject.kind);
        let mut taken = evaluation.taken(self.target, BTreeSet::new()).await?;
        let mut tries = 0;
        loop {
            let is_taken = |value: &str| taken.contains(value);
            let evaluated = evaluation.create(&is_taken);
            if evaluated.ignored {
                return Ok(self.left_out());
            }
            if let Some(failure) = evaluation::failure(&evaluated) {
                return Err(failure);
            }
            let refused = match self.send_new(&evaluated, keys).await? {
                Sent::Made(id, modified) => {
                    self.claim(&id).await?;
                    self.identity = Some(record::target_identity(kind, &id, &evaluated.assigned));
                    self.exported(StepName::EntryExportAdd, &id, "The target made it.");
                    self.settle(Action::Create, id, evaluation::fingerprint(later), later);
                    return Ok(End::done(Counted::Created, RecordAction::Create, modified));
                }
                Sent::Conflict(failure) => failure,
            };
            // The other resource may be this object's own: made by a request whose answer was lost, and shown by the
            // target only now.
            if tries == 0
                && let Some(shown) = self.search().await?.found
            {
                return self.take(Action::Create, &shown, later).await;
            }
            let now = evaluation.taken(self.target, taken.clone()).await?;
            if now == taken || tries == UNIQUE_TRIES {
                return Err(refused);
            }
            taken = now;
            tries += 1;
        }
    }

    /// Has a resource made.
    async fn send_new(
        &mut self,
        evaluated: &Evaluated<'_>,
        keys: &[(String, String)],
    ) -> Result<Sent, Failure> {
        let (kind, dialect) = (self.subject.kind, self.target.dialect());
        let (body, modified) = diff::resource(resource_kind(kind), &evaluated.assigned, dialect);
        let description = format!("A resource is made with {} attributes.", modified.len());
        self.processing(StepName::EntrySynchronizationAdd, &description);
        let refused = match self.target.create(kind, &body, keys).await {
            Ok(id) => return Ok(Sent::Made(id, modified)),
            Err(refused) => refused,
        };
        if refused.in_doubt {
            self.known.link = Link::Sent;
        }
        let failure = Failure::of(self.target, kind, refused.error, During::Create).await;
        match failure.code {
            Code::EntryConflict => Ok(Sent::Conflict(failure)),
            _ => Err(failure),
        }
    }
}
