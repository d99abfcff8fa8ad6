//! What a managed machine runs: two halves of one program.
//!
//! The half on the network ([`net`]) has an identity and no rights: it fetches signed documents, revocation lists and
//! certificates, and reports. The other half ([`apply`]) has root's rights and no network: it believes only what the team's
//! key has signed, checks every limit itself, and writes the files that `nss-systemd`, `sshd`, PAM and `sudo` read. None
//! of this runs while somebody logs in. They speak over a socket ([`wire`]).
//!
//! Every path is below a root folder ([`paths`]), and time comes as an argument.
#![warn(missing_docs)]

pub mod apply;
pub mod config;
pub mod doctor;
pub mod enroll;
pub mod facts;
pub mod leave;
pub mod log;
pub mod net;
pub mod paths;
pub mod sessions;
pub mod setup;
pub mod sshd;
pub mod status;
pub mod undo;
pub mod wire;
pub mod world;
