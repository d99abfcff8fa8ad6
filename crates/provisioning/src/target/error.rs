//! What can go wrong between the engine and a target, and what a person can do about it.

use std::time::Duration;

/// How the cause begins when the time was up.
pub(super) const NO_ANSWER: &str = "no answer in time";

/// Why a request to a target did not succeed, after the repetitions that its [`Limits`](super::Limits) allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target understood the request and said no (RFC 7644 section 3.12), or failed on it every time.
    #[error("the target refused the request with status {status}{}: {detail}", in_brackets(scim_type.as_deref()))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The target's `scimType`, such as `uniqueness`.
        scim_type: Option<String>,
        /// The target's own words, or the name of the status where it gave none.
        detail: String,
    },
    /// The target asks for fewer requests (429), and for a longer wait than the limits allow or once too often.
    #[error("the target asks for fewer requests{}", wait(*.retry_after))]
    Throttled {
        /// How long the target asked to wait.
        retry_after: Option<Duration>,
    },
    /// No answer arrived: no connection, a broken one, or none in time.
    #[error("the target could not be reached after {attempts} attempts: {cause}")]
    Unreachable {
        /// How often it was tried.
        attempts: u32,
        /// What the network said, without the address.
        cause: String,
    },
    /// Something answered, but not in SCIM.
    #[error("the target's answer is not SCIM: {reason} (status {status}, content type {content_type}){}", quoted(.start))]
    NotScim {
        /// What is wrong with the answer.
        reason: String,
        /// The HTTP status.
        status: u16,
        /// The `Content-Type` header, or "none".
        content_type: String,
        /// The first 200 characters of the body.
        start: String,
    },
    /// More than one resource has a value that should be unique.
    #[error("{count} resources at the target match {filter}, where at most one may")]
    Ambiguous {
        /// The filter that was sent.
        filter: String,
        /// How many resources match.
        count: u64,
    },
    /// A query for one value found resources with another: the target does not filter, or does it by likeness. Taken at
    /// its word it would make everybody the same person.
    #[error(
        "the target ignores filters: {count} resources match {filter}, and not all of them have that value"
    )]
    FilterIgnored {
        /// The filter that was sent.
        filter: String,
        /// How many resources the target says match.
        count: u64,
    },
    /// The token endpoint gives no access token for these credentials (RFC 6749 section 5.2).
    #[error("the token endpoint refuses the client credentials: {0}")]
    SignIn(String),
    /// The address is one that people outside must not make this machine connect to.
    #[error("the target's host {host} is {address}, {what}, and connections there are not allowed")]
    ForbiddenAddress {
        /// The host, as the tenant URL names it.
        host: String,
        /// Its address.
        address: std::net::IpAddr,
        /// What kind of address it is.
        what: &'static str,
    },
    /// The settings cannot work.
    #[error("the target's settings cannot be used: {0}")]
    Settings(String),
    /// The client could not be made: the secret token holds characters that no header can carry, or TLS has no roots.
    #[error("the SCIM client could not be set up: {0}")]
    Setup(String),
}

impl Error {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Refused { status: 401, .. } => {
                "Make a new secret token at the target and enter it here."
            }
            Self::Refused { status: 403, .. } => {
                "Give the token the right to manage users and groups at the target, or enter one that has it."
            }
            Self::Refused { status: 404, .. } => {
                "Look whether the tenant URL is complete and whether the object was deleted at the target."
            }
            Self::Refused { status: 409, .. } => {
                "An object with the same unique value exists at the target: match it, rename it or delete it there."
            }
            Self::Refused {
                status: 412 | 428, ..
            } => {
                "Somebody else changed the object at the same moment; it is tried again in the next cycle."
            }
            Self::Refused {
                status: 400..=499, ..
            } => "Correct the value or its attribute mapping, then run again.",
            Self::Refused { .. } => "The target failed; look into its log, and run again later.",
            Self::Throttled { .. } => {
                "Wait and run again; ask the target's operator for a higher rate limit."
            }
            Self::Unreachable { .. } => {
                "Check the host name and port of the tenant URL, its certificate, and firewalls and proxies on the way."
            }
            Self::NotScim { .. } => {
                "Check the path of the tenant URL: it must be the base of the SCIM service."
            }
            Self::Ambiguous { .. } => {
                "Delete or rename the surplus objects at the target, or match by another attribute."
            }
            Self::FilterIgnored { .. } => {
                "Match by an attribute that the target can filter by, such as userName or externalId, or ask its makers to support eq filters."
            }
            Self::SignIn(_) => {
                "Check client id, client secret, scope and token endpoint; the secret may have expired."
            }
            Self::ForbiddenAddress { .. } => {
                "If the target is meant to be in your own network, set allow_private_addresses; addresses of a cloud's metadata service stay refused."
            }
            Self::Settings(_) => "Correct the target's settings.",
            Self::Setup(_) => "Enter the secret token again, without blanks or line breaks.",
        }
    }

    /// The error code by which Entra's provisioning log names it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { status, .. } => match status {
                401 => "Unauthorized",
                403 => "InsufficientRights",
                404 | 410 => "InvalidAnchor",
                405 => "MethodNotAllowed",
                409 => "Conflict",
                422 => "UnprocessableEntity",
                429 => "TooManyRequests",
                501 => "NotImplemented",
                500..=599 => "InternalServerError",
                _ => "SystemForCrossDomainIdentityManagementServiceIncompatible",
            },
            Self::Throttled { .. } => "TooManyRequests",
            Self::Unreachable { cause, .. } if cause.starts_with(NO_ANSWER) => "Timeout",
            Self::Unreachable { .. } => "WebExceptionProtocolError",
            Self::NotScim { .. } => "SystemForCrossDomainIdentityManagementServiceIncompatible",
            Self::FilterIgnored { .. } => {
                "SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering"
            }
            Self::Ambiguous { .. } => "DuplicateTargetEntries",
            Self::SignIn(_) => "SystemForCrossDomainIdentityManagementCredentialValidationFailure",
            Self::ForbiddenAddress { .. } | Self::Settings(_) | Self::Setup(_) => {
                "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable"
            }
        }
    }

    /// Whether every other request to this target would fail the same way, so that going on makes no sense.
    #[must_use]
    pub fn concerns_every_request(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status == 401,
            Self::Throttled { .. }
            | Self::Unreachable { .. }
            | Self::NotScim { .. }
            | Self::SignIn(_)
            | Self::ForbiddenAddress { .. }
            | Self::Settings(_)
            | Self::Setup(_) => true,
            Self::Ambiguous { .. } | Self::FilterIgnored { .. } => false,
        }
    }
}

fn in_brackets(scim_type: Option<&str>) -> String {
    scim_type
        .map(|word| format!(" ({word})"))
        .unwrap_or_default()
}

fn wait(retry_after: Option<Duration>) -> String {
    retry_after
        .map(|time| format!(", not before {} seconds have passed", time.as_secs()))
        .unwrap_or_default()
}

fn quoted(start: &str) -> String {
    if start.is_empty() {
        String::new()
    } else {
        format!("; it begins with: {start}")
    }
}
