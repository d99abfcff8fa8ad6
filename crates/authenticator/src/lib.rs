//! An authenticator in software, with keys of its own, and the part of a browser between it and the site.
//!
//! What it answers is put together at the end ([`Creation::answer`], [`Assertion::answer`]), so that a test can have any
//! part of it be another one.
#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up has failed, and says so where it stands"
)]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::{Value, json};

/// Flag of authenticator data (WebAuthn section 6.1): somebody was there.
pub const PRESENT: u8 = 1;
/// Flag: it was the right person.
pub const VERIFIED: u8 = 1 << 2;
/// Flag: the passkey may be copied to other devices.
pub const BACKUP_ELIGIBLE: u8 = 1 << 3;
/// Flag: it was copied.
pub const BACKED_UP: u8 = 1 << 4;
/// Flag: a new credential follows.
pub const ATTESTED: u8 = 1 << 6;
/// Flag: extensions follow.
pub const EXTENSIONS: u8 = 1 << 7;

const RANDOM: &str = "the machine gives random numbers";

/// A key pair of one of the algorithms that sites offer.
pub enum Pair {
    /// Ed25519.
    Ed25519(Box<Ed25519KeyPair>),
    /// ECDSA on P-256 with SHA-256.
    P256(Box<EcdsaKeyPair>),
    /// RSA of 2048 bits, PKCS #1 v1.5 with SHA-256.
    Rsa(Box<RsaKeyPair>),
}

/// An authenticator with one passkey.
pub struct Authenticator {
    /// The key of its passkey.
    pub pair: Pair,
    /// The id of its passkey.
    pub credential_id: Vec<u8>,
    /// For whom the site had it made.
    pub user_handle: Vec<u8>,
    /// How often it has signed; it counts if it began with more than 0.
    pub counter: u32,
    /// What it says of its user and of backups.
    pub flags: u8,
}

/// An answer to a registration before it is put together, so that any part of it can be another one.
pub struct Creation {
    /// What the browser says.
    pub client_data: Value,
    /// The site that the authenticator works for.
    pub site_id: String,
    /// Flags of the authenticator data.
    pub flags: u8,
    /// How often the authenticator has signed.
    pub counter: u32,
    /// The id as the authenticator says it.
    pub credential_id: Vec<u8>,
    /// The id as the envelope says it.
    pub raw_id: Vec<u8>,
    /// The public key in COSE.
    pub key: Vec<(Cbor, Cbor)>,
    /// What follows in the authenticator data.
    pub extensions: Vec<u8>,
    /// The format of the statement of attestation.
    pub format: &'static str,
    /// The statement.
    pub statement: Vec<(Cbor, Cbor)>,
    /// What follows the attestation object.
    pub trailing: Vec<u8>,
    /// The type of the credential.
    pub kind: &'static str,
}

/// An answer to a sign-in before it is signed.
pub struct Assertion {
    /// What the browser says.
    pub client_data: Value,
    /// The site that the authenticator works for.
    pub site_id: String,
    /// Flags of the authenticator data.
    pub flags: u8,
    /// How often the authenticator has signed.
    pub counter: u32,
    /// What follows in the authenticator data.
    pub extensions: Vec<u8>,
    /// The id of the passkey.
    pub credential_id: Vec<u8>,
    /// For whom it was made.
    pub user_handle: Option<Vec<u8>>,
    /// The type of the credential.
    pub kind: &'static str,
}

impl Pair {
    /// A new Ed25519 key.
    pub fn ed25519() -> Self {
        Self::Ed25519(Box::new(Ed25519KeyPair::generate().expect(RANDOM)))
    }

    /// A new key on P-256.
    pub fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect(RANDOM);
        Self::P256(Box::new(pair))
    }

    /// A new RSA key.
    pub fn rsa() -> Self {
        Self::Rsa(Box::new(
            RsaKeyPair::generate(KeySize::Rsa2048).expect(RANDOM),
        ))
    }

    /// The public key as a COSE map.
    pub fn cose(&self) -> Vec<(Cbor, Cbor)> {
        match self {
            Self::Ed25519(pair) => vec![
                entry(1, 1),
                entry(3, -8),
                entry(-1, 6),
                entry(-2, pair.public_key().as_ref().to_vec()),
            ],
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                vec![
                    entry(1, 2),
                    entry(3, -7),
                    entry(-1, 1),
                    entry(-2, x.to_vec()),
                    entry(-3, y.to_vec()),
                ]
            }
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let number = |bytes: &[u8]| bytes.to_vec();
                vec![
                    entry(1, 3),
                    entry(3, -257),
                    entry(-1, number(key.modulus().big_endian_without_leading_zero())),
                    entry(-2, number(key.exponent().big_endian_without_leading_zero())),
                ]
            }
        }
    }

    /// A signature of the message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).expect(RANDOM).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect(RANDOM);
                signature
            }
        }
    }
}

impl Authenticator {
    /// One that counts its signatures and keeps its key to itself.
    pub fn new(pair: Pair) -> Self {
        Self {
            pair,
            credential_id: b"a credential of the test".to_vec(),
            user_handle: Vec::new(),
            counter: 1,
            flags: PRESENT | VERIFIED,
        }
    }

    /// What a browser at an origin does with creation options.
    pub fn create(&mut self, origin: &str, options: &Value) -> Creation {
        self.user_handle = bytes(&options["user"]["id"]);
        Creation {
            client_data: client_data("webauthn.create", origin, options),
            site_id: text(&options["rp"]["id"]).to_owned(),
            flags: self.flags | ATTESTED,
            counter: self.counter,
            credential_id: self.credential_id.clone(),
            raw_id: self.credential_id.clone(),
            key: self.pair.cose(),
            extensions: Vec::new(),
            format: "none",
            statement: Vec::new(),
            trailing: Vec::new(),
            kind: "public-key",
        }
    }

    /// What a browser at an origin does with request options.
    pub fn get(&mut self, origin: &str, options: &Value) -> Assertion {
        if self.counter > 0 {
            self.counter += 1;
        }
        Assertion {
            client_data: client_data("webauthn.get", origin, options),
            site_id: text(&options["rpId"]).to_owned(),
            flags: self.flags,
            counter: self.counter,
            extensions: Vec::new(),
            credential_id: self.credential_id.clone(),
            user_handle: Some(self.user_handle.clone()),
            kind: "public-key",
        }
    }
}

impl Creation {
    /// The `RegistrationResponseJSON`.
    pub fn answer(&self) -> Value {
        let mut data = authenticator_data(&self.site_id, self.flags, self.counter);
        if self.flags & ATTESTED != 0 {
            data.extend([0; 16]);
            data.extend(
                u16::try_from(self.credential_id.len())
                    .expect("an id of less than 64 KiB")
                    .to_be_bytes(),
            );
            data.extend(&self.credential_id);
            data.extend(cbor(&Cbor::Map(self.key.clone())));
        }
        data.extend(&self.extensions);
        let mut object = cbor(&Cbor::Map(vec![
            (text_of("fmt"), text_of(self.format)),
            (text_of("attStmt"), Cbor::Map(self.statement.clone())),
            (text_of("authData"), Cbor::Bytes(data)),
        ]));
        object.extend(&self.trailing);
        json!({
            "id": encoded(&self.raw_id),
            "rawId": encoded(&self.raw_id),
            "type": self.kind,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(self.client_data.to_string().as_bytes()),
                "attestationObject": encoded(&object),
                "transports": ["internal"],
            },
        })
    }
}

impl Assertion {
    /// The `AuthenticationResponseJSON`, signed with a key.
    pub fn answer(&self, pair: &Pair) -> Value {
        let mut data = authenticator_data(&self.site_id, self.flags, self.counter);
        data.extend(&self.extensions);
        let client_data = self.client_data.to_string();
        let hash = digest(&SHA256, client_data.as_bytes());
        let signature = pair.sign(&[&data, hash.as_ref()].concat());
        json!({
            "id": encoded(&self.credential_id),
            "rawId": encoded(&self.credential_id),
            "type": self.kind,
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(client_data.as_bytes()),
                "authenticatorData": encoded(&data),
                "signature": encoded(&signature),
                "userHandle": self.user_handle.as_ref().map(|handle| encoded(handle)),
            },
        })
    }
}

/// An entry of a COSE map.
pub fn entry(name: i64, value: impl Into<Cbor>) -> (Cbor, Cbor) {
    (name.into(), value.into())
}

/// A value in CBOR.
pub fn cbor(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory takes everything");
    bytes
}

/// Bytes as they stand in the JSON of both ceremonies.
pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind such a text.
pub fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text(value)).expect("base64url")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn text_of(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

fn client_data(ceremony: &str, origin: &str, options: &Value) -> Value {
    json!({
        "type": ceremony,
        "challenge": options["challenge"],
        "origin": origin,
        "crossOrigin": false,
        // Browsers add such a member now and then, so that nobody compares the text with a template.
        "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
    })
}

fn authenticator_data(site_id: &str, flags: u8, counter: u32) -> Vec<u8> {
    let site = digest(&SHA256, site_id.as_bytes());
    [site.as_ref(), &[flags], &counter.to_be_bytes()].concat()
}
