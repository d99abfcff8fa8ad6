//! ID tokens: whose word they are, for whom, until when (OpenID Connect Core 1.0 section 3.1.3.7).

use crate::{Keys, shown};
use aws_lc_rs::digest::{self, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: i64 = 60;
/// The longest token that is looked at, in bytes. Groups and photographs make them long.
const LONGEST: usize = 64 * 1024;
/// The longest subject (OpenID Connect Core 1.0 section 2).
const LONGEST_SUBJECT: usize = 255;

/// What an ID token must say to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who has issued it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// The tenant that the person is in, in lower case, where one is pinned.
    pub tenant_id: Option<&'a str>,
    /// What was sent along when this sign-in began; `None` where somebody else began it.
    pub nonce: Option<&'a str>,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// The time: seconds since 1970 UTC.
    pub now: i64,
}

/// What a verified ID token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`.
    pub issuer: String,
    /// `sub`: the person's name at this issuer, for this client.
    pub subject: String,
    /// Entra's `tid`, in lower case.
    pub tenant_id: Option<String>,
    /// Entra's `oid`: the id of the person's object in that tenant.
    pub object_id: Option<String>,
    /// `email`, where it is not empty. Whether it is to be trusted is another question.
    pub email: Option<String>,
    /// `email_verified`, where the provider says it.
    pub email_verified: Option<bool>,
    /// `preferred_username`, where it is not empty.
    pub preferred_username: Option<String>,
    /// `name`, where it is not empty.
    pub name: Option<String>,
    /// All of it, for whoever wants to see what the provider sends.
    pub all: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    #[serde(default)]
    crit: Option<Value>,
}

/// Verifies an ID token.
///
/// # Errors
/// Says the first thing that is wrong: first the form, then the signature, then what it says.
pub fn verify(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Malformed("it is too long"));
    }
    let (message, signature) = token
        .rsplit_once('.')
        .ok_or(TokenError::Malformed("it has not three parts"))?;
    let (header, payload) = message
        .split_once('.')
        .filter(|(_, payload)| !payload.contains('.'))
        .ok_or(TokenError::Malformed(
            "it has not three parts; encrypted tokens are not taken",
        ))?;
    let header: Header = part(header, "its header is not readable")?;
    if header.crit.is_some() {
        return Err(TokenError::Malformed(
            "it demands extensions that are not known here",
        ));
    }
    let algorithm = algorithm(&header.alg)?;
    let kid = header.kid.as_deref();
    let candidates = keys.find(kid, algorithm);
    if candidates.is_empty() {
        return Err(match kid {
            // The key is known, but not for this algorithm.
            Some(kid) if keys.knows(kid) => TokenError::Algorithm(header.alg),
            _ => TokenError::UnknownKey(kid.map_or_else(|| "(none named)".to_owned(), shown)),
        });
    }
    let key = candidates
        .into_iter()
        .find(|key| key.has_signed(message, signature, algorithm))
        .ok_or(TokenError::Signature)?;
    let all: Map<String, Value> = part(payload, "what it says is not readable")?;
    let claims = check(all, algorithm, expected)?;
    if !key.signs_for(&claims.issuer, expected.tenant_id) {
        return Err(TokenError::KeyIssuer);
    }
    Ok(claims)
}

fn part<T: for<'de> Deserialize<'de>>(text: &str, wrong: &'static str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or(TokenError::Malformed(wrong))
}

fn algorithm(name: &str) -> Result<Algorithm, TokenError> {
    let algorithm: Option<Algorithm> = name.parse().ok();
    algorithm
        .filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac)
        .ok_or_else(|| TokenError::Algorithm(shown(name)))
}

/// Checks what a token says whose signature is good.
fn check(
    all: Map<String, Value>,
    algorithm: Algorithm,
    expected: &Expected<'_>,
) -> Result<Claims, TokenError> {
    let text = |name: &str| all.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or(TokenError::Missing("iss"))?;
    if issuer != expected.issuer {
        return Err(TokenError::Issuer {
            expected: expected.issuer.to_owned(),
            got: shown(issuer),
        });
    }
    check_tenant(text("tid"), expected.tenant_id)?;
    check_audience(&all, expected.client_id)?;
    check_times(&all, expected.now)?;
    if expected.nonce.is_some() && text("nonce") != expected.nonce {
        return Err(TokenError::Nonce);
    }
    if let (Some(hash), Some(access_token)) = (text("at_hash"), expected.access_token)
        && hash != half_hash(access_token, algorithm)
    {
        return Err(TokenError::AccessTokenHash);
    }
    let subject = text("sub").ok_or(TokenError::Missing("sub"))?;
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(TokenError::Malformed(
            "its subject (sub) is empty or too long",
        ));
    }
    let filled = |name: &str| {
        let value = text(name).map(str::trim);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Ok(Claims {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        tenant_id: filled("tid").map(|id| id.to_ascii_lowercase()),
        object_id: filled("oid"),
        email: filled("email"),
        // Some providers write it as a text.
        email_verified: all.get("email_verified").and_then(|value| {
            value
                .as_bool()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        }),
        preferred_username: filled("preferred_username"),
        name: filled("name"),
        all,
    })
}

fn check_tenant(got: Option<&str>, expected: Option<&str>) -> Result<(), TokenError> {
    let Some(expected) = expected else {
        return Ok(());
    };
    match got {
        Some(got) if got.eq_ignore_ascii_case(expected) => Ok(()),
        got => Err(TokenError::Tenant {
            expected: expected.to_owned(),
            got: got.map_or_else(|| "none (no tid)".to_owned(), shown),
        }),
    }
}

fn check_audience(all: &Map<String, Value>, client_id: &str) -> Result<(), TokenError> {
    let audiences: Vec<&str> = match all.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Err(TokenError::Missing("aud")),
    };
    if !audiences.contains(&client_id) {
        return Err(TokenError::Audience(shown(&audiences.join(", "))));
    }
    match all.get("azp") {
        None if audiences.len() == 1 => Ok(()),
        Some(Value::String(party)) if party == client_id => Ok(()),
        Some(Value::String(party)) => Err(TokenError::AuthorizedParty(shown(party))),
        _ => Err(TokenError::AuthorizedParty("nobody".to_owned())),
    }
}

fn check_times(all: &Map<String, Value>, now: i64) -> Result<(), TokenError> {
    let end = seconds(all, "exp")?.ok_or(TokenError::Missing("exp"))?;
    let issued = seconds(all, "iat")?.ok_or(TokenError::Missing("iat"))?;
    let begin = seconds(all, "nbf")?.unwrap_or(issued);
    if end.saturating_add(LEEWAY) <= now {
        let ago = now.saturating_sub(end);
        return Err(TokenError::Expired { ago });
    }
    let ahead = issued.max(begin).saturating_sub(now);
    if ahead > LEEWAY {
        return Err(TokenError::Future { ahead });
    }
    Ok(())
}

/// A `NumericDate` (RFC 7519 section 2), which may have a fraction.
fn seconds(all: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, TokenError> {
    let Some(value) = all.get(name) else {
        return Ok(None);
    };
    value
        .as_i64()
        .or_else(|| {
            let number = value.as_f64().filter(|number| number.abs() < 1e15)?;
            Some(number.floor() as i64)
        })
        .map(Some)
        .ok_or(TokenError::Malformed("one of its times is not a number"))
}

/// The left half of the hash of an access token (OpenID Connect Core 1.0 section 3.1.3.6).
fn half_hash(access_token: &str, algorithm: Algorithm) -> String {
    use Algorithm::{ES384, EdDSA, PS384, PS512, RS384, RS512};
    let hash = match algorithm {
        RS384 | PS384 | ES384 => &digest::SHA384,
        RS512 | PS512 | EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let whole = digest(hash, access_token.as_bytes());
    let whole = whole.as_ref();
    URL_SAFE_NO_PAD.encode(&whole[..whole.len() / 2])
}

/// Why an ID token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token.
    #[error("the ID token cannot be read: {0}")]
    Malformed(&'static str),
    /// A claim that every ID token has.
    #[error("the ID token has no {0}; the provider does not follow OpenID Connect")]
    Missing(&'static str),
    /// `none`, a shared secret, or one that the key is not for.
    #[error(
        "the ID token is signed with {0}, which is not accepted for this provider's keys; let it sign with RS256, PS256, ES256 or EdDSA"
    )]
    Algorithm(String),
    /// The key is not in the key set.
    #[error(
        "the ID token is signed with the key {0}, which is not in the provider's key set; if the provider has just changed its keys, try again in a minute"
    )]
    UnknownKey(String),
    /// Somebody else has signed it, or it was changed.
    #[error(
        "the signature of the ID token is wrong; it was changed on the way, or another has made it"
    )]
    Signature,
    /// The key signs for another issuer.
    #[error("the ID token is signed with a key that the provider uses for another issuer")]
    KeyIssuer,
    /// Another issuer.
    #[error("the ID token was issued by {got} instead of {expected}")]
    Issuer {
        /// Who should have.
        expected: String,
        /// Who has.
        got: String,
    },
    /// Another tenant.
    #[error(
        "the person signed in from the tenant {got}, but this connection is for the tenant {expected}; a guest must choose this company's tenant, and the app registration should be for a single tenant"
    )]
    Tenant {
        /// The pinned one.
        expected: String,
        /// The person's.
        got: String,
    },
    /// For another client.
    #[error("the ID token is for {0}; the connection's client id is another")]
    Audience(String),
    /// Given out to another client.
    #[error("the ID token was given to {0} (azp) and not to this connection's client id")]
    AuthorizedParty(String),
    /// Too old.
    #[error(
        "the ID token ended {ago} seconds ago; see whether the clocks of this server and the provider are right"
    )]
    Expired {
        /// Seconds since its end.
        ago: i64,
    },
    /// Not good yet.
    #[error(
        "the ID token begins in {ahead} seconds; see whether the clocks of this server and the provider are right"
    )]
    Future {
        /// Seconds until it begins.
        ahead: i64,
    },
    /// Of another sign-in.
    #[error(
        "the ID token belongs to another sign-in (its nonce is not the one sent); sign in again"
    )]
    Nonce,
    /// With another access token.
    #[error("the ID token belongs to another access token (at_hash)")]
    AccessTokenHash,
}

impl TokenError {
    /// The reason in one word, which stays the same.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Missing(_) => "token_malformed",
            Self::Algorithm(_) => "algorithm",
            Self::UnknownKey(_) => "unknown_key",
            Self::Signature => "signature",
            Self::KeyIssuer => "key_issuer",
            Self::Issuer { .. } => "wrong_issuer",
            Self::Tenant { .. } => "wrong_tenant",
            Self::Audience(_) => "wrong_audience",
            Self::AuthorizedParty(_) => "wrong_party",
            Self::Expired { .. } => "token_expired",
            Self::Future { .. } => "token_from_future",
            Self::Nonce => "nonce_mismatch",
            Self::AccessTokenHash => "at_hash_mismatch",
        }
    }
}
