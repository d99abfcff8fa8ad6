//! SCIM 2.0 as a library without I/O: schemas, resources, filters, paths, PATCH, queries, bulk and errors
//! (RFC 7643, RFC 7644, RFC 9865).
//!
//! The crate takes JSON in and gives checked values, change sets and JSON out. It opens no socket, reads no
//! clock and never panics on foreign input; what to store and how to answer over HTTP is its user's business.
#![warn(missing_docs)]

pub mod bulk;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod json;
pub mod patch;
pub mod path;
pub mod profile;
pub mod projection;
pub mod query;
pub mod resource;
pub mod schema;
pub mod text;
pub mod time;

pub use error::{Error, ErrorKind};
pub use filter::Filter;
pub use patch::Patch;
pub use profile::{Leniency, Profile};
pub use projection::Projection;
pub use resource::{Notes, Resource};
pub use schema::{Attribute, Catalog, ResourceType, Schema};
