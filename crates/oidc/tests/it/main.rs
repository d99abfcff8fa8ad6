//! A provider that tells the truth is believed; every other one is refused, with its reason.

mod metadata;
mod provider;
mod tokens;
