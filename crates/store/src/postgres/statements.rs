//! Prepared statements of one session, by their text.

use std::collections::HashMap;

use tokio_postgres::Statement;

/// Enough for every fixed statement of the program; statements composed from a caller's filter push each other out.
const STATEMENTS: usize = 256;

#[derive(Default)]
pub(super) struct Statements {
    known: HashMap<String, Known>,
    /// Counts uses, so that the one used longest ago can be told.
    uses: u64,
}

struct Known {
    statement: Statement,
    used: u64,
}

impl Statements {
    pub(super) fn get(&mut self, sql: &str) -> Option<Statement> {
        self.uses += 1;
        let known = self.known.get_mut(sql)?;
        known.used = self.uses;
        Some(known.statement.clone())
    }

    /// Keeps a statement, in place of the one used longest ago when there is no room; the server is told to forget
    /// that.
    pub(super) fn put(&mut self, sql: &str, statement: Statement) {
        if self.known.len() >= STATEMENTS {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.used);
            if let Some(oldest) = oldest.map(|(sql, _)| sql.clone()) {
                self.known.remove(&oldest);
            }
        }
        let used = self.uses;
        self.known
            .insert(sql.to_string(), Known { statement, used });
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}
