//! What is answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// An answer as Go's encoder writes it, with a line break behind it and `<`, `>` and `&` escaped.
#[must_use]
pub fn body(answer: &impl Serialize) -> String {
    let mut text = serde_json::to_string(answer).unwrap_or_default();
    for (character, escaped) in [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026")] {
        if text.contains(character) {
            text = text.replace(character, escaped);
        }
    }
    text.push('\n');
    text
}

/// Bytes in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// `{"status":"ok"}`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Status {
    status: &'static str,
}

/// That something was done, or that the server is well.
pub const OK: Status = Status { status: "ok" };

/// `GET /version`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Ours.
    pub version: String,
    /// Whether whoever asks for more than the open endpoints shows a certificate; left out where nobody has to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_client_authentication: bool,
}

/// `GET /root/{sha256}`.
#[derive(Debug, Clone, Serialize)]
pub struct Root {
    /// PEM.
    pub ca: String,
}

/// `GET /roots`, `/federation`, `/intermediates`.
#[derive(Debug, Clone, Serialize)]
pub struct Certificates {
    /// PEM, one each.
    pub crts: Vec<String>,
}

/// `GET /ssh/roots`, `/ssh/federation`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SshRoots {
    /// Keys that sign for people; the one that signs now first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_key: Vec<Bytes>,
    /// Keys that sign for hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_key: Vec<Bytes>,
}

/// `POST /ssh/sign`, `/ssh/renew`, `/ssh/rekey`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SshCertificate {
    /// The certificate in its form on the wire.
    pub crt: Bytes,
    /// The X.509 certificate that was asked for beside it, and what it was signed with (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_crt: Option<Vec<String>>,
}

/// `POST /sign`, `/renew`, `/rekey`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// The certificate (PEM).
    pub crt: String,
    /// What signed it (PEM).
    pub ca: String,
    /// Both.
    pub cert_chain: Vec<String>,
    /// How the client may serve with it.
    pub tls_options: TlsOptions,
}

/// What `step` writes into the configuration of programs that serve with a certificate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsOptions {
    cipher_suites: [&'static str; 2],
    min_version: f32,
    max_version: f32,
    renegotiation: bool,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            cipher_suites: [
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            ],
            min_version: 1.2,
            max_version: 1.3,
            renegotiation: false,
        }
    }
}

/// `POST /ssh/check-host`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Exists {
    /// Whether it is known.
    pub exists: bool,
}

/// `GET /ssh/hosts`.
#[derive(Debug, Clone, Serialize)]
pub struct Hosts {
    /// By name.
    pub hosts: Vec<Host>,
}

/// A host.
#[derive(Debug, Clone, Serialize)]
pub struct Host {
    /// Its id.
    #[serde(rename = "hid")]
    pub id: String,
    /// Its tags; `null` for none, as Go writes it.
    pub host_tags: Option<Vec<Tag>>,
    /// Its name.
    pub hostname: String,
}

/// A tag of a host.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// Clients show it nowhere.
    #[serde(rename = "ID")]
    pub id: String,
    /// The key.
    pub name: String,
    /// The value.
    pub value: String,
}

/// `POST /ssh/bastion`.
#[derive(Debug, Clone, Serialize)]
pub struct Bastion {
    /// The host that was asked for.
    pub hostname: String,
    /// The host through which it is reached; left out where it is reached directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bastion: Option<Through>,
}

/// A bastion.
#[derive(Debug, Clone, Serialize)]
pub struct Through {
    /// Its name.
    pub hostname: String,
    /// The account there; without it that of whoever asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// What a bootstrap with the name of a team needs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Authority {
    /// The address of the API.
    pub url: String,
    /// SHA-256 of the root certificate: hexadecimal, in lower case.
    pub fingerprint: String,
    /// Where browsers go after a sign-in.
    pub redirect_url: String,
    /// The provisioner that is meant where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioner: Option<String>,
}

/// A refusal of a bootstrap, which looks different from all others.
#[derive(Debug, Clone, Serialize)]
pub struct AuthorityFault {
    /// The status of HTTP.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// In a word.
    pub error: &'static str,
    /// For whoever runs the client.
    pub message: String,
}
