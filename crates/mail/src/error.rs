//! Why a mail could not be sent.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use lettre::transport::smtp;

/// Why a mail could not be sent, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nobody to send it to.
    #[error("\"{to}\" is no address that mail can be sent to ({cause}); correct it")]
    Address {
        /// What should have been an address.
        to: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The server takes no such mail.
    #[error(
        "the mail server {server} refuses a mail to {to} ({reply}); correct the address, or ask who runs that server"
    )]
    Refused {
        /// Host and port.
        server: String,
        /// The recipient.
        to: String,
        /// What the server said.
        reply: String,
    },
    /// The server does not take it yet.
    #[error(
        "the mail server {server} does not take mail now ({reply}); it is to be sent again later"
    )]
    Later {
        /// Host and port.
        server: String,
        /// What the server said.
        reply: String,
    },
    /// The server takes no mail from us, whoever it is for.
    #[error(
        "the mail server {server} takes no mail from {from} ({reply}); send from an address that it knows, as the user to whom it belongs"
    )]
    Sender {
        /// Host and port.
        server: String,
        /// Whom mails come from.
        from: String,
        /// What the server said.
        reply: String,
    },
    /// The user or the password is wrong.
    #[error("the mail server {server} does not let {user} in ({reply}); check user and password")]
    SignIn {
        /// Host and port.
        server: String,
        /// The user.
        user: String,
        /// What the server said.
        reply: String,
    },
    /// Nobody was there, or something else than a mail server.
    #[error(
        "the mail server {server} cannot be reached, or does not talk as a mail server does ({cause}); check its address, and that it can be reached from here"
    )]
    Unreachable {
        /// Host and port.
        server: String,
        /// What happened.
        cause: String,
    },
    /// It took too long. The mail may have arrived all the same.
    #[error("the mail server {server} did not take the mail within {} seconds; check that it is well, or allow it more time", .limit.as_secs_f64())]
    Timeout {
        /// Host and port.
        server: String,
        /// How long it was given.
        limit: Duration,
    },
    /// The connection would not be encrypted.
    #[error(
        "the mail server {server} offers no encryption (STARTTLS); write smtps:// if it encrypts from the start, or allow it to be reached unencrypted if nobody can listen on the way"
    )]
    NotEncrypted {
        /// Host and port.
        server: String,
    },
    /// The certificate is not to be trusted, or there is no common way to encrypt.
    #[error(
        "the connection to the mail server {server} cannot be encrypted ({cause}); have it show a certificate for that name, or name the authority it comes from as ca_file"
    )]
    Encryption {
        /// Host and port.
        server: String,
        /// What TLS says.
        cause: String,
    },
}

impl Error {
    /// Whether this mail will never be taken. Everything else passes by itself, or when an admin has repaired the
    /// settings or the server: then the mail is still to be sent.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Address { .. } | Self::Refused { .. })
    }
}

/// The longest part of a server's reply that is repeated, in characters.
const LONGEST: usize = 500;

/// What a failed command comes to; `refused` makes the error of a refusal for good, from the server's reply.
pub(crate) fn of(
    error: &smtp::Error,
    server: &str,
    refused: impl FnOnce(String) -> Error,
) -> Error {
    let server = server.to_owned();
    if let Some(code) = error.status() {
        let said = error.source().map(ToString::to_string);
        let reply = shown(&format!("{code} {}", said.unwrap_or_default()));
        return if error.is_permanent() {
            refused(reply)
        } else {
            Error::Later { server, reply }
        };
    }
    if let Some(cause) = encryption(error) {
        let cause = cause.to_string();
        return Error::Encryption { server, cause };
    }
    let mut last: &dyn StdError = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let cause = shown(&last.to_string());
    Error::Unreachable { server, cause }
}

/// What TLS had to say, if it was TLS.
fn encryption<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An error that input or output carries is not among its sources; only the sources of that one are.
        let carried = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        let found = carried.and_then(|carried| carried.downcast_ref::<rustls::Error>());
        if let Some(found) = found.or_else(|| error.downcast_ref()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// A foreign text in one line of bounded length.
pub(crate) fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let short: String = text.trim().chars().take(LONGEST).map(clean).collect();
    short.trim_end().to_owned()
}
