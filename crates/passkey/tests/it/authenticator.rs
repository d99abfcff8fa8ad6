//! An authenticator in software, with keys of its own, and the part of a browser between it and the site.

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

pub(crate) const PRESENT: u8 = 1;
pub(crate) const VERIFIED: u8 = 1 << 2;
pub(crate) const BACKUP_ELIGIBLE: u8 = 1 << 3;
pub(crate) const BACKED_UP: u8 = 1 << 4;
pub(crate) const ATTESTED: u8 = 1 << 6;
pub(crate) const EXTENSIONS: u8 = 1 << 7;

/// A key pair of one of the algorithms that sites offer.
pub(crate) enum Pair {
    Ed25519(Box<Ed25519KeyPair>),
    P256(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

/// An authenticator with one passkey.
pub(crate) struct Authenticator {
    pub(crate) pair: Pair,
    pub(crate) credential_id: Vec<u8>,
    pub(crate) user_handle: Vec<u8>,
    /// How often it has signed; it counts if it began with more than 0.
    pub(crate) counter: u32,
    pub(crate) flags: u8,
}

/// An answer to a registration before it is put together, so that any part of it can be another one.
pub(crate) struct Creation {
    pub(crate) client_data: Value,
    pub(crate) site_id: String,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) credential_id: Vec<u8>,
    /// As the envelope names it.
    pub(crate) raw_id: Vec<u8>,
    pub(crate) key: Vec<(Cbor, Cbor)>,
    pub(crate) extensions: Vec<u8>,
    pub(crate) format: &'static str,
    pub(crate) statement: Vec<(Cbor, Cbor)>,
    /// After the attestation object.
    pub(crate) trailing: Vec<u8>,
    pub(crate) kind: &'static str,
}

/// An answer to a sign-in before it is signed.
pub(crate) struct Assertion {
    pub(crate) client_data: Value,
    pub(crate) site_id: String,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) extensions: Vec<u8>,
    pub(crate) credential_id: Vec<u8>,
    pub(crate) user_handle: Option<Vec<u8>>,
    pub(crate) kind: &'static str,
}

impl Pair {
    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Box::new(Ed25519KeyPair::generate().unwrap()))
    }

    pub(crate) fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self::P256(Box::new(pair))
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    /// The public key as a COSE map.
    pub(crate) fn cose(&self) -> Vec<(Cbor, Cbor)> {
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

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

impl Authenticator {
    /// One that counts its signatures and keeps its key to itself.
    pub(crate) fn new(pair: Pair) -> Self {
        Self {
            pair,
            credential_id: b"a credential of the test".to_vec(),
            user_handle: Vec::new(),
            counter: 1,
            flags: PRESENT | VERIFIED,
        }
    }

    /// What a browser at an origin does with creation options.
    pub(crate) fn create(&mut self, origin: &str, options: &Value) -> Creation {
        self.user_handle = bytes(&options["user"]["id"]);
        Creation {
            client_data: client_data("webauthn.create", origin, options),
            site_id: options["rp"]["id"].as_str().unwrap().to_owned(),
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
    pub(crate) fn get(&mut self, origin: &str, options: &Value) -> Assertion {
        if self.counter > 0 {
            self.counter += 1;
        }
        Assertion {
            client_data: client_data("webauthn.get", origin, options),
            site_id: options["rpId"].as_str().unwrap().to_owned(),
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
    pub(crate) fn answer(&self) -> Value {
        let mut data = authenticator_data(&self.site_id, self.flags, self.counter);
        if self.flags & ATTESTED != 0 {
            data.extend([0; 16]);
            data.extend(
                u16::try_from(self.credential_id.len())
                    .unwrap()
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
    pub(crate) fn answer(&self, pair: &Pair) -> Value {
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
pub(crate) fn entry(name: i64, value: impl Into<Cbor>) -> (Cbor, Cbor) {
    (name.into(), value.into())
}

pub(crate) fn cbor(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
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
