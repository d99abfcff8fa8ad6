//! What the agents of hosts ask for, over TLS as they ask for it.

mod enrolment;
mod follow;
mod offboarding;
mod policy;
mod report;
pub(crate) mod world;
