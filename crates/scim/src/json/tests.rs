use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

fn read(text: &str) -> Result<Value, String> {
    parse(text.as_bytes(), Limits::default()).map_err(|e| {
        assert_eq!(e.kind, ErrorKind::InvalidSyntax);
        e.detail
    })
}

#[test]
fn refuses_what_is_not_strict_json() {
    let deep = "[".repeat(33);
    let far_too_deep = "[".repeat(100_000);
    let long = format!("\"{}\"", "x".repeat(64 * 1024 + 1));
    let many = format!("[{}0]", "0,".repeat(99_999));
    let cases = [
        ("nothing", "", "EOF"),
        ("a word", "active", "line 1 column"),
        ("single quotes", "{'a': 1}", "line 1 column 2"),
        ("a comment", "{} // x", "line 1 column 4"),
        ("a comma too much", "{\"a\": 1,}", "line 1 column"),
        (
            "two values",
            "{} {}",
            "trailing characters at line 1 column 4",
        ),
        (
            "a key twice",
            "{\"a\": 1,\n \"a\": 2}",
            "the key \"a\" twice in one object at line 2",
        ),
        (
            "a key twice, deep",
            "[{\"b\": {\"a\": 1, \"a\": 1}}]",
            "the key \"a\" twice",
        ),
        (
            "a key twice, by escapes",
            "{\"a\": 1, \"\\u0061\": 2}",
            "twice",
        ),
        ("a lone surrogate", "\"\\ud800\"", "line 1 column"),
        (
            "surrogates in the wrong order",
            "\"\\udc00\\ud800\"",
            "line 1 column",
        ),
        ("a NUL in a string", "{\"a\": \"x\\u0000\"}", "NUL"),
        ("a NUL in a key", "{\"a\\u0000\": 1}", "NUL"),
        ("a raw control character", "\"\n\"", "line"),
        ("a number out of range", "1e999", "number out of range"),
        ("not a number", "NaN", "line 1"),
        ("33 lists", &deep, "more than 32"),
        ("100 000 lists", &far_too_deep, "more than 32"),
        ("a long string", &long, "more than 65536 bytes"),
        ("100 001 values", &many, "more than 100000 values"),
    ];
    for (name, text, part) in cases {
        let detail = read(text).expect_err(name);
        assert!(detail.contains(part), "{name}: {detail}");
    }
}

#[test]
fn refuses_bytes_that_are_not_utf_8() {
    let e = parse(b"{\"a\": \"\xff\"}", Limits::default()).unwrap_err();
    assert!(e.detail.contains("not UTF-8: byte 7"), "{e}");
}

#[test]
fn keeps_the_limits_it_is_given() {
    let limits = Limits {
        depth: 2,
        string_bytes: 3,
        values: 6,
    };
    assert!(parse(b"[[1, 2], [3]]", limits).is_ok());
    assert!(parse(b"[[[1]]]", limits).is_err());
    assert!(parse(b"\"abc\"", limits).is_ok());
    assert!(parse(b"\"abcd\"", limits).is_err());
    assert!(parse(b"{\"abcd\": 1}", limits).is_err());
    assert!(parse(b"[1, 2, 3, 4, 5]", limits).is_ok());
    let many = parse(b"[[1, 2], {\"a\": 3, \"b\": 4}]", limits).unwrap_err();
    assert!(many.detail.contains("more than 6 values"), "{many}");
}

#[test]
fn keeps_keys_with_a_meaning_elsewhere() {
    let value = read(r#"{"__proto__": {"x": 1}, "$serde_json::private::RawValue": "[]"}"#).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 2);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Value::from),
        "[^\\x00]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\\x00]{0,6}", inner, 0..6)
                .prop_map(|m| m.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(value in any_json()) {
        prop_assert_eq!(read(&value.to_string()), Ok(value));
    }

    #[test]
    fn never_accepts_more_than_serde_json(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = parse(&bytes, Limits::default()) {
            prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
        }
    }
}
