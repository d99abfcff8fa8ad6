//! What a host is told about its people: one signed document, and every limit that it is held to.
//!
//! A server makes a [`Document`] for one host and signs its very bytes, as `ssh-keygen -Y sign` does, with the key that also
//! signs the certificates of people. The two travel together as an [`Envelope`]. The host believes nothing else: [`verify`]
//! is the only way to a [`Verified`] document, and [`check()`] holds each account in it against what the machine has of its
//! own, so that no server can make somebody root or take the place of a local account.
//!
//! Nothing here reads a clock, a file or a network.
#![warn(missing_docs)]

pub mod api;
pub mod check;
pub mod document;
pub mod envelope;
pub mod local;
mod text;

pub use check::{Accepted, Checked, Conflict, Reason, check};
pub use document::{Access, Account, Document, Group, Host, Ids, Principal, Rules, Shared};
pub use envelope::{Envelope, Expect, Refused, Successor, Verified, verify};
pub use local::Local;
pub use text::prefix_problem;

/// What the signature of a document is for (`ssh-keygen -Y verify -n`).
pub const NAMESPACE: &str = "policy@portreeve";

/// What the signature of a revocation list is for.
pub const KRL_NAMESPACE: &str = "krl@portreeve";

/// What the signature of a key is for by which the one before it vouches for it.
pub const SUCCESSOR_NAMESPACE: &str = "successor@portreeve";

/// The most keys that came after one another, of which a host is told.
pub const MAX_SUCCESSORS: usize = 16;

/// The largest envelope, in bytes.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The most accounts of a host, with those of people who left.
pub const MAX_ACCOUNTS: usize = 20_000;

/// The most groups that a document may bring along.
pub const MAX_GROUPS: usize = 5_000;

/// The most groups that one account may be in.
pub const MAX_GROUPS_OF_ACCOUNT: usize = 256;

/// The most people who may log in to all of a host's own accounts, each counted once for each account.
pub const MAX_PRINCIPALS: usize = 100_000;

/// The most keys of certificate authorities.
pub const MAX_KEYS: usize = 32;
