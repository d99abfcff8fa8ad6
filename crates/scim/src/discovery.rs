//! What the service says about itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 section 4).
//!
//! `base` is always the address of the service without a slash at its end, such as
//! `https://id.example.com/scim/0190/v2`.

use serde_json::{Map, Value, json};

use crate::schema::{Catalog, ResourceType, Schema};

/// The URN of a list answer.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

/// What a service can do. PATCH and filters are part of it in any case, changing passwords is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Where people read how to use the service.
    pub documentation_uri: Option<String>,
    /// The limits of bulk requests; `None` when there are none.
    pub bulk: Option<BulkLimits>,
    /// The most resources in one answer.
    pub filter_max_results: u64,
    /// Whether lists can be sorted.
    pub sort: bool,
    /// Whether resources have versions (RFC 7644 section 3.14).
    pub etag: bool,
    /// How lists are paged.
    pub pagination: Pagination,
    /// Which events there are; `None` when none are sent and no request is answered later.
    pub events: Option<Events>,
}

/// The limits of bulk requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    /// The most operations in one request.
    pub max_operations: u64,
    /// The most bytes of one request.
    pub max_payload_size: u64,
}

/// The ways of paging (RFC 9865 section 4). Paging by index is always there and the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    /// Whether cursors are offered.
    pub cursor: bool,
    /// Resources on a page when the client does not say.
    pub default_page_size: u64,
    /// The most resources on a page.
    pub max_page_size: u64,
    /// Seconds for which a cursor is good at least; `None` when it does not time out.
    pub cursor_timeout: Option<u64>,
}

/// Security events (RFC 9967).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Whether a client can have a request answered later.
    pub async_request: AsyncRequest,
    /// The URIs of the events that are sent.
    pub event_uris: Vec<String>,
}

/// When a request is answered later (RFC 9967).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsyncRequest {
    /// Never.
    None,
    /// When the service finds that it takes long.
    Long,
    /// When the client asks for it.
    Request,
}

impl AsyncRequest {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Long => "long",
            Self::Request => "request",
        }
    }
}

/// The ServiceProviderConfig (RFC 7643 section 5). Every required attribute is there, also for what is not
/// supported: clients that miss one switch off more than that.
pub fn service_provider_config(features: &Features, base: &str) -> Value {
    let bulk = features.bulk.unwrap_or(BulkLimits {
        max_operations: 0,
        max_payload_size: 0,
    });
    let paging = features.pagination;
    let mut config = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": {
            "supported": features.bulk.is_some(),
            "maxOperations": bulk.max_operations,
            "maxPayloadSize": bulk.max_payload_size,
        },
        "filter": { "supported": true, "maxResults": features.filter_max_results },
        "changePassword": { "supported": false },
        "sort": { "supported": features.sort },
        "etag": { "supported": features.etag },
        "pagination": {
            "cursor": paging.cursor,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": paging.default_page_size,
            "maxPageSize": paging.max_page_size,
        },
        "authenticationSchemes": authentication_schemes(),
    });
    if let Some(seconds) = paging.cursor_timeout.filter(|_| paging.cursor) {
        config["pagination"]["cursorTimeout"] = seconds.into();
    }
    // Younger than many clients, some of which refuse what they do not know: it is there only when there are events.
    if let Some(events) = &features.events {
        config["securityEvents"] =
            json!({ "asyncRequest": events.async_request.name(), "eventUris": events.event_uris });
    }
    if let Some(uri) = &features.documentation_uri {
        config["documentationUri"] = uri.as_str().into();
    }
    config["meta"] = meta(
        "ServiceProviderConfig",
        &format!("{base}/ServiceProviderConfig"),
    );
    config
}

fn authentication_schemes() -> Value {
    json!([
        {
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "The secret token of the directory, sent as Authorization: Bearer.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        },
        {
            "type": "httpbasic",
            "name": "HTTP Basic",
            "description": "The secret token of the directory as the password, with any user name.",
            "specUri": "https://www.rfc-editor.org/info/rfc7617",
            "primary": false,
        },
    ])
}

/// The answer to `GET /Schemas`: every schema that a resource type names.
pub fn schemas(catalog: &Catalog, base: &str) -> Value {
    list(catalog.schemas().map(|s| schema(s, base)).collect())
}

/// One schema, as `GET /Schemas/{urn}` answers it.
pub fn schema(schema: &Schema, base: &str) -> Value {
    let mut definition = schema.to_json();
    definition["meta"] = meta("Schema", &format!("{base}/Schemas/{}", schema.id));
    definition
}

/// The answer to `GET /ResourceTypes`.
pub fn resource_types(catalog: &Catalog, base: &str) -> Value {
    list(
        catalog
            .types()
            .iter()
            .map(|t| resource_type(t, base))
            .collect(),
    )
}

/// One resource type (RFC 7643 section 6), as `GET /ResourceTypes/{name}` answers it.
pub fn resource_type(t: &ResourceType, base: &str) -> Value {
    let extension = |(schema, required): &(std::sync::Arc<Schema>, bool)| json!({ "schema": schema.id, "required": required });
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": t.name,
        "name": t.name,
        "description": t.description,
        "endpoint": t.endpoint,
        "schema": t.schema.id,
        "schemaExtensions": t.extensions.iter().map(extension).collect::<Vec<_>>(),
        "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{}", t.name)),
    })
}

/// Discovery answers are never paged (RFC 7644 section 4).
fn list(resources: Vec<Value>) -> Value {
    let mut list = Map::new();
    list.insert("schemas".into(), json!([LIST_RESPONSE]));
    list.insert("totalResults".into(), resources.len().into());
    list.insert("startIndex".into(), 1.into());
    list.insert("itemsPerPage".into(), resources.len().into());
    list.insert("Resources".into(), Value::Array(resources));
    Value::Object(list)
}

fn meta(resource_type: &str, location: &str) -> Value {
    json!({ "resourceType": resource_type, "location": location })
}

#[cfg(test)]
mod tests;
