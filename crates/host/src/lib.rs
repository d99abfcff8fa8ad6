//! What a managed machine runs: two halves of one program.
//!
//! The half on the network ([`net`]) has an identity and no rights: it fetches signed documents, revocation lists and
//! certificates, and reports. The other half ([`apply`]) has root's rights and no network: it believes only what the team's
//! key has signed, checks every limit itself, and writes the files that `nss-systemd`, `sshd`, PAM and `sudo` read. None
//! of this runs while somebody logs in. They speak over a socket ([`wire`]).
//!
//! Every path is below a root folder ([`paths`]), and time comes as an argument.
//!
//! # One file
//!
//! The program is one file of 6.6 MiB that needs the C library and nothing else. Linked with that, too
//! (`-C target-feature=+crt-static`), it has 7.6 MiB and finds names in `/etc/hosts`, but for whatever else
//! `nsswitch.conf` has asked for the server's name (`resolve`, `myhostname`, `mdns`) glibc would load the machine's modules
//! into a program of another version, which it warns of. So it is not: a package belongs to a distribution, and mends of its
//! C library reach the agent as well. At work the half on the network holds 8 MiB of memory, 1.6 of them its own, and the
//! other half 6 and 0.5.
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
