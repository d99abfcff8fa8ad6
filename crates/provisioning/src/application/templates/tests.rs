use std::path::Path;

use portreeve_mapping::lint::Severity;
use portreeve_mapping::mapping::Flow;
use portreeve_mapping::{Context, Object, Operation};
use serde_json::{Value, json};

use super::Template;
use crate::application::Definition;

fn definition(template: Template) -> Definition {
    let document = json!({
        "name": "A",
        "template": template,
        "source": {"type": "csv", "users": "people.csv"},
        "target": {
            "url": "https://app.example/scim",
            "authentication": {"type": "bearer", "token": "hush"},
        },
    });
    Definition::from_json(&document).unwrap()
}

/// Somebody with a value for everything that a template reads.
fn bill() -> Object {
    Object::from_json(
        json!({
            "objectId": "5b6f1f4e", "userPrincipalName": "Bill.Gates@contoso.com", "mail": "bill.gates@contoso.com",
            "mailNickname": "bgates", "displayName": "Bill Gates", "givenName": "Bill", "surname": "Gates",
            "otherMails": ["bill@home.example", "b@home.example"], "telephoneNumber": "+1 425 1", "mobile": "+1 425 2",
            "facsimileTelephoneNumber": "+1 425 3", "companyName": "Contoso", "department": "Board",
            "employeeId": "1", "jobTitle": "Chair", "preferredLanguage": "en-US", "manager": "m1", "city": "Medina",
            "state": "WA", "postalCode": "98039", "country": "US", "streetAddress": "Lake 1",
            "physicalDeliveryOfficeName": "1/1", "IsSoftDeleted": false,
        })
        .as_object()
        .unwrap(),
    )
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_template_gives_what_its_guide_says() {
    let names = [
        (
            r#"emails[type eq "work"].value"#,
            json!("bill.gates@contoso.com"),
        ),
        ("name.givenName", json!("Bill")),
        ("name.familyName", json!("Gates")),
    ];
    let full = [
        ("userName", json!("Bill.Gates@contoso.com")),
        ("active", json!(true)),
    ];
    let cases: [(Template, Vec<(&str, Value)>); 3] = [
        (
            Template::Smallstep,
            [
                ("userName", json!("bill.gates")),
                ("active", json!(true)),
                ("displayName", json!("Bill Gates")),
            ]
            .into_iter()
            .chain(names.clone())
            .chain([("externalId", json!("5b6f1f4e"))])
            .collect(),
        ),
        (
            Template::Strongdm,
            full.clone()
                .into_iter()
                .chain(names[1..].iter().cloned())
                .chain([("name.formatted", json!("Bill Gates"))])
                .collect(),
        ),
        (
            Template::SignInEnterprise,
            full.into_iter()
                .chain(names)
                .chain([
                    (r#"phoneNumbers[type eq "work"].value"#, json!("+1 425 1")),
                    (r#"phoneNumbers[type eq "mobile"].value"#, json!("+1 425 2")),
                    ("organization", json!("Contoso")),
                    ("department", json!("Board")),
                    (
                        r#"emails[type eq "other"].value"#,
                        json!("bill@home.example"),
                    ),
                ])
                .collect(),
        ),
    ];
    for (template, expected) in cases {
        let given = evaluated(template);
        let expected: Vec<(String, Value)> = expected
            .into_iter()
            .map(|(path, value)| match path {
                "organization" | "department" => (format!("{ENTERPRISE}:{path}"), value),
                _ => (path.to_owned(), value),
            })
            .collect();
        assert_eq!(given, expected, "{template}");
    }
}

#[test]
fn generic_and_portreeve_send_all_that_entra_maps() {
    let generic = evaluated(Template::Generic);
    assert_eq!(generic.len(), 22);
    let of = |all: &[(String, Value)], path: &str| {
        let found = all.iter().find(|(name, _)| name == path);
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(of(&generic, "externalId"), Some(json!("bgates")));
    assert_eq!(
        of(&generic, &format!("{ENTERPRISE}:manager")),
        Some(json!("m1"))
    );
    let portreeve = evaluated(Template::Portreeve);
    assert_eq!(of(&portreeve, "externalId"), Some(json!("5b6f1f4e")));
    assert_eq!(portreeve.len(), 23);
}

fn evaluated(template: Template) -> Vec<(String, Value)> {
    let application = definition(template).compile("app", Path::new(""));
    let rules = application.unwrap().users.unwrap();
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let object = bill();
    let evaluated = rules
        .mappings
        .evaluate(&object, &Context::at(now), Operation::Create);
    assert!(evaluated.failed.is_empty() && evaluated.dropped.is_empty());
    let assigned = evaluated.assigned.iter();
    assigned
        .map(|it| match &it.value {
            Flow::One(value) => (it.target.text.clone(), value.to_json()),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn templates_have_nothing_that_the_linter_dislikes() {
    for template in Template::ALL {
        let findings = definition(template).lint(Path::new("")).unwrap();
        let bad: Vec<_> = findings
            .iter()
            .filter(|it| it.severity == Severity::Error)
            .collect();
        assert!(bad.is_empty(), "{template}: {bad:?}");
        assert_eq!(template.name().parse(), Ok(template));
    }
    let error = "smalstep".parse::<Template>().unwrap_err();
    assert!(error.contains("did you mean smallstep?"), "{error}");
}
