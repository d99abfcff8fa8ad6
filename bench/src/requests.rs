//! What an identity provider sends: the requests of Entra ID's SCIM client for made-up people.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::Exchange;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The `userName` of a made-up person.
pub(crate) fn user_name(number: u64) -> String {
    format!("person{number}@contoso.example")
}

/// What identifies a made-up person for good.
pub(crate) fn external_id(number: u64) -> String {
    format!("8aa1b3c4-0000-4000-8000-{number:012}")
}

/// POST of a person, with the attributes Entra sends.
pub(crate) fn create(number: u64) -> Exchange {
    let name = user_name(number);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": external_id(number),
        "userName": name,
        "active": true,
        "displayName": format!("Person {number}"),
        "title": "Harbour pilot",
        "name": {"formatted": format!("Person {number}"), "familyName": number.to_string(), "givenName": "Person"},
        "emails": [{"primary": true, "type": "work", "value": name}],
        "phoneNumbers": [{"primary": true, "type": "work", "value": "+999 20 1"}, {"type": "mobile", "value": "+999 6 1"}],
        "addresses": [{"type": "work", "primary": true, "locality": "Delft", "country": "NL"}],
        ENTERPRISE: {"employeeNumber": number.to_string(), "department": "Port"},
        "meta": {"resourceType": "User"},
        "roles": []
    });
    sent(
        Method::POST,
        "/Users".to_string(),
        &body,
        StatusCode::CREATED,
        name,
    )
}

/// The lookup that comes before every create.
pub(crate) fn find_by_user_name(number: u64) -> Exchange {
    let name = user_name(number);
    let path = format!(
        "/Users?filter=userName+eq+%22{}%22",
        name.replace('@', "%40")
    );
    get(path, name)
}

pub(crate) fn find_by_external_id(number: u64) -> Exchange {
    get(
        format!("/Users?filter=externalId+eq+%22{}%22", external_id(number)),
        user_name(number),
    )
}

pub(crate) fn read(id: &str, number: u64) -> Exchange {
    get(format!("/Users/{id}"), user_name(number))
}

/// A page of 100 that begins at `start`, counted from 1.
pub(crate) fn page(start: u64) -> Exchange {
    get(
        format!("/Users?startIndex={start}&count=100"),
        format!("\"startIndex\":{start}"),
    )
}

/// One page of a cursor walk; an empty cursor begins one (RFC 9865 section 2).
pub(crate) fn cursor_page(cursor: &str) -> Exchange {
    get(
        format!("/Users?count=1000&cursor={cursor}"),
        "\"Resources\"".to_string(),
    )
}

/// A change in one of the three forms that Entra uses: paths, one path-less operation with dotted names, and `active`
/// as a string. `round` makes the values differ from the stored ones.
pub(crate) fn change(id: &str, number: u64, round: u64) -> Exchange {
    let title = format!("Pilot {round}");
    let department = format!("{ENTERPRISE}:department");
    let operations = match round % 3 {
        0 => json!([
            {"op": "Replace", "path": "title", "value": title},
            {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": format!("p{round}@contoso.example")},
            {"op": "Add", "path": "name.givenName", "value": title},
            {"op": "Replace", "path": department, "value": title}
        ]),
        1 => {
            json!([{"op": "replace", "value": {"title": title, "name.givenName": title, department: title}}])
        }
        _ => {
            json!([{"op": "Replace", "path": "active", "value": if round.is_multiple_of(2) { "False" } else { "True" }}])
        }
    };
    sent(
        Method::PATCH,
        format!("/Users/{id}"),
        &patch(&operations),
        StatusCode::OK,
        user_name(number),
    )
}

/// POST of a group without members, as Entra makes one.
pub(crate) fn create_group(name: &str) -> Exchange {
    let body =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name});
    sent(
        Method::POST,
        "/Groups".to_string(),
        &body,
        StatusCode::CREATED,
        name.to_string(),
    )
}

/// Adds members, many or one.
pub(crate) fn add_members(group: &str, members: &[Arc<str>]) -> Exchange {
    members_changed(group, "Add", members)
}

/// Removes members, as Entra does: with a list of values.
pub(crate) fn remove_members(group: &str, members: &[Arc<str>]) -> Exchange {
    members_changed(group, "Remove", members)
}

fn members_changed(group: &str, operation: &str, members: &[Arc<str>]) -> Exchange {
    let values: Vec<Value> = members.iter().map(|id| json!({"value": &**id})).collect();
    let body = patch(&json!([{"op": operation, "path": "members", "value": values}]));
    sent(
        Method::PATCH,
        format!("/Groups/{group}"),
        &body,
        StatusCode::NO_CONTENT,
        String::new(),
    )
}

fn patch(operations: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// The look-up that comes before a group is made.
pub(crate) fn find_group(name: &str) -> Exchange {
    let path = format!(
        "/Groups?excludedAttributes=members&filter=displayName+eq+%22{}%22",
        name.replace(' ', "%20")
    );
    get(path, name.to_string())
}

/// A look-up that must find nothing.
pub(crate) fn missing(lookup: Exchange) -> Exchange {
    Exchange {
        contains: "\"totalResults\":0".to_string(),
        ..lookup
    }
}

fn get(path: String, contains: String) -> Exchange {
    Exchange {
        method: Method::GET,
        path,
        body: Bytes::new(),
        status: StatusCode::OK,
        contains,
    }
}

fn sent(
    method: Method,
    path: String,
    body: &Value,
    status: StatusCode,
    contains: String,
) -> Exchange {
    Exchange {
        method,
        path,
        body: body.to_string().into(),
        status,
        contains,
    }
}
