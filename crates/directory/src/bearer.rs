//! Bearer secrets of a team: sessions, API tokens, one-time links and codes.
//!
//! A secret says where it is stored (team and id), so that it is found by its key in one place and only compared there. It
//! is shown once and stored as a hash.

use crate::{Refusal, tokens};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const BYTES: usize = 2 * ID_BYTES + SECRET_BYTES;

/// What kind of secret it is, which shows in how it begins, so that scanners recognise it and none is taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The cookie of a browser.
    Session,
    /// A session of the command line.
    Cli,
    /// An API token.
    Api,
    /// A secret that is good for once: link, state, code.
    Once,
    /// What lets machines enrol as hosts.
    Enrolment,
    /// Of a tablet at the door.
    Device,
    /// Of a visit: on the badge, and in the mail to whoever is visited.
    Visit,
}

impl Kind {
    /// How secrets of this kind begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "prv_sess_",
            Self::Cli => "prv_cli_",
            Self::Api => "prv_api_",
            Self::Once => "prv_once_",
            Self::Enrolment => "prv_enroll_",
            Self::Device => "prv_device_",
            Self::Visit => "prv_visit_",
        }
    }
}

/// Where a presented secret says that it is stored, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The team.
    pub team_id: String,
    /// The id in its table.
    pub id: String,
    /// SHA-256 of the whole secret.
    pub hash: [u8; 32],
}

impl Presented {
    /// Reads a secret of that kind; `None` when it is none.
    pub fn parse(kind: Kind, secret: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD
            .decode(secret.strip_prefix(kind.prefix())?)
            .ok()?;
        let (team, rest) = bytes.split_at_checked(ID_BYTES)?;
        let id = rest.get(..ID_BYTES).filter(|_| bytes.len() == BYTES)?;
        Some(Self {
            team_id: Uuid::from_slice(team).ok()?.to_string(),
            id: Uuid::from_slice(id).ok()?.to_string(),
            hash: tokens::hash(secret),
        })
    }

    /// Whether it is the secret with that hash. Takes the same time wherever they differ.
    pub fn is(&self, hash: &[u8]) -> bool {
        bool::from(self.hash.as_slice().ct_eq(hash))
    }
}

/// A new secret for the row `id` of a team, and the hash to be stored.
pub fn make(kind: Kind, team_id: &str, id: &str) -> Result<(SecretString, [u8; 32]), Refusal> {
    let uuid = |text: &str| Uuid::parse_str(text).unwrap_or_default();
    let mut bytes = [0; BYTES];
    let (places, random) = bytes.split_at_mut(2 * ID_BYTES);
    places[..ID_BYTES].copy_from_slice(uuid(team_id).as_bytes());
    places[ID_BYTES..].copy_from_slice(uuid(id).as_bytes());
    rand::fill(random).map_err(|_| Refusal::Invalid {
        attribute: "secret",
        reason: "the machine gives no random numbers".into(),
    })?;
    let secret = format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes));
    let secret = SecretString::from(secret);
    let hash = tokens::hash(secret.expose_secret());
    Ok((secret, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAM: &str = "0192f7a0-0000-7000-8000-000000000001";
    const ID: &str = "0192f7a0-0000-7000-8000-000000000002";

    #[test]
    fn a_secret_says_where_it_is_stored_and_is_of_its_kind_only() {
        let (secret, hash) = make(Kind::Api, TEAM, ID).unwrap();
        let presented = Presented::parse(Kind::Api, secret.expose_secret()).unwrap();
        assert_eq!(
            (presented.team_id.as_str(), presented.id.as_str()),
            (TEAM, ID)
        );
        assert!(presented.is(&hash));
        assert!(!presented.is(&tokens::hash("other")));
        assert!(!presented.is(b"short"));
        assert_eq!(
            Presented::parse(Kind::Session, secret.expose_secret()),
            None
        );
        for wrong in ["", "prv_api_", "prv_api_!", "prv_api_AAAA"] {
            assert_eq!(Presented::parse(Kind::Api, wrong), None, "{wrong}");
        }
    }
}
