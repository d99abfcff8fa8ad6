//! News between the processes that share a database.

/// What one process hears of the others. See [`Store::notices`](crate::Store::notices).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// What another process said.
    Payload(String),
    /// Something may have been missed: whoever remembers anything must assume that it has changed.
    Missed,
}
