#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::json;

use super::*;
use crate::schema::{Catalog, ENTERPRISE, GROUP, POSIX, USER};
use crate::{ErrorKind, Profile};

mod laws;
mod values;

fn user_by(profile: Profile, body: Value) -> Result<(String, Notes), crate::Error> {
    let mut notes = Notes::default();
    let resource = Resource::parse(Catalog::standard().user(), body, profile, &mut notes)?;
    Ok((resource.to_text(), notes))
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
