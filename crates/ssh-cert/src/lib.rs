//! OpenSSH certificates and revocation lists.
//!
//! [`subject`] reads and checks the keys that people and hosts ask certificates for. [`policy`] decides what a certificate
//! says, and the only way to a signature leads through such a decision: [`Unsigned`] has no other maker. [`authority`] signs
//! and verifies, certificates and with [`file`](mod@file) also files. [`krl`] writes and reads the lists by which `sshd` refuses what was revoked (OpenSSH's `PROTOCOL.krl`).
//!
//! The format of certificates is the crate `ssh-key`'s. Nothing here reads a clock or a file.
#![warn(missing_docs)]

pub mod authority;
pub mod file;
pub mod krl;
pub mod policy;
pub mod subject;

pub use authority::{Authority, Signed};
pub use krl::Krl;
pub use policy::{Policy, Unsigned};
pub use subject::{SubjectKey, fingerprint_of};
