//! Import of a synchronization schema.

use portreeve_mapping::graph;
use portreeve_mapping::mapping::{FlowAction, FlowType};
use portreeve_mapping::{Mappings, lint};
use portreeve_scim::Catalog;
use serde_json::json;

fn schema() -> serde_json::Value {
    serde_json::from_str(include_str!("../vectors/synchronization-schema.json")).unwrap()
}

#[test]
fn a_schema_becomes_mappings_that_work() {
    let imported = graph::import(&schema().to_string()).unwrap();
    assert_eq!(imported.notes, Vec::<String>::new());
    let object = &imported.mappings.object_mappings[0];
    assert_eq!(
        (object.source.as_str(), object.target.as_str()),
        ("User", "User")
    );
    assert_eq!(object.flow_types, [FlowAction::Add, FlowAction::Update]);
    assert_eq!(
        object.scope.groups[0].clauses[0].to_string(),
        "department EQUALS Sales"
    );
    let mappings = &object.attribute_mappings;
    assert_eq!(mappings[0].attribute.as_deref(), Some("userPrincipalName"));
    assert_eq!(
        (mappings[0].matching_priority, &mappings[0].default_value),
        (1, &None)
    );
    assert!(
        mappings[1]
            .expression
            .as_deref()
            .is_some_and(|it| it.starts_with("Switch("))
    );
    assert_eq!(mappings[2].constant.as_deref(), Some("Boss \"1\""));
    assert_eq!(mappings[2].flow_type, FlowType::ObjectAddOnly);
    assert_eq!(mappings[3].default_value.as_deref(), Some("none"));
    assert_eq!(
        mappings[4].expression.as_deref(),
        Some(r#"Replace([displayName], "-", , , Append("_", "\""))"#)
    );
    assert_eq!(object.target_attributes.len(), 1);

    let catalog = Catalog::standard();
    assert!(Mappings::compile(object, catalog.user()).is_ok());
    assert_eq!(lint::check(&imported.mappings, &catalog), []);
}

#[test]
fn what_is_not_taken_over_is_said() {
    let mut schema = schema();
    let object = &mut schema["synchronizationRules"][0]["objectMappings"][0];
    object["scope"]["categoryFilterGroups"] = json!([{"clauses": []}]);
    object["attributeMappings"][0]["source"]["type"] = json!("Oracle");
    let notes = graph::import(&schema.to_string()).unwrap().notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[1].contains("Oracle"), "{notes:?}");
}

#[test]
fn other_documents_are_refused() {
    for (name, text) in [
        ("no JSON", "x"),
        ("other JSON", "{\"value\": []}"),
        ("no mapping", "{\"synchronizationRules\": []}"),
    ] {
        assert!(graph::import(text).is_err(), "{name}");
    }
}
