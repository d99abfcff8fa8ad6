#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::json;

use super::*;
use crate::schema::{Catalog, ENTERPRISE, POSIX, Schema, USER};

fn full() -> Map<String, Value> {
    let full = json!({
        "schemas": [USER, ENTERPRISE], "id": "1", "externalId": "e", "userName": "ada",
        "name": { "givenName": "Ada", "familyName": "L" },
        "emails": [{ "value": "a", "type": "work" }, { "type": "home" }],
        "groups": [{ "value": "g", "display": "Sales" }],
        ENTERPRISE: { "department": "R&D", "manager": { "value": "2", "displayName": "Eve" } },
        "meta": { "resourceType": "User", "version": "W/\"1\"" },
    });
    full.as_object().unwrap().clone()
}

/// What is left besides `schemas` and `id`, after checking that these are.
#[track_caller]
fn seen(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let mut full = full();
    Projection::parse(attributes, excluded).apply(Catalog::standard().user(), &mut full);
    let schemas = full.shift_remove("schemas").expect("schemas stay");
    assert_eq!(full.shift_remove("id"), Some("1".into()));
    let extension = full.contains_key(ENTERPRISE);
    assert_eq!(
        schemas,
        if extension {
            json!([USER, ENTERPRISE])
        } else {
            json!([USER])
        }
    );
    full.into()
}

#[test]
fn attributes_replace_the_default_set() {
    let manager = format!("{ENTERPRISE}:manager.value");
    let base = format!("{USER}:userName, {USER}:name.givenName");
    let enterprise_upper = ENTERPRISE.to_uppercase();
    let cases = [
        ("one", "userName", json!({ "userName": "ada" })),
        (
            "blanks and letter case",
            " USERNAME , externalid",
            json!({ "externalId": "e", "userName": "ada" }),
        ),
        (
            "a part",
            "name.givenName",
            json!({ "name": { "givenName": "Ada" } }),
        ),
        (
            "parts and the whole",
            "name.givenName,name",
            json!({ "name": { "givenName": "Ada", "familyName": "L" } }),
        ),
        (
            "a part of a list",
            "emails.value",
            json!({ "emails": [{ "value": "a" }] }),
        ),
        (
            "meta",
            "meta",
            json!({ "meta": { "resourceType": "User", "version": "W/\"1\"" } }),
        ),
        (
            "a part of meta",
            "meta.version",
            json!({ "meta": { "version": "W/\"1\"" } }),
        ),
        (
            "read-only",
            "groups.value",
            json!({ "groups": [{ "value": "g" }] }),
        ),
        (
            "an extension",
            &enterprise_upper,
            json!({ ENTERPRISE: { "department": "R&D", "manager": { "value": "2", "displayName": "Eve" } } }),
        ),
        (
            "a part of an extension",
            &manager,
            json!({ ENTERPRISE: { "manager": { "value": "2" } } }),
        ),
        (
            "with the base URN",
            &base,
            json!({ "userName": "ada", "name": { "givenName": "Ada" } }),
        ),
        (
            "the whole base schema",
            USER,
            json!({
                "userName": "ada", "externalId": "e", "name": { "givenName": "Ada", "familyName": "L" },
                "emails": [{ "value": "a", "type": "work" }, { "type": "home" }], "groups": [{ "value": "g", "display": "Sales" }],
                "meta": { "resourceType": "User", "version": "W/\"1\"" },
            }),
        ),
        ("what has no value", "nickName", json!({})),
        ("an unknown name", "favouriteColour", json!({})),
        ("no path at all", "!!", json!({})),
        ("an extension without data", POSIX, json!({})),
        ("the password", "password", json!({})),
    ];
    for (name, attributes, expected) in cases {
        assert_eq!(seen(Some(attributes), None), expected, "{name}");
    }
}

#[test]
fn excluded_attributes_are_taken_away() {
    let everything = seen(None, None);
    let without = |names: &[&str]| {
        let mut left = everything.as_object().unwrap().clone();
        names.iter().for_each(|name| drop(left.shift_remove(*name)));
        Value::Object(left)
    };
    let manager = format!("{ENTERPRISE}:manager");
    let cases = [
        ("one", "groups", without(&["groups"])),
        (
            "several",
            "groups, META,name",
            without(&["groups", "meta", "name"]),
        ),
        ("an extension", ENTERPRISE, without(&[ENTERPRISE])),
        ("what always stays", "id,schemas", without(&[])),
        ("an unknown name", "favouriteColour", without(&[])),
        (
            "all parts",
            "name.givenName,name.familyName",
            without(&["name"]),
        ),
    ];
    for (name, excluded, expected) in cases {
        assert_eq!(seen(None, Some(excluded)), expected, "{name}");
    }
    assert_eq!(
        seen(None, Some("emails.type"))["emails"],
        json!([{ "value": "a" }])
    );
    assert_eq!(
        seen(None, Some(&manager))[ENTERPRISE],
        json!({ "department": "R&D" })
    );
    assert_eq!(
        seen(Some("name,emails"), Some("name.givenName,emails")),
        json!({ "name": { "familyName": "L" } })
    );
}

#[test]
fn names_of_nothing_ask_for_everything() {
    for (attributes, excluded) in [(None, None), (Some(""), None), (Some(" , "), Some(","))] {
        let projection = Projection::parse(attributes, excluded);
        assert!(projection.is_everything());
        let mut seen = full();
        projection.apply(Catalog::standard().user(), &mut seen);
        assert_eq!(seen, full());
    }
    assert!(!Projection::parse(Some("x"), None).is_everything());
    assert!(!Projection::parse(None, Some("x")).is_everything());
}

#[test]
fn says_what_need_not_be_loaded() {
    let t = Catalog::standard();
    let cases = [
        (None, None, true),
        (Some("displayName"), None, false),
        (Some("members"), None, true),
        (Some("MEMBERS.value"), None, true),
        (None, Some("members"), false),
        (None, Some("members.display"), true),
        (None, Some("members.value,members.type,members.$ref"), false),
        (Some("members"), Some("members"), false),
    ];
    for (attributes, excluded, expected) in cases {
        let wants = Projection::parse(attributes, excluded).wants(t.group(), "members");
        assert_eq!(
            wants, expected,
            "attributes={attributes:?} excludedAttributes={excluded:?}"
        );
    }
    assert!(
        !Projection::default().wants(t.user(), "members"),
        "users have none"
    );
}

#[test]
fn what_a_schema_says_about_returning_is_kept() {
    let badge = json!({ "id": "urn:example:badge", "attributes": [
        { "name": "number", "returned": "always" },
        { "name": "pin", "returned": "never" },
        { "name": "photo", "returned": "request" },
        { "name": "colour" },
    ] });
    let catalog =
        Catalog::with_extensions(vec![Schema::from_json(&badge).unwrap()], Vec::new()).unwrap();
    let seen = |attributes, excluded| {
        let mut full = json!({ "schemas": [USER], "id": "1", "urn:example:badge": { "number": "7", "pin": "1", "photo": "p", "colour": "red" } });
        Projection::parse(attributes, excluded)
            .apply(catalog.user(), full.as_object_mut().unwrap());
        full["urn:example:badge"].take()
    };
    assert_eq!(seen(None, None), json!({ "number": "7", "colour": "red" }));
    assert_eq!(
        seen(Some("urn:example:badge"), None),
        json!({ "number": "7", "photo": "p", "colour": "red" })
    );
    assert_eq!(
        seen(Some("urn:example:badge:pin,urn:example:badge:photo"), None),
        json!({ "number": "7", "photo": "p" })
    );
    assert_eq!(
        seen(None, Some("urn:example:badge")),
        json!({ "number": "7" })
    );
}
