//! What the authenticator says about a ceremony, and signs (WebAuthn section 6.1).

use aws_lc_rs::digest::{SHA256, digest};

use crate::cbor::Map;
use crate::{PublicKey, Refused, RelyingParty};

const WHAT: &str = "authenticator data";

/// The longest id of a credential (WebAuthn section 4, "Credential ID").
const MAX_ID_BYTES: usize = 1_023;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// It, taken apart.
pub(crate) struct AuthenticatorData<'a> {
    site: &'a [u8; 32],
    flags: u8,
    /// How often the authenticator has signed; 0 where it does not count.
    pub(crate) counter: u32,
    pub(crate) attested: Option<Attested<'a>>,
}

/// A new credential.
pub(crate) struct Attested<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) key: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(crate) fn read(mut bytes: &'a [u8]) -> Result<Self, Refused> {
        let rest = &mut bytes;
        let site = take(rest)?;
        let [flags] = *take(rest)?;
        let counter = u32::from_be_bytes(*take(rest)?);
        let attested = match flags & ATTESTED {
            0 => None,
            _ => Some(Attested::read(rest)?),
        };
        if flags & EXTENSIONS != 0 {
            Map::read(rest, WHAT)?;
        }
        match rest.is_empty() {
            true => Ok(Self {
                site,
                flags,
                counter,
                attested,
            }),
            false => Err(Refused::Malformed(WHAT)),
        }
    }

    /// Checks that it was made for the site, by a person whom the authenticator has recognised.
    pub(crate) fn check(&self, site: &RelyingParty) -> Result<(), Refused> {
        if digest(&SHA256, site.id().as_bytes()).as_ref() != self.site {
            return Err(Refused::RelyingParty);
        }
        if !self.has(USER_PRESENT) {
            return Err(Refused::NotPresent);
        }
        if !self.has(USER_VERIFIED) {
            return Err(Refused::NotVerified);
        }
        if self.has(BACKED_UP) && !self.backup_eligible() {
            return Err(Refused::Backup);
        }
        Ok(())
    }

    /// Whether the credential may be copied to other devices of its owner.
    pub(crate) fn backup_eligible(&self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl<'a> Attested<'a> {
    fn read(rest: &mut &'a [u8]) -> Result<Self, Refused> {
        let _model: &[u8; 16] = take(rest)?;
        let length = usize::from(u16::from_be_bytes(*take(rest)?));
        if length == 0 || length > MAX_ID_BYTES {
            return Err(Refused::Malformed("credential id"));
        }
        let (id, after) = rest
            .split_at_checked(length)
            .ok_or(Refused::Malformed(WHAT))?;
        *rest = after;
        let length = PublicKey::read(rest)?.1;
        let (key, after) = rest
            .split_at_checked(length)
            .ok_or(Refused::Malformed(WHAT))?;
        *rest = after;
        Ok(Self { id, key })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], Refused> {
    let (taken, after) = rest.split_first_chunk().ok_or(Refused::Malformed(WHAT))?;
    *rest = after;
    Ok(taken)
}
