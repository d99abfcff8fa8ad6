//! OpenID Connect from the side of who relies on it: a provider says who somebody is.
//!
//! A [`Provider`] knows one metadata document ([`Metadata`]) and keeps it and the provider's [`Keys`] for a while. A
//! sign-in goes out with an [`AuthorizationRequest`], comes back with a code that [`Provider::exchange`] turns into
//! [`Tokens`], and [`Provider::verify`] makes [`Claims`] of the ID token or says exactly what is wrong with it.
//!
//! What is foreign bytes is taken apart by pure functions ([`Metadata::parse`], [`Keys::parse`], [`verify`]); time comes
//! in as an argument. An [`Error`] has a code that does not change and a sentence for the admin of the connection.
//!
//! The rules are those of OpenID Connect Core 1.0 and Discovery 1.0, RFC 8414, RFC 7636 (only S256), RFC 9207 and, for
//! tokens, RFC 8725; and Microsoft Entra's for issuers with a tenant in them.
#![warn(missing_docs)]

mod address;
mod authorization;
mod cache;
mod error;
mod exchange;
mod http;
mod keys;
mod metadata;
mod provider;
mod token;

pub use address::{AddressError, MetadataUrl};
pub use authorization::{AuthorizationRequest, challenge};
pub use cache::Now;
pub use error::{Asked, Error};
pub use exchange::{Client, ClientCheck, Code, Tokens};
pub use http::{Fetched, Http};
pub use keys::{Keys, KeysError};
pub use metadata::{ClientAuthentication, Metadata, MetadataError};
pub use provider::Provider;
pub use token::{Claims, Expected, TokenError, verify};

/// The algorithms that an ID token may be signed with (RFC 7518 section 3.1, RFC 8037 section 3.1). Neither `none` nor a
/// shared secret: whoever holds the client secret could sign.
pub const ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];

/// Foreign text as it may be shown: on one line, and not long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut out: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out.trim().to_owned()
}
