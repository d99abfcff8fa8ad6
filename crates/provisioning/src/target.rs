//! A SCIM 2.0 application as the target of provisioning.
//!
//! One [`Client`] talks to one tenant URL. It follows what Microsoft Entra ID sends (bearer token, `eq` filters,
//! POST, PATCH, DELETE) and answers with small checked types; a request that fails in passing is repeated, but never
//! so that the target could end up with two of something.

mod answer;
mod client;
mod error;
mod patch;
mod retry;
mod tenant_url;

pub(crate) use answer::member;
pub use answer::{Resource, ResourceId};
pub use client::{Client, Created};
pub use error::Error;
pub use patch::{Dialect, Patch};
pub use retry::{Limits, Surroundings};
pub use tenant_url::{ResourceKind, TenantUrl, TenantUrlError};
