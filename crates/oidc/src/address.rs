//! Addresses of a provider: over https, or on this machine.

use std::net::IpAddr;
use url::Url;

/// How the metadata document's name ends (OpenID Connect Discovery 1.0 section 4).
const OPENID: &str = "/.well-known/openid-configuration";
/// RFC 8414 section 3: before the path of the issuer instead of after it.
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// The address of a provider's metadata document, as an admin enters it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataUrl {
    url: Url,
    issuer: String,
}

impl MetadataUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is no https address (plain http is taken for this machine alone, as anybody on the way could put in keys
    /// of their own), or not that of a metadata document.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = endpoint(text, true)?;
        let issuer = format!(
            "{}{}",
            url.origin().ascii_serialization(),
            issuer_path(url.path()).ok_or(AddressError::NotMetadata)?
        );
        Ok(Self { url, issuer })
    }

    /// The address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The issuer that belongs to this address, without a slash at its end (OpenID Connect Discovery 1.0 section 4.1,
    /// RFC 8414 section 3.1).
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether the provider is on this machine, so that its other addresses may be, too.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// The path of the issuer whose document has this path.
fn issuer_path(path: &str) -> Option<&str> {
    if let Some(issuer) = path.strip_suffix(OPENID) {
        return Some(issuer.trim_end_matches('/'));
    }
    let inserted = [OPENID, OAUTH]
        .into_iter()
        .find_map(|name| path.strip_prefix(name));
    inserted
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .map(|rest| rest.trim_end_matches('/'))
}

/// Reads an address of a provider. Plain http is for this machine, and only where that is what the admin has entered.
pub(crate) fn endpoint(text: &str, local: bool) -> Result<Url, AddressError> {
    let url =
        Url::parse(text.trim()).map_err(|cause| AddressError::Malformed(cause.to_string()))?;
    match url.scheme() {
        "https" => {}
        "http" if local && is_loopback(&url) => {}
        "http" => return Err(AddressError::Unprotected),
        other => return Err(AddressError::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    if url.fragment().is_some() {
        return Err(AddressError::Fragment);
    }
    Ok(url)
}

/// Whether the host is this machine, so that nobody is on the way to it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

/// Why a text is no address of a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is no URL.
    #[error(
        "it cannot be read ({0}); it looks like https://id.example/.well-known/openid-configuration"
    )]
    Malformed(String),
    /// Another scheme than `http` and `https`.
    #[error("it begins with {0}:; it must be an https address")]
    Scheme(String),
    /// Plain `http` to another machine.
    #[error(
        "it is not encrypted, so that anybody on the way could answer in the provider's name; use https"
    )]
    Unprotected,
    /// A user name or password in the URL.
    #[error("it holds a user name or password; leave it out")]
    Credentials,
    /// Something after `#`.
    #[error("it has a part after '#', which is never sent; leave it out")]
    Fragment,
    /// The address of something else.
    #[error(
        "it is not the address of a metadata document, which ends in /.well-known/openid-configuration; providers list it as OpenID Connect metadata document, discovery document or well-known URL"
    )]
    NotMetadata,
}
