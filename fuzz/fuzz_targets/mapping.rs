#![no_main]
//! Expressions of the mapping language: what is read prints to text that reads back the same; evaluation over any
//! attributes ends within the limits, and the same way every time. The first line is the expression, each further one
//! an attribute.

use libfuzzer_sys::fuzz_target;
use portreeve_mapping::{Context, Expression, MAX_CHARS, MAX_OUTPUT_BYTES, Object, Outcome, Value};

const ATTRIBUTES: [&str; 4] = ["a", "b", "list", "flag"];

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let Ok(expression) = Expression::parse(lines.next().unwrap_or_default()) else {
        return;
    };
    let printed = expression.to_string();
    if printed.chars().count() <= MAX_CHARS {
        assert_eq!(
            Expression::parse(&printed).as_ref(),
            Ok(&expression),
            "{printed}"
        );
    }

    let mut source = Object::new();
    for (name, value) in ATTRIBUTES.into_iter().zip(lines) {
        match name {
            "list" => source.set(
                name,
                Value::List(value.split(',').map(|item| item.into()).collect()),
            ),
            "flag" => source.set(name, !value.is_empty()),
            _ => source.set(name, value),
        }
    }
    let random = |bytes: &mut [u8]| bytes.fill(5);
    let context = Context::at("2026-11-21T12:00:00Z".parse().expect("a constant"))
        .with_random(&random)
        .with_default_domain("contoso.com");
    let outcome = expression.evaluate(&source, &context);
    if let Ok(Outcome::Value(Value::Text(made))) = &outcome {
        assert!(made.len() <= MAX_OUTPUT_BYTES.max(text.len()));
    }
    assert_eq!(outcome, expression.evaluate(&source, &context));
});
