use proptest::prelude::*;

use super::*;

#[test]
fn user_names_compare_as_people_expect() {
    let same = [
        ("letter case", "Ada@Contoso.COM", "ada@contoso.com"),
        (
            "letter case beyond ASCII",
            "JÜRGEN@contoso.com",
            "jürgen@contoso.com",
        ),
        ("composed and decomposed", "ju\u{308}rgen", "jürgen"),
        ("full-width letters", "ａｄａ", "ada"),
        (
            "a name with a blank, which PRECIS forbids",
            "ÅSA Berg",
            "åsa berg",
        ),
        ("final sigma", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ];
    for (name, a, b) in same {
        assert_eq!(user_name_key(a), user_name_key(b), "{name}");
    }
    let different = [
        ("another letter", "ada", "adb"),
        ("an accent", "jose", "josé"),
        ("a blank", "ada l", "adal"),
        ("Cyrillic and Latin", "аda", "ada"),
        ("dotless i", "ışık", "işik"),
    ];
    for (name, a, b) in different {
        assert_ne!(user_name_key(a), user_name_key(b), "{name}");
    }
}

#[test]
fn folds_beyond_ascii() {
    let cases = [
        ("", ""),
        ("web-ops", "web-ops"),
        ("Web-Ops", "web-ops"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("E\u{301}cole", "école"),
        ("ſhip", "ship"),
        ("日本", "日本"),
        ("ı", "ı"),
    ];
    for (text, key) in cases {
        assert_eq!(fold(text), key, "{text}");
    }
}

#[test]
fn borrows_what_is_folded_already() {
    assert!(matches!(fold("ada@contoso.com"), Cow::Borrowed(_)));
}

proptest! {
    #[test]
    fn folding_is_idempotent(s in any::<String>()) {
        let once = fold(&s).into_owned();
        prop_assert_eq!(fold(&once).into_owned(), once);
    }

    #[test]
    fn letter_case_and_normal_form_do_not_count(s in any::<String>()) {
        let lower: String = s.chars().flat_map(char::to_lowercase).collect();
        let decomposed: String = s.nfd().collect();
        prop_assert_eq!(fold(&lower), fold(&s));
        prop_assert_eq!(fold(&decomposed), fold(&s));
    }

    #[test]
    fn user_name_keys_are_idempotent(s in "[ -~À-ʯͰ-ϿЀ-ӿ！-～]{0,12}") {
        let once = user_name_key(&s);
        prop_assert_eq!(user_name_key(&once), once);
    }

    #[test]
    fn a_user_name_in_capitals_is_the_same(s in "[a-zà-öø-ýа-я0-9@._-]{1,20}") {
        prop_assert_eq!(user_name_key(&s.to_uppercase()), user_name_key(&s));
    }
}

#[test]
fn every_letter_folds_to_a_fixed_point() {
    // Letters with case end with Adlam in plane 1; the last range decomposes.
    for c in (0..0x1_f000)
        .chain(0x2_f800..0x2_fa20)
        .filter_map(char::from_u32)
    {
        let once = fold(c.encode_utf8(&mut [0; 4])).into_owned();
        assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
    }
}
