//! Limits, and that each is an error which says which.

use std::cell::Cell;

use portreeve_mapping::{
    Context, EvaluationError, Expression, MAX_CHARS, MAX_DEPTH, Object, Outcome, Reason, Value,
};

use crate::case::{NOW, object};

fn evaluate(expression: &str, source: &Object) -> Result<String, EvaluationError> {
    let expression = Expression::parse(expression).unwrap();
    match expression.evaluate(source, &Context::at(NOW.parse().unwrap()))? {
        Outcome::Value(value) => Ok(value.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn long_and_deep_expressions_are_refused() {
    let text = |chars: usize| format!("\"{}\"", "é".repeat(chars - 2));
    assert!(Expression::parse(&text(MAX_CHARS)).is_ok());
    let error = Expression::parse(&text(MAX_CHARS + 1))
        .unwrap_err()
        .to_string();
    assert!(error.contains("10001 characters; at most 10000"), "{error}");

    let nested = |depth: usize| format!("{}[a]{}", "ToLower(".repeat(depth), ")".repeat(depth));
    assert!(Expression::parse(&nested(MAX_DEPTH)).is_ok());
    let error = Expression::parse(&nested(MAX_DEPTH + 1))
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 64 deep"), "{error}");
}

#[test]
fn texts_do_not_grow_without_end() {
    let times_hundred = format!("\"{}\"", "x".repeat(100));
    let one = format!("Replace([a], \"x\", , , {times_hundred}, , )");
    let two = one.replace("[a]", &one);
    let three = two.replace("[a]", &one);
    let source = object("\"a\": \"x\"");
    assert_eq!(evaluate(&two, &source).map(|text| text.len()), Ok(10_000));
    assert_eq!(
        evaluate(&three, &source).unwrap_err().reason,
        Reason::TooLong
    );
}

#[test]
fn what_the_source_has_may_be_long() {
    let photo = "x".repeat(200_000);
    let source = Object::from_iter([("photo", photo.as_str())]);
    assert_eq!(
        evaluate("[photo]", &source).map(|text| text.len()),
        Ok(200_000)
    );
    assert_eq!(
        evaluate("Append([photo], \"x\")", &source)
            .unwrap_err()
            .reason,
        Reason::TooLong
    );
}

#[test]
fn catastrophic_patterns_end() {
    let text = "a".repeat(4000);
    let source = Object::from_iter([("a", text.as_str())]);
    for (name, pattern) in [
        ("nested repetition", r"((a+)+\2)+[bc]"),
        ("with references back", r"(a*)*\1b"),
        ("with look-behind", r"(?<=(a|aa)+)b|(a|aa)+\2c"),
        ("too many searches", r"(?<=x|a)a"),
    ] {
        let expression = format!("Replace([a], , {}, , \"\", , )", Expression::quote(pattern));
        let error = evaluate(&expression, &source)
            .map(|text| text.len())
            .map_err(|it| it.reason);
        assert_eq!(error, Err(Reason::TooMuchWork), "{name}");
    }
}

#[test]
fn patterns_that_need_no_backtracking_take_long_texts() {
    let text = "ab".repeat(2000);
    let source = Object::from_iter([("a", text.as_str())]);
    let replaced = evaluate("Replace([a], , \"(a|aa)+b\", , \"x\", , )", &source);
    assert_eq!(replaced.map(|text| text.len()), Ok(2000));
}

/// Gives 0, 1, 2, …
fn counting() -> impl Fn(&mut [u8]) {
    let next = Cell::new(0_u8);
    move |bytes| {
        for byte in bytes {
            *byte = next.get();
            next.set(next.get().wrapping_add(1));
        }
    }
}

#[test]
fn what_is_random_comes_from_the_context() {
    let random = counting();
    let context = Context::at(NOW.parse().unwrap()).with_random(&random);
    let source = Object::new();
    let draw = |expression: &str| {
        let expression = Expression::parse(expression).unwrap();
        match expression.evaluate(&source, &context) {
            Ok(Outcome::Value(Value::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(draw("Guid()"), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    let text = draw(r#"RandomString(10,2,2,2,1,"?,")"#);
    let count = |is: fn(&char) -> bool| text.chars().filter(is).count();
    assert_eq!(text.chars().count(), 10);
    assert!(count(char::is_ascii_digit) >= 2, "{text}");
    assert!(count(char::is_ascii_punctuation) >= 2, "{text}");
    assert!(count(char::is_ascii_uppercase) >= 2, "{text}");
    assert!(count(char::is_ascii_lowercase) >= 1, "{text}");
    assert!(!text.contains(['?', ',']), "{text}");
    assert_eq!(draw("RandomString(0,0,0,0,0)"), "");
}

#[test]
fn impossible_random_texts_are_refused() {
    let random = counting();
    let context = Context::at(NOW.parse().unwrap()).with_random(&random);
    for (name, expression) in [
        ("too long", "RandomString(257,0,0,0,0)"),
        ("less than its parts", "RandomString(3,1,1,1,1)"),
        ("negative", "RandomString(-1,0,0,0,0)"),
        (
            "all digits avoided",
            "RandomString(3,1,0,0,0,\"0123456789\")",
        ),
    ] {
        let expression = Expression::parse(expression).unwrap();
        assert!(
            expression.evaluate(&Object::new(), &context).is_err(),
            "{name}"
        );
    }
}

#[test]
fn without_randomness_nothing_is_made_up() {
    assert_eq!(
        evaluate("Guid()", &Object::new()).unwrap_err().reason,
        Reason::NoRandomness
    );
    assert_eq!(
        evaluate("DefaultDomain()", &Object::new())
            .unwrap_err()
            .reason,
        Reason::NoDefaultDomain
    );
}
