//! What the fuzz targets share: resources to work on.

use portreeve_scim::resource::Notes;
use portreeve_scim::{Profile, Resource, ResourceType};
use serde_json::{Value, json};

/// The id of the resource at hand.
pub const ID: &str = "2819c223";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user with something of everything, as it is sent to clients.
pub fn user() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": ID, "externalId": "e", "userName": "ada@contoso.com", "active": true,
        "name": { "givenName": "Ada", "familyName": "L" },
        "emails": [
            { "value": "ada@contoso.com", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" }
        ],
        "roles": [{ "value": "admin", "primary": true }],
        "addresses": [{ "type": "work", "locality": "Delft" }],
        "groups": [{ "value": "g1", "display": "Sales", "type": "direct" }],
        "meta": { "resourceType": "User", "created": "2026-01-02T03:04:05Z", "lastModified": "2026-01-02T03:04:05Z" },
        ENTERPRISE: { "department": "R&D", "manager": { "value": "M1" } }
    })
}

/// A group, as it is sent to clients.
pub fn group() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "g1", "displayName": "Sales", "members": [{ "value": ID, "type": "User" }]
    })
}

/// The same resource as the library keeps it.
pub fn stored(resource_type: &ResourceType, body: Value) -> Resource {
    let mut resource = Resource::parse(resource_type, body, Profile::Strict, &mut Notes::default())
        .expect("the resources of this file are valid");
    resource.take_members();
    resource
}

/// Asserts that a resource is one that could have been posted, and would then be the same.
pub fn assert_canonical(resource_type: &ResourceType, resource: &Resource, profile: Profile) {
    let body = Value::Object(resource.as_map().clone());
    let again = Resource::parse(resource_type, body, profile, &mut Notes::default());
    let text = again.map(|again| again.to_text());
    assert_eq!(text.as_deref(), Ok(resource.to_text().as_str()));
}
