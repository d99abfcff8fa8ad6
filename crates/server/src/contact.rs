//! When providers were last heard of: remembered in memory with each request, written down every few seconds.

use crate::app::App;
use portreeve_directory::{Refusal, directories, tokens};
use portreeve_store::{Scope, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// Directory and last use (microseconds since 1970 UTC) by token.
#[derive(Debug, Default)]
pub(crate) struct Contacts(Mutex<HashMap<Arc<str>, (String, i64)>>);

impl Contacts {
    /// A request came with this token.
    pub(crate) fn seen(&self, directory: &str, token: &Arc<str>, at: i64) {
        let mut seen = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match seen.get_mut(token) {
            Some(last) => last.1 = at,
            None => drop(seen.insert(token.clone(), (directory.to_owned(), at))),
        }
    }

    /// The tokens with their last use, by directory.
    fn take(&self) -> HashMap<String, Vec<(Arc<str>, i64)>> {
        let mut seen = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut taken: HashMap<_, Vec<_>> = HashMap::new();
        for (token, (directory, at)) in seen.drain() {
            taken.entry(directory).or_default().push((token, at));
        }
        taken
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
        if writes.join_next().await.is_none() {
            return;
        }
    }
}

async fn write(store: Store, directory: String, seen: Vec<(Arc<str>, i64)>) {
    let written = store.write(Scope::of(&directory), move |tx| {
        let last = seen.iter().map(|(_, at)| *at).max();
        directories::contact(tx, &directory, last.unwrap_or_default())?;
        for (token, at) in &seen {
            tokens::used(tx, &directory, token, *at)?;
        }
        Ok::<_, Refusal>(())
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "the time of last contact was not written");
    }
}
