//! What a target says about itself, and what is made of silence and half answers.

use std::path::Path;

use portreeve_provisioning::application::{Application, Definition, lint};
use portreeve_provisioning::target::{Capabilities, Error, Known, ResourceKind};
use serde_json::{Value, json};

use crate::double::{Double, Reply};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn json_reply(body: &Value) -> Reply {
    Reply::scim(200, body)
}

fn user_schema() -> Value {
    json!({"id": CORE, "attributes": [
        {"name": "userName", "required": true, "caseExact": false, "multiValued": false, "uniqueness": "server"},
        {"name": "emails", "multiValued": true, "subAttributes": [{"name": "value", "caseExact": true}]},
        {"name": "groups", "multiValued": "True", "mutability": "readOnly"},
    ]})
}

fn config() -> Value {
    json!({"patch": {"supported": true}, "filter": {"supported": "true", "maxResults": 200}, "etag": {"supported": false}})
}

fn types() -> Value {
    json!({"totalResults": 1, "Resources": [{"name": "User", "endpoint": "/Users", "schema": CORE}]})
}

/// A target that answers these documents, and 404 to everything else.
async fn target(documents: Vec<(&'static str, Reply)>) -> Double {
    Double::start(move |seen| {
        let path = seen.target.trim_start_matches("/scim/").to_owned();
        let found = documents.iter().find(|(name, _)| *name == path);
        found.map_or_else(|| Reply::empty(404), |(_, reply)| reply.clone())
    })
    .await
}

async fn discover(documents: Vec<(&'static str, Reply)>) -> Capabilities {
    let double = target(documents).await;
    let (client, _) = double.open("").unwrap();
    client.discover().await.unwrap().clone()
}

fn known(capabilities: &Capabilities, path: &str) -> &'static str {
    match capabilities.attribute(ResourceKind::User, path) {
        Known::Attribute(attribute) if attribute.required => "required",
        Known::Attribute(attribute) if attribute.read_only => "read-only",
        Known::Attribute(attribute) if attribute.case_exact => "exact",
        Known::Attribute(_) => "known",
        Known::Missing => "missing",
        Known::Unsaid => "unsaid",
    }
}

#[tokio::test]
async fn what_a_target_says_is_known() {
    let schemas = json!({"totalResults": 1, "Resources": [user_schema()]});
    let said = discover(vec![
        ("ServiceProviderConfig", json_reply(&config())),
        ("ResourceTypes", json_reply(&types())),
        ("Schemas", json_reply(&schemas)),
    ])
    .await;
    assert_eq!(
        (said.patch, said.filter, said.etag),
        (Some(true), Some(true), Some(false))
    );
    assert_eq!(said.largest_page, Some(200));
    assert_eq!(said.serves(ResourceKind::User), Some(true));
    assert_eq!(said.serves(ResourceKind::Group), Some(false));
    let cases = [
        ("USERNAME", "required"),
        (&*format!("{CORE}:userName"), "required"),
        (r#"emails[type eq "work"].value"#, "exact"),
        ("emails.display", "missing"),
        ("groups", "read-only"),
        ("nickName", "missing"),
        (&*format!("{ENTERPRISE}:department"), "missing"),
        ("externalId", "unsaid"),
        ("meta.version", "unsaid"),
        ("no path at all", "unsaid"),
    ];
    for (path, expected) in cases {
        assert_eq!(known(&said, path), expected, "{path}");
    }
    assert_eq!(
        said.attribute(ResourceKind::Group, "displayName"),
        Known::Unsaid
    );
}

#[tokio::test]
async fn silence_pages_and_half_answers_are_as_good_as_unsaid() {
    let page = || Reply::with(200, "text/html", "<html>");
    let named = "Schemas/urn:ietf:params:scim:schemas:core:2.0:User";
    let partly = json!({"totalResults": 3, "Resources": [user_schema()]});
    // What userName, an unknown attribute and one of an unlisted extension are.
    let cases = [
        ("nothing", vec![], ["unsaid"; 3]),
        (
            "pages",
            vec![
                ("ServiceProviderConfig", page()),
                ("ResourceTypes", page()),
                ("Schemas", page()),
            ],
            ["unsaid"; 3],
        ),
        (
            "forbidden",
            vec![("Schemas", Reply::empty(403))],
            ["unsaid"; 3],
        ),
        (
            "an empty list",
            vec![("Schemas", json_reply(&json!({"Resources": []})))],
            ["unsaid"; 3],
        ),
        (
            "an array",
            vec![("Schemas", json_reply(&json!([user_schema()])))],
            ["required", "missing", "missing"],
        ),
        (
            "the first page",
            vec![("Schemas", json_reply(&partly))],
            ["required", "missing", "unsaid"],
        ),
        (
            "one by one",
            vec![(named, json_reply(&user_schema()))],
            ["required", "missing", "unsaid"],
        ),
        (
            "nonsense",
            vec![(
                "Schemas",
                json_reply(&json!({"Resources": [7, {"id": 7}, {"id": CORE}]})),
            )],
            ["unsaid"; 3],
        ),
    ];
    for (name, documents, expected) in cases {
        let said = discover(documents).await;
        let found = ["userName", "nickName", &format!("{ENTERPRISE}:department")]
            .map(|path| known(&said, path));
        assert_eq!(found, expected, "{name}");
        assert_eq!(
            (said.patch, said.serves(ResourceKind::User)),
            (None, None),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_target_is_asked_once() {
    let double = target(vec![("ServiceProviderConfig", json_reply(&config()))]).await;
    let (client, _) = double.open("").unwrap();
    client.discover().await.unwrap();
    let asked = double.lines().len();
    assert!(asked >= 3, "{asked}");
    assert_eq!(client.clone().discover().await.unwrap().patch, Some(true));
    assert_eq!(double.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn refused_credentials_are_an_error_and_not_silence() {
    let double = target(vec![("ServiceProviderConfig", Reply::empty(401))]).await;
    let (client, _) = double.open("").unwrap();
    let outcome = client.discover().await;
    assert!(
        matches!(outcome, Err(Error::Refused { status: 401, .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn mappings_are_compared_with_what_the_target_says_of_itself() {
    let list = |attributes: &Value| json!({"totalResults": 1, "Resources": [{"id": CORE, "attributes": attributes}]});
    let named = json!({"name": "displayName"});
    let name = json!({"name": "userName", "required": true});
    let active = json!({"name": "active", "type": "boolean"});
    let plain = json!([name, active, named]);
    let unfiltered = json!({"filter": {"supported": false}});
    let groups =
        json!({"Resources": [{"name": "Group", "endpoint": "/Groups", "schema": "urn:g"}]});
    let read_only = json!([name, active, {"name": "displayName", "mutability": "readOnly"}]);
    let nick = json!([name, active, named, {"name": "nickName", "required": true}]);
    for (name, document, body, expected) in [
        ("all is well", "Schemas", list(&plain), None),
        ("nothing is said", "Nothing", json!({}), None),
        (
            "an attribute that is not there",
            "Schemas",
            list(&json!([name, active])),
            Some("target-lacks-attribute"),
        ),
        (
            "an attribute that only the target sets",
            "Schemas",
            list(&read_only),
            Some("target-read-only"),
        ),
        (
            "an attribute that nobody maps",
            "Schemas",
            list(&nick),
            Some("target-requires"),
        ),
        (
            "no filter",
            "ServiceProviderConfig",
            unfiltered,
            Some("target-cannot-filter"),
        ),
        (
            "no people",
            "ResourceTypes",
            groups,
            Some("target-lacks-object"),
        ),
    ] {
        let capabilities = discover(vec![(document, json_reply(&body))]).await;
        let findings = lint::against_target(&people(), &capabilities);
        let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

/// An application that maps three attributes of people.
fn people() -> Application {
    let mapped = |target: &str, priority: u32| json!({"target": target, "attribute": target, "matchingPriority": priority});
    let document = json!({
        "name": "A",
        "source": {"type": "csv", "users": "people.csv"},
        "target": {
            "url": "https://app.example/scim",
            "authentication": {"type": "bearer", "token": "hush"},
        },
        "mappings": [{
            "source": "User",
            "target": "User",
            "attributeMappings": [mapped("userName", 1), mapped("active", 0), mapped("displayName", 0)],
        }],
    });
    let definition = Definition::from_json(&document).unwrap();
    definition.compile("a", Path::new("")).unwrap()
}
