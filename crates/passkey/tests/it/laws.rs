//! What holds for any bytes.

use ciborium::Value as Cbor;
use portreeve_passkey::registration::{self, Person};
use portreeve_passkey::{Challenge, PublicKey};
use proptest::prelude::*;
use serde_json::json;

use super::site::{ORIGIN, site};
use portreeve_authenticator::{Authenticator, Pair, bytes, cbor, encoded};

const CHALLENGE: Challenge = [3; 32];

proptest! {
    #[test]
    fn a_registration_with_one_byte_changed_is_refused_or_still_has_a_key_that_can_be_read(
        place in any::<prop::sample::Index>(), bits in 1_u8..=255
    ) {
        let person = Person { handle: b"handle", name: "n", display_name: "d" };
        let options = registration::options(&site(), &CHALLENGE, &person, &[]);
        let mut authenticator = Authenticator::new(Pair::p256());
        let mut answer = authenticator.create(ORIGIN, &options).answer();
        let object = &mut answer["response"]["attestationObject"];
        let mut bytes = bytes(object);
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        *object = json!(encoded(&bytes));
        let answer = serde_json::from_value(answer).unwrap();
        if let Ok(credential) = registration::verify(&site(), &CHALLENGE, &answer) {
            prop_assert!(PublicKey::from_cose(&credential.public_key).is_ok());
        }
    }

    #[test]
    fn a_key_is_read_whole(place in any::<prop::sample::Index>(), more in any::<u8>()) {
        let key = cbor(&Cbor::Map(Pair::ed25519().cose()));
        prop_assert!(PublicKey::from_cose(&key).is_ok());
        prop_assert!(PublicKey::from_cose(&key[..place.index(key.len())]).is_err());
        prop_assert!(PublicKey::from_cose(&[&key[..], &[more]].concat()).is_err());
    }
}
