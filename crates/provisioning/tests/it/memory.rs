//! A SCIM server in memory, just large enough for what the sample company sends, in both dialects.

use serde_json::{Map, Value, json};

use crate::double::{Reply, Seen};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Users and groups in the order of their creation. `id` is the kind's first letter and a number.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    pub(crate) users: Vec<Value>,
    pub(crate) groups: Vec<Value>,
}

impl Memory {
    pub(crate) fn answer(&mut self, request: &Seen) -> Reply {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let mut segments = path.trim_start_matches("/scim/").split('/');
        let (kind, id) = (segments.next().unwrap(), segments.next());
        let all = if kind == "Users" {
            &mut self.users
        } else {
            &mut self.groups
        };
        let name = if kind == "Users" {
            "userName"
        } else {
            "displayName"
        };
        match (&*request.method, id) {
            ("GET", None) => list(all, query),
            ("POST", None) => {
                let mut new = request.body.clone().unwrap();
                if all.iter().any(|known| known[name] == new[name]) {
                    return Reply::scim(
                        409,
                        &json!({"status": "409", "scimType": "uniqueness", "detail": "taken"}),
                    );
                }
                new["id"] = json!(format!("{}{}", &kind[..1], all.len()));
                all.push(new.clone());
                Reply::scim(201, &new)
            }
            (method, Some(id)) => {
                let Some(known) = all.iter_mut().find(|known| known["id"] == id) else {
                    return Reply::empty(404);
                };
                if method == "PATCH" {
                    patch(known, request.body.as_ref().unwrap());
                }
                Reply::scim(200, &without_members(known, query))
            }
            _ => Reply::empty(405),
        }
    }

    /// The members of a group by `userName`, sorted.
    pub(crate) fn members(&self, display_name: &str) -> Vec<&str> {
        let group = self
            .groups
            .iter()
            .find(|group| group["displayName"] == display_name)
            .unwrap();
        let members = group["members"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let name = |member: &Value| {
            self.users
                .iter()
                .find(|user| user["id"] == member["value"])
                .unwrap()["userName"]
                .as_str()
        };
        let mut names: Vec<&str> = members.iter().filter_map(name).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn user(&self, user_name: &str) -> &Value {
        self.users
            .iter()
            .find(|user| user["userName"] == user_name)
            .unwrap_or(&Value::Null)
    }

    /// Everything, in an order and with names that do not depend on when something was created.
    pub(crate) fn snapshot(&self) -> Value {
        let mut people = Map::new();
        for user in &self.users {
            let mut user = user.clone();
            let manager = user[ENTERPRISE]["manager"]["value"].clone();
            user[ENTERPRISE]["manager"] = self
                .users
                .iter()
                .find(|boss| boss["id"] == manager)
                .map_or(Value::Null, |boss| boss["externalId"].clone());
            user["id"] = Value::Null;
            people.insert(user["externalId"].as_str().unwrap().to_owned(), user);
        }
        people.sort_keys();
        let mut groups = Map::new();
        for group in &self.groups {
            let name = group["displayName"].as_str().unwrap();
            groups.insert(
                name.to_owned(),
                json!({"id": group["externalId"], "members": self.members(name)}),
            );
        }
        groups.sort_keys();
        json!({"people": people, "groups": groups})
    }
}

fn list(all: &[Value], query: &str) -> Reply {
    let decoded = query.replace('+', " ");
    let filter = decoded
        .split('&')
        .find_map(|part| part.strip_prefix("filter="))
        .unwrap();
    let (attribute, literal) = filter.split_once(" eq ").unwrap();
    let value: Value = serde_json::from_str(&percent_decoded(literal)).unwrap();
    let same = |known: &&Value| known[attribute] == value;
    let found: Vec<Value> = all
        .iter()
        .filter(same)
        .map(|known| without_members(known, query))
        .collect();
    let schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    Reply::scim(
        200,
        &json!({"schemas": [schema], "totalResults": found.len(), "Resources": found}),
    )
}

fn without_members(resource: &Value, query: &str) -> Value {
    let mut resource = resource.clone();
    if query.contains("excludedAttributes=members")
        && let Some(attributes) = resource.as_object_mut()
    {
        attributes.remove("members");
    }
    resource
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn patch(resource: &mut Value, body: &Value) {
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"])
    );
    for operation in body["Operations"].as_array().unwrap() {
        let op = operation["op"].as_str().unwrap().to_lowercase();
        match operation["path"].as_str() {
            Some(path) if path.starts_with("members") => {
                change_members(resource, &op, path, &operation["value"])
            }
            Some(path) => set(resource, path, &operation["value"]),
            None => {
                for (path, value) in operation["value"].as_object().unwrap() {
                    set(resource, path, value);
                }
            }
        }
    }
}

fn set(resource: &mut Value, path: &str, value: &Value) {
    let value = match value.as_str() {
        Some("True") => json!(true),
        Some("False") => json!(false),
        Some(id) if path.ends_with(":manager") => json!({"value": id}),
        _ => value.clone(),
    };
    if let Some(name) = path.strip_prefix(ENTERPRISE) {
        resource[ENTERPRISE][&name[1..]] = value;
    } else if let Some((attribute, rest)) = path.split_once("[type eq \"") {
        let (kind, sub) = rest.split_once("\"].").unwrap();
        let elements = resource[attribute].as_array_mut().unwrap();
        elements
            .iter_mut()
            .find(|element| element["type"] == kind)
            .unwrap()[sub] = value;
    } else if let Some((attribute, sub)) = path.split_once('.') {
        resource[attribute][sub] = value;
    } else {
        resource[path] = value;
    }
}

fn change_members(group: &mut Value, op: &str, path: &str, value: &Value) {
    let mut members: Vec<String> = group["members"]
        .as_array()
        .into_iter()
        .flatten()
        .map(id)
        .collect();
    let named: Vec<String> = match path.strip_prefix("members[value eq \"") {
        Some(rest) => vec![rest.trim_end_matches("\"]").to_owned()],
        None => value.as_array().unwrap().iter().map(id).collect(),
    };
    members.retain(|member| !named.contains(member));
    if op == "add" {
        members.extend(named);
    }
    group["members"] = members.iter().map(|id| json!({"value": id})).collect();
}

fn id(member: &Value) -> String {
    member["value"].as_str().unwrap().to_owned()
}
