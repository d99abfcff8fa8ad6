//! Tokens with which requests are proven: compact JWS (RFC 7515) with claims (RFC 7519).

use crate::{Moment, PublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use url::Url;

/// The longest token, in bytes. Chains of certificates make them long.
const LONGEST: usize = 64 * 1_024;
/// How far the client's clock may be from ours, in seconds.
const LEEWAY: i64 = 60;
/// The longest that a token may be good, in seconds: so long it is remembered that it was used.
const LONGEST_LIFE: i64 = 24 * 3_600 + LEEWAY;

/// A token whose form is right. Nothing that it says is proven before [`Token::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// How it is signed.
    pub header: Header,
    /// What it says.
    pub claims: Claims,
    message: String,
    signature: Vec<u8>,
}

/// The header of a token.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Header {
    /// The algorithm.
    pub alg: String,
    /// The key.
    pub kid: Option<String>,
    /// The certificates of the key, as base64 of DER.
    pub x5c: Option<Vec<String>>,
    /// The same, under the name that tells libraries not to rely on it.
    #[serde(rename = "x5cInsecure")]
    pub x5c_insecure: Option<Vec<String>>,
    /// The SSH certificate of the key: base64 of its form on the wire.
    pub sshpop: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<Value>,
}

/// What a token says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// Who has made it: the name of a provisioner, or an OpenID provider.
    pub iss: String,
    /// For whom.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// Whom or what it is about.
    pub sub: String,
    /// Its own name.
    pub jti: Option<String>,
    /// OpenID's guard against replay.
    pub nonce: Option<String>,
    /// When it was made, in seconds since 1970 UTC; it may have a fraction.
    iat: Option<f64>,
    nbf: Option<f64>,
    exp: Option<f64>,
    /// Whom an ID token was given to.
    pub azp: Option<String>,
    /// Entra's tenant.
    pub tid: Option<String>,
    /// An address, for logs.
    pub email: Option<String>,
    /// The names that an X.509 certificate is for.
    pub sans: Vec<String>,
    /// What is proven with it beside itself.
    pub cnf: Option<Confirmation>,
    /// What an SSH certificate is for.
    pub step: Option<Step>,
}

/// `cnf` (RFC 7800).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Confirmation {
    /// The SHA-256 of the request for an X.509 certificate (DER), or of the key for an SSH certificate (in its form on the
    /// wire), base64url.
    #[serde(rename = "x5rt#S256")]
    pub request_hash: Option<String>,
}

/// `step`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Step {
    /// What an SSH certificate is for.
    pub ssh: Option<SshOptions>,
}

/// What an SSH certificate is to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SshOptions {
    /// `user`, `host` or nothing.
    #[serde(deserialize_with = "or_default")]
    pub cert_type: String,
    /// What logs show.
    #[serde(rename = "keyID", deserialize_with = "or_default")]
    pub key_id: String,
    /// Accounts, or names of a machine.
    #[serde(deserialize_with = "or_default")]
    pub principals: Vec<String>,
    /// From when.
    pub valid_after: Moment,
    /// Until when.
    pub valid_before: Moment,
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Either::One(one)) => vec![one],
        Some(Either::Many(many)) => many,
    })
}

/// What tokens are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// A new certificate, of either kind.
    Sign,
    /// Another SSH certificate for the same key.
    SshRenew,
    /// Another SSH certificate for another key.
    SshRekey,
    /// That an SSH certificate is good no longer.
    SshRevoke,
    /// That an X.509 certificate is good no longer.
    Revoke,
    /// Whether a host is known.
    CheckHost,
}

impl Endpoint {
    fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Sign => &["/ssh/sign", "/sign"],
            Self::SshRenew => &["/ssh/renew"],
            Self::SshRekey => &["/ssh/rekey"],
            Self::SshRevoke => &["/ssh/revoke"],
            Self::Revoke => &["/revoke"],
            Self::CheckHost => &["/ssh/check-host"],
        }
    }
}

/// Which of our addresses a token is for.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    /// The names that we are reached by; ports say nothing.
    pub hosts: &'a [String],
    /// What it is for.
    pub endpoint: Endpoint,
}

impl Audience<'_> {
    /// Whether this is one of ours. An address without a host is for whoever gets it.
    fn has(&self, audience: &str) -> bool {
        let is_path = |path: &str| {
            let path = path.strip_prefix("/1.0").unwrap_or(path);
            self.endpoint.paths().contains(&path)
        };
        if audience.starts_with('/') {
            let path = audience.split('#').next().unwrap_or_default();
            return self.endpoint == Endpoint::CheckHost && is_path(path);
        }
        let Ok(url) = Url::parse(audience) else {
            return false;
        };
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        url.scheme() == "https"
            && url.query().is_none()
            && is_path(url.path())
            && self
                .hosts
                .iter()
                .any(|ours| ours.eq_ignore_ascii_case(host))
    }
}

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who has made it.
    pub issuer: &'a str,
    /// For whom.
    pub audience: Audience<'a>,
    /// The time.
    pub now: Timestamp,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is none.
    #[error("the token cannot be read: {0}")]
    Malformed(&'static str),
    /// Somebody else has signed it, or it was changed.
    #[error(
        "the signature of the token is wrong, or was made with another algorithm than its key has"
    )]
    Signature,
    /// Another name.
    #[error("the token was issued by {0:?}, which is not the provisioner's name")]
    Issuer(String),
    /// For another server, or for something else.
    #[error("the token is for {0}, which is not what is asked for here")]
    Audience(String),
    /// It says not whom it is about.
    #[error("the token has no subject (sub)")]
    Subject,
    /// Too old.
    #[error(
        "the token ended {0} seconds ago; get another one, and see whether the clocks are right"
    )]
    Expired(i64),
    /// Not good yet.
    #[error("the token begins in {0} seconds; see whether the clocks are right")]
    Future(i64),
    /// Good for longer than anybody needs.
    #[error("the token is good for more than a day; such tokens are not accepted")]
    LongLived,
}

impl TokenError {
    /// The reason in one word, which stays the same.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Subject => "token_malformed",
            Self::Signature => "signature",
            Self::Issuer(_) => "wrong_issuer",
            Self::Audience(_) => "wrong_audience",
            Self::Expired(_) => "token_expired",
            Self::Future(_) => "token_from_future",
            Self::LongLived => "token_too_long_lived",
        }
    }
}

impl Token {
    /// Reads a token.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        const PARTS: TokenError = TokenError::Malformed("it has not three parts");
        if text.len() > LONGEST {
            return Err(TokenError::Malformed("it is too long"));
        }
        let (message, signature) = text.rsplit_once('.').ok_or(PARTS)?;
        let (header, claims) = message.split_once('.').ok_or(PARTS)?;
        if claims.contains('.') {
            return Err(PARTS);
        }
        let read = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let header: Header =
            object(read(header)).ok_or(TokenError::Malformed("its header is not readable"))?;
        let claims: Claims =
            object(read(claims)).ok_or(TokenError::Malformed("what it says is not readable"))?;
        if header.crit.is_some() {
            let why = "it demands extensions that are not known here";
            return Err(TokenError::Malformed(why));
        }
        let signature =
            read(signature).ok_or(TokenError::Malformed("its signature is not readable"))?;
        Ok(Self {
            header,
            claims,
            message: message.to_owned(),
            signature,
        })
    }

    /// Verifies who has made it, for whom, and until when it is good.
    ///
    /// # Errors
    /// The first thing that is wrong: the signature first.
    pub fn verify(&self, key: &PublicKey, expected: &Expected<'_>) -> Result<(), TokenError> {
        let Self {
            header,
            claims,
            message,
            signature,
        } = self;
        if !key.verifies(&header.alg, message.as_bytes(), signature) {
            return Err(TokenError::Signature);
        }
        if claims.iss != expected.issuer {
            return Err(TokenError::Issuer(shown(&claims.iss)));
        }
        if !claims
            .aud
            .iter()
            .any(|audience| expected.audience.has(audience))
        {
            return Err(TokenError::Audience(shown(&claims.aud.join(", "))));
        }
        if claims.sub.is_empty() {
            return Err(TokenError::Subject);
        }
        claims.check_times(expected.now.as_second())
    }

    /// The certificates of its key, from whichever member of the header has them.
    #[must_use]
    pub fn certificates(&self) -> Option<&[String]> {
        let header = &self.header;
        header.x5c.as_deref().or(header.x5c_insecure.as_deref())
    }

    /// What names the provisioner behind `#` in the audience, such as `x5c/NAME`.
    #[must_use]
    pub fn fragment(&self) -> Option<String> {
        let fragment = |audience: &String| Some(audience.split_once('#')?.1.to_owned());
        let encoded = self.claims.aud.iter().find_map(fragment)?;
        // Blanks in names come escaped.
        let decoded = url::form_urlencoded::parse(encoded.replace('+', "%2B").as_bytes())
            .next()
            .map(|(name, _)| name.into_owned());
        decoded.filter(|name| !name.is_empty())
    }

    /// What tells this token from all others of whoever has made it: its own name, else all that it says. The signature is
    /// not part of it, because some can be written in two ways.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let claims = &self.claims;
        let named = [("jti", &claims.jti), ("nonce", &claims.nonce)];
        let named = named
            .into_iter()
            .find_map(|(kind, name)| Some((kind, name.as_ref().filter(|name| !name.is_empty())?)));
        match named {
            Some((kind, name)) => format!("{kind}/{name}").into_bytes(),
            None => format!("token/{}", self.message).into_bytes(),
        }
    }

    /// Until when it has to be remembered that it was used, in seconds since 1970 UTC.
    #[must_use]
    pub fn expires(&self) -> i64 {
        seconds(self.claims.exp).unwrap_or_default() + LEEWAY
    }
}

impl Claims {
    /// Whether a certificate may be for what has this SHA-256: the token names no other.
    #[must_use]
    pub fn confirms(&self, hash: &[u8]) -> bool {
        let named = self.cnf.as_ref().and_then(|cnf| cnf.request_hash.as_ref());
        named.is_none_or(|named| *named == URL_SAFE_NO_PAD.encode(hash))
    }

    fn check_times(&self, now: i64) -> Result<(), TokenError> {
        let end = seconds(self.exp).ok_or(TokenError::Malformed("it has no end (exp)"))?;
        let begins = [self.nbf, self.iat].map(seconds);
        let begin = begins.into_iter().flatten().max().unwrap_or(now);
        if end + LEEWAY <= now {
            return Err(TokenError::Expired(now - end));
        }
        if begin > now + LEEWAY {
            return Err(TokenError::Future(begin - now));
        }
        match end - now > LONGEST_LIFE {
            true => Err(TokenError::LongLived),
            false => Ok(()),
        }
    }
}

fn object<T: DeserializeOwned>(bytes: Option<Vec<u8>>) -> Option<T> {
    let value: Value = serde_json::from_slice(&bytes?).ok()?;
    // What is derived would take a list for the members in their order.
    value.is_object().then_some(())?;
    serde_json::from_value(value).ok()
}

/// Whole seconds of a `NumericDate` (RFC 7519 section 2), within what can be added to.
fn seconds(date: Option<f64>) -> Option<i64> {
    let date = date.filter(|date| date.abs() < 1e12)?;
    Some(date.floor() as i64)
}

/// Foreign text as it may be shown: on one line, and not long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut out: String = text.chars().map(plain).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.paths().first().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
