//! Keys that never leave a PKCS#11 token: a hardware module, or one in software.
//!
//! A token makes keys on P-256 and signs with ECDSA, which all of them can. There is one session, and whoever needs it waits
//! for it. After an error it is opened anew, once, because tokens are restarted.

use super::Error;
use crate::config::Pkcs11 as Settings;
use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Failed, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A point of the curve, uncompressed (SEC 1 section 2.3.3).
pub(super) type Point = [u8; 65];

/// The name of P-256 in DER (OID 1.2.840.10045.3.1.7), by which tokens know curves.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// What an attribute that holds a point begins with: an octet string of 65 bytes.
const OCTETS: [u8; 2] = [0x04, 65];

/// A token that holds keys.
pub(crate) struct Token {
    module: Pkcs11,
    settings: Settings,
    session: Mutex<Option<Session>>,
}

impl Token {
    /// Opens the token with that label, to see that it is there and takes the PIN.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let module = Pkcs11::new(&settings.module).map_err(|error| {
            Error::keys(format!(
                "the PKCS#11 module {} cannot be loaded: {error}; correct ca-pkcs11-module",
                settings.module.display()
            ))
        })?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Something else in this process uses the module.
            Ok(()) | Err(Failed::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed(&error)),
        }
        let token = Self {
            module,
            settings: settings.clone(),
            session: Mutex::default(),
        };
        *token.session() = Some(token.log_in()?);
        Ok(token)
    }

    /// Makes a key that never leaves the token.
    pub(super) fn make(&self, name: &str) -> Result<Point, Error> {
        let label = Attribute::Label(name.as_bytes().to_vec());
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::KeyType(KeyType::EC),
            Attribute::EcParams(P256.to_vec()),
            label.clone(),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            label,
        ];
        self.with(|session| {
            session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)?;
            Ok(())
        })?;
        self.point(name)
    }

    /// The public half of a key.
    pub(super) fn point(&self, name: &str) -> Result<Point, Error> {
        let attributes =
            self.with(
                |session| match find(session, name, ObjectClass::PUBLIC_KEY)? {
                    Some(key) => session.get_attributes(key, &[AttributeType::EcPoint]),
                    None => Ok(Vec::new()),
                },
            )?;
        let point = attributes
            .into_iter()
            .find_map(|attribute| match attribute {
                Attribute::EcPoint(encoded) => encoded.strip_prefix(&OCTETS)?.try_into().ok(),
                _ => None,
            });
        point.ok_or_else(|| missing(name))
    }

    /// Signs a message: ECDSA with SHA-256.
    pub(super) fn sign(&self, name: &str, message: &[u8]) -> Result<[u8; 64], Error> {
        let hash = digest(&SHA256, message);
        let signed = self.with(
            |session| match find(session, name, ObjectClass::PRIVATE_KEY)? {
                Some(key) => session
                    .sign(&Mechanism::Ecdsa, key, hash.as_ref())
                    .map(Some),
                None => Ok(None),
            },
        )?;
        let signed = signed.ok_or_else(|| missing(name))?;
        signed
            .try_into()
            .map_err(|_| Error::keys("the token made a signature of another form"))
    }

    /// Forgets a key.
    pub(super) fn forget(&self, name: &str) -> Result<(), Error> {
        self.with(|session| {
            for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
                if let Some(key) = find(session, name, class)? {
                    session.destroy_object(key)?;
                }
            }
            Ok(())
        })
    }

    /// Does something in the session; in a new one when that fails.
    fn with<R>(&self, work: impl Fn(&Session) -> Result<R, Failed>) -> Result<R, Error> {
        let mut session = self.session();
        if let Some(open) = &*session
            && let Ok(done) = work(open)
        {
            return Ok(done);
        }
        // The one before must be closed first: tokens count them.
        *session = None;
        let anew = session.insert(self.log_in()?);
        work(anew).map_err(|error| failed(&error))
    }

    fn log_in(&self) -> Result<Session, Error> {
        let slot = self.slot()?;
        let opened = self.module.open_rw_session(slot);
        let session = opened.map_err(|error| failed(&error))?;
        match session.login(UserType::User, Some(&self.settings.pin)) {
            Ok(()) | Err(Failed::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(Error::keys(format!(
                "the PKCS#11 token \"{}\" does not take the PIN: {}; correct ca-pkcs11-pin-file or PORTREEVE_CA_PKCS11_PIN",
                self.settings.token,
                short(&error)
            ))),
        }
    }

    fn slot(&self) -> Result<Slot, Error> {
        let slots = self.module.get_slots_with_initialized_token();
        let mut labels = Vec::new();
        for slot in slots.map_err(|error| failed(&error))? {
            let info = self.module.get_token_info(slot);
            let label = info
                .map_err(|error| failed(&error))?
                .label()
                .trim()
                .to_owned();
            if label == self.settings.token {
                return Ok(slot);
            }
            labels.push(format!("\"{label}\""));
        }
        Err(Error::keys(format!(
            "there is no PKCS#11 token \"{}\"; there are: {}; correct ca-pkcs11-token",
            self.settings.token,
            labels.join(", ")
        )))
    }

    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(session: &Session, name: &str, class: ObjectClass) -> Result<Option<ObjectHandle>, Failed> {
    let wanted = [
        Attribute::Class(class),
        Attribute::Label(name.as_bytes().to_vec()),
    ];
    Ok(session.find_objects(&wanted)?.first().copied())
}

fn missing(name: &str) -> Error {
    Error::keys(format!(
        "the PKCS#11 token has no key \"{name}\" any more; restore it, or put a new key in its place with: portreeve ca rotate"
    ))
}

fn failed(error: &Failed) -> Error {
    Error::keys(format!("the PKCS#11 token failed: {}", short(error)))
}

/// The first sentence; the standard's explanations are long.
fn short(error: &Failed) -> String {
    let said = error.to_string();
    let end = said.find(". ").unwrap_or(said.len());
    said.get(..end).unwrap_or_default().to_owned()
}
