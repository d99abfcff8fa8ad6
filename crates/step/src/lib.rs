//! The wire of `step-ca`'s API, as the stock `step` client speaks it, with nothing behind it.
//!
//! [`Token`] is what a request is proven with: a signed text (a JWS) that is read, checked against what it must say and
//! verified with a [`PublicKey`]. [`request`] and [`answer`] are the bodies, [`Fault`] is how a refusal looks, [`Moment`] how
//! times are written, [`provisioner`] how those are listed whose tokens are taken, and [`template`] what `step ssh config`
//! writes. [`jwe`] encrypts a provisioner's private key with a password.
//!
//! Names, statuses and texts are those of `step-ca`, because clients depend on them. Nothing here reads a clock, random
//! numbers or a database.
#![warn(missing_docs)]

pub mod answer;
mod duration;
mod fault;
pub mod jwe;
mod key;
pub mod provisioner;
pub mod request;
pub mod template;
mod token;

pub use duration::{Moment, duration_text};
pub use fault::Fault;
pub use key::{KeyError, PublicKey};
pub use token::{
    Audience, Claims, Confirmation, Endpoint, Expected, Header, SshOptions, Step, Token, TokenError,
};
