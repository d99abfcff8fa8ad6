//! What is sent for what is shown, and that it suffices.

use portreeve_mapping::mapping::{AttributeType, FlowType, TargetAttribute};
use portreeve_mapping::{
    AttributeMapping, Context, Mappings, Object, ObjectMapping, Operation, Scope,
};
use portreeve_scim::{Catalog, Notes, Profile, Resource};
use proptest::prelude::*;

use super::*;

const NUMBER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const BADGE: &str = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge";
const TAGS: &str = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:tags";
const WORK: &str = r#"emails[type eq "work"].value"#;

/// A mapping of the source attribute `v`.
fn direct(target: &str) -> AttributeMapping {
    AttributeMapping {
        target: target.to_owned(),
        attribute: Some("v".to_owned()),
        ..AttributeMapping::default()
    }
}

fn compiled(mappings: Vec<AttributeMapping>) -> Mappings {
    let tags = TargetAttribute {
        name: TAGS.to_owned(),
        multi_valued: true,
        ..TargetAttribute::default()
    };
    let cased = TargetAttribute {
        name: "nickName".to_owned(),
        kind: AttributeType::String,
        case_exact: true,
        ..TargetAttribute::default()
    };
    let object = ObjectMapping {
        name: String::new(),
        enabled: true,
        source: "User".to_owned(),
        target: "User".to_owned(),
        flow_types: Vec::new(),
        scope: Scope::default(),
        target_attributes: vec![tags, cased],
        attribute_mappings: mappings,
    };
    Mappings::compile(&object, Catalog::standard().user()).unwrap()
}

fn context() -> Context<'static> {
    Context::at(jiff::Timestamp::UNIX_EPOCH)
}

fn object(value: &Value) -> Object {
    Object::from_json(value.as_object().unwrap())
}

/// What is sent in the default dialect where `shown` is shown and the source has `{"v": value}`.
fn operations(mapping: AttributeMapping, shown: &Value, value: &Value) -> Vec<Value> {
    let mappings = compiled(vec![mapping]);
    let source = object(&json!({ "v": value }));
    let wanted = mappings.evaluate(&source, &context(), Operation::Update);
    assert_eq!(wanted.failed, []);
    let difference = difference(shown.as_object().unwrap(), &wanted.assigned);
    assert_eq!(difference.patch.is_empty(), difference.modified.is_empty());
    let body = difference.patch.body(Dialect::Classic);
    body["Operations"].as_array().unwrap().clone()
}

fn op(op: &str, path: &str, value: Value) -> Vec<Value> {
    let mut operation = json!({"op": op, "path": path});
    operation["value"] = value;
    vec![operation]
}

#[test]
fn an_empty_attribute_is_added_to_and_another_value_replaced() {
    let title = |shown| operations(direct("title"), &shown, &json!("Smith"));
    for empty in [
        json!({}),
        json!({"title": null}),
        json!({"title": ""}),
        json!({"title": []}),
    ] {
        assert_eq!(title(empty), op("Add", "title", json!("Smith")));
    }
    let replaced = op("Replace", "title", json!("Smith"));
    assert_eq!(title(json!({"title": "Fitter"})), replaced);
    assert_eq!(title(json!({"TITLE": "Smith"})), [] as [Value; 0]);
}

#[test]
fn what_a_target_shows_in_its_own_way_is_equal() {
    let cases = [
        ("title", json!({"title": "SMITH"}), json!("Smith")),
        ("title", json!({"title": "ÉMILE"}), json!("émile")),
        ("active", json!({"active": "true"}), json!("True")),
        ("active", json!({"active": true}), json!("True")),
        ("active", json!({"active": "False"}), json!(false)),
        (
            NUMBER,
            json!({ENTERPRISE: {"employeeNumber": 42}}),
            json!("42"),
        ),
        (
            NUMBER,
            json!({ENTERPRISE.to_uppercase(): {"EMPLOYEENUMBER": "42"}}),
            json!("42"),
        ),
        (
            "name.givenName",
            json!({"name": {"givenname": "Ada"}}),
            json!("Ada"),
        ),
        (
            WORK,
            json!({"emails": [{"type": "Work", "value": "A@b.example"}]}),
            json!("a@b.example"),
        ),
        (
            WORK,
            json!({"emails": {"type": "work", "value": "a"}}),
            json!("a"),
        ),
        (
            WORK,
            json!({"emails": [{"type": "work", "value": "b"}, {"type": "work", "value": "a"}]}),
            json!("a"),
        ),
        (
            r#"roles[primary eq "True"].value"#,
            json!({"roles": [{"primary": true, "value": "Admin"}]}),
            json!("Admin"),
        ),
        (
            BADGE,
            json!({"urn:ietf:params:scim:schemas:extension:Contoso:2.0:User": {"badge": "7"}}),
            json!("7"),
        ),
        ("title", json!({}), json!("")),
        ("title", json!({"title": "Smith"}), json!(null)),
    ];
    for (path, shown, value) in cases {
        let sent = operations(direct(path), &shown, &value);
        assert_eq!(sent, [] as [Value; 0], "{path}: {shown} and {value}");
    }
}

#[test]
fn what_differs_is_sent() {
    let department = json!({ENTERPRISE: {"department": "R"}});
    let cases = [
        ("nickName", json!({"nickName": "ADA"}), "Replace", "Ada"),
        ("active", json!({"active": true}), "Replace", "False"),
        ("active", json!({}), "Add", "False"),
        (NUMBER, department, "Add", "42"),
        ("name.givenName", json!({"name": "Ada"}), "Add", "Ada"),
        (BADGE, json!({}), "Add", "7"),
    ];
    for (path, shown, verb, value) in cases {
        let operations = operations(direct(path), &shown, &json!(value));
        assert_eq!(operations, op(verb, path, json!(value)), "{path}: {shown}");
    }
}

#[test]
fn a_slot_of_a_list_is_an_attribute_like_any_other() {
    let cases = [
        (json!([]), "Add"),
        (json!([{"type": "home", "value": "a"}]), "Add"),
        (json!([{"type": "work"}]), "Add"),
        (json!([{"type": "work", "value": "b"}]), "Replace"),
        (json!(["a"]), "Add"),
    ];
    for (emails, verb) in cases {
        let shown = json!({ "emails": emails });
        let operations = operations(direct(WORK), &shown, &json!("a"));
        assert_eq!(operations, op(verb, WORK, json!("a")), "{shown}");
    }
}

#[test]
fn a_lost_value_is_removed_where_nulls_flow() {
    let flowing = |path: &str| AttributeMapping {
        flow_nulls: true,
        ..direct(path)
    };
    let shown = json!({"title": "Smith", "emails": [{"type": "work", "value": "a"}]});
    for path in ["title", WORK] {
        let removed = vec![json!({"op": "Remove", "path": path})];
        assert_eq!(operations(flowing(path), &shown, &json!(null)), removed);
        let nothing = operations(flowing(path), &json!({}), &json!(null));
        assert_eq!(nothing, [] as [Value; 0], "{path}");
    }
}

#[test]
fn a_list_is_replaced_or_added_to() {
    let additive = AttributeMapping {
        flow_type: FlowType::MultiValueAddOnly,
        ..direct(TAGS)
    };
    let urn = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User";
    let shown = |tags: Value| json!({ urn: { "tags": tags } });
    let entras = json!([{"value": "a"}, {"value": "b"}]);
    let wanted = json!(["a", "b"]);
    let none = Vec::new();
    let cases = [
        (
            json!(null),
            op("Add", TAGS, entras.clone()),
            op("Add", TAGS, entras.clone()),
        ),
        (entras.clone(), none.clone(), none.clone()),
        (json!(["b", "A"]), none.clone(), none.clone()),
        (
            json!(["a"]),
            op("Replace", TAGS, json!(["a", "b"])),
            op("Add", TAGS, json!(["b"])),
        ),
        (
            json!(["a", "b", "c"]),
            op("Replace", TAGS, json!(["a", "b"])),
            none,
        ),
        (
            json!([{"value": "c"}]),
            op("Replace", TAGS, entras.clone()),
            op("Add", TAGS, entras),
        ),
    ];
    for (tags, replacing, adding) in cases {
        let shown = shown(tags);
        assert_eq!(
            operations(direct(TAGS), &shown, &wanted),
            replacing,
            "{shown}"
        );
        assert_eq!(
            operations(additive.clone(), &shown, &wanted),
            adding,
            "{shown}, additive"
        );
    }
}

#[test]
fn roles_are_compared_by_what_is_sent_of_them() {
    let roles = |function: &str| AttributeMapping {
        attribute: None,
        expression: Some(format!("{function}([v])")),
        ..direct("roles")
    };
    let assigned = json!([{"value": "admin", "displayName": "Administrator"}]);
    let full = json!([{
        "primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "Administrator", "value": "admin",
    }]);
    let shown = json!({"roles": [{
        "type": "WindowsAzureActiveDirectoryRole", "display": "Administrator", "value": "admin", "$ref": "x",
    }]});
    let assertive = "AssertiveAppRoleAssignmentsComplex";
    assert_eq!(
        operations(roles(assertive), &shown, &assigned),
        [] as [Value; 0]
    );
    let other = json!({"roles": [{"value": "user"}]});
    let sent = operations(roles(assertive), &other, &assigned);
    assert_eq!(sent, op("Replace", "roles", full.clone()));
    let sent = operations(roles("AppRoleAssignmentsComplex"), &other, &assigned);
    assert_eq!(sent, op("Add", "roles", full));
}

#[test]
fn a_default_is_for_an_attribute_without_a_value() {
    let default = |path: &str| AttributeMapping {
        attribute: None,
        default_value: Some("True".to_owned()),
        ..direct(path)
    };
    let title = |shown| operations(default("title"), &shown, &json!(null));
    assert_eq!(title(json!({})), op("Add", "title", json!("True")));
    assert_eq!(title(json!({"title": "Smith"})), [] as [Value; 0]);
    let primary = r#"emails[type eq "work"].primary"#;
    // An element that says nothing but that it is the primary one would be refused.
    assert_eq!(
        operations(default(primary), &json!({}), &json!(null)),
        [] as [Value; 0]
    );
    let shown = json!({"emails": [{"type": "work", "value": "a"}]});
    assert_eq!(
        operations(default(primary), &shown, &json!(null)),
        op("Add", primary, json!("True"))
    );
}

/// The default mappings of an application, more or less: each reads the source attribute that is named like it.
fn population() -> Mappings {
    let paths = [
        "userName",
        "active",
        "title",
        "name.givenName",
        WORK,
        r#"emails[type eq "work"].primary"#,
        r#"emails[type eq "home"].value"#,
        r#"addresses[type eq "work"].formatted"#,
        r#"addresses[type eq "work"].locality"#,
        NUMBER,
        MANAGER,
    ];
    let mappings = paths
        .iter()
        .enumerate()
        .map(|(index, path)| AttributeMapping {
            attribute: Some(format!("a{index}")),
            flow_nulls: index > 1,
            ..direct(path)
        });
    let roles = AttributeMapping {
        attribute: None,
        expression: Some("AssertiveAppRoleAssignmentsComplex([roles])".to_owned()),
        flow_nulls: true,
        ..direct("roles")
    };
    compiled(mappings.chain([roles]).collect())
}

#[test]
fn a_new_resource_has_its_slots_in_one_list() {
    let mappings = population();
    let source = object(&json!({
        "a0": "ada", "a1": "True", "a3": "Ada", "a4": "ada@contoso.example", "a5": "True", "a6": "ada@home.example",
        "a7": "Mill 1", "a8": "Delft", "a9": "42", "a10": {"$ref": "boss"},
    }));
    let wanted = mappings.evaluate(&source, &context(), Operation::Create);
    let (body, modified) = resource(ResourceKind::User, &wanted.assigned, Dialect::Classic);
    assert_eq!(
        body,
        json!({
            "schemas": [USER, ENTERPRISE],
            "userName": "ada",
            "active": true,
            "name": {"givenName": "Ada"},
            "emails": [
                {"type": "work", "value": "ada@contoso.example", "primary": true},
                {"type": "home", "value": "ada@home.example"},
            ],
            "addresses": [{"type": "work", "formatted": "Mill 1", "locality": "Delft", "primary": true}],
            ENTERPRISE: {"employeeNumber": "42"},
            "meta": {"resourceType": "User"},
        })
    );
    assert_eq!(modified.len(), 9);
    assert!(modified.iter().all(|property| property.old_value.is_none()));
    let held: Vec<_> = references(&wanted.assigned)
        .map(|(target, keys)| (target.canonical.as_str(), keys))
        .collect();
    assert_eq!(held, [(MANAGER, vec!["boss"])]);
}

#[test]
fn extensions_of_ones_own_are_named_in_the_compliant_dialect_alone() {
    let mappings = compiled(vec![
        direct(BADGE),
        direct(r#"roles[primary eq "True"].value"#),
    ]);
    let source = object(&json!({"v": "7"}));
    let wanted = mappings.evaluate(&source, &context(), Operation::Create);
    let urn = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User";
    for (dialect, schemas) in [
        (Dialect::Classic, json!([USER])),
        (Dialect::Compliant, json!([USER, urn])),
    ] {
        let (body, _) = resource(ResourceKind::User, &wanted.assigned, dialect);
        assert_eq!(body["schemas"], schemas, "{dialect:?}");
        assert_eq!(body[urn], json!({"badge": "7"}));
        assert_eq!(body["roles"], json!([{"primary": true, "value": "7"}]));
    }
}

#[test]
fn the_log_says_what_changes_and_hides_what_is_redacted() {
    let redacting = AttributeMapping {
        attribute: None,
        expression: Some("Redact([v])".to_owned()),
        ..direct("title")
    };
    for (mapping, old, new) in [
        (direct("title"), "Fitter", "Smith"),
        (redacting, REDACTED, REDACTED),
    ] {
        let mappings = compiled(vec![mapping]);
        let source = object(&json!({"v": "Smith"}));
        let wanted = mappings.evaluate(&source, &context(), Operation::Update);
        let shown = json!({"title": "Fitter"});
        let difference = difference(shown.as_object().unwrap(), &wanted.assigned);
        let expected = ModifiedProperty {
            display_name: "title".to_owned(),
            old_value: Some(old.to_owned()),
            new_value: Some(new.to_owned()),
        };
        assert_eq!(difference.modified, [expected]);
    }
}

fn source() -> impl Strategy<Value = Object> {
    let text = || prop::option::of("[abA]{1,2}");
    let flags = (any::<bool>(), prop::option::of(any::<bool>()));
    let roles = prop::collection::btree_set("[ab]", 0..3);
    (flags, prop::collection::vec(text(), 8), roles).prop_map(
        |((active, primary), texts, roles)| {
            let mut source =
                json!({"a0": "ada", "a1": active, "a5": primary, "a10": {"$ref": "boss"}});
            for (index, text) in [2, 3, 4, 6, 7, 8, 9].into_iter().zip(texts) {
                source[format!("a{index}")] = json!(text);
            }
            let role = |role: String| json!({"value": role, "displayName": role});
            source["roles"] = roles.into_iter().map(role).collect();
            object(&source)
        },
    )
}

proptest! {
    /// A target that keeps to the RFC is brought up to date by one PATCH, and then there is nothing more to send.
    #[test]
    fn what_is_sent_suffices(before in source(), after in source(), compliant in any::<bool>()) {
        let mappings = population();
        let catalog = Catalog::standard();
        let (users, mut notes) = (catalog.user(), Notes::default());
        let dialect = if compliant { Dialect::Compliant } else { Dialect::Classic };

        let made = mappings.evaluate(&before, &context(), Operation::Create);
        let (body, _) = resource(ResourceKind::User, &made.assigned, dialect);
        let mut user = Resource::parse(users, body, Profile::Entra, &mut notes).unwrap();
        prop_assert!(difference(user.as_map(), &made.assigned).patch.is_empty());

        let wanted = mappings.evaluate(&after, &context(), Operation::Update);
        let sent = difference(user.as_map(), &wanted.assigned);
        if !sent.patch.is_empty() {
            let body = sent.patch.body(dialect);
            let read = portreeve_scim::Patch::parse(body.clone(), users, "1", Profile::Entra, &mut notes);
            read.unwrap().apply(users, &mut user).unwrap();
            let rest = difference(user.as_map(), &wanted.assigned);
            prop_assert!(rest.patch.is_empty(), "{:?} remains of {body}", rest.modified);
        }
        prop_assert_eq!(notes, Notes::default());
    }

    /// Whatever a target shows, comparing does not fail, and a change is sent for what differs alone.
    #[test]
    fn nothing_that_is_shown_is_too_strange(
        odd in prop::collection::vec(odd(), 8),
        after in source(),
    ) {
        let names = ["userName", "active", "title", "name", "emails", "addresses", ENTERPRISE, "roles"];
        let shown: Map<_, _> = names.into_iter().map(str::to_owned).zip(odd).collect();
        let mappings = population();
        let wanted = mappings.evaluate(&after, &context(), Operation::Update);
        let difference = difference(&shown, &wanted.assigned);
        prop_assert!(difference.modified.len() <= wanted.assigned.len());
    }
}

fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names = prop::sample::select(vec!["type", "value", "primary", "givenName"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
