//! What can go wrong with a machine.

use std::io;

/// Why there is no machine, or why it does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system lacks something, or forbids it.
    #[error("a machine in namespaces cannot be made here: {0}")]
    Impossible(String),
    /// It was made and did not start. With what it said.
    #[error("the machine {name} did not start: {said}")]
    Start {
        /// What it would be called.
        name: String,
        /// The last of what its first process printed.
        said: String,
    },
    /// A program that is part of the recipe could not be run, or a file of the client not be written.
    #[error("{what}: {error}")]
    Io {
        /// What was to be done.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// A program ran and failed where it must not.
    #[error("{0}")]
    Failed(String),
    /// Something did not come true in time.
    #[error("{0} did not happen within {1} seconds")]
    Late(String, u64),
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
