//! The provisioning engine: it pushes people and groups into applications that speak SCIM 2.0.
//!
//! [`application`] is what an admin declares: a source, a target, mappings and rules.
//! [`target`] is the receiving side as the engine sees it: a SCIM client that retries without doing anything twice.
//! [`engine`] decides what is to be sent.
//! [`log`] is what people read of it afterwards, [`notice`] what they are told in mails.
//! [`source`] is where they come from, told in the same words by every kind of source.
//! [`secret`] is how settings name their secrets.
//! [`demo`] is a sample company to try it with.

pub mod application;
pub mod demo;
pub mod engine;
pub mod job;
pub mod log;
pub mod notice;
pub mod secret;
pub mod source;
pub mod target;
mod token;
