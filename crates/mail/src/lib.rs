//! Mails to people.
//!
//! A [`Mailer`] knows one mail server, by its [`Settings`]. It sends a [`Message`], which has one recipient, so that one
//! wrong address keeps nobody else from being told and what was sent need not be sent again. An [`Error`] says what to
//! do, and whether it is of use to try again.

mod error;
mod mailer;
mod message;
mod settings;

pub use error::Error;
pub use mailer::Mailer;
pub use message::Message;
pub use settings::{Settings, SettingsError};
