//! What the agents of hosts ask for, over TLS as they ask for it.

mod enrolment;
mod offboarding;
mod policy;
mod report;
mod world;
