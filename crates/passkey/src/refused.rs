//! Why an answer is not accepted.

/// What is wrong with an answer, in words for who tries to sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A part of the answer is not what WebAuthn says it is.
    #[error("the browser's answer cannot be read: its {0} is malformed")]
    Malformed(&'static str),
    /// It answers something else, such as a registration where an assertion was asked for.
    #[error("the browser answered another question; try again")]
    Ceremony,
    /// It answers another challenge.
    #[error("this answer belongs to an earlier attempt; try again")]
    Challenge,
    /// It was made on another site.
    #[error("this answer was made at {found}; open {expected} and try again")]
    Origin {
        /// Where it was made.
        found: String,
        /// Where it has to be made.
        expected: String,
    },
    /// It was made in a frame of another site.
    #[error("this answer was made inside another site's page; open this site itself")]
    Framed,
    /// The authenticator worked for another site.
    #[error("this passkey belongs to another site")]
    RelyingParty,
    /// Nobody touched the authenticator.
    #[error("the passkey was used without anybody present; touch the authenticator when it asks")]
    NotPresent,
    /// The authenticator did not make sure who touched it.
    #[error(
        "the authenticator did not ask for a PIN, a fingerprint or a face; set one of them up on it, or use another one"
    )]
    NotVerified,
    /// It contradicts itself about being copied to other devices.
    #[error("the authenticator contradicts itself about whether this passkey can be backed up")]
    Backup,
    /// Another algorithm than those that were offered.
    #[error("the authenticator made a key for algorithm {0}, which was not offered")]
    Algorithm(i64),
    /// The credential is not the one that was looked up.
    #[error("this is not the passkey that is known here")]
    Credential,
    /// It names no user, or another one.
    #[error("this passkey belongs to somebody else")]
    UserHandle,
    /// The signature is not that of the known key.
    #[error("the signature of this passkey is wrong")]
    Signature,
    /// It has signed less often than before.
    #[error(
        "this passkey counts {sent} signatures where {known} are known, so it may have been copied; remove it and add another one"
    )]
    Counter {
        /// The last count that was accepted.
        known: u32,
        /// The count in the answer.
        sent: u32,
    },
}

impl Refused {
    /// The reason code for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "passkey_malformed",
            Self::Ceremony => "passkey_ceremony",
            Self::Challenge => "passkey_challenge",
            Self::Origin { .. } => "passkey_origin",
            Self::Framed => "passkey_framed",
            Self::RelyingParty => "passkey_relying_party",
            Self::NotPresent => "passkey_not_present",
            Self::NotVerified => "passkey_not_verified",
            Self::Backup => "passkey_backup",
            Self::Algorithm(_) => "passkey_algorithm",
            Self::Credential => "passkey_unknown",
            Self::UserHandle => "passkey_user_handle",
            Self::Signature => "passkey_signature",
            Self::Counter { .. } => "passkey_counter",
        }
    }
}
