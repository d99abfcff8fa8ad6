//! The mail server.

use super::{ConfigError, Values, read, yes_or_no};
use std::path::PathBuf;

/// How mails leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `smtp://[user@]host[:port]` or `smtps://[user@]host[:port]`.
    pub server: String,
    /// Whom they come from.
    pub from: String,
    /// The file that holds the user's password and nothing else.
    pub password_file: Option<PathBuf>,
    /// The authorities whose certificates are trusted, in PEM; those of the system where none is named.
    pub ca_file: Option<PathBuf>,
    /// Whether a connection to `smtp://` must be encrypted. Unless it is said, it must, except to this machine.
    pub encrypted: Option<bool>,
}

impl Mail {
    pub(super) fn from_values(values: &Values) -> Result<Option<Self>, ConfigError> {
        let text = |value: &str| Ok(value.trim().to_owned());
        let Some(server) = read(values, "smtp-server", text)? else {
            return Ok(None);
        };
        let Some(from) = read(values, "smtp-from", text)? else {
            let missing =
                |_: &str| Err::<(), _>("say with smtp-from whom mails come from".to_owned());
            read(values, "smtp-server", missing)?;
            return Ok(None);
        };
        let file = |name| read(values, name, |value| Ok(PathBuf::from(value)));
        Ok(Some(Self {
            server,
            from,
            password_file: file("smtp-password-file")?,
            ca_file: file("smtp-ca-file")?,
            encrypted: read(values, "smtp-encrypted", yes_or_no)?,
        }))
    }
}
