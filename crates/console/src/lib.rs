//! The console's pages: HTML, styles and scripts.
//!
//! A page is a struct with plain data, and [`Page::html`] makes its HTML. Nothing here knows the server, reads a clock or
//! waits for anything; handlers fill the structs and send what comes out, and the files of [`assets`].
//!
//! Everything foreign is escaped where it is written, by the templates; no template switches that off. What is markup by
//! itself, such as a badge or a time, is a type of [`parts`] with a template of its own.
//!
//! How a page is added is written in [`pages`].
#![warn(missing_docs)]

mod address;
pub mod assets;
pub mod pages;
pub mod parts;
mod shell;

pub use address::Address;
pub use shell::{Crumb, Flash, Page, Plain, Section, Shell, Who};
