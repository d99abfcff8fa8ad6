//! Scoping filters: every operator, clauses and groups.
#![expect(clippy::too_many_lines, reason = "tables of cases")]

use portreeve_mapping::Scope;
use portreeve_mapping::scope::{Clause, Group};

use crate::case::object;

fn clause(attribute: &str, operator: &str, values: &[&str]) -> Clause {
    Clause {
        attribute: attribute.into(),
        operator: operator.into(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn scope(groups: Vec<Vec<Clause>>) -> Scope {
    let groups = groups.into_iter().map(|clauses| Group {
        name: "Title".into(),
        clauses,
    });
    Scope {
        groups: groups.collect(),
        ..Scope::default()
    }
}

#[test]
fn operators() {
    for (name, operator, value, attributes, expected) in [
        ("equal", "EQUALS", "Sales", r#""a": "Sales""#, true),
        (
            "equal, letter case",
            "EQUALS",
            "sales",
            r#""a": "Sales""#,
            false,
        ),
        ("equal, null", "EQUALS", "Sales", "", false),
        ("equal, truth", "EQUALS", "True", r#""a": true"#, true),
        ("equal, number", "EQUALS", "5", r#""a": 5"#, true),
        ("unequal", "NOT EQUALS", "Sales", r#""a": "IT""#, true),
        (
            "unequal, the same",
            "NOT EQUALS",
            "Sales",
            r#""a": "Sales""#,
            false,
        ),
        ("unequal, null", "NOT EQUALS", "Sales", "", false),
        ("unequal, empty", "NOT EQUALS", "Sales", r#""a": """#, false),
        ("includes", "INCLUDES", "ale", r#""a": "Sales""#, true),
        (
            "includes, letter case",
            "INCLUDES",
            "sal",
            r#""a": "Sales""#,
            false,
        ),
        (
            "ends",
            "ENDS_WITH",
            "@contoso.com",
            r#""a": "a@contoso.com""#,
            true,
        ),
        (
            "ends, not",
            "ENDS_WITH",
            "@contoso.com",
            r#""a": "a@contoso.com.x""#,
            false,
        ),
        (
            "pattern",
            "REGEX MATCH",
            r".*\@contoso\.com",
            r#""a": "a@contoso.com""#,
            true,
        ),
        (
            "pattern is not anchored",
            "REGEX MATCH",
            r"\d",
            r#""a": "x1x""#,
            true,
        ),
        (
            "pattern, letter case",
            "REGEX MATCH",
            "SALES",
            r#""a": "Sales""#,
            false,
        ),
        (
            "pattern, look-ahead",
            "REGEX MATCH",
            "^(?!Sales)",
            r#""a": "IT""#,
            true,
        ),
        ("no pattern", "NOT REGEX MATCH", r"\d", r#""a": "x""#, true),
        (
            "no pattern, found",
            "NOT REGEX MATCH",
            r"\d",
            r#""a": "1""#,
            false,
        ),
        ("no pattern, null", "NOT REGEX MATCH", r"\d", "", false),
        ("greater", "Greater_Than", "9", r#""a": "10""#, true),
        ("greater, equal", "Greater_Than", "10", r#""a": 10"#, false),
        (
            "greater, no number",
            "Greater_Than",
            "9",
            r#""a": "ten""#,
            false,
        ),
        (
            "greater or equal",
            "Greater_Than_OR_EQUALS",
            "10",
            r#""a": "10""#,
            true,
        ),
        ("null", "IS NULL", "", "", true),
        ("null, empty text", "IS NULL", "", r#""a": """#, true),
        ("null, empty list", "IS NULL", "", r#""a": []"#, true),
        ("null, a value", "IS NULL", "", r#""a": "x""#, false),
        ("not null", "IS NOT NULL", "", r#""a": "x""#, true),
        ("true", "IS TRUE", "", r#""a": true"#, true),
        ("true as text", "IS TRUE", "", r#""a": "True""#, true),
        ("true, null", "IS TRUE", "", "", false),
        ("false", "IS FALSE", "", r#""a": false"#, true),
        ("false, null", "IS FALSE", "", "", false),
        ("part of", "&", "US,CA,MX", r#""a": "CA""#, true),
        ("part of, not", "&", "US,CA,MX", r#""a": "NL""#, false),
        ("no part of", "!&", "US,CA,MX", r#""a": "NL""#, true),
        ("no part of, null", "!&", "US,CA,MX", "", false),
        ("other spelling", "not_equals", "x", r#""a": "y""#, true),
        (
            "all values must do",
            "EQUALS",
            "x",
            r#""a": ["x", "y"]"#,
            false,
        ),
        (
            "all values do",
            "INCLUDES",
            "x",
            r#""a": ["x1", "x2"]"#,
            true,
        ),
    ] {
        let values: Vec<&str> = Some(value)
            .into_iter()
            .filter(|it| !it.is_empty())
            .collect();
        let scope = scope(vec![vec![clause("a", operator, &values)]])
            .compile()
            .unwrap();
        assert_eq!(scope.contains(&object(attributes)), Ok(expected), "{name}");
    }
}

#[test]
fn clauses_must_all_hold_in_one_group() {
    let is = |value| clause(value, "IS TRUE", &[]);
    let scope = scope(vec![vec![is("a"), is("b")], vec![is("c")]])
        .compile()
        .unwrap();
    for (name, attributes, expected) in [
        ("one clause", r#""a": true"#, false),
        ("first group", r#""a": true, "b": true"#, true),
        ("second group", r#""c": true"#, true),
        ("a clause of each", r#""b": true, "c": true"#, true),
        ("nothing", "", false),
    ] {
        assert_eq!(scope.contains(&object(attributes)), Ok(expected), "{name}");
    }
}

#[test]
fn without_a_filter_everything_passes() {
    let scope = Scope::default().compile().unwrap();
    assert_eq!(
        (scope.contains(&object("")), scope.reads(&object(""))),
        (Ok(true), Ok(true))
    );
}

#[test]
fn input_filters_decide_what_is_read_and_nothing_else() {
    let scope = Scope {
        input_filter_groups: scope(vec![vec![clause("a", "EQUALS", &["x"])]]).groups,
        ..Scope::default()
    };
    let scope = scope.compile().unwrap();
    let other = object(r#""a": "y""#);
    assert_eq!(
        (scope.contains(&other), scope.reads(&other)),
        (Ok(true), Ok(false))
    );
}

#[test]
fn several_values_are_alternatives() {
    let scope = scope(vec![vec![clause("a", "EQUALS", &["x", "y"])]])
        .compile()
        .unwrap();
    assert_eq!(scope.contains(&object(r#""a": "y""#)), Ok(true));
    let none = self::scope(vec![vec![clause("a", "NOT EQUALS", &["x", "y"])]])
        .compile()
        .unwrap();
    assert_eq!(none.contains(&object(r#""a": "y""#)), Ok(false));
}

#[test]
fn results_are_explained_as_entra_shows_them() {
    let scope = scope(vec![vec![clause("department", "EQUALS", &["Sales"])]])
        .compile()
        .unwrap();
    let explained = scope.explain(&object(r#""department": "IT""#)).unwrap();
    assert_eq!(explained.len(), 1);
    assert_eq!(explained[0].clause, "Title department EQUALS Sales");
    assert_eq!(
        (explained[0].value.as_str(), explained[0].holds),
        ("IT", false)
    );
}

#[test]
fn filters_that_cannot_be_used_are_refused() {
    for (name, operator, values, says) in [
        ("operator", "EQUAL", vec!["x"], "did you mean EQUALS?"),
        ("no value", "EQUALS", vec![], "lacks the value"),
        ("value too many", "IS NULL", vec!["x"], "takes no value"),
        ("no number", "Greater_Than", vec!["x"], "no whole number"),
        (
            "pattern",
            "REGEX MATCH",
            vec!["("],
            "regular expression that is wrong",
        ),
    ] {
        let error = scope(vec![vec![clause("a", operator, &values)]]).compile();
        let error = error
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains(says), "{name}: {error}");
    }
}

#[test]
fn patterns_that_take_too_long_are_an_error() {
    let scope = scope(vec![vec![clause("a", "REGEX MATCH", &[r"((a+)+\2)+[bc]"])]])
        .compile()
        .unwrap();
    let text = format!("\"a\": \"{}\"", "a".repeat(3000));
    assert!(scope.contains(&object(&text)).is_err());
}
