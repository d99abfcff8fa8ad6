//! What each operation does at each form of path (RFC 7644 section 3.5.2), without any leniency.

use super::*;

fn strict(cases: Vec<(&str, Value, Value, Value)>) {
    for (case, before, operation, after) in cases {
        check(case, Profile::Strict, before, json!([operation]), after);
    }
}

fn two_emails() -> Value {
    json!({ "emails": [
        { "value": "a@work", "type": "work", "primary": true },
        { "value": "a@home", "type": "home" }
    ] })
}

#[test]
fn add() {
    strict(vec![
        (
            "without path",
            json!({ "title": "x" }),
            json!({ "op": "add", "value": { "title": "y", "nickName": "n" } }),
            json!({ "title": "y", "nickName": "n" }),
        ),
        (
            "without path, complex",
            json!({ "name": { "givenName": "A" } }),
            json!({ "op": "add", "value": { "name": { "familyName": "L" } } }),
            json!({ "name": { "givenName": "A", "familyName": "L" } }),
        ),
        (
            "without path, list",
            two_emails(),
            json!({ "op": "add", "value": { "emails": [{ "value": "a@x" }] } }),
            json!({ "emails": [{ "value": "a@work", "type": "work", "primary": true }, { "value": "a@home", "type": "home" }, { "value": "a@x" }] }),
        ),
        (
            "without path, extension",
            json!({}),
            json!({ "op": "add", "value": { ENTERPRISE: { "department": "D" } } }),
            json!({ ENTERPRISE: { "department": "D" } }),
        ),
        (
            "singular, unset",
            json!({}),
            json!({ "op": "add", "path": "title", "value": "x" }),
            json!({ "title": "x" }),
        ),
        (
            "singular, set",
            json!({ "title": "x" }),
            json!({ "op": "add", "path": "TITLE", "value": "y" }),
            json!({ "title": "y" }),
        ),
        (
            "common attribute",
            json!({}),
            json!({ "op": "add", "path": "externalId", "value": "e" }),
            json!({ "externalId": "e" }),
        ),
        (
            "complex",
            json!({ "name": { "givenName": "A" } }),
            json!({ "op": "add", "path": "name", "value": { "familyName": "L" } }),
            json!({ "name": { "givenName": "A", "familyName": "L" } }),
        ),
        (
            "sub-attribute",
            json!({}),
            json!({ "op": "add", "path": "name.givenName", "value": "A" }),
            json!({ "name": { "givenName": "A" } }),
        ),
        (
            "list, a list",
            two_emails(),
            json!({ "op": "add", "path": "emails", "value": [{ "value": "a@home", "type": "home" }, { "value": "a@x" }] }),
            json!({ "emails": [{ "value": "a@work", "type": "work", "primary": true }, { "value": "a@home", "type": "home" }, { "value": "a@x" }] }),
        ),
        (
            "list, one object",
            json!({}),
            json!({ "op": "add", "path": "emails", "value": { "value": "a@x" } }),
            json!({ "emails": [{ "value": "a@x" }] }),
        ),
        (
            "list, nothing",
            two_emails(),
            json!({ "op": "add", "path": "emails", "value": [] }),
            two_emails(),
        ),
        (
            "filter",
            two_emails(),
            json!({ "op": "add", "path": "emails[type eq \"home\"]", "value": { "display": "d" } }),
            json!({ "emails": [{ "value": "a@work", "type": "work", "primary": true }, { "value": "a@home", "type": "home", "display": "d" }] }),
        ),
        (
            "filter and sub-attribute",
            two_emails(),
            json!({ "op": "add", "path": "emails[type eq \"HOME\"].value", "value": "b@home" }),
            json!({ "emails": [{ "value": "a@work", "type": "work", "primary": true }, { "value": "b@home", "type": "home" }] }),
        ),
        (
            "list and sub-attribute",
            json!({}),
            json!({ "op": "add", "path": "emails.value", "value": "a@x" }),
            json!({ "emails": [{ "value": "a@x" }] }),
        ),
        (
            "extension",
            json!({ ENTERPRISE: { "division": "V" } }),
            json!({ "op": "add", "path": ENTERPRISE, "value": { "department": "D" } }),
            json!({ ENTERPRISE: { "department": "D", "division": "V" } }),
        ),
        (
            "attribute of an extension",
            json!({}),
            json!({ "op": "add", "path": format!("{POSIX}:uid"), "value": 7 }),
            json!({ POSIX: { "uid": 7 } }),
        ),
        (
            "URN of the base schema",
            json!({}),
            json!({ "op": "add", "path": "URN:ietf:params:scim:schemas:core:2.0:user:name.givenName", "value": "A" }),
            json!({ "name": { "givenName": "A" } }),
        ),
    ]);
}

#[test]
fn replace() {
    strict(vec![
        (
            "without path",
            json!({ "title": "x", "nickName": "n" }),
            json!({ "op": "replace", "value": { "title": "y" } }),
            json!({ "title": "y", "nickName": "n" }),
        ),
        (
            "without path, null",
            json!({ "title": "x", "externalId": "e" }),
            json!({ "op": "replace", "value": { "title": "y", "externalId": null } }),
            json!({ "title": "y" }),
        ),
        (
            "without path, complex",
            json!({ "name": { "givenName": "A", "familyName": "L" } }),
            json!({ "op": "replace", "value": { "name": { "givenName": "B" } } }),
            json!({ "name": { "givenName": "B", "familyName": "L" } }),
        ),
        (
            "singular, unset",
            json!({}),
            json!({ "op": "replace", "path": "active", "value": false }),
            json!({ "active": false }),
        ),
        (
            "singular, null",
            json!({ "title": "x" }),
            json!({ "op": "replace", "path": "title", "value": null }),
            json!({}),
        ),
        (
            "complex",
            json!({ "name": { "givenName": "A", "familyName": "L" } }),
            json!({ "op": "replace", "path": "name", "value": { "givenName": "B", "familyName": null } }),
            json!({ "name": { "givenName": "B" } }),
        ),
        (
            "sub-attribute",
            json!({ "name": { "givenName": "A", "familyName": "L" } }),
            json!({ "op": "replace", "path": "name.givenName", "value": "B" }),
            json!({ "name": { "givenName": "B", "familyName": "L" } }),
        ),
        (
            "list",
            two_emails(),
            json!({ "op": "replace", "path": "emails", "value": [{ "value": "a@x" }] }),
            json!({ "emails": [{ "value": "a@x" }] }),
        ),
        (
            "list, empty",
            two_emails(),
            json!({ "op": "replace", "path": "emails", "value": [] }),
            json!({}),
        ),
        (
            "filter",
            two_emails(),
            json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "b@work", "type": "work" } }),
            json!({ "emails": [{ "value": "b@work", "type": "work" }, { "value": "a@home", "type": "home" }] }),
        ),
        (
            "filter and sub-attribute, every match",
            two_emails(),
            json!({ "op": "replace", "path": "emails[value co \"@\"].display", "value": "d" }),
            json!({ "emails": [{ "value": "a@work", "type": "work", "primary": true, "display": "d" }, { "value": "a@home", "type": "home", "display": "d" }] }),
        ),
        (
            "list and sub-attribute",
            two_emails(),
            json!({ "op": "replace", "path": "emails.display", "value": "d" }),
            json!({ "emails": [{ "value": "a@work", "type": "work", "primary": true, "display": "d" }, { "value": "a@home", "type": "home", "display": "d" }] }),
        ),
        (
            "extension",
            json!({ ENTERPRISE: { "division": "V", "department": "C" } }),
            json!({ "op": "replace", "path": ENTERPRISE, "value": { "department": "D", "division": null } }),
            json!({ ENTERPRISE: { "department": "D" } }),
        ),
        (
            "literals with brackets, quotes and dots",
            json!({ "emails": [{ "value": "a].b\"\\" }] }),
            json!({ "op": "replace", "path": "emails[value eq \"a].b\\\"\\\\\"].type", "value": "work" }),
            json!({ "emails": [{ "value": "a].b\"\\", "type": "work" }] }),
        ),
    ]);
}

#[test]
fn remove() {
    strict(vec![
        (
            "singular",
            json!({ "title": "x" }),
            json!({ "op": "remove", "path": "title" }),
            json!({}),
        ),
        (
            "singular, unset",
            json!({}),
            json!({ "op": "remove", "path": "title", "value": null }),
            json!({}),
        ),
        (
            "complex",
            json!({ "name": { "givenName": "A" } }),
            json!({ "op": "remove", "path": "name" }),
            json!({}),
        ),
        (
            "sub-attribute",
            json!({ "name": { "givenName": "A", "familyName": "L" } }),
            json!({ "op": "remove", "path": "name.givenName" }),
            json!({ "name": { "familyName": "L" } }),
        ),
        (
            "the last sub-attribute",
            json!({ "name": { "givenName": "A" } }),
            json!({ "op": "remove", "path": "name.givenName" }),
            json!({}),
        ),
        (
            "list",
            two_emails(),
            json!({ "op": "remove", "path": "emails" }),
            json!({}),
        ),
        (
            "filter",
            two_emails(),
            json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
            json!({ "emails": [{ "value": "a@home", "type": "home" }] }),
        ),
        (
            "filter of all",
            two_emails(),
            json!({ "op": "remove", "path": "emails[value pr]" }),
            json!({}),
        ),
        (
            "filter of none",
            two_emails(),
            json!({ "op": "remove", "path": "emails[type eq \"other\"]" }),
            two_emails(),
        ),
        (
            "filter and sub-attribute",
            two_emails(),
            json!({ "op": "remove", "path": "emails[type eq \"work\"].primary" }),
            json!({ "emails": [{ "value": "a@work", "type": "work" }, { "value": "a@home", "type": "home" }] }),
        ),
        (
            "an emptied element",
            json!({ "emails": [{ "value": "a" }, { "type": "work" }] }),
            json!({ "op": "remove", "path": "emails.value" }),
            json!({ "emails": [{ "type": "work" }] }),
        ),
        (
            "extension",
            json!({ ENTERPRISE: { "department": "D", "manager": { "value": "M" } }, POSIX: { "uid": 1 } }),
            json!({ "op": "remove", "path": ENTERPRISE }),
            json!({ POSIX: { "uid": 1 } }),
        ),
        (
            "the last attribute of an extension",
            json!({ POSIX: { "uid": 1 } }),
            json!({ "op": "remove", "path": format!("{POSIX}:uid") }),
            json!({}),
        ),
    ]);
}

#[test]
fn becoming_primary_ends_that_of_the_others() {
    let after = json!({ "emails": [
        { "value": "a@work", "type": "work", "primary": false },
        { "value": "a@home", "type": "home", "primary": true }
    ] });
    for (case, operation) in [
        (
            "sub-attribute",
            json!({ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }),
        ),
        (
            "element",
            json!({ "op": "add", "path": "emails[type eq \"home\"]", "value": { "primary": true } }),
        ),
        (
            "element replaced",
            json!({ "op": "replace", "path": "emails[type eq \"home\"]", "value": { "value": "a@home", "type": "home", "primary": true } }),
        ),
        (
            "list",
            json!({ "op": "add", "path": "emails", "value": [{ "value": "a@home", "type": "home", "primary": true }] }),
        ),
        (
            "without path",
            json!({ "op": "add", "value": { "emails": [{ "value": "a@home", "type": "home", "primary": true }] } }),
        ),
    ] {
        check(
            case,
            Profile::Strict,
            two_emails(),
            json!([operation]),
            after.clone(),
        );
    }
}

#[test]
fn operations_build_on_one_another_and_fail_together() {
    check(
        "several on one attribute",
        Profile::Strict,
        json!({ "nickName": "old" }),
        json!([
            { "op": "remove", "path": "nickName" },
            { "op": "add", "path": "nickName", "value": "first" },
            { "op": "replace", "path": "nickName", "value": "second" }
        ]),
        json!({ "nickName": "second" }),
    );
    check(
        "a required attribute may be away in between",
        Profile::Strict,
        json!({}),
        json!([{ "op": "remove", "path": "userName" }, { "op": "add", "path": "userName", "value": "ada" }]),
        json!({}),
    );
    let detail = check_refused(
        "the last one fails",
        Profile::Strict,
        json!({ "title": "x" }),
        json!([
            { "op": "replace", "path": "title", "value": "y" },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "v" }
        ]),
        ErrorKind::NoTarget,
    );
    assert!(detail.starts_with("Operation 2: "), "{detail}");
    assert!(detail.contains("emails[type eq \"work\"]"), "{detail}");
}

#[test]
fn a_reference_does_not_outlive_its_value() {
    let before = json!({ ENTERPRISE: { "manager": { "value": "M", "$ref": "../Users/M" } } });
    let manager = format!("{ENTERPRISE}:manager");
    for (case, operation, after) in [
        (
            "another value",
            json!({ "op": "replace", "path": manager, "value": { "value": "N" } }),
            json!({ ENTERPRISE: { "manager": { "value": "N" } } }),
        ),
        (
            "the same value",
            json!({ "op": "replace", "path": manager, "value": { "value": "M" } }),
            before.clone(),
        ),
        (
            "both",
            json!({ "op": "replace", "path": manager, "value": { "$ref": "../Users/N", "value": "N" } }),
            json!({ ENTERPRISE: { "manager": { "value": "N", "$ref": "../Users/N" } } }),
        ),
        (
            "no value",
            json!({ "op": "remove", "path": format!("{manager}.value") }),
            json!({}),
        ),
        (
            "its name, which is read-only, is overlooked",
            json!({ "op": "replace", "path": manager, "value": { "value": "M", "displayName": "Mo" } }),
            before.clone(),
        ),
    ] {
        check(
            case,
            Profile::Strict,
            before.clone(),
            json!([operation]),
            after,
        );
    }
}

#[test]
fn names_may_be_in_any_case_and_further_keys_are_overlooked() {
    let catalog = Catalog::standard();
    let body = json!({
        "SCHEMAS": [PATCH_OP.to_uppercase()],
        "operations": [{ "OP": "replace", "Path": "Title", "VALUE": "x", "name": "addMember" }]
    });
    let patch = Patch::parse(
        body,
        catalog.user(),
        ID,
        Profile::Strict,
        &mut Notes::default(),
    )
    .unwrap();
    let mut user = resource(catalog.user(), ada(json!({})));
    patch.apply(catalog.user(), &mut user).unwrap();
    assert_eq!(user.str("title"), Some("x"));
}
