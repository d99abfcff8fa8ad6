//! Which object a resource belongs to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use portreeve_directory::applications::links::{self, State as LinkState};
use portreeve_directory::applications::references;

use super::state::{State, row_kind};
use super::subject::{Claim, Claims};
use crate::source::Kind;
use crate::target::ResourceId;

/// Claims of a cycle: what is linked, and what is being linked at this moment.
#[derive(Debug)]
pub(super) struct Owners {
    state: State,
    claimed: Mutex<HashMap<(Kind, ResourceId), String>>,
}

impl Owners {
    pub(super) fn new(state: State) -> Self {
        Self {
            state,
            claimed: Mutex::default(),
        }
    }

    /// Forgets claims whose outcome is settled: the links say it now.
    pub(super) fn settled<'a>(&self, resources: impl Iterator<Item = (Kind, &'a ResourceId)>) {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, resource) in resources {
            claimed.remove(&(kind, resource.clone()));
        }
    }

    fn note(&self, kind: Kind, resource: &ResourceId, key: &str) -> Result<(), String> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        match claimed.entry((kind, resource.clone())) {
            Entry::Occupied(other) if other.get() != key => Err(other.get().clone()),
            Entry::Occupied(_) => Ok(()),
            Entry::Vacant(free) => {
                free.insert(key.to_owned());
                Ok(())
            }
        }
    }
}

impl Claims for Owners {
    fn claim<'a>(&'a self, kind: Kind, resource: &'a ResourceId, key: &'a str) -> Claim<'a> {
        Box::pin(async move {
            self.note(kind, resource, key)?;
            let id = resource.to_string();
            let owners = self.state.lookup(move |tx, owner| {
                links::owners(tx, &owner.application_id, row_kind(kind), &[&id])
            });
            // Where the database does not answer, settling decides, or fails as well.
            let owners = owners.await.unwrap_or_default();
            // Whoever has left may be followed by somebody else.
            let other = owners
                .into_iter()
                .find(|owner| owner.source_key != key && owner.state != LinkState::Released);
            match other {
                Some(owner) => Err(owner.source_key),
                None => Ok(()),
            }
        })
    }

    fn replaces<'a>(&'a self, kind: Kind, key: &'a str) -> Claim<'a> {
        Box::pin(async move {
            let key = key.to_owned();
            let noted = self.state.write(move |tx, owner| {
                let id = &owner.application_id;
                references::lost(tx, id, row_kind(kind), &key)?;
                links::replace(tx, id, row_kind(kind), &key)
            });
            noted.await.map_err(|error| error.to_string())
        })
    }
}
