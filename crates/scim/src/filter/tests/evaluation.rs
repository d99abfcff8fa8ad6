//! What matches, and what is refused before it could.

use super::*;

/// A user with a value of every kind.
fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": "2819c223", "externalId": "Ext-1",
        "userName": "Ada@Contoso.com", "displayName": "Ünal Straße", "title": "", "active": true,
        "name": { "givenName": "Ada" },
        "emails": [
            { "value": "ada@contoso.com", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" },
            { "value": "100%_@x.example" }
        ],
        "groups": [{ "value": "g1", "display": "Sales", "type": "direct" }],
        "x509Certificates": [{ "value": "QUJD" }],
        "meta": { "resourceType": "User", "created": "2026-01-02T03:04:05.1234567Z",
                  "lastModified": "2026-01-02T04:04:05+01:00", "version": "W/\"a\"" },
        ENTERPRISE: { "department": "R&D", "manager": { "value": "M1" } },
        "urn:portreeve:params:scim:schemas:extension:posix:2.0:User": { "uid": 1000 }
    })
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn matches(text: &str, resource: &Value) -> bool {
    let catalog = Catalog::standard();
    let filter = parse(text);
    let checked = filter
        .check(catalog.user(), Profile::Lenient)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    checked.matches(resource.as_object().unwrap())
}

#[test]
fn what_holds_of_ada() {
    for text in [
        // letter case by attribute
        "userName eq \"ADA@contoso.COM\"",
        "USERNAME eq \"ada@contoso.com\"",
        "displayName eq \"üNAL strasse\" or displayName eq \"ÜNAL STRAßE\"",
        "displayName sw \"ün\"",
        "externalId eq \"Ext-1\"",
        "id eq \"2819c223\"",
        // presence
        "title pr",
        "name pr",
        "name.givenName pr",
        "emails pr",
        "meta pr",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr",
        "not (nickName pr)",
        "not (addresses pr)",
        "nickName eq null",
        "title ne null",
        // absence is not equal
        "nickName ne \"x\"",
        "addresses ne null or addresses.type ne \"work\"",
        "not (nickName eq \"x\")",
        // any element
        "emails co \"home\"",
        "emails.value ew \"CONTOSO.com\"",
        "emails.type eq \"work\" and emails.value co \"home\"",
        "emails[type eq \"home\" and value co \"home\"]",
        "emails[type eq \"WORK\"].value eq \"ada@contoso.com\"",
        "emails[not (type pr)]",
        "emails.type ne \"work\"",
        "emails[primary eq true]",
        "emails.primary eq true",
        "groups.value eq \"g1\"",
        "groups eq \"g1\"",
        // characters that mean something elsewhere
        "emails co \"%_\"",
        "not (emails co \"1%_\")",
        // complex with a value
        "manager eq \"M1\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.value eq \"M1\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"r&d\"",
        "manager[value eq \"M1\"]",
        // types
        "active eq true",
        "active ne false",
        "active eq \"True\"",
        "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid ge 1000",
        "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid eq 1000.0",
        "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid lt 1000.5",
        "x509Certificates eq \"QUJD\"",
        "meta.resourceType eq \"User\"",
        "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"",
        "schemas[value eq \"urn:ietf:params:scim:schemas:core:2.0:User\"]",
        // dates as instants
        "meta.lastModified eq \"2026-01-02T03:04:05Z\"",
        "meta.lastModified lt \"2026-01-02T03:04:05.001Z\"",
        "meta.created gt \"0001-01-01T00:00:00Z\"",
        "meta.created le \"2026-01-02T05:04:05.1234567+02:00\"",
        // order of strings
        "userName ge \"ada\" and userName lt \"adb\"",
        // unknown attributes
        "not (unknown eq 1) and (unknown pr or active eq true)",
    ] {
        assert!(matches(text, &ada()), "{text}");
    }
}

#[test]
fn what_does_not_hold_of_ada() {
    for text in [
        "externalId eq \"ext-1\"",
        "id eq \"2819C223\"",
        "meta.version eq \"w/\\\"a\\\"\"",
        "manager eq \"m1\"",
        "nickName pr",
        "addresses pr",
        "nickName co \"\"",
        "nickName lt \"z\"",
        "title eq null",
        "emails[type eq \"work\" and value co \"home\"]",
        "emails[type eq \"home\"].value eq \"ada@contoso.com\"",
        "addresses[type ne \"work\"]",
        "not (emails.type eq \"work\")",
        "x509Certificates eq \"qujd\"",
        "active eq false",
        "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid ne 1000",
        "unknown eq \"x\"",
        "unknown ne \"x\"",
        "emails.unknown pr",
        "unknown[type eq \"x\"]",
        "urn:example:none:2.0:User:userName eq \"ada@contoso.com\"",
    ] {
        assert!(!matches(text, &ada()), "{text}");
    }
}

#[test]
fn nothing_and_forms_of_nothing_are_the_same() {
    for nothing in [
        json!({}),
        json!({ "emails": null }),
        json!({ "emails": [] }),
        json!({ "emails": [{}] }),
    ] {
        assert!(!matches("emails pr", &nothing), "{nothing}");
        assert!(matches("emails.value ne \"x\"", &nothing), "{nothing}");
        assert!(matches("emails eq null", &nothing), "{nothing}");
    }
    assert!(!matches(
        "name pr",
        &json!({ "name": { "givenName": null } })
    ));
}

#[test]
fn a_comparison_that_makes_no_sense_is_refused() {
    for (text, needles) in [
        (
            "active gt true",
            vec!["`gt`", "active", "boolean", "eq, ne or pr"],
        ),
        ("active co \"t\"", vec!["`co`", "boolean"]),
        ("active eq \"yes\"", vec!["boolean", "\"yes\""]),
        ("x509Certificates ge \"QUJD\"", vec!["`ge`", "base64"]),
        ("meta.created sw \"2026\"", vec!["`sw`", "date and time"]),
        (
            "meta.created gt \"yesterday\"",
            vec!["date and time", "yesterday"],
        ),
        (
            "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid co 1",
            vec!["`co`", "integer"],
        ),
        (
            "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid eq \"1\"",
            vec!["integer"],
        ),
        ("userName eq 5", vec!["userName", "a string", "5"]),
        ("userName eq true", vec!["a string"]),
        ("emails eq 5", vec!["a string"]),
        ("userName gt null", vec!["`gt`", "null"]),
        ("name eq \"Ada\"", vec!["name.givenName"]),
        ("addresses co \"x\"", vec!["addresses.locality"]),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User eq \"x\"",
            vec!["whole extension"],
        ),
        ("userName[value eq \"x\"]", vec!["Brackets"]),
        ("password eq \"x\"", vec!["password", "secret"]),
        ("not (password pr)", vec!["secret"]),
        ("emails[primary gt true]", vec!["boolean"]),
    ] {
        let catalog = Catalog::standard();
        let error = parse(text)
            .check(catalog.user(), Profile::Lenient)
            .err()
            .unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.kind, ErrorKind::InvalidFilter, "{text}");
        for needle in needles {
            assert!(
                error.detail.contains(needle),
                "{text}: {needle} is not in: {error}"
            );
        }
    }
}

#[test]
fn strings_stand_for_booleans_by_leniency_only() {
    let catalog = Catalog::standard();
    for text in ["active eq \"True\"", "roles[primary eq \"false\"]"] {
        assert!(
            parse(text).check(catalog.user(), Profile::Lenient).is_ok(),
            "{text}"
        );
        let refused = parse(text)
            .check(catalog.user(), Profile::Strict)
            .err()
            .map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::InvalidFilter), "{text}");
    }
}

#[test]
fn extensions_are_found_without_their_urn_by_leniency_only() {
    let catalog = Catalog::standard();
    let filter = parse("manager eq \"M1\"");
    assert!(
        filter
            .check(catalog.user(), Profile::Lenient)
            .unwrap()
            .unknown()
            .is_empty()
    );
    assert_eq!(
        filter
            .check(catalog.user(), Profile::Strict)
            .unwrap()
            .unknown(),
        ["manager"]
    );
}

#[test]
fn unknown_attributes_are_told() {
    let catalog = Catalog::standard();
    let filter = parse("a.b eq 1 or emails[c pr] or userName pr");
    assert_eq!(
        filter
            .check(catalog.user(), Profile::Lenient)
            .unwrap()
            .unknown(),
        ["a.b", "c"]
    );
}

#[test]
fn elements_are_matched_by_their_sub_attributes() {
    let catalog = Catalog::standard();
    let emails = catalog.user().schema.attribute("emails").unwrap();
    let work = parse("TYPE eq \"Work\" and primary eq \"TRUE\"");
    let checked = work.check_elements(emails, Profile::Entra).unwrap();
    assert!(checked.matches_element(&json!({ "type": "work", "primary": true })));
    assert!(!checked.matches_element(&json!({ "type": "work" })));
    assert!(!checked.matches_element(&json!("work")));
}

#[test]
fn compare_knows_values_of_another_type_as_different() {
    let catalog = Catalog::standard();
    let title = catalog.user().schema.attribute("title").unwrap();
    for (op, have, want, holds) in [
        (Op::Eq, json!("A"), Literal::String("a".into()), true),
        (Op::Eq, json!(1), Literal::String("1".into()), false),
        (Op::Ne, json!(1), Literal::String("1".into()), true),
        (Op::Ne, json!("1"), Literal::Bool(true), true),
        (Op::Eq, json!("1"), Literal::Bool(true), false),
        (Op::Eq, json!(null), Literal::Null, true),
        (Op::Ne, json!("a"), Literal::Null, true),
        (Op::Gt, json!("b"), Literal::Null, false),
    ] {
        assert_eq!(
            compare(title, op, &have, &want),
            holds,
            "{have} {op} {want}"
        );
    }
}
