//! When providers were last heard of: remembered in memory with each request, written down every few seconds.

use crate::app::App;
use portreeve_directory::{directories, tokens};
use portreeve_store::Scope;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

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

    fn take(&self) -> Vec<(Arc<str>, (String, i64))> {
        let mut seen = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.drain().collect()
    }
}

/// Writes down what was seen since the last time.
pub(crate) async fn flush(app: &App) {
    let seen = app.contacts.take();
    if seen.is_empty() {
        return;
    }
    let written = app
        .store
        .write(Scope::ALL, move |tx| {
            for (token, (directory, at)) in &seen {
                directories::contact(tx, directory, *at)?;
                tokens::used(tx, directory, token, *at)?;
            }
            Ok::<_, portreeve_directory::Refusal>(())
        })
        .await;
    if let Err(error) = written {
        tracing::warn!(%error, "the time of last contact was not written");
    }
}
