//! What the engine decides, without doing any of it: no request, no database, no clock.
//!
//! [`plan`] says what is to become of an object, [`diff`] which attributes that takes, [`guard`] whether so many people
//! may lose their access at once. [`escrow`] says when a failed object is tried again, [`quarantine`] when a whole job
//! is. [`codes`] names what can go wrong, and [`steps`] is the log that tells of it.

pub mod codes;
pub mod diff;
pub mod escrow;
pub mod guard;
pub mod plan;
pub mod quarantine;
pub mod steps;
