//! The X.509 side of a certificate authority.
//!
//! A [`key::Key`] signs, in memory or in a token. [`authority`] makes roots and intermediates, and [`authority::Issuer`] the
//! certificates below them: of servers, and the identity certificates of people and hosts. [`request`] reads what clients
//! ask to be certified (PKCS #10), and [`chain`] reads certificates and verifies chains.
//!
//! Nothing here reads a clock or a file.
#![warn(missing_docs)]

pub mod authority;
pub mod chain;
mod error;
pub mod key;
pub mod names;
pub mod request;

pub use authority::{Issuer, Leaf, Usage};
pub use chain::{Details, fingerprint};
pub use error::Error;
pub use key::Key;
pub use names::Name;
pub use request::Request;
