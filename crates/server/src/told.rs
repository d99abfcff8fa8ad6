//! Unknown attributes that were told already: remembered so that a provider that sends them with every request costs
//! nothing more. The database has the same names; this is its copy in memory, no larger than what it keeps.

use portreeve_directory::unknown::LIMIT;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The names by directory.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<HashMap<String, HashSet<String>>>);

impl Told {
    /// Those of the names that were not told yet. None are once a directory has as many as are kept.
    pub(crate) fn new_ones(&self, directory: &str, names: BTreeSet<String>) -> Vec<String> {
        if names.is_empty() {
            return Vec::new();
        }
        match self.lock().get(directory) {
            None => names.into_iter().collect(),
            Some(known) if is_full(known) => Vec::new(),
            Some(known) => names
                .into_iter()
                .filter(|name| !known.contains(name))
                .collect(),
        }
    }

    /// These names are in the database now.
    pub(crate) fn add(&self, directory: &str, names: impl IntoIterator<Item = String>) {
        let mut told = self.lock();
        let known = told.entry(directory.to_owned()).or_default();
        for name in names {
            if is_full(known) {
                break;
            }
            known.insert(name);
        }
    }

    /// The directory is gone.
    pub(crate) fn forget(&self, directory: &str) {
        self.lock().remove(directory);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashSet<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_full(known: &HashSet<String>) -> bool {
    i64::try_from(known.len()).is_ok_and(|count| count >= LIMIT)
}
