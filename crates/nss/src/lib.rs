//! The name service module `portreeve`: accounts and groups of a host's people, from files that the host agent writes.
//!
//! It is for hosts whose systemd is older than 249, where `nss-systemd` does not read account files yet; on others the
//! agent writes those and this module is not used. The C library loads it into every process that asks who somebody
//! is (`sshd`, `sudo`, `ls`, the first process after boot), so it does as little as can be done:
//!
//! - It reads three files ([`snapshot`]) in the formats of passwd(5), group(5) and shadow(5), each anew for every
//!   question, and writes nothing. There is nothing to wait for: no socket, no lock, no daemon, no network.
//! - It believes a file only if root owns it and nobody else may write it, and a line only if it is whole ([`record`]).
//!   No line makes anybody root: numbers 0 are not answered.
//! - It has no thread and no memory of its own: it reads through a window on the stack ([`lines`]) and answers in the
//!   caller's buffer ([`buffer`], [`lookup`]). What it keeps between two calls is the place in an enumeration ([`cursor`]).
//! - Nothing in it can panic: the lints of this crate refuse indexing and arithmetic that may overflow, too.
//!
//! What the C library calls is in [`abi`], with the rules of the GNU C Library manual, section 30.4, "Extending NSS".
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod abi;
pub mod answer;
pub mod buffer;
pub mod cursor;
pub mod lines;
pub mod lookup;
pub mod record;
pub mod snapshot;
