//! SCIM 2.0 as a library without I/O; the README below is the introduction.
#![doc = ""]
#![doc = include_str!("../README.md")]
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
