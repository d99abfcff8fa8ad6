use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const CA: &[u8] = b"an authority";
const KEY: &[u8] = b"a key";

fn numbers() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let near = (1_u64..3_000, 0_u64..40);
    let far = (any::<u64>(), 0_u64..3);
    let long = (1_u64..1_000_000, 0_u64..100_000);
    prop::collection::vec(prop_oneof![6 => near, 2 => far, 1 => long], 0..60)
}

fn with(ranges: &[(u64, u64)]) -> Krl {
    let mut krl = Krl {
        version: 7,
        generated: 1_700_000_000,
        comment: "ours".into(),
        ..Krl::default()
    };
    for (first, length) in ranges {
        krl.revoke_serials(CA, *first, first.saturating_add(*length));
    }
    krl
}

#[test]
fn what_is_revoked_is_and_nothing_else() {
    let mut krl = Krl::default();
    assert!(krl.is_empty());
    krl.revoke_serial(CA, 5);
    krl.revoke_serials(CA, 10, 12);
    krl.revoke_key_id(CA, "mallory");
    krl.revoke_key(KEY);
    let cases = [
        ("its serial number", CA, 5, "ada", b"k".as_slice(), true),
        ("within a range", CA, 11, "ada", b"k", true),
        ("its key id", CA, 1, "mallory", b"k", true),
        ("its key", CA, 1, "ada", KEY, true),
        ("another serial number", CA, 6, "ada", b"k", false),
        ("another authority", b"another", 5, "mallory", b"k", false),
        ("a revoked authority", KEY, 1, "ada", b"k", true),
    ];
    for (name, authority, serial, key_id, key, revoked) in cases {
        assert_eq!(
            krl.revokes(authority, serial, key_id, key),
            revoked,
            "{name}"
        );
    }
}

#[test]
fn zero_is_no_serial_number() {
    let mut krl = Krl::default();
    krl.revoke_serial(CA, 0);
    assert!(krl.is_empty());
    krl.revoke_serials(CA, 0, 2);
    assert!(!krl.revokes(CA, 0, "", KEY) && krl.revokes(CA, 1, "", KEY));
}

#[test]
fn a_list_without_entries_has_a_header_all_the_same() {
    let bytes = Krl::default().to_bytes();
    assert_eq!(bytes.len(), 44);
    assert_eq!(Krl::from_bytes(&bytes), Ok(Krl::default()));
    assert_eq!(Krl::from_bytes(b""), Err(Error::Foreign));
}

#[test]
fn what_is_not_understood_is_an_error() {
    let header = Krl::default().to_bytes();
    let with = |section: &[u8]| [header.as_slice(), section].concat();
    let extension =
        |critical| [&[255, 0, 0, 0, 10, 0, 0, 0, 1, b'x', critical][..], &[0; 4]].concat();
    let cases = [
        ("an unknown section", with(&[9, 0, 0, 0, 0]), "section 9"),
        ("SHA-1", with(&[3, 0, 0, 0, 0]), "SHA-1"),
        ("a signature", with(&[4, 0, 0, 0, 0]), "signature"),
        (
            "a hash of three bytes",
            with(&[5, 0, 0, 0, 7, 0, 0, 0, 3, 1, 2, 3]),
            "another length",
        ),
        (
            "an extension that matters",
            with(&extension(1)),
            "must be understood",
        ),
        (
            "flags",
            {
                let mut bytes = header.clone();
                bytes[35] = 1;
                bytes
            },
            "flags",
        ),
        (
            "a later format",
            {
                let mut bytes = header.clone();
                bytes[11] = 2;
                bytes
            },
            "format 2",
        ),
        (
            "an end in the middle",
            with(&[1, 0, 0, 0, 9, 1]),
            "cut short",
        ),
    ];
    for (name, bytes, part) in cases {
        let error = Krl::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{name}: {error}");
    }
    assert_eq!(Krl::from_bytes(&with(&extension(0))), Ok(Krl::default()));
}

proptest! {
    #[test]
    fn a_list_is_read_as_it_was_written(ranges in numbers(), ids in prop::collection::btree_set("\\PC{1,20}", 0..4)) {
        let mut krl = with(&ranges);
        for id in &ids {
            krl.revoke_key_id(b"another", id);
            krl.revoke_key(id.as_bytes());
        }
        prop_assert_eq!(Krl::from_bytes(&krl.to_bytes()), Ok(krl));
    }

    #[test]
    fn ranges_hold_what_was_added(ranges in prop::collection::vec((1_u64..200, 0_u64..20), 0..30)) {
        let krl = with(&ranges);
        let all: BTreeSet<u64> = ranges.iter().flat_map(|(first, length)| *first..=first + length).collect();
        for serial in 0..=230 {
            prop_assert_eq!(krl.revokes(CA, serial, "", KEY), all.contains(&serial), "{}", serial);
        }
        let ends: Vec<(u64, u64)> = krl.certificates.values().flat_map(|revoked| revoked.serials.0.clone()).collect();
        prop_assert!(ends.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", ends);
    }

    #[test]
    fn no_bytes_make_it_stumble(tail in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
        let whole = [with(&[(1, 3), (9, 0)]).to_bytes(), tail].concat();
        let _ = Krl::from_bytes(&whole);
        let cut = cut.index(whole.len());
        let _ = Krl::from_bytes(&whole[..cut]);
    }
}
