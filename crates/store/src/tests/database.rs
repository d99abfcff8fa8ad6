//! Naming a database.
