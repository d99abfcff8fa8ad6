//! Connections: how they are made and how entries are asked for.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ldap3::asn1::{PL, parse_tag};
use ldap3::controls::{MakeCritical, PagedResults, RawControl};
use ldap3::{LdapConnAsync, LdapConnSettings, LdapResult, Scope, SearchOptions};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;

use super::entry::Entry;
use super::fault::{broken, refused};
use super::server::{PAGED, SHOW_DELETED};
use super::{Ldap, LdapSettings};
use crate::source::Error;

/// How often a connection is tried before the source counts as unavailable.
const ATTEMPTS: u32 = 3;

/// How the server is reached.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    url: String,
    start_tls: bool,
    tls: Option<Arc<ClientConfig>>,
    page_size: i32,
}

impl Wire {
    pub(super) fn new(
        settings: &LdapSettings,
        folder: &Path,
        password: bool,
    ) -> Result<Self, Error> {
        let url = settings.url.trim();
        let (scheme, host) = url.split_once("://").unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "ldap" | "ldaps") || host.is_empty() {
            return Err(Error::Unusable(format!(
                "url \"{url}\" is none of an LDAP server; write ldaps://host or ldap://host"
            )));
        }
        if settings.start_tls && scheme == "ldaps" {
            return Err(Error::Unusable(
                "ldaps:// is encrypted from the start; leave start_tls out, or write ldap://"
                    .to_owned(),
            ));
        }
        let encrypted = settings.start_tls || scheme == "ldaps";
        if password && !encrypted && !settings.plaintext && !is_here(host) {
            return Err(Error::Unusable(
                "the password would go over the network unencrypted; use ldaps:// or start_tls = true, or allow it with \
                 plaintext = true"
                    .to_owned(),
            ));
        }
        let ca_file = settings.ca_file.as_ref().map(|path| folder.join(path));
        Ok(Self {
            url: url.to_owned(),
            start_tls: settings.start_tls,
            tls: encrypted.then(|| tls(ca_file.as_deref())).transpose()?,
            page_size: i32::from(settings.page_size.max(1)),
        })
    }

    fn settings(&self, timeout: Duration) -> LdapConnSettings {
        let settings = LdapConnSettings::new()
            .set_conn_timeout(timeout)
            .set_starttls(self.start_tls);
        match &self.tls {
            Some(tls) => settings.set_config(Arc::clone(tls)),
            None => settings,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) base: String,
    /// Everything below the base, not just the entry itself.
    pub(super) deep: bool,
    pub(super) filter: String,
    pub(super) attributes: Vec<String>,
    /// Active Directory's tombstones as well.
    pub(super) deleted: bool,
}

/// A connection, bound.
pub(super) struct Connection {
    ldap: ldap3::Ldap,
    url: String,
    timeout: Duration,
    page_size: i32,
    /// Whether the server gives its answers in pages.
    pub(super) paged: bool,
}

/// An answer in pages (RFC 2696). A server keeps only one such answer for a connection.
pub(super) struct Pages {
    query: Query,
    /// Where the answer goes on; `None` at its end.
    cookie: Option<Vec<u8>>,
}

impl Connection {
    /// Connects and binds; a server that cannot be reached is tried again after a moment.
    pub(super) async fn open(source: &Ldap) -> Result<Self, Error> {
        let mut attempt = 1;
        loop {
            match Self::attempt(source).await {
                Err(Error::Unavailable { reason, .. }) if attempt < ATTEMPTS => {
                    // Half a second, then a second, each with a little chance.
                    let chance = source.surroundings.random() % 250;
                    let pause = Duration::from_millis((250 << attempt) + chance);
                    tracing::warn!(%reason, attempt, "connecting to the LDAP server again");
                    source.surroundings.pause(pause).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(source: &Ldap) -> Result<Self, Error> {
        let wire = &source.wire;
        let timeout = source.timeout();
        let doing = format!("connecting to {}", wire.url);
        let (driver, mut ldap) = LdapConnAsync::with_settings(wire.settings(timeout), &wire.url)
            .await
            .map_err(|cause| broken(&cause, &doing))?;
        tokio::spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!(%error, "the connection to the LDAP server ended");
            }
        });
        if let (Some(dn), Some(password)) = (&source.settings.bind_dn, &source.password) {
            let doing = format!("signing in to {} as {dn}", wire.url);
            let result = ldap
                .with_timeout(timeout)
                .simple_bind(dn, password.expose_secret())
                .await
                .map_err(|cause| broken(&cause, &doing))?;
            if result.rc != 0 {
                return Err(refused(&result, &doing));
            }
        }
        Ok(Self {
            ldap,
            url: wire.url.clone(),
            timeout,
            page_size: wire.page_size,
            paged: true,
        })
    }

    /// The entry at the base; `None` if there is none, or the filter says no.
    pub(super) async fn single(&mut self, query: &Query) -> Result<Option<Entry>, Error> {
        let (entries, result) = self.search(query, Vec::new()).await?;
        match result.rc {
            0 => Ok(entries.into_iter().next()),
            // No such object, invalid syntax of a name, a name outside of what the server holds, or nothing one may see.
            10 | 32 | 34 | 50 => Ok(None),
            _ => Err(refused(&result, &self.doing(query))),
        }
    }

    /// The first page of an answer, and whether there is more of it.
    pub(super) async fn first_page(&mut self, query: &Query) -> Result<(Vec<Entry>, bool), Error> {
        let mut pages = Pages::new(query.clone());
        let entries = pages.next(self).await?.unwrap_or_default();
        Ok((entries, pages.cookie.is_some()))
    }

    async fn search(
        &mut self,
        query: &Query,
        controls: Vec<RawControl>,
    ) -> Result<(Vec<Entry>, LdapResult), Error> {
        let doing = self.doing(query);
        let scope = if query.deep {
            Scope::Subtree
        } else {
            Scope::Base
        };
        let mut stream = self
            .ldap
            .with_timeout(self.timeout)
            .with_search_options(SearchOptions::new())
            .with_controls(controls)
            .streaming_search(&query.base, scope, &query.filter, &query.attributes)
            .await
            .map_err(|cause| broken(&cause, &doing))?;
        let mut entries = Vec::new();
        loop {
            match stream.next().await {
                Ok(Some(result)) if result.is_ref() || result.is_intermediate() => {
                    tracing::debug!(base = %query.base, "a referral is not followed");
                }
                Ok(Some(result)) => entries.push(Entry::read(result).ok_or_else(|| {
                    Error::Unusable(format!("{doing}: the server sends an entry that is none"))
                })?),
                Ok(None) => break,
                Err(cause) => return Err(broken(&cause, &doing)),
            }
        }
        Ok((entries, stream.finish().await))
    }

    fn doing(&self, query: &Query) -> String {
        format!(
            "searching {} below \"{}\" for {}",
            self.url, query.base, query.filter
        )
    }
}

impl Pages {
    pub(super) fn new(query: Query) -> Self {
        Self {
            query,
            cookie: Some(Vec::new()),
        }
    }

    /// The next entries; `None` at the end.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<Vec<Entry>>, Error> {
        let Some(cookie) = self.cookie.take() else {
            return Ok(None);
        };
        let mut controls = Vec::new();
        if connection.paged {
            let page = PagedResults {
                size: connection.page_size,
                cookie,
            };
            controls.push(page.critical().into());
        }
        if self.query.deleted {
            controls.push(RawControl {
                ctype: SHOW_DELETED.to_owned(),
                crit: false,
                val: None,
            });
        }
        let (entries, result) = connection.search(&self.query, controls).await?;
        if result.rc != 0 {
            return Err(refused(&result, &connection.doing(&self.query)));
        }
        self.cookie = cookie_of(&result).filter(|cookie| !cookie.is_empty());
        Ok(Some(entries))
    }
}

/// Where an answer goes on, taken apart here because the library panics on a control that is none.
fn cookie_of(result: &LdapResult) -> Option<Vec<u8>> {
    let control = result
        .ctrls
        .iter()
        .find(|control| control.1.ctype == PAGED)?;
    let (_, tag) = parse_tag(control.1.val.as_ref()?).ok()?;
    let PL::C(parts) = tag.payload else {
        return None;
    };
    match parts.into_iter().nth(1)?.payload {
        PL::P(cookie) => Some(cookie),
        PL::C(_) => None,
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn tls(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    let roots = match ca_file {
        Some(path) => authorities(path)?,
        None => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        }
    };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::Unusable(format!("TLS cannot be set up: {cause}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn authorities(path: &Path) -> Result<RootCertStore, Error> {
    let unusable = |why: String| {
        Error::Unusable(format!(
            "ca_file {}: {why}; it must hold certificates in PEM, readable for the user that runs this",
            path.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|cause| unusable(cause.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|cause| unusable(cause.to_string()))?;
        roots
            .add(certificate)
            .map_err(|cause| unusable(cause.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}
