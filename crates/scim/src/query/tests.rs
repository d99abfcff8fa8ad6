#![expect(clippy::too_many_lines, reason = "tables of cases")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ErrorKind;
use crate::schema::{Catalog, ENTERPRISE, POSIX};

fn get(query: &str) -> Result<ListQuery, Error> {
    let pairs = pairs(query)?;
    ListQuery::from_pairs(
        pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into())),
    )
}

fn plain() -> ListQuery {
    get("").unwrap()
}

#[test]
fn nothing_asks_for_the_first_page_of_everything() {
    let expected = ListQuery {
        filter: None,
        sort_by: None,
        descending: false,
        start_index: 1,
        count: None,
        cursor: None,
        projection: Projection::default(),
    };
    assert_eq!(plain(), expected);
    assert_eq!(
        get("aadOptscim062020&AzureAdScimPatch2017=1&&unknown=%41").unwrap(),
        expected,
        "unknown parameters are ignored"
    );
}

#[test]
fn both_forms_of_a_query_mean_the_same() {
    let urn = SEARCH_REQUEST;
    let path = |text| Some(AttributePath::parse(text).unwrap());
    let cases = [
        (
            "filter=userName+eq+%22a%40b%22",
            json!({ "schemas": [urn], "filter": "userName eq \"a@b\"" }),
            ListQuery {
                filter: Some(Filter::parse("userName eq \"a@b\"").unwrap()),
                ..plain()
            },
        ),
        (
            "SORTBY=name.familyName&sortOrder=Descending",
            json!({ "Schemas": [urn], "sortby": "name.familyName", "sortOrder": "DESCENDING" }),
            ListQuery {
                sort_by: path("name.familyName"),
                descending: true,
                ..plain()
            },
        ),
        (
            "sortBy=&sortOrder=ascending",
            json!({ "schemas": [urn], "sortBy": "", "sortOrder": "ascending" }),
            plain(),
        ),
        (
            "startIndex=11&count=10",
            json!({ "schemas": [urn], "startIndex": 11, "count": 10 }),
            ListQuery {
                start_index: 11,
                count: Some(10),
                ..plain()
            },
        ),
        (
            "startIndex=0&count=0",
            json!({ "schemas": [urn], "startIndex": 0, "count": 0 }),
            ListQuery {
                count: Some(0),
                ..plain()
            },
        ),
        (
            "startIndex=-7&count=-7",
            json!({ "schemas": [urn], "startIndex": -7, "count": -7 }),
            ListQuery {
                count: Some(0),
                ..plain()
            },
        ),
        (
            "cursor",
            json!({ "schemas": [urn], "cursor": "" }),
            ListQuery {
                cursor: Some(String::new()),
                ..plain()
            },
        ),
        (
            "cursor=Vg-1.~_&startIndex=1",
            json!({ "schemas": [urn], "cursor": "Vg-1.~_", "startIndex": 1, "count": null }),
            ListQuery {
                cursor: Some("Vg-1.~_".into()),
                ..plain()
            },
        ),
        (
            "attributes=userName,%20emails.value",
            json!({ "schemas": [urn], "attributes": ["userName", "emails.value"] }),
            ListQuery {
                projection: Projection::parse(Some("userName,emails.value"), None),
                ..plain()
            },
        ),
        (
            "excludedAttributes=members",
            json!({ "schemas": [urn], "excludedAttributes": ["members"], "more": 1 }),
            ListQuery {
                projection: Projection::parse(None, Some("members")),
                ..plain()
            },
        ),
    ];
    for (query, body, expected) in cases {
        assert_eq!(get(query).as_ref(), Ok(&expected), "{query}");
        assert_eq!(
            ListQuery::from_search(body.clone()).as_ref(),
            Ok(&expected),
            "{body}"
        );
    }
    assert_eq!(
        get("count=99999999999999999999").unwrap().count,
        Some(i64::MAX.unsigned_abs())
    );
    assert_eq!(get("count=-99999999999999999999").unwrap().count, Some(0));
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    use ErrorKind::{InvalidFilter, InvalidValue};
    let cases = [
        (
            "startIndex=one",
            InvalidValue,
            "`startIndex` must be a whole number",
        ),
        ("startIndex=", InvalidValue, "`startIndex`"),
        ("startIndex=-", InvalidValue, "`startIndex`"),
        ("count=1.5", InvalidValue, "`count` must be a whole number"),
        ("count=+5", InvalidValue, "`count`"),
        ("count=1&COUNT=1", InvalidValue, "`count` is given twice"),
        (
            "filter=active+eq+true&filter=active+eq+true",
            InvalidValue,
            "`filter` is given twice",
        ),
        ("filter=", InvalidFilter, ""),
        ("filter=userName+eq+ada", InvalidFilter, ""),
        (
            "sortOrder=down",
            InvalidValue,
            "`sortOrder` must be ascending or descending",
        ),
        ("sortBy=a+b", InvalidValue, "`sortBy`: "),
        (
            "cursor=&startIndex=2",
            InvalidValue,
            "`cursor` and `startIndex`",
        ),
        ("filter=%", InvalidValue, "two hexadecimal digits"),
        ("filter=%4", InvalidValue, "two hexadecimal digits"),
        ("filter=%zz", InvalidValue, "two hexadecimal digits"),
        ("filter=%FF", InvalidValue, "not UTF-8"),
        ("unknown=%00", InvalidValue, "NUL"),
    ];
    for (query, kind, part) in cases {
        let e = get(query).expect_err(query);
        assert_eq!(e.kind, kind, "{query}: {e}");
        assert!(e.detail.contains(part), "{query}: {e}");
    }
}

#[test]
fn wrong_search_bodies_are_refused() {
    use ErrorKind::{InvalidFilter, InvalidSyntax, InvalidValue};
    let urn = SEARCH_REQUEST;
    let cases = [
        (json!([]), InvalidSyntax, "JSON object"),
        (json!({}), InvalidSyntax, "SearchRequest"),
        (json!({ "schemas": urn }), InvalidSyntax, "SearchRequest"),
        (
            json!({ "schemas": ["urn:example:x"] }),
            InvalidSyntax,
            "SearchRequest",
        ),
        (
            json!({ "schemas": [urn], "attributes": "userName" }),
            InvalidValue,
            "`attributes` must be a list of strings",
        ),
        (
            json!({ "schemas": [urn], "attributes": [1] }),
            InvalidValue,
            "`attributes`",
        ),
        (
            json!({ "schemas": [urn], "count": "5" }),
            InvalidValue,
            "`count` must be a whole number",
        ),
        (
            json!({ "schemas": [urn], "count": 5.0 }),
            InvalidValue,
            "`count`",
        ),
        (
            json!({ "schemas": [urn], "filter": {} }),
            InvalidValue,
            "`filter` must be a string",
        ),
        (
            json!({ "schemas": [urn], "filter": "x" }),
            InvalidFilter,
            "",
        ),
        (
            json!({ "schemas": [urn], "count": 1, "Count": 1 }),
            InvalidValue,
            "`count` is given twice",
        ),
    ];
    for (body, kind, part) in cases {
        let e = ListQuery::from_search(body.clone()).expect_err(part);
        assert_eq!(e.kind, kind, "{body}: {e}");
        assert!(e.detail.contains(part), "{body}: {e}");
    }
}

#[test]
fn decodes_queries() {
    let cases = [
        ("", vec![]),
        ("a=1&b=2", vec![("a", "1"), ("b", "2")]),
        ("a", vec![("a", "")]),
        ("a=b=c", vec![("a", "b=c")]),
        ("%61+b=%C3%A9%2B", vec![("a b", "é+")]),
        ("&&a=&", vec![("a", "")]),
    ];
    for (query, expected) in cases {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        assert_eq!(pairs(query), Ok(expected), "{query}");
    }
}

/// The names of users, in the order that sorting gives them.
fn sorted(by: &str, users: &[(&str, Value)]) -> Vec<String> {
    let catalog = Catalog::standard();
    let path = AttributePath::parse(by).unwrap();
    let mut keyed: Vec<_> = users
        .iter()
        .map(|(name, user)| {
            (
                sort_key(catalog.user(), &path, user.as_object().unwrap()),
                (*name).to_owned(),
            )
        })
        .collect();
    keyed.sort_by(|(a, _), (b, _)| (a.is_none(), a).cmp(&(b.is_none(), b)));
    keyed.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn sorts_by_the_type_of_the_attribute() {
    let mail = |value: &str, primary: bool| json!({ "value": value, "primary": primary });
    let cases = [
        (
            "letter case aside",
            "userName",
            vec![
                ("b", json!({ "userName": "BOB" })),
                ("a", json!({ "userName": "alice" })),
                ("c", json!({ "userName": "Carol" })),
            ],
        ),
        (
            "with letter case",
            "externalId",
            vec![
                ("b", json!({ "externalId": "a" })),
                ("a", json!({ "externalId": "B" })),
            ],
        ),
        (
            "instants",
            "meta.created",
            vec![
                (
                    "b",
                    json!({ "meta": { "created": "2026-01-01T00:00:00Z" } }),
                ),
                (
                    "a",
                    json!({ "meta": { "created": "2026-01-01T00:30:00+01:00" } }),
                ),
            ],
        ),
        (
            "numbers",
            &format!("{POSIX}:uid"),
            vec![
                ("b", json!({ POSIX: { "uid": 10 } })),
                ("a", json!({ POSIX: { "uid": 9 } })),
            ],
        ),
        (
            "booleans",
            "active",
            vec![
                ("b", json!({ "active": true })),
                ("a", json!({ "active": false })),
            ],
        ),
        (
            "nothing comes last",
            "title",
            vec![("b", json!({})), ("a", json!({ "title": "z" }))],
        ),
        (
            "the primary value",
            "emails",
            vec![
                (
                    "b",
                    json!({ "emails": [mail("a", false), mail("z", true)] }),
                ),
                (
                    "a",
                    json!({ "emails": [mail("y", false), mail("c", false)] }),
                ),
            ],
        ),
        (
            "a part of the primary value",
            "emails.type",
            vec![
                (
                    "b",
                    json!({ "emails": [{ "type": "a" }, { "type": "z", "primary": true }] }),
                ),
                ("a", json!({ "emails": [{ "type": "b" }] })),
            ],
        ),
        (
            "the value of a complex one",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:MANAGER",
            vec![
                ("b", json!({ ENTERPRISE: { "manager": { "value": "2" } } })),
                ("a", json!({ ENTERPRISE: { "manager": { "value": "1" } } })),
            ],
        ),
    ];
    for (name, by, users) in cases {
        let order = sorted(by, &users);
        assert!(order.is_sorted(), "{name}: {order:?}");
    }
    let catalog = Catalog::standard();
    for by in ["favouriteColour", "name", "emails.nothing"] {
        let user = json!({ "name": { "givenName": "Ada" }, "emails": [{ "value": "a" }] });
        let path = AttributePath::parse(by).unwrap();
        assert_eq!(
            sort_key(catalog.user(), &path, user.as_object().unwrap()),
            None,
            "{by} has no order"
        );
    }
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(name in "[^\\x00]{1,10}", value in "[^\\x00]{0,20}") {
        let encode = |s: &str| s.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02x}") }).collect::<String>();
        let query = format!("{}={}", encode(&name), encode(&value));
        prop_assert_eq!(pairs(&query), Ok(vec![(name, value)]));
    }

    #[test]
    fn never_panics(query in "(filter|count|startIndex|sortBy|cursor|attributes)?[=&%+a-z0-9 \"\\PC]{0,40}") {
        let _ = get(&query);
    }
}
