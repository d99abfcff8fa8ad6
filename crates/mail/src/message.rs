//! What a person is told.

use jiff::Timestamp;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Mail};

use crate::Error;

/// A mail: one recipient, plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What makes it this mail, such as a UUID: letters, digits, dots and hyphens. A mail that is sent again because
    /// nobody knows whether it has arrived keeps its id, by which the recipient's mail system may know it.
    pub id: String,
    /// The recipient: `ada@contoso.example`, or `Ada <ada@contoso.example>`.
    pub to: String,
    /// One line. Control characters become spaces.
    pub subject: String,
    /// Lines end in `\n`.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
}

impl Message {
    /// The recipient, and what goes over the wire.
    pub(crate) fn compose(&self, from: &Mailbox) -> Result<(Mailbox, Vec<u8>), Error> {
        let to: Mailbox = self
            .to
            .parse()
            .map_err(|cause: AddressError| Error::Address {
                to: self.to.clone(),
                cause: cause.to_string(),
            })?;
        let mail = Mail::builder()
            .from(from.clone())
            .to(to.clone())
            .subject(one_line(&self.subject))
            .date(self.at.into())
            .message_id(Some(format!("<{}@{}>", self.id, from.email.domain())))
            // RFC 3834: no machine is to answer.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            // The last line is ended by SMTP itself.
            .body(self.text.trim_end_matches('\n').to_owned())
            .map_err(|cause| Error::Address {
                to: self.to.clone(),
                cause: cause.to_string(),
            })?;
        Ok((to, mail.formatted()))
    }
}

fn one_line(text: &str) -> String {
    let replaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    replaced.collect::<String>().trim().to_owned()
}
