//! A SCIM server in memory, just large enough for what the sample company sends, in both dialects.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::double::{Reply, Seen};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Users and groups in the order of their creation. `id` is the kind's first letter and a number.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    pub(crate) users: Vec<Value>,
    pub(crate) groups: Vec<Value>,
    /// How many there were ever.
    made: usize,
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
                new["id"] = json!(format!("{}{}", &kind[..1], self.made));
                self.made += 1;
                all.push(new.clone());
                Reply::scim(201, &new)
            }
            ("DELETE", Some(id)) => {
                let before = all.len();
                all.retain(|known| known["id"] != id);
                Reply::empty(if all.len() < before { 204 } else { 404 })
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
        members(group, &self.names("userName"))
    }

    /// An attribute of each user by id.
    fn names(&self, attribute: &str) -> HashMap<&str, &str> {
        self.users
            .iter()
            .map(|user| (text(&user["id"]), text(&user[attribute])))
            .collect()
    }

    pub(crate) fn user(&self, user_name: &str) -> &Value {
        self.users
            .iter()
            .find(|user| user["userName"] == user_name)
            .unwrap_or(&Value::Null)
    }

    /// Everything, in an order and with names that do not depend on when something was created.
    pub(crate) fn snapshot(&self) -> Value {
        let (object_ids, names) = (self.names("externalId"), self.names("userName"));
        let mut people = BTreeMap::new();
        for user in &self.users {
            let mut user = user.clone();
            let manager = user[ENTERPRISE]["manager"]["value"]
                .as_str()
                .and_then(|id| object_ids.get(id));
            user[ENTERPRISE]["manager"] = json!(manager);
            user["id"] = Value::Null;
            people.insert(text(&user["externalId"]).to_owned(), user);
        }
        let groups = self.groups.iter().map(|group| {
            let members = members(group, &names);
            (
                text(&group["displayName"]),
                json!({"id": group["externalId"], "members": members}),
            )
        });
        let groups: BTreeMap<&str, Value> = groups.collect();
        json!({"people": people, "groups": groups})
    }
}

fn members<'a>(group: &Value, names: &HashMap<&str, &'a str>) -> Vec<&'a str> {
    let members = group["members"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut members: Vec<&str> = members
        .iter()
        .map(|member| names[text(&member["value"])])
        .collect();
    members.sort_unstable();
    members
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
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
