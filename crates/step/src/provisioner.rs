//! Those whose tokens are taken, as everybody may see them.

use serde::Serialize;
use serde_json::Value;

/// How many are on a page where nobody says.
pub const USUAL: usize = 20;
/// How many are on a page at most.
pub const MOST: usize = 100;

/// A provisioner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provisioner {
    /// What it is.
    #[serde(flatten)]
    pub kind: Kind,
    /// Rules for its certificates.
    pub claims: ClaimsOfAll,
}

/// What a provisioner is. Those whose admins, domains and groups `step-ca` tells everybody do not say them here.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum Kind {
    /// Signs in at an OpenID provider.
    #[serde(rename = "OIDC")]
    Oidc {
        /// Its name.
        name: String,
        /// What the provider calls the client.
        #[serde(rename = "clientID")]
        client_id: String,
        /// The secret of a client that cannot keep one; empty for a public client.
        client_secret: String,
        /// The provider's metadata document.
        configuration_endpoint: String,
        /// The only tenant.
        #[serde(rename = "tenantID", skip_serializing_if = "Option::is_none")]
        tenant_id: Option<String>,
        /// Where the client listens for the browser; without it at a free port.
        #[serde(skip_serializing_if = "Option::is_none")]
        listen_address: Option<String>,
        /// What is asked for; without it `openid email`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<String>,
        /// What else is sent to the provider, as `name=value`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        auth_params: Vec<String>,
    },
    /// Signs with a key.
    #[serde(rename = "JWK")]
    Jwk {
        /// Its name.
        name: String,
        /// The public key.
        key: Value,
        /// The private one, encrypted with a password.
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_key: Option<String>,
    },
    /// Signs with an X.509 certificate.
    #[serde(rename = "X5C")]
    X5c {
        /// Its name.
        name: String,
        /// The roots of its certificates: base64 of PEM.
        roots: String,
    },
    /// Signs with the SSH certificate that is to be renewed.
    #[serde(rename = "SSHPOP")]
    Sshpop {
        /// Its name.
        name: String,
    },
}

/// What clients look at before they ask for an SSH certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimsOfAll {
    /// Whether there are any.
    #[serde(rename = "enableSSHCA")]
    pub enable_ssh_ca: bool,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Oidc { name, .. }
            | Self::Jwk { name, .. }
            | Self::X5c { name, .. }
            | Self::Sshpop { name } => name,
        }
    }
}

impl From<Kind> for Provisioner {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            claims: ClaimsOfAll {
                enable_ssh_ca: true,
            },
        }
    }
}

/// `GET /provisioners`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Some of them.
    pub provisioners: Vec<Provisioner>,
    /// Where the next page begins; empty on the last.
    pub next_cursor: String,
}

/// A page of provisioners in their order. The cursor is the place where it begins.
#[must_use]
pub fn page(all: &[Provisioner], cursor: &str, limit: usize) -> Page {
    let begin = usize::from_str_radix(cursor, 16).unwrap_or_default();
    let limit = match limit {
        0 => USUAL,
        limit => limit.min(MOST),
    };
    let end = begin.saturating_add(limit).min(all.len());
    Page {
        provisioners: all.get(begin..end).unwrap_or_default().to_vec(),
        next_cursor: match end < all.len() {
            true => format!("{end:x}"),
            false => String::new(),
        },
    }
}

/// `GET /provisioners/{kid}/encrypted-key`.
#[derive(Debug, Clone, Serialize)]
pub struct EncryptedKey {
    /// A JWE.
    pub key: String,
}
