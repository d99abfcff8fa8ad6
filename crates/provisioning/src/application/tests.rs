use std::path::Path;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::engine::plan::Rules;

/// The least that a definition has, in TOML, with `more` in front.
fn minimal(more: &str) -> String {
    format!(
        "{more}\n[source]\ntype = \"csv\"\nusers = \"people.csv\"\n\n[target]\nurl = \"https://app.example/scim\"\n\
         authentication = {{ type = \"bearer\", token = \"hush\" }}\n"
    )
}

fn compile(text: &str) -> Result<Application, DefinitionError> {
    Definition::from_toml(text)?.compile("app", Path::new("/nowhere"))
}

#[test]
fn what_is_left_out_is_as_in_entra_or_better() {
    let app = compile(&minimal("name = \" HR \"\ntemplate = \"generic\"")).unwrap();
    assert_eq!(app.name, "HR");
    assert!(!app.assigned_only && app.late_references);
    assert!(!app.expand_nested_groups && !app.drift);
    assert_eq!(app.guard_threshold, Some(500));
    assert_eq!(app.thresholds, Thresholds::default());
    assert_eq!(app.interval, SignedDuration::from_mins(5));
    assert_eq!(app.source_name, "people.csv");
    assert_eq!(app.target_name, "https://app.example/scim");
    let rules = Rules {
        add: true,
        update: true,
        delete: true,
        skip_out_of_scope: false,
        soft: Soft::Disable,
        late_references: true,
    };
    assert_eq!(app.of(Kind::User).unwrap().rules, rules);
    let groups = app.of(Kind::Group).unwrap();
    assert_eq!(groups.rules.soft, Soft::Delete);
    assert_eq!(groups.members.as_deref(), Some("members"));
}

#[test]
fn every_setting_arrives() {
    let app = compile(&minimal(
        r#"
        name = "HR"
        interval = "PT40M"
        late_references = false
        expand_nested_groups = true
        drift = true
        skip_out_of_scope_deletions = true
        notify = ["it@contoso.com", "IT@contoso.com", " ops@contoso.com "]
        default_domain = "contoso.com"
        accidental_deletions = { enabled = false }
        deprovisioning = { users = "delete", groups = "keep" }
        quarantine = { evaluated_from = 10, percent = 5 }

        [[mappings]]
        source = "User"
        target = "User"
        flowTypes = ["Add"]
        [[mappings.attributeMappings]]
        target = "userName"
        attribute = "mail"
        matchingPriority = 1

        [[mappings]]
        source = "Group"
        target = "Group"
        enabled = false
        attributeMappings = []
        "#,
    ))
    .unwrap();
    assert_eq!(app.interval, SignedDuration::from_mins(40));
    assert!(!app.late_references && app.expand_nested_groups && app.drift);
    assert_eq!(app.notify, ["it@contoso.com", "ops@contoso.com"]);
    assert_eq!(app.default_domain.as_deref(), Some("contoso.com"));
    assert_eq!(app.guard_threshold, None);
    assert_eq!(
        (app.thresholds.evaluated_from, app.thresholds.percent),
        (10, 5)
    );
    let users = app.users.as_ref().unwrap().rules;
    assert!(users.add && !users.update && !users.delete && users.skip_out_of_scope);
    assert_eq!(users.soft, Soft::Delete);
    assert!(app.groups.is_none());
    assert_eq!(app.asked().users, ["mail"]);
}

#[test]
fn scope_is_what_the_source_knows() {
    let graph = |scope: &str, of_source: &str| {
        format!(
            "name = \"A\"\ntemplate = \"generic\"\n{scope}\n[source]\ntype = \"graph\"\ntenant = \"t\"\nclient_id = \"c\"\n{of_source}\n\
             [target]\nurl = \"https://app.example/scim\"\nauthentication = {{ type = \"bearer\", token = \"x\" }}\n"
        )
    };
    for (name, text, assigned) in [
        ("said by nobody", graph("", ""), true),
        ("said by the source", graph("", "scope = \"all\""), false),
        (
            "said by the application",
            graph("scope = \"all\"", ""),
            false,
        ),
        (
            "said by both",
            graph("scope = \"assigned\"", "scope = \"all\""),
            true,
        ),
        (
            "files",
            minimal("name = \"A\"\ntemplate = \"generic\""),
            false,
        ),
    ] {
        assert_eq!(compile(&text).unwrap().assigned_only, assigned, "{name}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_mistake_is_told_with_its_line_and_what_may_be_meant() {
    let named = |more: &str| minimal(&format!("name = \"A\"\ntemplate = \"generic\"\n{more}"));
    for (name, text, expected) in [
        ("no TOML", "name = \n".to_owned(), "line 1: "),
        (
            "a misspelt setting",
            named("intervall = \"5m\""),
            "line 3: there is no setting intervall here; did you mean interval?",
        ),
        (
            "a misspelt setting of the source",
            named("").replace("users =", "user ="),
            "line 6: there is no setting user here; did you mean users?",
        ),
        (
            "a misspelt setting of the target's authentication",
            named("").replace("token =", "tokn ="),
            "line 10: there is no setting tokn here; did you mean token?",
        ),
        (
            "another kind of source",
            named("").replace("\"csv\"", "\"cvs\""),
            "there is no value cvs here; did you mean csv?",
        ),
        (
            "a setting that is missing",
            named("").replace("url =", "#"),
            "the setting url is missing",
        ),
        (
            "an unknown template",
            named("").replace("generic", "smalstep"),
            "line 2: there is no value smalstep here; did you mean smallstep?",
        ),
        (
            "an interval",
            named("interval = \"soon\""),
            "line 3: \"soon\" is no length of time; write it as \"5m\"",
        ),
        (
            "too short an interval",
            named("interval = \"0s\""),
            "a second at least",
        ),
        (
            "a scope without assignments",
            named("scope = \"assigned\""),
            "scope: this source knows no assignments",
        ),
        (
            "a role without assignments",
            named("required_roles = [\"admin\"]"),
            "required_roles: this source knows no assignments",
        ),
        (
            "a mail address",
            named("notify = [\"it at contoso\"]"),
            "notify: \"it at contoso\" is no mail address",
        ),
        (
            "groups that cannot be disabled",
            named("deprovisioning = { groups = \"disable\" }"),
            "deprovisioning.groups: a group cannot be disabled",
        ),
        (
            "an address without encryption",
            named("").replace("https:", "http:"),
            "target.url: the tenant URL is not encrypted",
        ),
        (
            "no name",
            named("").replace("\"A\"", "\" \""),
            "name: a name has 1 to 100 characters",
        ),
        (
            "no mappings",
            minimal("name = \"A\""),
            "mappings: there are none; take a template",
        ),
        (
            "a template and mappings",
            named("mappings = \"m.toml\""),
            "template: there are mappings as well",
        ),
        (
            "a file that is not there",
            minimal("name = \"A\"\nmappings = \"m.toml\""),
            "/nowhere/m.toml: the mappings cannot be read",
        ),
        (
            "a misspelt key of a mapping",
            minimal(
                "name = \"A\"\n[[mappings]]\nsource = \"User\"\ntarget = \"User\"\nattributMappings = []",
            ),
            "line 5: there is no setting attributMappings here; did you mean attributeMappings?",
        ),
        (
            "a wrong expression",
            minimal(
                "name = \"A\"\n[[mappings]]\nsource = \"User\"\ntarget = \"User\"\n[[mappings.attributeMappings]]\n\
                 target = \"userName\"\nexpression = 'toLower([mail])'\nmatchingPriority = 1",
            ),
            "mapping of User: userName: ",
        ),
        (
            "nothing to match by",
            minimal(
                "name = \"A\"\n[[mappings]]\nsource = \"User\"\ntarget = \"User\"\nattributeMappings = []",
            ),
            "mappings: no attribute of User is used for matching",
        ),
        (
            "no object at all",
            minimal("name = \"A\"\nmappings = []"),
            "mappings: neither users nor groups are mapped",
        ),
    ] {
        let error = compile(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn json_and_toml_say_the_same() {
    let text = minimal("name = \"A\"\ntemplate = \"portreeve\"\ninterval = \"1h\"");
    let document = document::to_json(&text).unwrap();
    assert_eq!(document["interval"], "1h");
    let again = document::to_toml(&document).unwrap();
    assert_eq!(document::to_json(&again).unwrap(), document);
    let error = Definition::from_json(&json!({"nam": "A"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no setting nam here; did you mean name?"
    );
}

#[test]
fn a_definition_that_is_spelt_out_needs_no_template() {
    let mut document =
        document::to_json(&minimal("name = \"A\"\ntemplate = \"portreeve\"")).unwrap();
    mappings::spell_out(&mut document, Path::new("/nowhere")).unwrap();
    assert!(document.get("template").is_none());
    let toml = document::to_toml(&document).unwrap();
    let set = Definition::from_toml(&toml)
        .unwrap()
        .mapping_set(Path::new(""))
        .unwrap();
    assert_eq!(set, Template::Portreeve.mapping_set().unwrap());
}

/// Every kind of source and of authentication, with all the secrets that it can have.
fn with_secrets() -> Vec<Value> {
    let target = |authentication: Value| json!({"url": "https://app.example/scim", "authentication": authentication});
    let sources = [
        json!({"type": "ldap", "url": "ldaps://ldap", "base": "dc=a", "password": "SECRET"}),
        json!({"type": "graph", "tenant": "t", "client_id": "c", "client_secret": "SECRET"}),
        json!({"type": "graph", "tenant": "t", "client_id": "c", "certificate": "SECRET", "private_key": "SECRET"}),
    ];
    let targets = [
        json!({"type": "bearer", "token": "SECRET"}),
        json!({"type": "basic", "user": "u", "password": "SECRET"}),
        json!({"type": "oauth", "token_url": "https://t", "client_id": "c", "client_secret": "SECRET"}),
    ];
    let both = sources.into_iter().zip(targets);
    let definitions = both.map(|(source, authentication)| {
        json!({"name": "A", "template": "generic", "source": source, "target": target(authentication)})
    });
    definitions.collect()
}

#[test]
fn secrets_are_taken_out_and_put_back() {
    for document in with_secrets() {
        let mut shown = document.clone();
        let taken = secrets::take(&mut shown);
        assert!(!shown.to_string().contains("SECRET"), "{shown}");
        assert!(
            taken
                .values()
                .all(|secret| secret.expose_secret() == "SECRET")
        );
        secrets::put(&mut shown, &taken);
        assert_eq!(shown, document);
        assert!(Definition::from_json(&shown).is_ok());
    }
}

#[test]
fn a_newer_secret_is_not_overwritten() {
    let mut document = with_secrets().remove(0);
    let old = secrets::take(&mut document);
    document["source"]["password"] = "new".into();
    secrets::put(&mut document, &old);
    assert_eq!(document["source"]["password"], "new");
    assert_eq!(document["target"]["authentication"]["token"], "SECRET");
}

#[test]
fn what_is_kept_on_the_machine_is_named() {
    let document = json!({
        "mappings": "m.toml",
        "source": {"password": {"file": "/run/secret"}, "ca_file": "ca.pem"},
        "target": {"authentication": {"token": "text", "client_secret": {"env": "X"}}},
    });
    assert_eq!(
        secrets::kept_elsewhere(&document),
        [
            "source.password",
            "target.authentication.client_secret",
            "mappings",
            "source.ca_file"
        ]
    );
    let mut document = document;
    let taken = secrets::take(&mut document);
    assert_eq!(
        taken.keys().collect::<Vec<_>>(),
        ["target.authentication.token"]
    );
}

#[test]
fn what_is_kept_on_this_machine_is_put_in_for_another() {
    let environment = |name: &str| (name == "TOKEN").then(|| "from the variable".to_owned());
    let mut document = json!({"target": {"authentication": {"token": {"env": "TOKEN"}}}});
    secrets::reveal(&mut document, Path::new(""), environment).unwrap();
    assert_eq!(
        document["target"]["authentication"]["token"],
        "from the variable"
    );
    document["source"] = json!({"password": {"file": "no/such"}});
    let error = secrets::reveal(&mut document, Path::new("/at"), environment).unwrap_err();
    assert!(
        error.to_string().contains("/at/no/such cannot be read"),
        "{error}"
    );
}

#[test]
fn a_schema_exported_from_entra_is_read_as_mappings() {
    let schema = json!({
        "synchronizationRules": [{
            "objectMappings": [{
                "enabled": true, "sourceObjectName": "User", "targetObjectName": "User", "flowTypes": "Add, Update",
                "attributeMappings": [{
                    "targetAttributeName": "userName", "matchingPriority": 1,
                    "source": {"type": "Attribute", "name": "userPrincipalName", "expression": "[userPrincipalName]"},
                }],
            }],
        }],
    });
    let read = mappings::read(&schema.to_string()).unwrap();
    let mut document = document::to_json(&minimal("name = \"A\"")).unwrap();
    document["mappings"] = json!(read.set.object_mappings);
    let app = Definition::from_json(&document)
        .unwrap()
        .compile("app", Path::new(""))
        .unwrap();
    let users = app.users.unwrap();
    assert!(users.rules.add && !users.rules.delete);
    assert_eq!(users.rules.soft, Soft::Keep);
    let error = mappings::read("{\"synchronizationRules\": []}").unwrap_err();
    assert!(error.to_string().contains("no object mappings"), "{error}");
}

#[test]
fn a_changed_definition_asks_for_no_more_than_it_must() {
    let before = json!({
        "name": "A",
        "source": {"type": "csv", "users": "people.csv"},
        "target": {"url": "https://app.example/scim", "requests_per_second": 1},
        "mappings": [],
    });
    let with = |path: &str, value: Value| {
        let mut now = before.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        now.pointer_mut(parent).unwrap()[name] = value;
        now
    };
    let full = Some("Watermark");
    let unlink = Some("ConnectorDataStore, Escrows, Watermark");
    for (path, value, expected) in [
        ("/name", json!("B"), None),
        ("/interval", json!("1h"), None),
        ("/target/requests_per_second", json!(2), None),
        ("/scope", Value::Null, None),
        ("/scope", json!("all"), full),
        ("/mappings", json!([1]), full),
        ("/source/users", json!("staff.csv"), full),
        ("/source/key", json!("employeeId"), unlink),
        ("/target/url", json!("https://other.example/scim"), unlink),
    ] {
        let now = with(path, value);
        let there = consequence(&before, &now).map(|reset| reset.to_string());
        let back = consequence(&now, &before).map(|reset| reset.to_string());
        assert_eq!(
            (there.as_deref(), back.as_deref()),
            (expected, expected),
            "{path}"
        );
    }
}
