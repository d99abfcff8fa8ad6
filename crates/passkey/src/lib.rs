//! Passkeys: the part of a relying party in Web Authentication (W3C WebAuthn Level 3).
//!
//! A [`RelyingParty`] is a site as browsers see it. [`registration`] and [`assertion`] are the two ceremonies: each has
//! `options`, the JSON for `PublicKeyCredential.parse…OptionsFromJSON` in the browser, and `verify` for what the browser's
//! `toJSON()` answers. Passkeys are always discoverable and always verify their user, so they replace name and password.
//!
//! Attestation is not asked for: which maker an authenticator has decides nothing here, so statements about it are ignored.
//!
//! Nothing here reads a clock, random numbers or a database. The caller makes challenges of random bytes, binds each to one
//! browser, accepts it once and within [`TIMEOUT`], and keeps the [`Credential`].
#![warn(missing_docs)]

pub mod assertion;
mod authenticator_data;
mod bytes;
mod cbor;
mod client_data;
mod key;
mod refused;
pub mod registration;
mod relying_party;

pub use key::PublicKey;
pub use refused::Refused;
pub use registration::Credential;
pub use relying_party::{RelyingParty, Unfit};

use std::time::Duration;

/// Random bytes of a challenge; WebAuthn section 13.4.3 wants 16 at least.
pub const CHALLENGE_BYTES: usize = 32;

/// How long a person has for a ceremony; what WebAuthn section 15.1 recommends.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// A number that the answer to it repeats, so that no earlier answer will do.
pub type Challenge = [u8; CHALLENGE_BYTES];
