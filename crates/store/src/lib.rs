//! Durable transactions over one SQL text: synchronous closures, group commit on SQLite. Knows no table.
