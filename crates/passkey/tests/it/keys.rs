//! Public keys that nobody may have.

use ciborium::Value as Cbor;
use portreeve_passkey::{PublicKey, Refused};

use portreeve_authenticator::{Pair, cbor, entry};

// Names and values in COSE maps.
const OKP: (i64, i64) = (1, -8);
const EC2: (i64, i64) = (2, -7);
const RSA: (i64, i64) = (3, -257);

/// A key of a type for an algorithm, with its own entries.
fn cose((kty, alg): (i64, i64), entries: Vec<(Cbor, Cbor)>) -> Vec<(Cbor, Cbor)> {
    [vec![entry(1, kty), entry(3, alg)], entries].concat()
}

fn okp(curve: i64, x: Vec<u8>) -> Vec<(Cbor, Cbor)> {
    cose(OKP, vec![entry(-1, curve), entry(-2, x)])
}

fn ec2(curve: i64, x: Vec<u8>, y: impl Into<Cbor>) -> Vec<(Cbor, Cbor)> {
    cose(EC2, vec![entry(-1, curve), entry(-2, x), entry(-3, y)])
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Vec<(Cbor, Cbor)> {
    cose(RSA, vec![entry(-1, n), entry(-2, e)])
}

/// Wants what is said about each key.
fn all_are_refused(
    expected: &Refused,
    keys: impl IntoIterator<Item = (&'static str, Vec<(Cbor, Cbor)>)>,
) {
    for (name, key) in keys {
        let read = PublicKey::from_cose(&cbor(&Cbor::Map(key)));
        assert_eq!(read.err().as_ref(), Some(expected), "{name}");
    }
}

#[test]
fn algorithms_that_were_not_offered() {
    for (name, kty, alg) in [
        ("ES384", 2, -35),
        ("RS1, with SHA-1", 3, -65_535),
        ("PS256", 3, -37),
        ("HS256, whose key is no secret here", 4, 5),
    ] {
        all_are_refused(&Refused::Algorithm(alg), [(name, cose((kty, alg), vec![]))]);
    }
}

#[test]
fn keys_of_the_wrong_form() {
    let on_curve = Pair::p256().cose()[3].1.as_bytes().cloned().unwrap();
    all_are_refused(
        &Refused::Malformed("public key"),
        [
            ("no type", vec![entry(3, -8)]),
            ("no algorithm", vec![entry(1, 1)]),
            ("a type for another algorithm", cose((OKP.0, EC2.1), vec![])),
            ("no curve", cose(OKP, vec![entry(-2, vec![1_u8; 32])])),
            ("Ed448", okp(7, vec![1; 57])),
            ("a short Ed25519 key", okp(6, vec![1; 31])),
            ("P-384", ec2(2, vec![1; 48], vec![1_u8; 48])),
            (
                "a point beside the curve",
                ec2(1, vec![1; 32], vec![1_u8; 32]),
            ),
            ("the point at infinity", ec2(1, vec![0; 32], vec![0_u8; 32])),
            ("a compressed point", ec2(1, on_curve, true)),
            ("RSA with 1024 bits", rsa(vec![0xff; 128], vec![1, 0, 1])),
            ("RSA with 16384 bits", rsa(vec![0xff; 2_048], vec![1, 0, 1])),
            ("RSA without a modulus", rsa(vec![], vec![1, 0, 1])),
            (
                "RSA with zeros in front",
                rsa([vec![0; 200], vec![0xff; 128]].concat(), vec![1, 0, 1]),
            ),
            ("RSA with exponent 3", rsa(vec![0xff; 256], vec![3])),
            ("RSA with exponent 1", rsa(vec![0xff; 256], vec![1])),
        ],
    );
}

#[test]
fn maps_that_are_no_keys() {
    let deep = (0..20).fold(Cbor::Null, |inner, _| Cbor::Array(vec![inner]));
    let good = Pair::ed25519().cose();
    all_are_refused(
        &Refused::Malformed("public key"),
        [
            ("nothing", vec![]),
            (
                "an entry twice",
                [good.clone(), vec![entry(3, -7)]].concat(),
            ),
            (
                "many entries",
                [
                    good.clone(),
                    (100..200).map(|name| entry(name, 0)).collect(),
                ]
                .concat(),
            ),
            (
                "values in values in values",
                [good, vec![entry(100, deep)]].concat(),
            ),
        ],
    );
    for (name, bytes) in [
        ("no bytes", &[][..]),
        ("a list", &[0x80]),
        ("a map without an end", &[0xbf, 0x01]),
        (
            "a map that says it has 2^64 - 1 entries",
            &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        (
            "bytes that say they are 2^32",
            &[0xa1, 0x01, 0x5a, 0xff, 0xff, 0xff, 0xff],
        ),
    ] {
        let read = PublicKey::from_cose(bytes);
        assert_eq!(read.err(), Some(Refused::Malformed("public key")), "{name}");
    }
}
