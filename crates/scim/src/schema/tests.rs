#![expect(clippy::too_many_lines, reason = "tables of cases")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::path::AttributePath;
use crate::profile::Profile;

#[test]
fn embedded_schemas_say_the_same_in_json() {
    for schema in Catalog::standard().schemas() {
        let text = schema.to_json();
        assert_eq!(
            Schema::from_json(&text).unwrap().to_json(),
            text,
            "{}",
            schema.id
        );
    }
    assert_eq!(
        common().iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
        ["schemas", "id", "externalId", "meta"]
    );
}

#[test]
fn definitions_have_the_characteristics_that_apply() {
    let catalog = Catalog::standard();
    let definition = catalog.user().schema.to_json();
    let attribute = |name: &str| {
        definition["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|a| a["name"] == name)
            .unwrap()
    };
    let user_name = json!({
        "name": "userName", "type": "string", "multiValued": false,
        "description": "The name by which the provider and the service know the user; unique, in any letter case.",
        "required": true, "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "server",
    });
    assert_eq!(attribute("userName"), &user_name);
    assert_eq!(attribute("password")["returned"], "never");
    assert_eq!(attribute("groups")["mutability"], "readOnly");
    for characteristic in ["caseExact", "uniqueness"] {
        assert_eq!(
            attribute("name").get(characteristic),
            None,
            "a complex attribute has no {characteristic}"
        );
    }
}

/// The canonical path, or nothing.
fn resolve(t: &ResourceType, path: &str, profile: Profile) -> Option<String> {
    t.resolve(&AttributePath::parse(path).unwrap(), profile)
        .map(|r| r.canonical())
}

#[test]
fn paths_are_split_at_the_urns_that_are_known() {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let identity = "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:remoteIdentity";
    let uid = "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid";
    let cases = [
        ("a name", "userName", Some("userName")),
        ("a name in another case", "USERNAME", Some("userName")),
        ("a sub-attribute", "Name.GIVENNAME", Some("name.givenName")),
        (
            "a common attribute",
            "meta.lastModified",
            Some("meta.lastModified"),
        ),
        ("a dollar sign", "groups.$ref", Some("groups.$ref")),
        (
            "the base URN",
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName",
            Some("name.givenName"),
        ),
        (
            "the base URN in another case",
            "URN:IETF:params:scim:schemas:core:2.0:user:userName",
            Some("userName"),
        ),
        (
            "a common attribute with the base URN",
            "urn:ietf:params:scim:schemas:core:2.0:User:externalId",
            Some("externalId"),
        ),
        ("an extension", ENTERPRISE, Some(ENTERPRISE)),
        (
            "an extension's attribute",
            &format!("{ENTERPRISE}:manager"),
            Some(manager),
        ),
        (
            "an extension's sub-attribute",
            &format!("{ENTERPRISE}:manager.value"),
            Some(&format!("{manager}.value")),
        ),
        (
            "an alias of an extension",
            "urn:scim:smallstep:ssh:schema:uid",
            Some(uid),
        ),
        (
            "an alias of an extension, whole",
            "urn:scim:smallstep:ssh:SCHEMA",
            Some(POSIX),
        ),
        (
            "an alias of an attribute",
            "defaultRemoteIdentity",
            Some(identity),
        ),
        ("an unknown name", "favouriteColour", None),
        ("an unknown sub-attribute", "name.petName", None),
        (
            "a sub-attribute of a simple attribute",
            "userName.value",
            None,
        ),
        (
            "a sub-attribute of a sub-attribute",
            "name.givenName.value",
            None,
        ),
        ("an unknown URN", "urn:example:none:2.0:User:userName", None),
        (
            "the URN of another type",
            "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
            None,
        ),
        (
            "an unknown attribute of an extension",
            &format!("{ENTERPRISE}:userName"),
            None,
        ),
        ("an attribute of another type", "members", None),
    ];
    let catalog = Catalog::standard();
    for (name, path, expected) in cases {
        assert_eq!(
            resolve(catalog.user(), path, Profile::Strict).as_deref(),
            expected,
            "{name}: {path}"
        );
    }
}

#[test]
fn tolerant_profiles_find_more() {
    let catalog = Catalog::standard();
    let manager = format!("{ENTERPRISE}:manager");
    let cases = [
        (
            "an extension's name alone",
            "manager.value",
            Profile::Entra,
            Some(format!("{manager}.value")),
        ),
        ("the same, strictly", "manager.value", Profile::Strict, None),
        (
            "a dot after the URN",
            &format!("{ENTERPRISE}.manager"),
            Profile::Entra,
            Some(manager),
        ),
        (
            "the same, strictly",
            &format!("{ENTERPRISE}.manager"),
            Profile::Strict,
            None,
        ),
    ];
    for (name, path, profile, expected) in cases {
        assert_eq!(
            resolve(catalog.user(), path, profile),
            expected,
            "{name}: {path}"
        );
    }
}

fn badge(id: &str) -> Schema {
    Schema::from_json(&json!({ "id": id, "attributes": [{ "name": "number" }] })).unwrap()
}

#[test]
fn a_directory_adds_schemas_of_its_own() {
    let catalog = Catalog::with_extensions(
        vec![badge("urn:example:badge:2.0:User")],
        vec![badge("urn:example:badge:2.0:Group")],
    )
    .unwrap();
    assert_eq!(
        resolve(
            catalog.user(),
            "urn:example:badge:2.0:user:NUMBER",
            Profile::Strict
        )
        .as_deref(),
        Some("urn:example:badge:2.0:User:number")
    );
    assert!(
        catalog
            .group()
            .extension("urn:example:badge:2.0:Group")
            .is_some()
    );
    assert!(
        catalog
            .group()
            .extension("urn:example:badge:2.0:User")
            .is_none()
    );
    assert!(catalog.schema("urn:example:badge:2.0:GROUP").is_some());
    assert_eq!(catalog.by_endpoint("/Users").unwrap().name, "User");
    assert_eq!(catalog.by_name("group").unwrap().endpoint, "/Groups");
}

#[test]
fn schemas_that_clash_are_refused() {
    let cases = [
        (
            "an RFC's",
            "urn:ietf:params:scim:schemas:core:2.0:Badge",
            "reserved",
        ),
        ("Portreeve's", "urn:portreeve:badge", "reserved"),
        (
            "the enterprise extension",
            "urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User",
            "clashes",
        ),
        (
            "below the enterprise extension",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:badge",
            "clashes",
        ),
        ("an alias", "urn:scim:smallstep:ssh:schema", "clashes"),
        ("above an alias", "urn:scim:smallstep", "clashes"),
    ];
    for (name, urn, part) in cases {
        let detail = Catalog::with_extensions(vec![badge(urn)], Vec::new())
            .expect_err(name)
            .detail;
        assert!(detail.contains(part), "{name}: {detail}");
    }
    let twice = vec![badge("urn:example:badge"), badge("urn:example:Badge")];
    assert!(Catalog::with_extensions(twice, Vec::new()).is_err());
    let entra = badge("urn:ietf:params:scim:schemas:extension:Contoso:2.0:User");
    assert!(
        Catalog::with_extensions(vec![entra], Vec::new()).is_ok(),
        "what Entra ID demands of custom attributes"
    );
}

#[test]
fn ill_formed_definitions_are_refused() {
    let with = |attribute: Value| json!({ "id": "urn:example:x", "attributes": [attribute] });
    let cases = [
        ("no object", json!([]), "JSON object"),
        (
            "no id",
            json!({ "attributes": [{ "name": "a" }] }),
            "no `id`",
        ),
        (
            "no URN",
            json!({ "id": "badge", "attributes": [{ "name": "a" }] }),
            "not the URN",
        ),
        (
            "a colon at the end",
            json!({ "id": "urn:example:x:", "attributes": [{ "name": "a" }] }),
            "not the URN",
        ),
        (
            "a blank in the URN",
            json!({ "id": "urn:example:x y", "attributes": [{ "name": "a" }] }),
            "not the URN",
        ),
        (
            "no attributes",
            json!({ "id": "urn:example:x", "attributes": [] }),
            "has no attributes",
        ),
        (
            "no list",
            json!({ "id": "urn:example:x" }),
            "no list of `attributes`",
        ),
        ("no name", with(json!({})), "has no `name`"),
        (
            "a dot in the name",
            with(json!({ "name": "a.b" })),
            "attribute a.b of urn:example:x: a name starts",
        ),
        (
            "an unknown type",
            with(json!({ "name": "a", "type": "text" })),
            "`type`: unknown variant `text`",
        ),
        (
            "an unknown mutability",
            with(json!({ "name": "a", "mutability": "sometimes" })),
            "`mutability`",
        ),
        (
            "a string for a flag",
            with(json!({ "name": "a", "required": "true" })),
            "`required` is neither",
        ),
        (
            "complex without parts",
            with(json!({ "name": "a", "type": "complex" })),
            "needs `subAttributes`",
        ),
        (
            "parts without complex",
            with(json!({ "name": "a", "subAttributes": [{ "name": "b" }] })),
            "only a complex",
        ),
        (
            "complex in complex",
            with(
                json!({ "name": "a", "type": "complex", "subAttributes": [{ "name": "b", "type": "complex" }] }),
            ),
            "attribute b of attribute a of urn:example:x: a sub-attribute cannot be complex",
        ),
        (
            "two of a name",
            json!({ "id": "urn:example:x", "attributes": [{ "name": "a" }, { "name": "A" }] }),
            "two attributes A",
        ),
    ];
    for (name, definition, part) in cases {
        let detail = Schema::from_json(&definition).expect_err(name).detail;
        assert!(detail.contains(part), "{name}: {detail}");
    }
}

proptest! {
    #[test]
    fn a_path_means_the_same_in_every_letter_case(index in 0..64_usize, upper in any::<Vec<bool>>()) {
        let catalog = Catalog::standard();
        let paths = every_path(catalog.user());
        let path = &paths[index % paths.len()];
        let mixed: String = path.chars().zip(upper.iter().chain(std::iter::repeat(&false)))
            .map(|(c, &upper)| if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect();
        prop_assert_eq!(resolve(catalog.user(), &mixed, Profile::Strict), Some(path.clone()));
    }
}

fn every_path(t: &ResourceType) -> Vec<String> {
    let base = t
        .schema
        .attributes
        .iter()
        .chain(common())
        .map(|a| (String::new(), a));
    let extensions = t
        .extensions
        .iter()
        .flat_map(|(e, _)| e.attributes.iter().map(move |a| (format!("{}:", e.id), a)));
    base.chain(extensions)
        .flat_map(|(urn, a)| {
            let subs = a
                .sub_attributes
                .iter()
                .map(|s| format!("{urn}{}.{}", a.name, s.name))
                .collect::<Vec<_>>();
            std::iter::once(format!("{urn}{}", a.name)).chain(subs)
        })
        .collect()
}
