//! Handing a mail to its server.

use std::fmt;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;

use crate::error::{self, Error};
use crate::settings::{Checked, Encryption};
use crate::{Message, Settings, SettingsError};

/// The ways to sign in that are tried; both send the password, one of them in two lines.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// How long one address of the server may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server that has taken the mail, or has not, is given to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Sends mails through one server, each over a connection of its own.
pub struct Mailer {
    host: String,
    port: u16,
    /// Host and port, for errors.
    server: String,
    /// The user's name, for errors.
    user: String,
    credentials: Option<Credentials>,
    encryption: Encryption,
    from: Mailbox,
    hello: ClientId,
    timeout: Duration,
}

impl Mailer {
    /// Takes settings, without connecting to anybody.
    ///
    /// # Errors
    /// When they cannot be used; the text says what to write instead.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let checked = Checked::new(settings)?;
        let server = match checked.host.contains(':') {
            true => format!("[{}]:{}", checked.host, checked.port),
            false => format!("{}:{}", checked.host, checked.port),
        };
        Ok(Self {
            host: checked.host,
            port: checked.port,
            server,
            user: checked.user.unwrap_or_default(),
            credentials: checked.credentials,
            encryption: checked.encryption,
            hello: ClientId::Domain(checked.from.email.domain().to_owned()),
            from: checked.from,
            timeout: settings.timeout,
        })
    }

    /// Sends a mail. When it returns, the server has taken it over.
    ///
    /// # Errors
    /// [`Error::is_permanent`] tells whether it is of use to try again.
    pub async fn send(&self, message: &Message) -> Result<(), Error> {
        let (to, text) = message.compose(&self.from)?;
        let exchange = async {
            let mut connection = self.connect().await?;
            let done = self.talk(&mut connection, &to, &text).await;
            Ok((connection, done))
        };
        let ended = timeout(self.timeout, exchange).await;
        let (mut connection, done) = ended.map_err(|_| Error::Timeout {
            server: self.server.clone(),
            limit: self.timeout,
        })??;
        // What has become of the mail is settled; what becomes of the goodbye changes nothing.
        let _ = timeout(GOODBYE, connection.abort()).await;
        done
    }

    /// A connection that is encrypted as far as it is to be. One that could not be is dropped without a goodbye: where
    /// it stands then, nobody knows.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let (always, then) = match &self.encryption {
            Encryption::None => (None, None),
            Encryption::StartTls(tls) => (None, Some(tls.clone())),
            Encryption::Always(tls) => (Some(tls.clone()), None),
        };
        let address = (self.host.as_str(), self.port);
        let connected =
            AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT), &self.hello, always, None);
        let mut connection = connected.await.map_err(|error| self.away(&error))?;
        if let Some(tls) = then {
            if !connection.can_starttls() {
                let server = self.server.clone();
                return Err(Error::NotEncrypted { server });
            }
            let encrypted = connection.starttls(tls, &self.hello).await;
            encrypted.map_err(|error| self.away(&error))?;
        }
        Ok(connection)
    }

    async fn talk(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: &Mailbox,
        text: &[u8],
    ) -> Result<(), Error> {
        if let Some(credentials) = &self.credentials {
            self.sign_in(connection, credentials).await?;
        }
        self.hand_over(connection, to, text).await
    }

    async fn sign_in(
        &self,
        connection: &mut AsyncSmtpConnection,
        credentials: &Credentials,
    ) -> Result<(), Error> {
        let refused = |reply| Error::SignIn {
            server: self.server.clone(),
            user: self.user.clone(),
            reply,
        };
        let offered = connection.server_info().get_auth_mechanism(&MECHANISMS);
        if offered.is_none() {
            return Err(refused(
                "it offers neither PLAIN nor LOGIN on this connection".to_owned(),
            ));
        }
        let done = connection.auth(&MECHANISMS, credentials).await;
        done.map_err(|error| error::of(&error, &self.server, refused))?;
        Ok(())
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: &Mailbox,
        text: &[u8],
    ) -> Result<(), Error> {
        let refused = |reply| Error::Refused {
            server: self.server.clone(),
            to: to.email.to_string(),
            reply,
        };
        let stranger = |reply| Error::Sender {
            server: self.server.clone(),
            from: self.from.email.to_string(),
            reply,
        };
        let ascii = [&self.from, to]
            .into_iter()
            .all(|mailbox| mailbox.email.to_string().is_ascii());
        let international = connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight);
        let parameters = match (ascii, international) {
            (true, _) => Vec::new(),
            (false, true) => vec![MailParameter::SmtpUtfEight],
            (false, false) => {
                return Err(refused(
                    "it takes no addresses with letters outside ASCII".to_owned(),
                ));
            }
        };
        let from = Mail::new(Some(self.from.email.clone()), parameters);
        let recipient = Rcpt::new(to.email.clone(), Vec::new());
        let sent = connection.command(from).await;
        sent.map_err(|error| error::of(&error, &self.server, stranger))?;
        let sent = connection.command(recipient).await;
        sent.map_err(|error| error::of(&error, &self.server, refused))?;
        let sent = connection.command(Data).await;
        sent.map_err(|error| error::of(&error, &self.server, refused))?;
        let sent = connection.message(text).await;
        sent.map_err(|error| error::of(&error, &self.server, refused))?;
        Ok(())
    }

    /// There is no server, or it turns us away before it has heard who we are.
    fn away(&self, error: &smtp::Error) -> Error {
        error::of(error, &self.server, |reply| Error::Unreachable {
            server: self.server.clone(),
            cause: reply,
        })
    }
}

/// Without the password.
impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("server", &self.server)
            .field("user", &self.user)
            .field("from", &self.from.to_string())
            .finish_non_exhaustive()
    }
}
