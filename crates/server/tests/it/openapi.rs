//! The description of the API: whole, the same as yesterday unless somebody decided otherwise, and in the manual.

use portreeve_directory::permissions::{Level, Permission};
use portreeve_testbed::TestServer;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// The operations of a description: method, path and what it says.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().expect("operations");
        operations
            .iter()
            .map(|(method, it)| (method.to_uppercase(), path.as_str(), it))
    });
    all.collect()
}

async fn document() -> Value {
    let server = TestServer::start().await;
    let document = server.stranger().get("/api/v1/openapi.json").await;
    assert_eq!(document.status, 200, "{document}");
    server.stop().await;
    document.json
}

#[tokio::test]
async fn every_route_says_what_it_is_called_and_what_it_gives() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().expect("a name");
        if (method.as_str(), path) == ("POST", "/directories") {
            assert_eq!(name, "directory.create", "as the command line has it");
        }
        assert!(names.insert(name), "{name} is there twice");
        let (noun, verb) = name.split_once('.').expect("noun and verb");
        assert!(!noun.is_empty() && !verb.is_empty(), "{name}");
        let says_nothing = operation["responses"]["204"].is_object();
        assert!(
            !says_nothing || method == "DELETE",
            "{method} {path} does not say what it gives: add .gives::<T>() to its line in the table of routes"
        );
    }
}

#[tokio::test]
async fn every_reference_in_it_leads_somewhere() {
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|it| references(it, found));
            }
            _ => {}
        }
    }
    let document = document().await;
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference within");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn it_is_as_it_was() {
    let mut document = document().await;
    document["info"]["version"] = Value::Null;
    insta::assert_json_snapshot!("openapi", document);
}

/// The table between these marks is made from the description; `PORTREEVE_WRITE_DOCS=1 cargo test -p portreeve-server
/// --test it openapi` writes it anew.
const BEGIN: &str = "<!-- routes -->\n";
const END: &str = "<!-- end of routes -->";

#[tokio::test]
async fn the_manual_has_every_route_with_its_permission() {
    let document = document().await;
    let mut table = String::from("\n| route | needs | level | |\n|---|---|---|---|\n");
    for (method, path, operation) in operations(&document) {
        let needed = operation["x-permission"].as_str();
        let permission = needed.map(|name| Permission::parse(name).expect("a permission"));
        let lowest = |permission| {
            let has = |level: &&Level| level.permissions().has(permission);
            Level::ALL.iter().find(has).expect("an owner may do all")
        };
        let level = match permission {
            None => "everybody".to_owned(),
            Some(_) if operation["x-local-only"] == true => "the server's machine".to_owned(),
            Some(permission) => lowest(permission).name().to_owned(),
        };
        let needed = needed.map(|name| format!("`{name}`")).unwrap_or_default();
        let summary = operation["summary"].as_str().expect("a summary");
        writeln!(
            table,
            "| `{method} {path}` | {needed} | {level} | {summary} |"
        )
        .expect("text");
    }
    table.push('\n');
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/api.md");
    let text = std::fs::read_to_string(&page).expect("the page");
    let (head, rest) = text.split_once(BEGIN).expect("the first mark");
    let (found, tail) = rest.split_once(END).expect("the second mark");
    if std::env::var_os("PORTREEVE_WRITE_DOCS").is_some() {
        let text = format!("{head}{BEGIN}{table}{END}{tail}");
        std::fs::write(&page, text).expect("the page can be written");
        return;
    }
    assert_eq!(found, table, "write it anew: see the comment in this test");
}
