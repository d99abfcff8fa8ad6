use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::{Catalog, ENTERPRISE, GROUP, POSIX, Schema, USER};
use crate::{ErrorKind, Profile};

fn user_by(profile: Profile, body: Value) -> Result<(String, Notes), crate::Error> {
    let mut notes = Notes::default();
    let resource = Resource::parse(Catalog::standard().user(), body, profile, &mut notes)?;
    Ok((resource.to_text(), notes))
}

/// A user's body without what every one of them has.
#[track_caller]
fn stored(profile: Profile, body: Value) -> Value {
    let (text, _) = user_by(profile, with_name(body)).unwrap();
    let mut stored: Map<String, Value> = serde_json::from_str(&text).unwrap();
    stored.shift_remove("schemas");
    stored.shift_remove("userName");
    stored.into()
}

fn with_name(mut body: Value) -> Value {
    body["userName"] = "ada".into();
    body["schemas"] = json!([USER, ENTERPRISE, POSIX]);
    body
}

#[test]
fn equal_resources_have_equal_text() {
    let one = json!({
        "userName": "ada", "active": true, "schemas": [USER, ENTERPRISE], "externalId": "e1",
        "name": { "familyName": "L", "givenName": "Ada" },
        "emails": [{ "value": "ada@contoso.com", "type": "work", "primary": true }],
        ENTERPRISE: { "department": "R&D", "employeeNumber": "42" },
    });
    let other = json!({
        ENTERPRISE.to_uppercase(): { "EMPLOYEENUMBER": "42", "Department": "R&D", "manager": {}, "costCenter": null },
        "Emails": [{ "Primary": true, "TYPE": "work", "value": "ada@contoso.com", "display": null }, null, {}],
        "NAME": { "givenname": "Ada", "familyname": "L", "middleName": null },
        "EXTERNALID": "e1", "Active": true, "USERNAME": "ada", "phoneNumbers": [], "nickName": null,
        "id": "chosen by the client", "meta": { "version": 7 }, "groups": "ignored", "password": "secret",
        "Schemas": [ENTERPRISE.to_uppercase(), USER],
    });
    let expected = format!(
        r#"{{"schemas":["{USER}","{ENTERPRISE}"],"externalId":"e1","userName":"ada","name":{{"familyName":"L","givenName":"Ada"}},"active":true,"emails":[{{"value":"ada@contoso.com","type":"work","primary":true}}],"{ENTERPRISE}":{{"employeeNumber":"42","department":"R&D"}}}}"#
    );
    for body in [one, other] {
        assert_eq!(
            user_by(Profile::Strict, body).unwrap(),
            (expected.clone(), Notes::default())
        );
    }
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
fn what_is_required_must_be_there() {
    let cases = [
        ("no name", json!({}), "userName is required"),
        (
            "no name but null",
            json!({ "userName": null }),
            "userName is required",
        ),
        (
            "an empty name",
            json!({ "userName": "" }),
            "userName must not be empty",
        ),
        (
            "a blank name",
            json!({ "userName": " \t" }),
            "userName must not be empty",
        ),
    ];
    for (name, body, detail) in cases {
        for profile in [Profile::Lenient, Profile::Entra] {
            let e = user_by(profile, body.clone()).expect_err(name);
            assert_eq!(
                (e.kind, e.detail.as_str()),
                (ErrorKind::InvalidValue, detail),
                "{name}"
            );
        }
    }
    for body in [json!(null), json!([]), json!("ada")] {
        assert_eq!(
            user_by(Profile::Lenient, body).unwrap_err().kind,
            ErrorKind::InvalidSyntax
        );
    }
}

#[test]
fn schemas_are_as_strict_as_the_profile() {
    let entra_group = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let cases = [
        ("absent", json!({ "userName": "a" }), Some("must contain")),
        (
            "null",
            json!({ "userName": "a", "schemas": null }),
            Some("must contain"),
        ),
        (
            "without the base",
            json!({ "userName": "a", "schemas": [ENTERPRISE] }),
            Some("must contain"),
        ),
        (
            "without an extension",
            json!({ "userName": "a", "schemas": [USER], ENTERPRISE: { "department": "d" } }),
            Some("must contain"),
        ),
        (
            "an unknown one",
            json!({ "userName": "a", "schemas": [USER, "urn:example:x"] }),
            Some("urn:example:x"),
        ),
        (
            "Entra's",
            json!({ "userName": "a", "schemas": [USER, entra_group] }),
            Some(entra_group),
        ),
        (
            "the alias of an extension",
            json!({ "userName": "a", "schemas": [USER, "urn:scim:smallstep:ssh:schema"] }),
            None,
        ),
        (
            "an extension without data",
            json!({ "userName": "a", "schemas": [USER, ENTERPRISE] }),
            None,
        ),
    ];
    for (name, body, strictly) in cases {
        match (user_by(Profile::Strict, body.clone()), strictly) {
            (Err(e), Some(part)) => {
                assert_eq!(e.kind, ErrorKind::InvalidSyntax, "{name}");
                assert!(e.detail.contains(part), "{name}: {e}");
            }
            (Ok(_), None) => {}
            (result, _) => panic!("{name}: {result:?}"),
        }
        let (_, notes) = user_by(Profile::Lenient, body).expect(name);
        let unknown = if name == "an unknown one" {
            vec!["urn:example:x"]
        } else {
            vec![]
        };
        assert_eq!(notes.unknown.iter().collect::<Vec<_>>(), unknown, "{name}");
    }
    let wrong = json!({ "userName": "a", "schemas": [7] });
    assert_eq!(
        user_by(Profile::Lenient, wrong).unwrap_err().detail,
        "`schemas` must be a list of URNs"
    );
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
fn unknown_attributes_are_noted() {
    let long = "x".repeat(200);
    let body = with_name(json!({
        "favouriteColour": "red", "name": { "petName": "A" }, "emails": [{ "value": "a", "verified": true }],
        ENTERPRISE: { "floor": 3 }, "urn:example:x": { "y": 1 }, &long: 1,
    }));
    let (_, notes) = user_by(Profile::Lenient, body).unwrap();
    let expected = [
        "emails[0].verified",
        "favouriteColour",
        "name.petName",
        "urn:example:x",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:floor",
        &"x".repeat(128),
    ];
    assert_eq!(notes.unknown.iter().collect::<Vec<_>>(), expected);

    let many = (0..100)
        .map(|n| (format!("x{n}"), json!(n)))
        .collect::<Map<_, _>>();
    assert_eq!(
        user_by(Profile::Lenient, with_name(many.into()))
            .unwrap()
            .1
            .unknown
            .len(),
        32
    );
}

#[test]
fn a_group_gives_its_members_away() {
    let body = json!({
        "displayName": "Sales", "externalId": "8aa1", "meta": { "resourceType": "Group" },
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "members": [
            { "value": "1", "display": "Ada", "$ref": null },
            { "value": "2", "type": "user" },
            { "value": "3", "$ref": "../Groups/3" },
            { "value": "4", "$ref": "https://example.com/v2/Users/4", "type": "" },
            { "value": "2", "type": "Group" },
        ],
    });
    let mut group = Resource::parse(
        Catalog::standard().group(),
        body,
        Profile::Entra,
        &mut Notes::default(),
    )
    .unwrap();
    let member = |value: &str, kind| MemberRef {
        value: value.into(),
        kind,
    };
    let (user, set) = (Some(MemberKind::User), Some(MemberKind::Group));
    assert_eq!(
        group.take_members(),
        Some(vec![
            member("1", None),
            member("2", user),
            member("3", set),
            member("4", user)
        ])
    );
    assert_eq!(group.take_members(), None);
    assert_eq!(
        group.to_text(),
        format!(r#"{{"schemas":["{GROUP}"],"externalId":"8aa1","displayName":"Sales"}}"#)
    );
}

#[test]
fn members_need_an_id() {
    let group = |members| {
        let body = json!({ "schemas": [GROUP], "displayName": "Sales", "members": members });
        Resource::parse(
            Catalog::standard().group(),
            body,
            Profile::Strict,
            &mut Notes::default(),
        )
        .map(|mut g| g.take_members())
    };
    assert_eq!(
        group(json!([{ "display": "Ada" }])).unwrap_err().detail,
        "members[0].value is required"
    );
    assert_eq!(
        group(json!([{ "value": "1" }, { "value": "" }]))
            .unwrap_err()
            .detail,
        "members[1].value must not be empty"
    );
    assert_eq!(
        group(json!(["1"])).unwrap_err().detail,
        "members[0] must be an object, not the string \"1\""
    );
    assert_eq!(group(json!([])), Ok(None));
}

#[test]
fn accessors_read_what_is_there() {
    let body = json!({ "userName": "ada", "externalId": "e1", "displayName": "Ada", "active": false, "emails": [{ "value": "a" }, { "display": "x" }, { "value": "b" }] });
    let user = Resource::parse(
        Catalog::standard().user(),
        body,
        Profile::Lenient,
        &mut Notes::default(),
    )
    .unwrap();
    assert_eq!(
        (user.user_name(), user.external_id(), user.display_name()),
        (Some("ada"), Some("e1"), Some("Ada"))
    );
    assert!(!user.active());
    assert_eq!(user.emails().collect::<Vec<_>>(), ["a", "b"]);
    let nobody = Resource::from_stored(Map::new());
    assert!(nobody.active(), "a user of whom nothing is said is active");
    assert_eq!((nobody.user_name(), nobody.emails().count()), (None, 0));
}

#[test]
fn arranging_restores_what_a_change_disturbed() {
    let t = Catalog::standard();
    let disturbed = json!({
        ENTERPRISE: { "department": "d", "employeeNumber": "1", "manager": {} },
        POSIX: { "shell": null },
        "name": { "givenName": "A", "formatted": null, "familyName": "L" },
        "emails": [], "userName": "ada", "schemas": [POSIX], "externalId": "e",
    });
    let Value::Object(map) = disturbed else {
        unreachable!()
    };
    let expected = format!(
        r#"{{"schemas":["{USER}","{ENTERPRISE}"],"externalId":"e","userName":"ada","name":{{"familyName":"L","givenName":"A"}},"{ENTERPRISE}":{{"employeeNumber":"1","department":"d"}}}}"#
    );
    assert_eq!(Resource::arrange(t.user(), map).to_text(), expected);
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

/// Bodies that are nearly right: attributes in any case and order, with values of right and wrong types.
fn any_body() -> impl Strategy<Value = Value> {
    let names = [
        "userName",
        "USERNAME",
        "title",
        "name",
        "active",
        "emails",
        "phoneNumbers",
        "addresses",
        "roles",
        "manager",
        ENTERPRISE,
        POSIX,
        "urn:scim:smallstep:ssh:schema",
        "defaultRemoteIdentity",
        "x509Certificates",
        "schemas",
        "id",
        "unknown",
    ];
    let subs = [
        "value",
        "type",
        "primary",
        "display",
        "givenName",
        "formatted",
        "locality",
        "manager",
        "department",
        "uid",
        "$ref",
        "Value",
    ];
    let leaf = prop_oneof![
        3 => "[a-zA-Z]{0,3}".prop_map(Value::from),
        1 => Just(json!("True")), 1 => any::<bool>().prop_map(Value::from), 1 => (0..9).prop_map(Value::from), 1 => Just(Value::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(subs.to_vec()), inner), 0..4)
                .prop_map(object),
        ]
    });
    prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..6).prop_map(object)
}

fn object(entries: Vec<(&str, Value)>) -> Value {
    entries
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect::<Map<_, _>>()
        .into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_checked_resource_checks_to_itself(mut body in any_body(), profile in prop::sample::select(vec![Profile::Strict, Profile::Lenient, Profile::Entra])) {
        let catalog = Catalog::standard();
        if body.get("userName").is_none() && body.get("USERNAME").is_none() {
            body["userName"] = "ada".into();
        }
        if let Ok(once) = Resource::parse(catalog.user(), body, profile, &mut Notes::default()) {
            let mut notes = Notes::default();
            for again in [Profile::Strict, profile] {
                let twice = Resource::parse(catalog.user(), once.as_map().clone().into(), again, &mut notes);
                prop_assert_eq!(twice.map(|r| r.to_text()), Ok(once.to_text()));
            }
            prop_assert_eq!(&notes, &Notes::default());
            prop_assert_eq!(Resource::arrange(catalog.user(), once.as_map().clone()).to_text(), once.to_text());
        }
    }
}
