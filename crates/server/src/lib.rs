//! The surfaces of Portreeve: SCIM, the admin API on the local socket, health; with configuration, HTTP and authentication.
//!
//! A request goes one way: a handler here parses and checks it, a function of `portreeve-directory` does it in one
//! transaction, the same handler renders the answer.
#![warn(missing_docs)]

mod admin;
mod api;
mod app;
mod applications;
mod auth;
mod body;
mod ca;
pub mod config;
mod console;
mod contact;
mod download;
mod estates;
mod feeds;
mod health;
mod hosts;
mod http;
mod keys;
mod limits;
mod metrics;
mod neighbours;
mod reception;
mod requests;
mod scim;
mod serve;
mod sso;
mod step;
mod tags;
mod told;
mod trouble;
mod vault;
mod who;
mod work;

pub use app::App;
pub use config::Config;
pub use console::pages;
pub use portreeve_directory::{Clock, SystemClock};
pub use serve::{Running, ServeError, start};
