//! What becomes of single values.
#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::{Value, json};

use super::*;
use crate::schema::{POSIX, Schema};

/// A user's body without what every one of them has.
#[track_caller]
fn stored(profile: Profile, body: Value) -> Value {
    let (text, _) = user_by(profile, with_name(body)).unwrap();
    let mut stored: Map<String, Value> = serde_json::from_str(&text).unwrap();
    stored.shift_remove("schemas");
    stored.shift_remove("userName");
    stored.into()
}

#[test]
fn values_become_canonical() {
    let mail = |value: &str, primary: Option<bool>| match primary {
        Some(primary) => json!({ "value": value, "primary": primary }),
        None => json!({ "value": value }),
    };
    let cases = [
        (
            "an empty string is a value",
            json!({ "title": "" }),
            json!({ "title": "" }),
        ),
        (
            "blanks are kept",
            json!({ "title": " a " }),
            json!({ "title": " a " }),
        ),
        (
            "any text is a profile URL",
            json!({ "profileUrl": "RANDOM TEXT" }),
            json!({ "profileUrl": "RANDOM TEXT" }),
        ),
        (
            "canonical values are suggestions",
            json!({ "emails": [{ "value": "a", "type": "pager" }] }),
            json!({ "emails": [{ "value": "a", "type": "pager" }] }),
        ),
        (
            "[] for a single value",
            json!({ "name": [], "title": [] }),
            json!({}),
        ),
        (
            "nothing but empty parts",
            json!({ "name": { "givenName": null }, "emails": [{}, null] }),
            json!({}),
        ),
        (
            "the same value twice",
            json!({ "emails": [mail("a", None), mail("a", None)] }),
            json!({ "emails": [mail("a", None)] }),
        ),
        (
            "the same value twice, once as primary",
            json!({ "emails": [mail("a", None), mail("b", None), mail("a", Some(true))] }),
            json!({ "emails": [mail("a", Some(true)), mail("b", None)] }),
        ),
        (
            "the same primary value twice",
            json!({ "emails": [mail("a", Some(true)), mail("a", Some(true))] }),
            json!({ "emails": [mail("a", Some(true))] }),
        ),
        (
            "the same value of two types",
            json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "a", "type": "home" }] }),
            json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "a", "type": "home" }] }),
        ),
        (
            "two addresses of a type",
            json!({ "addresses": [{ "type": "work", "locality": "Delft" }, { "type": "work", "locality": "Leiden" }] }),
            json!({ "addresses": [{ "locality": "Delft", "type": "work" }, { "locality": "Leiden", "type": "work" }] }),
        ),
        (
            "a certificate",
            json!({ "x509Certificates": [{ "value": "TUlJRA==" }] }),
            json!({ "x509Certificates": [{ "value": "TUlJRA==" }] }),
        ),
        (
            "read-only parts",
            json!({ ENTERPRISE: { "manager": { "value": "1", "displayName": "Eve" } } }),
            json!({ ENTERPRISE: { "manager": { "value": "1" } } }),
        ),
        (
            "whole numbers of 64 bits",
            json!({ POSIX: { "uid": i64::MAX, "gid": i64::MIN } }),
            json!({ POSIX: { "uid": i64::MAX, "gid": i64::MIN } }),
        ),
        (
            "an alias of an extension",
            json!({ "urn:scim:smallstep:ssh:schema": { "uid": 7 } }),
            json!({ POSIX: { "uid": 7 } }),
        ),
        (
            "an extension under both names",
            json!({ "urn:scim:smallstep:ssh:schema": { "gid": 8 }, POSIX: { "uid": 7 } }),
            json!({ POSIX: { "uid": 7, "gid": 8 } }),
        ),
        (
            "an alias of an attribute",
            json!({ "DefaultRemoteIdentity": "ada" }),
            json!({ POSIX: { "remoteIdentity": "ada" } }),
        ),
        ("a password", json!({ "password": "secret" }), json!({})),
    ];
    for (name, body, expected) in cases {
        assert_eq!(stored(Profile::Strict, body), expected, "{name}");
    }
}

#[test]
fn wrong_values_are_refused_by_name() {
    use ErrorKind::{InvalidSyntax, InvalidValue};
    let cases = [
        (
            "a number for a string",
            json!({ "title": 7 }),
            InvalidValue,
            "title must be a string, not 7",
        ),
        (
            "a number in a part",
            json!({ "name": { "givenName": 7 } }),
            InvalidValue,
            "name.givenName must be a string, not 7",
        ),
        (
            "a number in a list",
            json!({ "emails": [{ "value": "a" }, { "value": 7 }] }),
            InvalidValue,
            "emails[1].value must be a string, not 7",
        ),
        (
            "a number in an extension",
            json!({ ENTERPRISE: { "manager": { "value": 7 } } }),
            InvalidValue,
            "enterprise:2.0:User:manager.value must be a string, not 7",
        ),
        (
            "a string for a boolean",
            json!({ "active": "True" }),
            InvalidValue,
            "active must be true or false, not the string \"True\"",
        ),
        (
            "a string for an object",
            json!({ "name": "Ada" }),
            InvalidValue,
            "name must be an object",
        ),
        (
            "a list for an object",
            json!({ "name": [{ "givenName": "Ada" }] }),
            InvalidValue,
            "name must be an object, not a list",
        ),
        (
            "a list for a string",
            json!({ "title": ["a"] }),
            InvalidValue,
            "title must be a string, not a list",
        ),
        (
            "an object for a list",
            json!({ "emails": { "value": "a" } }),
            InvalidValue,
            "emails must be a list, not an object",
        ),
        (
            "strings for objects",
            json!({ "emails": ["a"] }),
            InvalidValue,
            "emails[0] must be an object",
        ),
        (
            "a list in a list",
            json!({ "emails": [[]] }),
            InvalidValue,
            "emails[0] must be an object, not a list",
        ),
        (
            "a string for an extension",
            json!({ ENTERPRISE: "R&D" }),
            InvalidValue,
            "User must be an object",
        ),
        (
            "a fraction for an integer",
            json!({ POSIX: { "uid": 7.5 } }),
            InvalidValue,
            "uid must be a whole number",
        ),
        (
            "an integer beyond 64 bits",
            json!({ POSIX: { "uid": u64::MAX } }),
            InvalidValue,
            "uid must be a whole number of at most 64 bits",
        ),
        (
            "text for base64",
            json!({ "x509Certificates": [{ "value": "MII" }] }),
            InvalidValue,
            "x509Certificates[0].value must be a string of base64",
        ),
        (
            "two primary values",
            json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            InvalidValue,
            "emails: only one value can be the primary one",
        ),
        (
            "an attribute twice",
            json!({ "title": "a", "Title": "b" }),
            InvalidSyntax,
            "`title` and `Title` are the same attribute",
        ),
        (
            "a read-only attribute twice",
            json!({ "id": "a", "ID": "b" }),
            InvalidSyntax,
            "`id` and `ID`",
        ),
        (
            "a part twice",
            json!({ "name": { "givenName": "a", "givenname": "a" } }),
            InvalidSyntax,
            "`givenName` and `givenname`",
        ),
        (
            "an attribute by its name and its alias",
            json!({ POSIX: { "remoteIdentity": "a" }, "defaultRemoteIdentity": "b" }),
            InvalidSyntax,
            "`remoteIdentity` and `defaultRemoteIdentity`",
        ),
        (
            "an unknown attribute",
            json!({ "favouriteColour": "red" }),
            InvalidSyntax,
            "no attribute favouriteColour",
        ),
        (
            "an unknown part",
            json!({ "name": { "petName": "A" } }),
            InvalidSyntax,
            "no attribute name.petName",
        ),
        (
            "an unknown extension",
            json!({ "urn:example:x": {} }),
            InvalidSyntax,
            "no attribute urn:example:x",
        ),
    ];
    for (name, body, kind, part) in cases {
        let e = user_by(Profile::Strict, with_name(body)).expect_err(name);
        assert_eq!(e.kind, kind, "{name}: {e}");
        assert!(e.detail.contains(part), "{name}: {e}");
    }
}

#[test]
fn a_password_is_checked_and_never_shown() {
    for password in [
        json!(123_456),
        json!(["hunter2"]),
        json!({ "value": "hunter2" }),
    ] {
        let e = user_by(Profile::Strict, with_name(json!({ "password": password })))
            .expect_err("no string");
        assert_eq!(e.detail, "password must be a string");
    }
}

#[test]
fn known_clients_are_understood() {
    let manager = |value: &str| json!({ ENTERPRISE: { "manager": { "value": value } } });
    let cases = [
        (
            "boolean strings",
            json!({ "active": "True", "roles": [{ "value": "r", "primary": "false" }] }),
            json!({ "active": true, "roles": [{ "value": "r", "primary": false }] }),
        ),
        (
            "one element for a list",
            json!({ "emails": { "value": "a" } }),
            json!({ "emails": [{ "value": "a" }] }),
        ),
        (
            "a list for one value",
            json!({ "displayName": [{ "$ref": null, "value": "Ada" }] }),
            json!({ "displayName": "Ada" }),
        ),
        (
            "the manager's id",
            json!({ ENTERPRISE: { "manager": "1" } }),
            manager("1"),
        ),
        (
            "a list of one manager",
            json!({ ENTERPRISE: { "manager": [{ "value": "1" }] } }),
            manager("1"),
        ),
        (
            "a manager without the extension",
            json!({ "manager": { "value": "1" } }),
            manager("1"),
        ),
        (
            "an empty manager",
            json!({ ENTERPRISE: { "manager": "" } }),
            json!({}),
        ),
        (
            "a manager with an empty id",
            json!({ ENTERPRISE: { "manager": { "value": "" } } }),
            json!({}),
        ),
        (
            "an empty string",
            json!({ "title": "", "name": { "givenName": "" } }),
            json!({}),
        ),
    ];
    for (name, body, expected) in cases {
        assert_eq!(stored(Profile::Entra, body.clone()), expected, "{name}");
        let strictly = user_by(Profile::Strict, with_name(body.clone()));
        let differs = strictly.map_or(true, |_| stored(Profile::Strict, body) != expected);
        assert!(differs, "{name}: a strict server takes it too");
    }
    let e = user_by(Profile::Entra, with_name(json!({ "active": "yes" }))).unwrap_err();
    assert_eq!(
        e.detail,
        "active must be true or false, not the string \"yes\""
    );
}

#[test]
fn attributes_of_every_type_can_be_added() {
    let badge = json!({ "id": "urn:example:badge", "attributes": [
        { "name": "issued", "type": "dateTime", "required": true },
        { "name": "weight", "type": "decimal" },
        { "name": "doors", "multiValued": true },
    ] });
    let catalog =
        Catalog::with_extensions(vec![Schema::from_json(&badge).unwrap()], Vec::new()).unwrap();
    let parse = |badge: Value| {
        let body = json!({ "userName": "ada", "urn:example:badge": badge });
        let user = Resource::parse(
            catalog.user(),
            body,
            Profile::Lenient,
            &mut Notes::default(),
        );
        user.map(|user| {
            user.as_map()
                .get("urn:example:badge")
                .cloned()
                .unwrap_or_default()
        })
    };
    let good = json!({ "issued": "2026-11-21T19:24:00.1234567+01:00", "weight": 1.5, "doors": ["a", "b", "a"] });
    let kept = json!({ "issued": "2026-11-21T19:24:00.1234567+01:00", "weight": 1.5, "doors": ["a", "b"] });
    assert_eq!(parse(good), Ok(kept));
    assert_eq!(
        parse(json!({})),
        Ok(Value::Null),
        "an extension that is not there lacks nothing"
    );
    let detail = |badge| parse(badge).unwrap_err().detail;
    assert_eq!(
        detail(json!({ "weight": 1 })),
        "urn:example:badge:issued is required"
    );
    assert!(
        detail(json!({ "issued": "yesterday" }))
            .starts_with("urn:example:badge:issued must be a date and time")
    );
    assert!(
        detail(json!({ "issued": "2026-11-21T19:24:00Z", "weight": "1" }))
            .contains("weight must be a number")
    );
    assert!(
        detail(json!({ "issued": "2026-11-21T19:24:00Z", "doors": [1] }))
            .contains("doors[0] must be a string")
    );
}
