//! The manual's examples give what the manual says.

use std::collections::BTreeSet;

use portreeve_mapping::expectations::Expected;
use portreeve_mapping::{Context, Expression, MappingSet, Object, Outcome, functions, lint};
use portreeve_scim::Catalog;

use crate::case::NOW;

const PAGE: &str = include_str!("../../../../docs/src/mapping.md");

/// The fenced block of that language.
fn block(language: &str) -> &'static str {
    let start = format!("```{language}\n");
    let (_, rest) = PAGE.split_once(&start).unwrap();
    rest.split_once("```").unwrap().0
}

/// Rows of tables that end with an example and its result: the function, the example, the result.
fn examples() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [function, _, example, result] = cells.as_slice() else {
            return None;
        };
        let name = function.trim_start_matches('`').split(['(', '`']).next()?;
        Some((name, example.trim_matches('`'), *result))
    })
    .collect()
}

#[test]
fn every_example_gives_what_is_printed() {
    let source: Object = serde_json::from_str(block("json")).unwrap();
    let taken = |value: &str| value == "ada@contoso.com";
    let random = |bytes: &mut [u8]| bytes.fill(9);
    let context = Context::at(NOW.parse().unwrap())
        .with_default_domain("contoso.com")
        .with_taken(&taken)
        .with_random(&random);
    let mut wrong = Vec::new();
    for (name, example, result) in examples() {
        let expression =
            Expression::parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        let called = expression.functions();
        assert!(
            called.iter().any(|it| it.name == name),
            "{example} does not show {name}"
        );
        let found = match expression.evaluate(&source, &context) {
            Ok(Outcome::Value(value)) => match Expected::from(value) {
                Expected::Text(text) => format!("`{text}`"),
                Expected::Texts(texts) => {
                    let texts: Vec<_> = texts.iter().map(|text| format!("`{text}`")).collect();
                    texts.join(" and ")
                }
                _ => "*nothing*".to_owned(),
            },
            Ok(_) => "*nothing*".to_owned(),
            Err(error) => error.to_string(),
        };
        if found != result {
            wrong.push(format!(
                "{example}: the manual says {result}, and it is {found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_is_in_the_manual_as_it_is_called() {
    let shown: BTreeSet<&str> = examples().iter().map(|(name, ..)| *name).collect();
    let known: BTreeSet<&str> = functions::ALL
        .iter()
        .map(|function| function.name)
        .collect();
    assert_eq!(shown, known);
    for function in functions::ALL {
        let optional = |it: &&functions::Parameter| it.presence == functions::Presence::Optional;
        let parameters = function.parameters.iter().filter(optional);
        for parameter in parameters {
            let shown = format!("[{}]", parameter.name);
            // The older form of FormatDateTime makes its formats move, not go.
            let moves = function.name == "FormatDateTime" && parameter.name.ends_with("Format");
            assert!(moves || PAGE.contains(&shown), "{}: {shown}", function.name);
        }
    }
}

#[test]
fn the_file_of_mappings_is_a_good_one() {
    let set: MappingSet = toml::from_str(block("toml")).unwrap();
    assert_eq!(lint::check(&set, &Catalog::standard()), []);
}
