//! What is refused, and with which `scimType` (RFC 7644 table 9).

use super::*;

#[test]
fn a_body_that_is_no_patch() {
    let catalog = Catalog::standard();
    let fine = json!({ "op": "remove", "path": "title" });
    for (case, body) in [
        ("no object", json!([])),
        ("no schemas", json!({ "Operations": [fine] })),
        (
            "another schema",
            json!({ "schemas": ["urn:x"], "Operations": [fine] }),
        ),
        ("no operations", json!({ "schemas": [PATCH_OP] })),
        ("empty operations", message(json!([]))),
        ("operations are no list", message(fine.clone())),
        (
            "operations twice",
            json!({ "schemas": [PATCH_OP], "Operations": [fine], "operations": [fine] }),
        ),
        ("an operation is no object", message(json!([5]))),
        ("no op", message(json!([{ "path": "title" }]))),
        (
            "op is no string",
            message(json!([{ "op": 1, "path": "title" }])),
        ),
        (
            "unknown op",
            message(json!([{ "op": "move", "path": "title" }])),
        ),
        (
            "op twice",
            message(json!([{ "op": "remove", "OP": "add", "path": "title" }])),
        ),
        (
            "path is no string",
            message(json!([{ "op": "remove", "path": 5 }])),
        ),
        (
            "an attribute twice",
            message(json!([{ "op": "add", "value": { "title": "a", "TITLE": "b" } }])),
        ),
        (
            "a sub-attribute twice",
            message(
                json!([{ "op": "add", "path": "name", "value": { "givenName": "a", "GIVENNAME": "b" } }]),
            ),
        ),
    ] {
        let error = Patch::parse(
            body,
            catalog.user(),
            ID,
            Profile::Entra,
            &mut Notes::default(),
        )
        .unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSyntax, "{case}: {error}");
    }
}

#[test]
fn operations_that_cannot_be() {
    use ErrorKind::{InvalidFilter, InvalidPath, InvalidValue, Mutability, NoTarget};
    let email = json!({ "emails": [{ "value": "a@work", "type": "work" }] });
    for (case, operation, kind) in [
        ("remove without path", json!({ "op": "remove" }), NoTarget),
        (
            "remove without path but with a value",
            json!({ "op": "remove", "value": { "title": "x" } }),
            NoTarget,
        ),
        (
            "add without value",
            json!({ "op": "add", "path": "title" }),
            InvalidValue,
        ),
        (
            "replace without value",
            json!({ "op": "replace", "path": "title" }),
            InvalidValue,
        ),
        (
            "no path and no value",
            json!({ "op": "replace" }),
            InvalidValue,
        ),
        (
            "no path and no object",
            json!({ "op": "replace", "value": "x" }),
            InvalidValue,
        ),
        (
            "malformed path",
            json!({ "op": "add", "path": "title..x", "value": "x" }),
            InvalidPath,
        ),
        (
            "empty path",
            json!({ "op": "add", "path": "", "value": "x" }),
            InvalidPath,
        ),
        (
            "index in brackets",
            json!({ "op": "remove", "path": "emails[0]" }),
            InvalidFilter,
        ),
        (
            "open bracket",
            json!({ "op": "remove", "path": "emails[type eq \"work\"" }),
            InvalidFilter,
        ),
        (
            "senseless filter",
            json!({ "op": "remove", "path": "emails[primary gt true]" }),
            InvalidFilter,
        ),
        (
            "brackets after a single value",
            json!({ "op": "remove", "path": "name[givenName eq \"A\"]" }),
            InvalidPath,
        ),
        (
            "brackets after an extension",
            json!({ "op": "remove", "path": format!("{ENTERPRISE}[department eq \"A\"]") }),
            InvalidPath,
        ),
        (
            "brackets after a sub-attribute",
            json!({ "op": "remove", "path": "emails.value[value eq \"A\"]" }),
            InvalidPath,
        ),
        (
            "unknown attribute",
            json!({ "op": "add", "path": "shoeSize", "value": 5 }),
            InvalidPath,
        ),
        (
            "unknown sub-attribute",
            json!({ "op": "add", "path": "name.shoeSize", "value": 5 }),
            InvalidPath,
        ),
        (
            "unknown sub-attribute after brackets",
            json!({ "op": "add", "path": "emails[type eq \"work\"].shoeSize", "value": 5 }),
            InvalidPath,
        ),
        (
            "unknown sub-attribute in brackets",
            json!({ "op": "remove", "path": "emails[shoeSize eq 5]" }),
            InvalidFilter,
        ),
        (
            "unknown extension",
            json!({ "op": "add", "path": "urn:example:none:2.0:User:x", "value": 5 }),
            InvalidPath,
        ),
        (
            "number for a string",
            json!({ "op": "add", "path": "title", "value": 5 }),
            InvalidValue,
        ),
        (
            "object for a string",
            json!({ "op": "add", "path": "title", "value": { "x": 1 } }),
            InvalidValue,
        ),
        (
            "string for an object",
            json!({ "op": "add", "path": "name", "value": "x" }),
            InvalidValue,
        ),
        (
            "number in an object",
            json!({ "op": "add", "path": "name", "value": { "givenName": 5 } }),
            InvalidValue,
        ),
        (
            "string for a list",
            json!({ "op": "replace", "path": "emails", "value": "x" }),
            InvalidValue,
        ),
        (
            "string for an element",
            json!({ "op": "add", "path": "emails[type eq \"work\"]", "value": "x" }),
            InvalidValue,
        ),
        (
            "string for an extension",
            json!({ "op": "add", "path": ENTERPRISE, "value": "x" }),
            InvalidValue,
        ),
        (
            "no boolean",
            json!({ "op": "add", "path": "active", "value": "yes" }),
            InvalidValue,
        ),
        (
            "two primary ones",
            json!({ "op": "replace", "path": "emails", "value": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            InvalidValue,
        ),
        (
            "id",
            json!({ "op": "replace", "path": "id", "value": ID }),
            Mutability,
        ),
        (
            "another id without path",
            json!({ "op": "replace", "value": { "id": "other" } }),
            Mutability,
        ),
        (
            "meta",
            json!({ "op": "replace", "path": "meta.created", "value": "2026-01-01T00:00:00Z" }),
            Mutability,
        ),
        (
            "schemas",
            json!({ "op": "add", "path": "schemas", "value": [ENTERPRISE] }),
            Mutability,
        ),
        (
            "groups",
            json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }),
            Mutability,
        ),
        (
            "groups without path",
            json!({ "op": "add", "value": { "groups": [{ "value": "g" }] } }),
            Mutability,
        ),
        (
            "part of groups",
            json!({ "op": "remove", "path": "groups[value eq \"g\"]" }),
            Mutability,
        ),
        (
            "a read-only part",
            json!({ "op": "add", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "Mo" }),
            Mutability,
        ),
        (
            "required removed",
            json!({ "op": "remove", "path": "userName" }),
            Mutability,
        ),
        (
            "required nulled",
            json!({ "op": "replace", "path": "userName", "value": null }),
            Mutability,
        ),
        (
            "required emptied",
            json!({ "op": "replace", "path": "userName", "value": " " }),
            Mutability,
        ),
        (
            "replace of no element",
            json!({ "op": "replace", "path": "emails[type eq \"home\"]", "value": { "value": "x" } }),
            NoTarget,
        ),
        (
            "replace in no element",
            json!({ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x" }),
            NoTarget,
        ),
    ] {
        let detail = check_refused(
            case,
            Profile::Lenient,
            email.clone(),
            json!([operation]),
            kind,
        );
        assert!(detail.starts_with("Operation 1: "), "{case}: {detail}");
    }
}

#[test]
fn an_element_that_the_filter_does_not_describe_is_not_made() {
    for filter in [
        "type eq \"home\" or type eq \"other\"",
        "not (type eq \"home\")",
        "value co \"x\"",
        "type eq \"a\" and type eq \"b\"",
    ] {
        let operation =
            json!([{ "op": "add", "path": format!("emails[{filter}].value"), "value": "v" }]);
        check_refused(
            filter,
            Profile::Entra,
            json!({}),
            operation,
            ErrorKind::NoTarget,
        );
    }
}

#[test]
fn a_request_has_its_limit_but_members_by_id_do_not_count() {
    let title = json!({ "op": "add", "path": "title", "value": "x" });
    let many = |operation: &Value, count| Value::Array(vec![operation.clone(); count]);
    assert!(user(Profile::Strict, &ada(json!({})), &many(&title, MAX_CHANGES)).is_ok());
    let too_many = many(&title, MAX_CHANGES + 1);
    check_refused(
        "titles",
        Profile::Strict,
        json!({}),
        too_many,
        ErrorKind::InvalidValue,
    );

    let catalog = Catalog::standard();
    let group = |operation: Value| {
        let body = message(many(&operation, MAX_CHANGES + 1));
        Patch::parse(
            body,
            catalog.group(),
            ID,
            Profile::Strict,
            &mut Notes::default(),
        )
    };
    assert!(group(json!({ "op": "remove", "path": "members[value eq \"1\"]" })).is_ok());
    assert!(group(json!({ "op": "remove", "path": "members[type eq \"User\"]" })).is_err());
}

mod custom {
    //! Characteristics that the standard schemas do not use.

    use super::*;
    use crate::Schema;

    const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

    fn catalog() -> Catalog {
        let schema = json!({ "id": BADGE, "name": "Badge", "attributes": [
            { "name": "number", "type": "string", "required": true },
            { "name": "issued", "type": "dateTime", "mutability": "immutable" },
            { "name": "doors", "type": "string", "multiValued": true },
            { "name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "serial", "type": "string", "required": true, "mutability": "immutable" },
                { "name": "rooms", "type": "string", "multiValued": true }
            ] }
        ] });
        Catalog::with_extensions(vec![Schema::from_json(&schema).unwrap()], vec![]).unwrap()
    }

    fn badge(before: Value, operations: Value) -> Result<Value, Error> {
        let catalog = catalog();
        let before = ada(if before.is_null() {
            json!({})
        } else {
            json!({ BADGE: before })
        });
        patched(catalog.user(), Profile::Strict, &before, &operations)
            .map(|(after, _)| after[BADGE].clone())
    }

    fn full() -> Value {
        json!({ "number": "1", "issued": "2026-01-01T00:00:00Z", "doors": ["a", "b"], "keys": [{ "serial": "s", "rooms": ["r"] }] })
    }

    #[test]
    fn what_is_allowed() {
        for (case, before, operation, attribute, after) in [
            (
                "immutable, unset",
                json!({ "number": "1" }),
                json!({ "op": "add", "path": format!("{BADGE}:issued"), "value": "2026-01-01T00:00:00Z" }),
                "issued",
                json!("2026-01-01T00:00:00Z"),
            ),
            (
                "immutable, the same",
                full(),
                json!({ "op": "replace", "path": format!("{BADGE}:issued"), "value": "2026-01-01T00:00:00Z" }),
                "issued",
                json!("2026-01-01T00:00:00Z"),
            ),
            (
                "list of strings, add",
                full(),
                json!({ "op": "add", "path": format!("{BADGE}:doors"), "value": ["b", "c"] }),
                "doors",
                json!(["a", "b", "c"]),
            ),
            (
                "list of strings, add one",
                full(),
                json!({ "op": "add", "path": format!("{BADGE}:doors"), "value": "c" }),
                "doors",
                json!(["a", "b", "c"]),
            ),
            (
                "list of strings, remove",
                full(),
                json!({ "op": "remove", "path": format!("{BADGE}:doors[value eq \"A\"]") }),
                "doors",
                json!(["b"]),
            ),
            (
                "list of strings, replace",
                full(),
                json!({ "op": "replace", "path": format!("{BADGE}:doors[value eq \"a\"]"), "value": "z" }),
                "doors",
                json!(["z", "b"]),
            ),
            (
                "list in an element, add",
                full(),
                json!({ "op": "add", "path": format!("{BADGE}:keys[serial eq \"s\"].rooms"), "value": "q" }),
                "keys",
                json!([{ "serial": "s", "rooms": ["r", "q"] }]),
            ),
            (
                "list in an element, replace",
                full(),
                json!({ "op": "replace", "path": format!("{BADGE}:keys.rooms"), "value": ["q"] }),
                "keys",
                json!([{ "serial": "s", "rooms": ["q"] }]),
            ),
            (
                "the whole extension with what is required",
                Value::Null,
                json!({ "op": "add", "path": BADGE, "value": { "number": "2" } }),
                "number",
                json!("2"),
            ),
        ] {
            let result =
                badge(before, json!([operation])).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(result[attribute], after, "{case}");
        }
    }

    #[test]
    fn what_is_not() {
        for (case, before, operation, kind) in [
            (
                "immutable, changed",
                full(),
                json!({ "op": "replace", "path": format!("{BADGE}:issued"), "value": "2027-01-01T00:00:00Z" }),
                ErrorKind::Mutability,
            ),
            (
                "immutable, removed",
                full(),
                json!({ "op": "remove", "path": format!("{BADGE}:issued") }),
                ErrorKind::Mutability,
            ),
            (
                "immutable part, changed",
                full(),
                json!({ "op": "replace", "path": format!("{BADGE}:keys[serial eq \"s\"].serial"), "value": "t" }),
                ErrorKind::Mutability,
            ),
            (
                "required, removed",
                full(),
                json!({ "op": "remove", "path": format!("{BADGE}:number") }),
                ErrorKind::Mutability,
            ),
            (
                "required, never there",
                Value::Null,
                json!({ "op": "add", "path": format!("{BADGE}:doors"), "value": "a" }),
                ErrorKind::InvalidValue,
            ),
            (
                "required part, removed",
                full(),
                json!({ "op": "remove", "path": format!("{BADGE}:keys.serial") }),
                ErrorKind::Mutability,
            ),
            (
                "required part, never there",
                full(),
                json!({ "op": "add", "path": format!("{BADGE}:keys"), "value": { "rooms": ["x"] } }),
                ErrorKind::InvalidValue,
            ),
        ] {
            let error = badge(before, json!([operation]))
                .err()
                .unwrap_or_else(|| panic!("{case}"));
            assert_eq!(error.kind, kind, "{case}: {error}");
        }
    }
}
