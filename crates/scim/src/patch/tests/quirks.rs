//! One test for each tolerance: what it accepts, and what happens without it.

use super::*;

/// The operations give `after` under the profile that has the tolerance, and a refusal under the other one.
fn tolerated(
    case: &str,
    with: Profile,
    without: Profile,
    (before, operations, after): (Value, Value, Value),
    kind: ErrorKind,
) {
    check(case, with, before.clone(), operations.clone(), after);
    check_refused(case, without, before, operations, kind);
}

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

#[test]
fn op_case() {
    for op in ["Replace", "REPLACE", "Add"] {
        let operations = json!([{ "op": op, "path": "title", "value": "x" }]);
        let change = (json!({}), operations, json!({ "title": "x" }));
        tolerated(
            op,
            Profile::Lenient,
            Profile::Strict,
            change,
            ErrorKind::InvalidSyntax,
        );
    }
}

#[test]
fn boolean_strings() {
    for (case, operation) in [
        (
            "path",
            json!({ "op": "replace", "path": "active", "value": "False" }),
        ),
        (
            "no path",
            json!({ "op": "replace", "value": { "active": "false" } }),
        ),
    ] {
        let change = (
            json!({ "active": true }),
            json!([operation]),
            json!({ "active": false }),
        );
        tolerated(
            case,
            Profile::Lenient,
            Profile::Strict,
            change,
            ErrorKind::InvalidValue,
        );
    }
    let primary =
        json!({ "op": "replace", "path": "roles[primary eq \"True\"].value", "value": "b" });
    tolerated(
        "filter",
        Profile::Lenient,
        Profile::Strict,
        (
            json!({ "roles": [{ "value": "a", "primary": true }] }),
            json!([primary]),
            json!({ "roles": [{ "value": "b", "primary": true }] }),
        ),
        ErrorKind::InvalidFilter,
    );
}

#[test]
fn remove_by_value() {
    let before = json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "b", "type": "work" }, { "value": "b", "type": "home" }], "title": "x" });
    for (case, path, value, after) in [
        (
            "by value",
            "emails",
            json!([{ "value": "A", "$ref": null }]),
            json!({ "emails": [{ "value": "b", "type": "work" }, { "value": "b", "type": "home" }], "title": "x" }),
        ),
        (
            "by value and type",
            "emails",
            json!([{ "value": "b", "type": "HOME" }]),
            json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "b", "type": "work" }], "title": "x" }),
        ),
        (
            "by type",
            "emails",
            json!([{ "type": "work" }]),
            json!({ "emails": [{ "value": "b", "type": "home" }], "title": "x" }),
        ),
        (
            "one object",
            "emails",
            json!({ "value": "a" }),
            json!({ "emails": [{ "value": "b", "type": "work" }, { "value": "b", "type": "home" }], "title": "x" }),
        ),
        (
            "absent",
            "emails",
            json!([{ "value": "z" }]),
            before.clone(),
        ),
        (
            "an empty list takes nothing",
            "emails",
            json!([]),
            before.clone(),
        ),
        (
            "a single attribute",
            "title",
            json!("x"),
            json!({ "emails": before["emails"].clone() }),
        ),
    ] {
        let operations = json!([{ "op": "remove", "path": path, "value": value }]);
        tolerated(
            case,
            Profile::Lenient,
            Profile::Strict,
            (before.clone(), operations, after),
            ErrorKind::InvalidValue,
        );
    }
}

#[test]
fn qualified_keys() {
    let operations = json!([{ "op": "replace", "value": {
        "displayName": "Ada", "name.givenName": "A", "name.familyName": "L",
        format!("{ENTERPRISE}:employeeNumber"): "43",
        format!("{MANAGER}.value"): "M",
    } }]);
    let after = json!({ "displayName": "Ada", "name": { "givenName": "A", "familyName": "L" }, ENTERPRISE: { "employeeNumber": "43", "manager": { "value": "M" } } });
    tolerated(
        "keys",
        Profile::Lenient,
        Profile::Strict,
        (json!({}), operations, after),
        ErrorKind::InvalidPath,
    );
    check(
        "keys with a filter, and in an extension",
        Profile::Entra,
        json!({}),
        json!([{ "op": "add", "value": { "emails[type eq \"work\"].value": "a", ENTERPRISE: { "manager.value": "M" } } }]),
        json!({ "emails": [{ "type": "work", "value": "a" }], ENTERPRISE: { "manager": { "value": "M" } } }),
    );
}

#[test]
fn create_on_add() {
    let operations = json!([
        { "op": "add", "path": "addresses[type eq \"work\"].locality", "value": "Delft" },
        { "op": "add", "path": "addresses[type eq \"work\"].country", "value": "NL" },
        { "op": "add", "path": "addresses[type eq \"work\"].primary", "value": true }
    ]);
    let before = json!({ "addresses": [{ "type": "home", "locality": "Oss", "primary": true }] });
    let after = json!({ "addresses": [
        { "type": "home", "locality": "Oss", "primary": false },
        { "type": "work", "locality": "Delft", "country": "NL", "primary": true }
    ] });
    tolerated(
        "one element",
        Profile::Lenient,
        Profile::Strict,
        (before, operations, after),
        ErrorKind::NoTarget,
    );
    let whole = json!([{ "op": "add", "path": "emails[type eq \"work\" and primary eq true]", "value": { "value": "a" } }]);
    let after = json!({ "emails": [{ "type": "work", "primary": true, "value": "a" }] });
    tolerated(
        "whole element",
        Profile::Lenient,
        Profile::Strict,
        (json!({}), whole, after),
        ErrorKind::NoTarget,
    );
}

#[test]
fn create_on_replace() {
    for (case, operations, after) in [
        (
            "sub-attribute",
            json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "a" }]),
            json!({ "emails": [{ "type": "work", "value": "a" }, ] }),
        ),
        (
            "whole element",
            json!([{ "op": "Replace", "path": "emails[type eq \"work\"]", "value": { "value": "a", "primary": true } }]),
            json!({ "emails": [{ "type": "work", "value": "a", "primary": true }] }),
        ),
        (
            "string for a boolean",
            json!([{ "op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "admin" }]),
            json!({ "roles": [{ "value": "admin", "primary": true }] }),
        ),
    ] {
        tolerated(
            case,
            Profile::Entra,
            Profile::Lenient,
            (json!({}), operations, after),
            ErrorKind::NoTarget,
        );
    }
    check(
        "the others stay",
        Profile::Entra,
        json!({ "emails": [{ "type": "home", "value": "h" }] }),
        json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "w" }]),
        json!({ "emails": [{ "type": "home", "value": "h" }, { "type": "work", "value": "w" }] }),
    );
    check(
        "nothing makes nothing",
        Profile::Entra,
        json!({}),
        json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "" }]),
        json!({}),
    );
}

#[test]
fn manager_in_other_forms() {
    let after = json!({ ENTERPRISE: { "manager": { "value": "M" } } });
    for (case, path, value) in [
        ("manager-as-string", MANAGER, json!("M")),
        (
            "manager-as-list",
            MANAGER,
            json!([{ "$ref": null, "value": "M" }]),
        ),
    ] {
        let operations = json!([{ "op": "add", "path": path, "value": value }]);
        tolerated(
            case,
            Profile::Lenient,
            Profile::Strict,
            (json!({}), operations, after.clone()),
            ErrorKind::InvalidValue,
        );
    }
}

#[test]
fn extension_without_urn() {
    let operations = json!([{ "op": "add", "path": "manager", "value": { "value": "M" } }, { "op": "add", "value": { "department": "D" } }]);
    let after = json!({ ENTERPRISE: { "manager": { "value": "M" }, "department": "D" } });
    tolerated(
        "manager",
        Profile::Lenient,
        Profile::Strict,
        (json!({}), operations, after),
        ErrorKind::InvalidPath,
    );
}

#[test]
fn empty_manager_clears() {
    let before = json!({ ENTERPRISE: { "manager": { "value": "M", "$ref": "../Users/M" } } });
    for (case, value) in [("string", json!("")), ("object", json!({ "value": "" }))] {
        let operations = json!([{ "op": "replace", "path": MANAGER, "value": value }]);
        check(
            case,
            Profile::Lenient,
            before.clone(),
            operations,
            json!({}),
        );
    }
    let part = json!([{ "op": "replace", "path": format!("{MANAGER}.value"), "value": "" }]);
    check(
        "its value",
        Profile::Lenient,
        before.clone(),
        part,
        json!({}),
    );
    for (case, operation) in [
        (
            "null",
            json!({ "op": "replace", "path": MANAGER, "value": null }),
        ),
        (
            "null inside",
            json!({ "op": "replace", "path": MANAGER, "value": { "value": null } }),
        ),
        ("remove", json!({ "op": "remove", "path": MANAGER })),
    ] {
        check(
            case,
            Profile::Strict,
            before.clone(),
            json!([operation]),
            json!({}),
        );
    }
    let string = json!([{ "op": "replace", "path": MANAGER, "value": "" }]);
    check_refused(
        "string, strict",
        Profile::Strict,
        before.clone(),
        string,
        ErrorKind::InvalidValue,
    );
    let object = json!([{ "op": "replace", "path": MANAGER, "value": { "value": "" } }]);
    let after = user(Profile::Strict, &ada(before), &object).unwrap();
    assert_eq!(
        after[ENTERPRISE]["manager"],
        json!({ "value": "" }),
        "object, strict"
    );
}

#[test]
fn metadata_and_the_same_id_in_a_patch_without_path() {
    let after = json!({ "title": "x" });
    for (case, value) in [
        ("same-id-in-patch", json!({ "id": ID, "title": "x" })),
        (
            "metadata-in-patch: schemas",
            json!({ "Schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "title": "x" }),
        ),
        (
            "metadata-in-patch: meta",
            json!({ "meta": { "resourceType": "User" }, "title": "x" }),
        ),
    ] {
        let operations = json!([{ "op": "replace", "value": value }]);
        tolerated(
            case,
            Profile::Lenient,
            Profile::Strict,
            (json!({}), operations, after.clone()),
            ErrorKind::Mutability,
        );
    }
}

#[test]
fn unknown_attributes_and_paths() {
    let catalog = Catalog::standard();
    let bodies = json!([{ "op": "add", "value": { "title": "x", "shoeSize": 5, "urn:example:none": { "y": 1 }, "a.b": 1, ENTERPRISE: { "z": 1 }, "name": { "w": 1 } } }]);
    tolerated(
        "unknown-attributes",
        Profile::Lenient,
        Profile::Strict,
        (json!({}), bodies.clone(), json!({ "title": "x" })),
        ErrorKind::InvalidPath,
    );
    let (_, notes) = patched(catalog.user(), Profile::Lenient, &ada(json!({})), &bodies).unwrap();
    let noted: Vec<_> = notes.unknown.iter().map(String::as_str).collect();
    assert_eq!(
        noted,
        [
            "a.b",
            "name.w",
            "shoeSize",
            "urn:example:none",
            &format!("{ENTERPRISE}:z")
        ]
    );

    let paths = json!([
        { "op": "Add", "path": "urn:example:none:2.0:User:shoeSize", "value": "9" },
        { "op": "Add", "path": "emails[shoeSize eq 5].value", "value": "9" },
        { "op": "Add", "path": "title", "value": "x" }
    ]);
    tolerated(
        "unknown-paths",
        Profile::Entra,
        Profile::Lenient,
        (json!({}), paths.clone(), json!({ "title": "x" })),
        ErrorKind::InvalidPath,
    );
    let (_, notes) = patched(catalog.user(), Profile::Entra, &ada(json!({})), &paths).unwrap();
    assert!(
        notes.unknown.contains("urn:example:none:2.0:User:shoeSize"),
        "{notes:?}"
    );
}

#[test]
fn list_for_singular() {
    let operations = json!([{ "op": "Replace", "path": "displayName", "value": [{ "$ref": null, "value": "Ada" }] }]);
    let change = (
        json!({ "displayName": "A" }),
        operations,
        json!({ "displayName": "Ada" }),
    );
    tolerated(
        "wrapped",
        Profile::Entra,
        Profile::Lenient,
        change,
        ErrorKind::InvalidValue,
    );
    let two = json!([{ "op": "Replace", "path": "displayName", "value": [{ "value": "a" }, { "value": "b" }] }]);
    check_refused(
        "two",
        Profile::Entra,
        json!({}),
        two,
        ErrorKind::InvalidValue,
    );
}

#[test]
fn single_for_multiple() {
    let operations = json!([{ "op": "replace", "path": "emails", "value": { "value": "a" } }]);
    let change = (
        json!({}),
        operations,
        json!({ "emails": [{ "value": "a" }] }),
    );
    tolerated(
        "one object",
        Profile::Entra,
        Profile::Lenient,
        change,
        ErrorKind::InvalidValue,
    );
}

#[test]
fn dot_after_urn() {
    let operations = json!([{ "op": "add", "path": format!("{ENTERPRISE}.manager"), "value": { "value": "M" } }]);
    let change = (
        json!({}),
        operations,
        json!({ ENTERPRISE: { "manager": { "value": "M" } } }),
    );
    tolerated(
        "manager",
        Profile::Entra,
        Profile::Lenient,
        change,
        ErrorKind::InvalidPath,
    );
}

#[test]
fn empty_string_clears() {
    let before = json!({ "title": "x", "name": { "givenName": "A", "familyName": "L" } });
    let operations = json!([
        { "op": "replace", "path": "title", "value": "" },
        { "op": "replace", "path": "name.givenName", "value": "" }
    ]);
    check(
        "with it",
        Profile::Entra,
        before.clone(),
        operations.clone(),
        json!({ "name": { "familyName": "L" } }),
    );
    check(
        "without it",
        Profile::Lenient,
        before,
        operations,
        json!({ "title": "", "name": { "givenName": "", "familyName": "L" } }),
    );
}

#[test]
fn roles_with_json_in_a_string_stay_strings() {
    let packed = r#"{"id":"1","value":"Admin","displayName":"Admin"}"#;
    check(
        "packed",
        Profile::Entra,
        json!({}),
        json!([{ "op": "Add", "path": "roles", "value": [{ "value": packed }] }]),
        json!({ "roles": [{ "value": packed }] }),
    );
}

/// The two dialects of Entra, as captured.
#[test]
fn entra_as_captured() {
    let after = json!({
        "displayName": "Ada Lovelace", "nickName": "A", "name": { "givenName": "Ada" },
        "emails": [{ "type": "work", "value": "al@contoso.com" }],
        ENTERPRISE: { "employeeNumber": "43", "manager": { "value": "26118915" } }
    });
    let default = json!([
        { "op": "Replace", "path": "displayName", "value": "Ada Lovelace" },
        { "op": "Add", "path": "nickName", "value": "A" },
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "al@contoso.com" },
        { "op": "Add", "path": "name.givenName", "value": "Ada" },
        { "op": "Replace", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "43" },
        { "op": "Add", "path": MANAGER, "value": "26118915" }
    ]);
    let flagged = json!([
        { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "al@contoso.com" },
        { "op": "replace", "value": { "displayName": "Ada Lovelace", "name.givenName": "Ada", format!("{ENTERPRISE}:employeeNumber"): "43", MANAGER: "26118915" } },
        { "op": "add", "path": "nickName", "value": "A" }
    ]);
    check("default", Profile::Entra, json!({}), default, after.clone());
    check(
        "with aadOptscim062020",
        Profile::Entra,
        json!({}),
        flagged,
        after,
    );
}
