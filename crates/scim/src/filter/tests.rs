#![expect(clippy::too_many_lines, reason = "tables of cases")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Catalog, ErrorKind, Profile};

mod evaluation;
mod laws;

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_filter_prints_in_one_canonical_form() {
    for (case, text, canonical) in [
        ("as it is", "userName eq \"a\"", "userName eq \"a\""),
        (
            "operators in any case",
            "userName EQ \"a\" AND title Pr",
            "userName eq \"a\" and title pr",
        ),
        ("blanks", "  userName   eq\t\"a\"  ", "userName eq \"a\""),
        (
            "no blank before a string",
            "members[value eq\"1\"]",
            "members[value eq \"1\"]",
        ),
        (
            "and binds more",
            "a pr or b pr and c pr",
            "a pr or b pr and c pr",
        ),
        (
            "needless parentheses",
            "((a pr)) or (b pr and (c pr))",
            "a pr or b pr and c pr",
        ),
        (
            "needed parentheses",
            "(a pr or b pr) and c pr",
            "(a pr or b pr) and c pr",
        ),
        (
            "flattened",
            "(a pr and b pr) and (c pr and d pr)",
            "a pr and b pr and c pr and d pr",
        ),
        ("not", "NOT(a pr)", "not (a pr)"),
        (
            "not with a blank",
            "not ( a pr or b pr )",
            "not (a pr or b pr)",
        ),
        ("double not", "not(not(a pr))", "not (not (a pr))"),
        (
            "a name that starts like a keyword",
            "notes pr and order pr",
            "notes pr and order pr",
        ),
        ("escapes", r#"a eq "\u0041\"\\\/\n""#, r#"a eq "A\"\\/\n""#),
        ("a surrogate pair", r#"a eq "\ud83d\ude00""#, "a eq \"😀\""),
        (
            "words of JSON in any case",
            "a eq True and b ne NULL",
            "a eq true and b ne null",
        ),
        (
            "numbers",
            "a gt -1.5e3 and b le 12",
            "a gt -1500.0 and b le 12",
        ),
        (
            "a sub-attribute after brackets",
            "emails[type eq \"work\"].value eq \"a\"",
            "emails[type eq \"work\" and value eq \"a\"]",
        ),
        (
            "the same after an or",
            "emails[type eq \"work\" or type eq \"home\"].value pr",
            "emails[(type eq \"work\" or type eq \"home\") and value pr]",
        ),
        (
            "a URN",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"1\"",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"1\"",
        ),
    ] {
        let filter = parse(text);
        assert_eq!(filter.to_string(), canonical, "{case}");
        assert_eq!(parse(canonical), filter, "{case}");
    }
}

#[test]
fn a_mistake_is_explained_where_it_is() {
    for (text, needles) in [
        ("", vec!["position 1", "attribute", "the end"]),
        ("   ", vec!["position 4"]),
        ("userName", vec!["position 9", "operator", "the end"]),
        (
            "userName = \"a\"",
            vec!["position 10", "\"=\"", "did you mean `eq`"],
        ),
        ("userName equals \"a\"", vec!["did you mean `eq`"]),
        ("userName contains \"a\"", vec!["did you mean `co`"]),
        ("userName startsWith \"a\"", vec!["did you mean `sw`"]),
        ("age >= 3", vec!["did you mean `ge`"]),
        ("age qe 3", vec!["position 5", "\"qe\""]),
        ("userName eqq \"a\"", vec!["did you mean `eq`"]),
        (
            "userName eq",
            vec!["position 12", "value after `eq`", "the end"],
        ),
        (
            "userName eq ann",
            vec!["position 13", "double quotes", "\"ann\""],
        ),
        ("userName eq 'ann'", vec!["position 13", "double quotes"]),
        (
            "userName eq \"ann",
            vec!["position 13", "no closing double quote"],
        ),
        ("userName eq \"a\\x\"", vec!["position 13", "JSON"]),
        ("userName eq \"\\ud83d\"", vec!["JSON"]),
        ("userName eq \"\\u0000\"", vec!["NUL"]),
        ("é eq 1", vec!["position 1", "attribute"]),
        (
            "a eq \"é\" xor b pr",
            vec!["position 10", "`and`, `or` or the end", "\"xor\""],
        ),
        ("a pr and", vec!["position 9"]),
        ("and a pr", vec!["position 5"]),
        ("(a pr", vec!["position 6", "`)`"]),
        ("a pr)", vec!["position 5"]),
        ("emails[type pr", vec!["`]`"]),
        ("emails[type pr]].value pr", vec!["position 16"]),
        ("emails[a[b pr]]", vec!["inside brackets"]),
        ("not a pr", vec!["position 5", "`(` after `not`"]),
        ("a eq 01", vec!["position 6"]),
        ("a eq {}", vec!["position 6"]),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidFilter, "{text}");
        for needle in needles {
            assert!(
                error.detail.contains(needle),
                "{text}: {needle} is not in: {error}"
            );
        }
    }
}

#[test]
fn limits_hold_at_their_edge() {
    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    let negated = |depth: usize| format!("{}a pr{}", "not(".repeat(depth), ")".repeat(depth));
    let terms = |count: usize| vec!["a pr"; count].join(" or ");
    let long = |bytes: usize| format!("a eq \"{}\"", "x".repeat(bytes - 7));
    for (case, fits, too_much) in [
        ("parentheses", nested(MAX_DEPTH), nested(MAX_DEPTH + 1)),
        ("not", negated(MAX_DEPTH), negated(MAX_DEPTH + 1)),
        ("terms", terms(MAX_TERMS), terms(MAX_TERMS + 1)),
        ("bytes", long(MAX_BYTES), long(MAX_BYTES + 1)),
    ] {
        assert!(Filter::parse(&fits).is_ok(), "{case}");
        assert_eq!(
            Filter::parse(&too_much).unwrap_err().kind,
            ErrorKind::InvalidFilter,
            "{case}"
        );
    }
    // A sub-attribute after brackets stands inside of them in the canonical text, which has to read back as well.
    let moved_in = |depth: usize| {
        format!(
            "{}e[a pr or b pr].c pr{}",
            "not(".repeat(depth),
            ")".repeat(depth)
        )
    };
    assert!(Filter::parse(&moved_in(MAX_DEPTH - 1)).is_err());
    let deepest = parse(&moved_in(MAX_DEPTH - 2));
    assert_eq!(parse(&deepest.to_string()), deepest);
    let most = parse(&format!("{} or e[a pr].b pr", terms(MAX_TERMS - 3)));
    assert_eq!(parse(&most.to_string()), most);
    assert!(Filter::parse(&format!("{} or e[a pr].b pr", terms(MAX_TERMS - 2))).is_err());
    assert!(Filter::parse(&"(".repeat(20_000)).is_err());
    assert!(Filter::parse(&"(".repeat(MAX_BYTES)).is_err());
}

#[test]
fn every_operator_is_found_by_its_name_in_any_case() {
    for op in Op::ALL {
        assert_eq!(Op::by_name(op.name()), Some(op));
        assert_eq!(Op::by_name(&op.name().to_uppercase()), Some(op));
    }
    assert_eq!(Op::by_name("pr"), None);
}
