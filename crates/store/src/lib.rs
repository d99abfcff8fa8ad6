//! Durable transactions over one SQL text: synchronous closures, group commit on SQLite and
//! PostgreSQL. Knows no table.
//!
//! A caller hands the store a closure and gets its result back once the transaction is on disk:
//!
//! ```no_run
//! # use portreeve_store::{params, Error, Scope, Store};
//! # async fn example(store: Store) -> Result<(), Error> {
//! let name = "ann".to_string();
//! let id = store
//!     .write(Scope::ALL, move |tx| -> Result<i64, Error> {
//!         let rows = tx.query("INSERT INTO people (name) VALUES ($1) RETURNING id", &params![&name])?;
//!         rows[0].int(0)
//!     })
//!     .await?;
//! # let _ = id; Ok(()) }
//! ```
//!
//! Statements are written once, for SQLite and PostgreSQL alike: parameters are `$1`, `$2`, …; times are
//! `BIGINT` microseconds since 1970 UTC; identifiers are `TEXT`. Because a closure is synchronous, no network
//! call can happen inside a transaction; because it is `Fn`, a driver may run it again when the database asks
//! for a retry.

mod clock;
pub mod copy;
mod database;
mod error;
mod job;
mod migrate;
mod notice;
mod options;
mod postgres;
mod room;
mod row;
mod scope;
mod sqlite;
mod statements;
mod stats;
mod store;
mod tx;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use error::{Error, Result};
pub use migrate::Migration;
pub use notice::Notice;
pub use options::Options;
pub use postgres::PostgresUrl;
pub use row::{Param, Row, Value};
pub use scope::Scope;
pub use sqlite::backup;
pub use stats::Stats;
pub use store::Store;
pub use tx::Tx;
