use proptest::prelude::*;

use super::*;
use crate::tags::Tags;

fn host(name: &str, tags: &[&str]) -> Host {
    Host {
        id: name.to_owned(),
        name: name.to_owned(),
        tags: Tags::parse(tags).unwrap(),
    }
}

/// Any expression over the keys a, b, c and the values x, y, z.
pub(crate) fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => Just("*".to_owned()),
        3 => "[abc]",
        5 => "[abc]=[xyz]",
        2 => "[abc]!=[xyz]",
    ];
    let text = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| format!("not ({part})")),
            prop::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner, 1..4)
                .prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    });
    text.prop_map(|text| text.parse().unwrap())
}

#[test]
fn hosts_are_chosen_by_their_tags() {
    let host = host("web-1", &["env=prod", "region=eu", "owner=a team"]);
    let cases = [
        ("*", true),
        ("env=prod", true),
        ("env=Prod", false),
        ("env", true),
        ("legacy", false),
        ("not legacy", true),
        ("legacy!=yes", true),
        ("env!=prod", false),
        ("name=web-1", true),
        ("name", true),
        ("owner=\"a team\"", true),
        ("env=prod and (region=eu or region=us) and not legacy", true),
        ("ENV=prod OR env=prod", true),
        ("env=test or env=prod and region=us", false),
        ("(env=test or env=prod) and region=eu", true),
        ("not env=test and region=us", false),
        ("not (env=test and region=us)", true),
        ("not not env", true),
    ];
    for (text, chosen) in cases {
        let expression: Expression = text.parse().unwrap();
        assert_eq!(expression.contains(&host), chosen, "{text}");
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    let deep = "(".repeat(MAX_DEPTH + 1);
    let cases = [
        (
            "",
            "character 1: it ends where a tag, not, * or ( is expected",
        ),
        ("env=", "character 5: it ends where a value is expected"),
        (
            "env=prod region=eu",
            "character 10: \"region\" stands where and, or or the end is expected",
        ),
        ("(env", "character 5: it ends where ) is expected"),
        (
            "env)",
            "character 4: ')' stands where and, or or the end is expected",
        ),
        (
            "and env",
            "character 1: \"and\" stands where a tag, not, * or ( is expected",
        ),
        (
            "env=prod and or x",
            "character 14: \"or\" stands where a tag, not, * or ( is expected",
        ),
        ("env ! prod", "! alone stands where != is expected"),
        ("1st=x", "character 1: \"1st\" cannot be the key of a tag"),
        (
            "env=\"prod",
            "character 5: the text that begins here has no end",
        ),
        ("é=\"ü\" & x", "cannot be the key"),
        (deep.as_str(), "nested more than 32 deep"),
    ];
    for (text, part) in cases {
        let error = text.parse::<Expression>().unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
    let long = "a".repeat(MAX_BYTES + 1);
    assert_eq!(
        long.parse::<Expression>().unwrap_err().problem,
        Problem::TooLong
    );
}

#[test]
fn what_is_not_met_is_said_part_by_part() {
    let host = host("db-1", &["env=prod", "region=ap"]);
    let expression: Expression = "env=prod and (region=eu or region=us) and role=web"
        .parse()
        .unwrap();
    assert_eq!(
        expression.unmet(&host),
        ["region=eu or region=us", "role=web"]
    );
    assert_eq!(expression.keys(), ["env", "region", "role"]);
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(expression in expression()) {
        let written = expression.to_string();
        prop_assert_eq!(written.parse::<Expression>().unwrap(), expression, "{}", written);
    }

    #[test]
    fn any_value_survives_being_written(value in "\\PC{1,20}") {
        let expression = Expression(Node::Is("key".to_owned(), value));
        prop_assert_eq!(expression.to_string().parse::<Expression>().unwrap(), expression);
    }

    #[test]
    fn no_text_makes_it_stumble(text in "\\PC{0,80}") {
        let _ = text.parse::<Expression>();
    }
}
