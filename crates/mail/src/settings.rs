//! The mail server, as an admin writes it down.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// The ports of RFC 8314 for handing mail in: with STARTTLS, and encrypted from the start.
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// How long a mail may take, unless the settings say otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How mails leave.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `smtp://[user@]host[:port]`, which is encrypted with STARTTLS, or `smtps://[user@]host[:port]`, encrypted from
    /// the start. Special characters of the user are percent-encoded; the ports are 587 and 465 unless named.
    pub server: String,
    /// The password of that user.
    pub password: Option<SecretString>,
    /// Whom mails come from: `portreeve@contoso.example`, or `Portreeve <portreeve@contoso.example>`.
    pub from: String,
    /// Whether a connection to `smtp://` must be encrypted. Unless it is said, it must, except to this machine.
    pub encrypted: Option<bool>,
    /// The authorities whose certificates are trusted, in PEM; those of the system where none is named.
    pub ca_file: Option<PathBuf>,
    /// How long a mail may take from the connection to the server's receipt.
    pub timeout: Duration,
}

/// Why mail cannot be sent with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl Settings {
    /// A server that wants no user, and whom mails come from.
    #[must_use]
    pub fn new(server: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            password: None,
            from: from.into(),
            encrypted: None,
            ca_file: None,
            timeout: TIMEOUT,
        }
    }
}

/// How a connection is encrypted.
#[derive(Clone)]
pub(crate) enum Encryption {
    None,
    StartTls(TlsParameters),
    Always(TlsParameters),
}

/// Settings that were read and found good.
pub(crate) struct Checked {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) encryption: Encryption,
    pub(crate) from: Mailbox,
}

impl Checked {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let url = address(&settings.server)?;
        let (host, is_here) = host(&url).ok_or_else(|| unreadable(&settings.server))?;
        let from = settings.from.parse().map_err(|cause| {
            SettingsError(format!(
                "\"{}\" is nobody mails can come from ({cause}); write an address, or Name <address>",
                settings.from
            ))
        })?;
        let user = user(&url)?;
        let credentials = match (&user, &settings.password) {
            (Some(user), Some(password)) => Some(Credentials::new(
                user.clone(),
                password.expose_secret().to_owned(),
            )),
            (None, None) => None,
            (Some(user), None) => {
                return Err(SettingsError(format!(
                    "the password of {user} at the mail server is missing; give it, or leave the user out of the address"
                )));
            }
            (None, Some(_)) => {
                return Err(SettingsError(
                    "there is a password for the mail server and no user; write smtp://user@host"
                        .to_owned(),
                ));
            }
        };
        let always = url.scheme() == "smtps";
        let encryption = match (always, settings.encrypted) {
            (true, Some(false)) => {
                return Err(SettingsError(
                    "smtps:// is always encrypted; write smtp:// for a server that is not"
                        .to_owned(),
                ));
            }
            (true, _) => Encryption::Always(tls(&host, settings.ca_file.as_deref())?),
            (false, said) if said.unwrap_or(!is_here) => {
                Encryption::StartTls(tls(&host, settings.ca_file.as_deref())?)
            }
            (false, _) => Encryption::None,
        };
        let usual = if always { SUBMISSIONS } else { SUBMISSION };
        Ok(Self {
            port: url.port().unwrap_or(usual),
            host,
            user,
            credentials,
            encryption,
            from,
        })
    }
}

fn address(text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text.trim()).map_err(|_| unreadable(text))?;
    if url.password().is_some() {
        return Err(SettingsError(
            "the password does not belong into the mail server's address, which is shown to people; give it by itself"
                .to_owned(),
        ));
    }
    let known = matches!(url.scheme(), "smtp" | "smtps");
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if known && bare && url.port() != Some(0) {
        Ok(url)
    } else {
        Err(unreadable(text))
    }
}

/// The password, should there be one in it, is not repeated: only what [`address`] has looked at gets here with one.
fn unreadable(text: &str) -> SettingsError {
    let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
    SettingsError(format!(
        "\"{shown}\" is no mail server's address; write smtp://user@host:587, or smtps://user@host:465 for a server that encrypts from the start"
    ))
}

/// The host as one connects to it, and whether it is this machine.
fn host(url: &Url) -> Option<(String, bool)> {
    let here = |ip: IpAddr| (ip.to_string(), ip.is_loopback());
    match url.host()? {
        Host::Ipv4(ip) => Some(here(ip.into())),
        Host::Ipv6(ip) => Some(here(ip.into())),
        // Addresses of version 4 are names to the parser where the scheme is not the web's.
        Host::Domain(name) => match name.parse::<IpAddr>() {
            Ok(ip) => Some(here(ip)),
            Err(_) if name.is_empty() => None,
            Err(_) => Some((name.to_owned(), name.eq_ignore_ascii_case("localhost"))),
        },
    }
}

fn user(url: &Url) -> Result<Option<String>, SettingsError> {
    if url.username().is_empty() {
        return Ok(None);
    }
    let user = percent_decode_str(url.username()).decode_utf8();
    user.map(|user| Some(user.into_owned())).map_err(|_| {
        SettingsError(format!(
            "the user {} in the mail server's address is no text; percent-encode its UTF-8",
            url.username()
        ))
    })
}

fn tls(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, SettingsError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca_file {
        builder = builder.certificate_store(CertificateStore::None);
        for authority in authorities(path)? {
            builder = builder.add_root_certificate(authority);
        }
    }
    builder
        .build()
        .map_err(|cause| SettingsError(format!("TLS cannot be set up: {cause}")))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, SettingsError> {
    let unusable = |why: &dyn std::fmt::Display| {
        SettingsError(format!(
            "the mail server's ca_file {}: {why}; it must hold certificates in PEM, readable for the user that runs this",
            path.display()
        ))
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|cause| unusable(&cause))?;
    let mut found = Vec::new();
    for certificate in certificates {
        let certificate = certificate.map_err(|cause| unusable(&cause))?;
        found.push(Certificate::from_der(certificate.to_vec()).map_err(|cause| unusable(&cause))?);
    }
    if found.is_empty() {
        return Err(unusable(&"there is no certificate in it"));
    }
    Ok(found)
}
