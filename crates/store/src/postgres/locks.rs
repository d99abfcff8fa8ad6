//! The locks by which the writers of all servers on one database keep out of each other's way.
//!
//! Advisory locks are known to a whole database, and several of ours may be in it, each in a schema of its own. The
//! schema's number therefore goes into every lock.

use crate::Scope;

/// The second half of the lock that stands for all scopes.
const EVERYTHING: i32 = 0;

/// The second half of the lock for bringing the schema up to date.
const MIGRATIONS: i32 = 1;

#[derive(Debug, Clone, Copy)]
pub(super) struct Locks {
    schema: u32,
}

impl Locks {
    /// For the schema with this number (`pg_namespace.oid`).
    pub(super) fn new(schema: u32) -> Self {
        Self { schema }
    }

    /// The commands that begin a transaction of `scope`. Whoever asks for everything waits for all, and all others
    /// for it.
    pub(super) fn begin(self, scope: Scope) -> String {
        let schema = self.schema.cast_signed();
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
        match scope.key() {
            None => format!("{begin}; SELECT pg_advisory_xact_lock({schema}, {EVERYTHING})"),
            Some(key) => {
                let key = key ^ (i64::from(self.schema) << 32);
                format!(
                    "{begin}; SELECT pg_advisory_xact_lock_shared({schema}, {EVERYTHING}), pg_advisory_xact_lock({key})"
                )
            }
        }
    }

    /// The commands that begin a transaction which no other migration runs beside.
    pub(super) fn begin_migration(self) -> String {
        let schema = self.schema.cast_signed();
        format!(
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock({schema}, {MIGRATIONS})"
        )
    }

    /// The channel on which the servers tell each other what has changed.
    pub(super) fn channel(self) -> String {
        format!("portreeve_{}", self.schema)
    }
}
