//! When providers were last heard of: remembered in memory with each request, written down every few seconds.

use crate::app::App;
use crate::trouble::Trouble;
use portreeve_directory::{Refusal, directories, tokens};
use portreeve_store::{Scope, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// Directory and last use (microseconds since 1970 UTC) by token.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    seen: Mutex<HashMap<Arc<str>, (String, i64)>>,
    trouble: Mutex<Trouble>,
}

impl Contacts {
    /// A request came with this token.
    pub(crate) fn seen(&self, directory: &str, token: &Arc<str>, at: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(token) {
            Some(last) => last.1 = at,
            None => drop(seen.insert(token.clone(), (directory.to_owned(), at))),
        }
    }

    /// The tokens with their last use, by directory.
    fn take(&self) -> HashMap<String, Vec<(Arc<str>, i64)>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: HashMap<_, Vec<_>> = HashMap::new();
        for (token, (directory, at)) in seen.drain() {
            taken.entry(directory).or_default().push((token, at));
        }
        taken
    }

    fn tell(&self, written: Result<(), Refusal>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match written {
            Ok(()) if trouble.ends() => {
                tracing::info!("times of last contact are written again");
            }
            Err(error) if trouble.begins() => {
                tracing::warn!(%error, "times of last contact are not written");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// How many directories are written at once; those that wait together are committed together.
const AT_ONCE: usize = 32;

/// Writes down what was seen since the last time, each directory for itself.
pub(crate) async fn flush(app: &App) {
    let mut seen = app.contacts.take().into_iter();
    let mut writes = JoinSet::new();
    loop {
        for (directory, tokens) in seen.by_ref().take(AT_ONCE - writes.len()) {
            writes.spawn(write(app.store.clone(), directory, tokens));
        }
        match writes.join_next().await {
            Some(Ok(written)) => app.contacts.tell(written),
            Some(Err(_)) => {}
            None => return,
        }
    }
}

async fn write(store: Store, directory: String, seen: Vec<(Arc<str>, i64)>) -> Result<(), Refusal> {
    let write = store.write(Scope::of(&directory), move |tx| {
        let last = seen.iter().map(|(_, at)| *at).max();
        directories::contact(tx, &directory, last.unwrap_or_default())?;
        for (token, at) in &seen {
            tokens::used(tx, &directory, token, *at)?;
        }
        Ok(())
    });
    write.await
}
