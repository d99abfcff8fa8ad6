//! Access tokens by client credentials (RFC 6749 section 4.4), with a secret or with an assertion (RFC 7523).

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use reqwest::header::HeaderValue;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::http::{Answer, Http};
use super::settings::{Algorithm, Settings};
use crate::secret::{Secret, SecretError};
use crate::source::Error;
use crate::token::{Kept, Token};

/// Gets at the secrets that settings name.
pub(super) type Reveal<'a> = dyn Fn(&Secret) -> Result<SecretString, SecretError> + 'a;

/// How long an assertion is good for.
const ASSERTION_LIFE: Duration = Duration::from_secs(10 * 60);

/// Gets a token when there is none that is good, and keeps it.
#[derive(Debug)]
pub(super) struct Tokens {
    http: Http,
    endpoint: Url,
    client_id: String,
    scope: String,
    credential: Credential,
    kept: Kept,
}

#[derive(Debug)]
enum Credential {
    Secret(SecretString),
    Certificate(Signer),
}

/// A certificate that the app registration knows, with its key.
#[derive(Debug)]
struct Signer {
    key: KeyPair,
    algorithm: Algorithm,
    /// The SHA-256 digest of the certificate, by which it is found among those registered.
    thumbprint: String,
}

impl Tokens {
    pub(super) fn new(
        http: Http,
        endpoint: Url,
        graph: &Url,
        settings: &Settings,
        reveal: &Reveal<'_>,
    ) -> Result<Self, Error> {
        Ok(Self {
            http,
            endpoint,
            client_id: settings.client_id.trim().to_owned(),
            scope: format!("{}.default", graph.as_str()),
            credential: Credential::new(settings, reveal)?,
            kept: Kept::default(),
        })
    }

    /// A token that is good for a while, as the value of `Authorization`.
    pub(super) async fn current(&self) -> Result<HeaderValue, Error> {
        let now = self.http.now();
        self.kept.current(now, || self.ask(now)).await
    }

    /// Gives up a token that was refused.
    pub(super) async fn forget(&self, refused: &HeaderValue) {
        self.kept.forget(refused).await;
    }

    async fn ask(&self, now: SystemTime) -> Result<Token, Error> {
        let answer = self
            .http
            .exchange(|| {
                let form = self.form(now)?;
                Ok(self.http.client().post(self.endpoint.clone()).form(&form))
            })
            .await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        let answer = answer.json()?;
        Token::read(&answer, now).map_err(|reason| {
            Error::Unusable(format!("it gets no token that it can use: {reason}"))
        })
    }

    fn form(&self, now: SystemTime) -> Result<Vec<(&'static str, String)>, Error> {
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.client_id.clone()),
            ("scope", self.scope.clone()),
        ];
        match &self.credential {
            Credential::Secret(secret) => {
                form.push(("client_secret", secret.expose_secret().to_owned()));
            }
            Credential::Certificate(signer) => {
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", self.assertion(signer, now)?));
            }
        }
        Ok(form)
    }

    /// Who we are, signed (RFC 7523 section 3).
    fn assertion(&self, signer: &Signer, now: SystemTime) -> Result<String, Error> {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let header = json!({
            "alg": signer.name(),
            "typ": "JWT",
            "x5t#S256": signer.thumbprint,
        });
        let claims = json!({
            "aud": self.endpoint.as_str(),
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": self.http.unique(),
            "nbf": now.as_secs(),
            "iat": now.as_secs(),
            "exp": (now + ASSERTION_LIFE).as_secs(),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = signer.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Credential {
    fn new(settings: &Settings, reveal: &Reveal<'_>) -> Result<Self, Error> {
        let reveal = |secret| reveal(secret).map_err(|cause| Error::Credentials(cause.to_string()));
        match (&settings.client_secret, &settings.certificate) {
            (Some(secret), None) => Ok(Self::Secret(reveal(secret)?)),
            (None, Some(certificate)) => {
                let certificate = reveal(certificate)?;
                let key = match &settings.private_key {
                    Some(key) => reveal(key)?,
                    None => certificate.clone(),
                };
                Signer::new(&certificate, &key, settings.algorithm).map(Self::Certificate)
            }
            _ => Err(Error::Credentials(
                "name either a client_secret or a certificate of the app registration".to_owned(),
            )),
        }
    }
}

impl Signer {
    fn new(
        certificate: &SecretString,
        key: &SecretString,
        algorithm: Algorithm,
    ) -> Result<Self, Error> {
        let certificate = CertificateDer::from_pem_slice(certificate.expose_secret().as_bytes())
            .map_err(|_| {
                Error::Credentials(
                    "the certificate is not in PEM: it begins with -----BEGIN CERTIFICATE-----"
                        .to_owned(),
                )
            })?;
        let key = read_key(key.expose_secret())?;
        let public = key.public_key().as_ref();
        // The certificate holds the encoded public key as it is (RFC 5280 section 4.1.2.7, RFC 8017 appendix A.1.1).
        if !certificate
            .windows(public.len())
            .any(|window| window == public)
        {
            return Err(Error::Credentials(
                "the private key does not belong to the certificate; give the two that were made together".to_owned(),
            ));
        }
        Ok(Self {
            key,
            algorithm,
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate)),
        })
    }

    /// The name of the algorithm (RFC 7518 section 3.1).
    fn name(&self) -> &'static str {
        match self.algorithm {
            Algorithm::PS256 => "PS256",
            Algorithm::RS256 => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let encoding: &'static dyn RsaEncoding = match self.algorithm {
            Algorithm::PS256 => &RSA_PSS_SHA256,
            Algorithm::RS256 => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Error::Credentials("the private key cannot sign".to_owned()))?;
        Ok(signature)
    }
}

fn read_key(pem: &str) -> Result<KeyPair, Error> {
    let refused = |reason: &str| Error::Credentials(format!("the private key {reason}"));
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(refused(
            "is encrypted; take the passphrase off with: openssl pkey -in KEY -out KEY.plain",
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| refused("is not in PEM: it begins with -----BEGIN PRIVATE KEY-----"))?;
    let pair = match &key {
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(refused("is no RSA key, which Microsoft Entra ID asks for")),
    };
    pair.map_err(|cause| {
        refused(&format!(
            "cannot be used ({cause}); RSA of 2048 to 8192 bits is asked for"
        ))
    })
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What an admin can do about the codes that are seen most.
const REMEDIES: &[(&str, &str)] = &[
    (
        "AADSTS7000215",
        "enter the secret's value, which is shown once, and not its id",
    ),
    (
        "AADSTS7000222",
        "the secret has ended: make a new one in the app registration",
    ),
    (
        "AADSTS700016",
        "check client_id and tenant: the tenant has no such app registration",
    ),
    (
        "AADSTS90002",
        "check the tenant: there is none of that name",
    ),
    (
        "AADSTS900023",
        "check the tenant: it is neither an id nor a domain",
    ),
    (
        "AADSTS700027",
        "upload the certificate to the app registration, or renew it if it has ended",
    ),
    (
        "AADSTS7000229",
        "the app registration has no enterprise application in this tenant; give it admin consent there",
    ),
];

fn refused(answer: &Answer) -> Error {
    let Ok(Refusal {
        error,
        error_description,
    }) = answer.json()
    else {
        return Error::Unusable(format!(
            "the address that gives out tokens answers with {}; check login_url",
            answer.refusal()
        ));
    };
    let said = error_description.lines().next().unwrap_or_default().trim();
    let said = if said.is_empty() { &error } else { said };
    let remedy = REMEDIES
        .iter()
        .find(|(code, _)| said.starts_with(&format!("{code}:")));
    Error::Credentials(match remedy {
        Some((_, remedy)) => format!("{remedy} ({said})"),
        None => said.to_owned(),
    })
}
