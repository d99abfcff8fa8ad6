//! How a table of expressions is checked.

use portreeve_mapping::expectations::Expected;
use portreeve_mapping::{Context, Expression, Object, Outcome};

/// Name, expression, attributes as JSON members (`"a": 1`), and the result: `"null"` where no value flows, `"error"`
/// where the evaluation fails, texts with ` | ` between them for a list.
pub(crate) type Case<'c> = (&'c str, &'c str, &'c str, &'c str);

/// 2026-11-21 is a Saturday.
pub(crate) const NOW: &str = "2026-11-21T12:34:56Z";

pub(crate) fn check(cases: &[Case<'_>]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|&(name, expression, attributes, expected)| {
            let found = result(expression, attributes);
            (found != expected)
                .then(|| format!("{name}: {expression}\n  {expected:?}, not {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) fn object(members: &str) -> Object {
    serde_json::from_str(&format!("{{{members}}}")).unwrap()
}

pub(crate) fn result(expression: &str, attributes: &str) -> String {
    let expression =
        Expression::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let object = object(attributes);
    let taken = |value: &str| value.starts_with("taken");
    let context = Context::at(NOW.parse().unwrap())
        .with_default_domain("contoso.com")
        .with_taken(&taken);
    match expression.evaluate(&object, &context) {
        Err(_) => "error".into(),
        Ok(Outcome::IgnoreAttribute | Outcome::IgnoreObject) => "null".into(),
        Ok(Outcome::Value(value)) => match Expected::from(value) {
            Expected::Texts(texts) => texts.join(" | "),
            Expected::Text(text) => text,
            _ => "null".into(),
        },
    }
}
