//! The module through its public functions.
