//! Microsoft Entra ID as a source, against a Graph that looks at what it is sent.

mod credentials;
mod faults;
mod laws;
mod on_demand;
mod reading;
pub(crate) mod world;
