//! A SCIM 2.0 application as the target of provisioning.
//!
//! One [`Client`] talks to one tenant URL. It follows what Microsoft Entra ID sends (bearer token, `eq` filters,
//! POST, PATCH, DELETE) and answers with small checked types; a request that fails in passing is repeated, but never
//! so that the target could end up with two of something. Where a target departs from the RFCs in a way that can be
//! worked around it is, and [`Client::quirks`] names it.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::SystemTime;
//!
//! use portreeve_provisioning::target::{Client, Limits, ResourceKind, Surroundings, TenantUrl};
//! use secrecy::SecretString;
//!
//! #[derive(Debug)]
//! struct Noon;
//!
//! impl Surroundings for Noon {
//!     fn now(&self) -> SystemTime {
//!         SystemTime::UNIX_EPOCH
//!     }
//!
//!     fn random(&self) -> u64 {
//!         4
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let base = TenantUrl::parse("https://app.example/scim/v2?aadOptscim062020")?;
//! let client = Client::new(base, &SecretString::from("secret"), Limits::default(), Arc::new(Noon))?;
//! client.probe(ResourceKind::User).await?;
//! let ada = client.find(ResourceKind::User, "userName", "ada@contoso.example", &[]).await?;
//! # Ok(())
//! # }
//! ```

mod address;
mod answer;
mod authentication;
mod client;
mod discovery;
mod error;
mod outward;
mod pace;
mod patch;
mod path;
mod quirk;
mod replacement;
mod retry;
mod settings;
mod tenant_url;
mod transport;

pub use address::private_host;
pub use answer::{Resource, ResourceId};
pub(crate) use answer::{excerpt, member};
pub use authentication::SendSecret;
pub use client::{Client, Created, NotCreated};
pub use discovery::{Attribute, Capabilities, Known};
pub use error::Error;
pub use outward::{Outward, OutwardError};
pub use patch::{Dialect, Patch};
pub use quirk::Quirk;
pub(crate) use retry::retry_after;
pub use retry::{Limits, Surroundings};
pub use settings::{Credentials, PatchRefused, Settings};
pub(crate) use tenant_url::is_loopback;
pub use tenant_url::{ResourceKind, TenantUrl, TenantUrlError};
pub(crate) use transport::{cause_chain, http_client};
