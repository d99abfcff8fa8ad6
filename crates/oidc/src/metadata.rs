//! What a provider says about itself (OpenID Connect Discovery 1.0 section 3), and whether it may say so.

use crate::address::endpoint;
use crate::{ALGORITHMS, AddressError, Error, MetadataUrl, shown};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

/// How Entra writes the tenant into the issuer of `common` and `organizations`.
const TENANT: &str = "{tenantid}";
/// Where the tenants of Entra External ID are, each on a host of its own: one with its name, and one with its id.
const EXTERNAL: &str = ".ciamlogin.com";
/// Browsers and servers take no longer addresses for granted, in bytes.
const LONGEST_HINT: usize = 4096;

/// A provider's metadata, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Who issues ID tokens: what their `iss` must be, with the tenant in its place.
    pub issuer: String,
    /// The tenant that tokens must be from, in lower case.
    pub tenant_id: Option<String>,
    /// Where people are sent to sign in.
    pub authorization_endpoint: Url,
    /// Where codes are turned into tokens.
    pub token_endpoint: Url,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Where people are sent to sign out, where the provider offers that.
    pub end_session_endpoint: Option<Url>,
    /// How the client says who it is.
    pub client_authentication: ClientAuthentication,
    /// Whether the provider says who it is when it sends people back (RFC 9207).
    pub says_issuer: bool,
}

/// How a client gives its secret (OpenID Connect Core 1.0 section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Post,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    end_session_endpoint: Option<String>,
    #[serde(default)]
    response_types_supported: Option<Vec<String>>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Reads the document found at `url`. `tenant_id` is the tenant that the admin has pinned.
    ///
    /// # Errors
    /// When it is no such document, when its issuer does not belong to that address, or when it names an address that
    /// is not encrypted.
    pub fn parse(
        body: &[u8],
        url: &MetadataUrl,
        tenant_id: Option<&str>,
    ) -> Result<Self, MetadataError> {
        let document: Document = serde_json::from_slice(body)
            .map_err(|cause| MetadataError::Unreadable(shown(&cause.to_string())))?;
        let tenant_id = tenant_id.map(str::to_ascii_lowercase);
        let issuer = issuer(&document.issuer, url, tenant_id.as_deref())?;
        let address = |name, text: &str| {
            endpoint(text, url.is_local()).map_err(|cause| MetadataError::Address { name, cause })
        };
        document.check_support()?;
        Ok(Self {
            authorization_endpoint: address(
                "authorization_endpoint",
                &document.authorization_endpoint,
            )?,
            token_endpoint: address("token_endpoint", &document.token_endpoint)?,
            jwks_uri: address("jwks_uri", &document.jwks_uri)?,
            end_session_endpoint: document
                .end_session_endpoint
                .as_deref()
                .map(|text| address("end_session_endpoint", text))
                .transpose()?,
            client_authentication: document.client_authentication()?,
            says_issuer: document.authorization_response_iss_parameter_supported,
            issuer,
            tenant_id,
        })
    }

    /// Checks who answers a sign-in: the `iss` of the answer (RFC 9207 section 2.4).
    ///
    /// # Errors
    /// [`Error::ResponseIssuer`] when it is another, or when it is missing although the provider sends it.
    pub fn check_response_issuer(&self, got: Option<&str>) -> Result<(), Error> {
        match got {
            Some(got) if got == self.issuer => Ok(()),
            None if !self.says_issuer => Ok(()),
            got => Err(Error::ResponseIssuer {
                expected: self.issuer.clone(),
                got: got.map_or_else(|| "nobody".to_owned(), shown),
            }),
        }
    }

    /// Where a person is sent to sign out of the provider, too (OpenID Connect RP-Initiated Logout 1.0 section 2), with
    /// the ID token of the sign-in if it is at hand: without it some providers ask the person first.
    #[must_use]
    pub fn sign_out(
        &self,
        client_id: &str,
        return_to: &str,
        id_token: Option<&SecretString>,
    ) -> Option<Url> {
        let mut url = self.end_session_endpoint.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("post_logout_redirect_uri", return_to);
        let id_token = id_token.map(|token| token.expose_secret());
        if let Some(token) = id_token.filter(|token| token.len() <= LONGEST_HINT) {
            url.query_pairs_mut().append_pair("id_token_hint", token);
        }
        Some(url)
    }
}

impl Document {
    fn check_support(&self) -> Result<(), MetadataError> {
        let offers = |list: &Option<Vec<String>>, wanted: &[&str]| {
            list.as_ref()
                .is_none_or(|list| list.iter().any(|item| wanted.contains(&item.as_str())))
        };
        if !offers(&self.response_types_supported, &["code"]) {
            return Err(MetadataError::NoCode);
        }
        if !offers(&self.id_token_signing_alg_values_supported, &ALGORITHMS) {
            return Err(MetadataError::NoAlgorithm);
        }
        Ok(())
    }

    /// The form where there is a choice: not everybody encodes the header as RFC 6749 section 2.3.1 says, and secrets
    /// have characters for which that matters.
    fn client_authentication(&self) -> Result<ClientAuthentication, MetadataError> {
        let Some(methods) = &self.token_endpoint_auth_methods_supported else {
            return Ok(ClientAuthentication::Basic);
        };
        let offered = |name: &str| methods.iter().any(|method| method == name);
        if offered("client_secret_post") {
            Ok(ClientAuthentication::Post)
        } else if offered("client_secret_basic") || offered("none") {
            Ok(ClientAuthentication::Basic)
        } else {
            Err(MetadataError::NoClientAuthentication)
        }
    }
}

/// The issuer of tokens, if the document at `url` may name it: the address of the document without its well-known part
/// (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3). Where the address names a tenant of Entra by a
/// domain, or none (`common`, `organizations`), the issuer has in its place the tenant that the admin has pinned.
/// Entra External ID names the host with the tenant's id, whichever of its hosts was asked.
fn issuer(
    named: &str,
    url: &MetadataUrl,
    tenant_id: Option<&str>,
) -> Result<String, MetadataError> {
    if named.strip_suffix('/').unwrap_or(named) == url.issuer() {
        return Ok(named.to_owned());
    }
    let mismatch = || MetadataError::Issuer {
        expected: url.issuer().to_owned(),
        got: shown(named),
    };
    // The scheme and nothing come before the host.
    const HOST: usize = 2;
    const PATH: usize = 3;
    let ours: Vec<&str> = url.issuer().split('/').collect();
    let theirs: Vec<&str> = named.split('/').collect();
    let differ: Vec<usize> = (0..theirs.len())
        .filter(|at| ours.get(*at) != theirs.get(*at))
        .collect();
    let theirs_is_external = is_external(&ours, &theirs);
    let at = match differ[..] {
        _ if theirs.len() != ours.len() => return Err(mismatch()),
        // The address names the tenant.
        [HOST] if theirs_is_external && tenant_id.is_none() => return Ok(named.to_owned()),
        [HOST] | [HOST, PATH] if theirs_is_external => PATH,
        [at] if at >= PATH => at,
        _ => return Err(mismatch()),
    };
    match tenant_id {
        Some(tenant) if theirs[at] == TENANT => Ok(named.replace(TENANT, tenant)),
        Some(tenant) if theirs[at].eq_ignore_ascii_case(tenant) => Ok(named.to_owned()),
        Some(_) => Err(mismatch()),
        None => Err(MetadataError::NoTenant { got: shown(named) }),
    }
}

/// Whether the parts of two addresses are of Entra External ID, the second with the same tenant in host and path.
fn is_external(ours: &[&str], theirs: &[&str]) -> bool {
    match (ours, theirs) {
        (["https:", "", ours, ..], ["https:", "", theirs, tenant, ..]) => {
            ours.ends_with(EXTERNAL) && theirs.strip_suffix(EXTERNAL) == Some(tenant)
        }
        _ => false,
    }
}

/// Why a provider's metadata cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is no such document.
    #[error("the metadata document cannot be read ({0}); check the metadata URL in a browser")]
    Unreadable(String),
    /// The issuer does not belong to the address.
    #[error(
        "the metadata document names the issuer {got}, but its address belongs to {expected}; take the metadata URL from the provider's own page (for Microsoft Entra ID it is https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration)"
    )]
    Issuer {
        /// The issuer that belongs to the address.
        expected: String,
        /// The issuer named.
        got: String,
    },
    /// The address stands for many tenants and none is pinned.
    #[error(
        "the metadata URL is for many tenants (issuer {got}); enter the tenant id, so that nobody signs in from another company's tenant"
    )]
    NoTenant {
        /// The issuer named.
        got: String,
    },
    /// An address in it cannot be used.
    #[error("the metadata document's {name} cannot be used: {cause}")]
    Address {
        /// Which one.
        name: &'static str,
        /// Why.
        cause: AddressError,
    },
    /// No authorization code.
    #[error("the provider does not offer the authorization code flow (response type code)")]
    NoCode,
    /// No algorithm of [`ALGORITHMS`].
    #[error("the provider signs ID tokens with none of the algorithms accepted here ({})", ALGORITHMS.join(", "))]
    NoAlgorithm,
    /// No way for the client to give its secret.
    #[error(
        "the provider takes a client's secret neither in the form nor in the header (client_secret_post, client_secret_basic)"
    )]
    NoClientAuthentication,
}

impl MetadataError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::Address { .. } => "metadata_unusable",
            Self::Issuer { .. } => "issuer_mismatch",
            Self::NoTenant { .. } => "tenant_not_pinned",
            Self::NoCode | Self::NoAlgorithm | Self::NoClientAuthentication => {
                "provider_unsupported"
            }
        }
    }
}
