//! A job: the cycles that bring what a source has to a target, and everything that they remember.

mod evaluation;
mod export;
mod failure;
mod matching;
mod record;
mod references;
mod subject;
mod target;

pub use export::export;
pub use references::{Change, Due, MEMBERS, ReferencesOutcome, members_adrift, write_references};
pub use subject::{Claim, Claims, Counted, Outcome, Stamp, Subject};
pub use target::Target;
