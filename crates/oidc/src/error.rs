//! What can go wrong with a provider.

use crate::{AddressError, KeysError, MetadataError, TokenError};
use std::fmt;

/// What the provider was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Its metadata document.
    Metadata,
    /// Its keys.
    Keys,
    /// A token for a code.
    Token,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "the metadata document",
            Self::Keys => "the key set",
            Self::Token => "the token endpoint",
        })
    }
}

/// Why a provider is of no use, or a sign-in is not accepted. The sentence is for the admin of the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The program's own HTTP client cannot be made.
    #[error("no HTTP client can be made: {0}")]
    Setup(String),
    /// The metadata URL.
    #[error("the metadata URL cannot be used: {0}")]
    MetadataUrl(#[from] AddressError),
    /// There is no answer.
    #[error("{asked} cannot be reached: {cause}")]
    Unreachable {
        /// What was asked for.
        asked: Asked,
        /// What happened.
        cause: String,
    },
    /// An answer that is not the one asked for.
    #[error("{asked} answers with status {status}; {}", remedy(*asked))]
    Status {
        /// What was asked for.
        asked: Asked,
        /// The status.
        status: u16,
    },
    /// A redirect that leads elsewhere.
    #[error(
        "{asked} redirects to another place, which is not followed; enter the address that the redirect leads to"
    )]
    Redirected {
        /// What was asked for.
        asked: Asked,
    },
    /// More than anybody needs.
    #[error("{asked} answers with more than {limit} bytes; is it the right address?")]
    TooLarge {
        /// What was asked for.
        asked: Asked,
        /// How much is read.
        limit: usize,
    },
    /// The metadata document.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The provider does not take the client's id or secret.
    #[error(
        "the provider refuses the client id or secret ({0}); enter the secret's value as the provider shows it once, not its id, and see whether it has expired"
    )]
    ClientRefused(String),
    /// The provider does not take the code.
    #[error(
        "the provider refuses the code that it gave ({0}); the redirect URI or the time may differ, or the code was used before; sign in again"
    )]
    CodeRefused(String),
    /// The token endpoint refuses for another reason.
    #[error("the provider gives no token: {0}")]
    Refused(String),
    /// The token endpoint's answer is not what RFC 6749 section 5.1 says.
    #[error("the answer of the token endpoint cannot be used: {0}")]
    Answer(String),
    /// The answer to the sign-in is from another provider than the one asked (RFC 9207).
    #[error(
        "the answer comes from {got}, but {expected} was asked; sign in again, and if this happens again suspect that somebody mixes providers up on purpose"
    )]
    ResponseIssuer {
        /// Who was asked.
        expected: String,
        /// Who answered.
        got: String,
    },
    /// The ID token.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Error {
    /// The reason in one word, which stays the same.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setup(_) => "setup",
            Self::MetadataUrl(_) => "metadata_url",
            Self::Unreachable { .. } | Self::Status { .. } => "provider_unreachable",
            Self::Redirected { .. } => "provider_redirects",
            Self::TooLarge { .. } => "answer_too_large",
            Self::Metadata(error) => error.code(),
            Self::Keys(_) => "keys_unusable",
            Self::ClientRefused(_) => "client_refused",
            Self::CodeRefused(_) => "code_refused",
            Self::Refused(_) => "provider_error",
            Self::Answer(_) => "token_answer",
            Self::ResponseIssuer { .. } => "response_issuer",
            Self::Token(error) => error.code(),
        }
    }
}

fn remedy(asked: Asked) -> &'static str {
    match asked {
        Asked::Metadata => "check the metadata URL in a browser",
        Asked::Keys => "the provider cannot be used until its jwks_uri answers",
        Asked::Token => "try again, and ask the provider if it stays so",
    }
}
