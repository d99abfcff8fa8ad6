use super::*;

const BASE: &str = "https://id.example.com/scim/0190/v2";

fn features() -> Features {
    Features {
        documentation_uri: Some("https://portreeve.example.com/docs".into()),
        bulk: Some(BulkLimits {
            max_operations: 1000,
            max_payload_size: 1_048_576,
        }),
        filter_max_results: 1000,
        sort: true,
        etag: true,
        pagination: Pagination {
            cursor: true,
            default_page_size: 100,
            max_page_size: 1000,
            cursor_timeout: Some(3600),
        },
        events: None,
    }
}

#[test]
fn the_configuration_is_complete() {
    insta::assert_json_snapshot!(service_provider_config(&features(), BASE));
}

#[test]
fn what_is_not_supported_is_said_with_every_required_attribute() {
    let poor = Features {
        documentation_uri: None,
        bulk: None,
        pagination: Pagination {
            cursor: false,
            ..features().pagination
        },
        ..features()
    };
    let config = service_provider_config(&poor, BASE);
    assert_eq!(
        config["bulk"],
        json!({ "supported": false, "maxOperations": 0, "maxPayloadSize": 0 })
    );
    assert_eq!(config["pagination"].get("cursorTimeout"), None);
    assert_eq!(config.get("documentationUri"), None);
    assert_eq!(config.get("securityEvents"), None);
}

#[test]
fn events_are_announced_where_there_are_any() {
    let events = Events {
        async_request: AsyncRequest::Request,
        event_uris: vec!["urn:ietf:params:scim:event:prov:delete".into()],
    };
    let config = service_provider_config(
        &Features {
            events: Some(events),
            ..features()
        },
        BASE,
    );
    assert_eq!(
        config["securityEvents"],
        json!({ "asyncRequest": "request", "eventUris": ["urn:ietf:params:scim:event:prov:delete"] })
    );
    let names = [
        AsyncRequest::None,
        AsyncRequest::Long,
        AsyncRequest::Request,
    ]
    .map(AsyncRequest::name);
    assert_eq!(names, ["none", "long", "request"]);
}

#[test]
fn resource_types_name_their_schemas() {
    insta::assert_json_snapshot!(resource_types(&Catalog::standard(), BASE));
}

#[test]
fn schemas_are_published_whole() {
    insta::assert_json_snapshot!(schemas(&Catalog::standard(), BASE));
}

#[test]
fn every_schema_that_a_type_names_is_published() {
    let catalog = Catalog::standard();
    let types = resource_types(&catalog, BASE);
    for t in types["Resources"].as_array().unwrap() {
        let extensions = t["schemaExtensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["schema"]);
        for urn in std::iter::once(&t["schema"]).chain(extensions) {
            let schema = schema(catalog.schema(urn.as_str().unwrap()).unwrap(), BASE);
            assert_eq!(&schema["id"], urn);
            assert_eq!(
                schema["meta"]["location"],
                format!("{BASE}/Schemas/{}", urn.as_str().unwrap())
            );
        }
    }
}
