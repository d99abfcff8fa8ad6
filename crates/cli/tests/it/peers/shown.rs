//! What a target shows, read over SCIM page by page, in the terms of what is expected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::expected::{Attributes, Expected};

const PAGE: usize = 100;

/// How many differences are worth reading.
const SOME: usize = 20;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What every resource has, what only a target sets, and what follows from another attribute.
const ASIDE: [&str; 5] = ["id", "schemas", "meta", "groups", "primary"];

/// Reads what a server has, past whoever else talks to it.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) base: String,
    pub(super) token: String,
    http: reqwest::Client,
}

/// Everything that a target has.
#[derive(Default)]
pub(super) struct Shown {
    users: Vec<Map<String, Value>>,
    groups: Vec<Map<String, Value>>,
    /// Keys by the ids of what it had and has no more.
    gone: BTreeMap<String, String>,
}

impl Shown {
    /// Reads everything. What it showed before is remembered, so that it can be told who is gone.
    pub(super) async fn read(reader: &Reader, before: &Self) -> Self {
        let mut shown = Self {
            users: all(reader, "Users").await,
            groups: all(reader, "Groups").await,
            gone: BTreeMap::new(),
        };
        let present = shown.present();
        shown.gone = before.present();
        shown.gone.extend(before.gone.clone());
        shown.gone.retain(|id, _| !present.contains_key(id));
        shown
    }

    /// Fails with the ways in which this is not what it should be.
    pub(super) fn verify(&self, expected: &Expected, when: &str) {
        let differences = self.differences(expected);
        let (some, count) = (differences.iter().take(SOME), differences.len());
        let some: Vec<_> = some.collect();
        assert!(count == 0, "{when}: {count} differences: {some:#?}");
    }

    fn differences(&self, expected: &Expected) -> Vec<String> {
        let keys = self.keys();
        let mut differences = Vec::new();
        for (kind, shown, expected) in [
            ("user", &self.users, &expected.users),
            ("group", &self.groups, &expected.groups),
        ] {
            let mut seen = BTreeSet::new();
            for resource in shown {
                let key = text(resource, "externalId");
                if !seen.insert(key.clone()) {
                    differences.push(format!("{kind} {key} is there twice"));
                }
                let shown = attributes(resource, &keys);
                match expected.get(&key) {
                    Some(expected) => compare(kind, &key, &shown, expected, &mut differences),
                    None => {
                        differences.push(format!("{kind} {key} should not be there: {shown:?}"))
                    }
                }
            }
            let missing = expected.keys().filter(|key| !seen.contains(*key));
            differences.extend(missing.map(|key| format!("{kind} {key} is missing")));
        }
        differences
    }

    /// Every resource by its key, whole but for ids, which no two targets have in common.
    pub(super) fn without_ids(&self) -> BTreeMap<String, Map<String, Value>> {
        let keys = self.keys();
        let all = self.users.iter().chain(&self.groups);
        let without_ids = all.map(|resource| {
            let mut resource = resource.clone();
            resource.remove("id");
            if let Some(members) = resource.get_mut("members") {
                *members = sorted(members, &keys).into();
            }
            if let Some(manager) = resource
                .get_mut(ENTERPRISE)
                .and_then(|it| it.get_mut("manager"))
            {
                *manager = referred(manager, &keys).into();
            }
            (text(&resource, "externalId"), resource)
        });
        without_ids.collect()
    }

    /// The key of each resource by its id; of what is gone, as [`gone`] writes it.
    fn keys(&self) -> BTreeMap<String, String> {
        let mut keys = self.present();
        keys.extend(self.gone.iter().map(|(id, key)| (id.clone(), gone(key))));
        keys
    }

    fn present(&self) -> BTreeMap<String, String> {
        let all = self.users.iter().chain(&self.groups);
        all.map(|resource| (text(resource, "id"), text(resource, "externalId")))
            .collect()
    }
}

impl Reader {
    pub(super) fn new(base: String, token: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build();
        Self {
            base,
            token,
            http: http.unwrap(),
        }
    }

    /// The answer to a path below the base.
    pub(super) async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.base);
        let answer = self.http.get(&url).bearer_auth(&self.token).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200, "GET {url}");
        answer.json().await.unwrap()
    }
}

/// All resources of one kind.
async fn all(reader: &Reader, endpoint: &str) -> Vec<Map<String, Value>> {
    let mut found: Vec<Map<String, Value>> = Vec::new();
    loop {
        let page = reader
            .get(&format!(
                "/{endpoint}?startIndex={}&count={PAGE}",
                found.len() + 1
            ))
            .await;
        let resources = page["Resources"].as_array().cloned().unwrap_or_default();
        let total = page["totalResults"]
            .as_u64()
            .expect("a list says how much there is");
        let empty = resources.is_empty();
        found.extend(
            resources
                .into_iter()
                .filter_map(|resource| resource.as_object().cloned()),
        );
        if empty || found.len() as u64 >= total {
            assert_eq!(
                found.len() as u64,
                total,
                "all pages of {endpoint} are as many as it says"
            );
            return found;
        }
    }
}

/// A resource as paths and values.
fn attributes(resource: &Map<String, Value>, keys: &BTreeMap<String, String>) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in resource {
        match (name.as_str(), value) {
            ("members", _) => {
                let members = sorted(value, keys);
                if !members.is_empty() {
                    attributes.insert(name.clone(), members.into());
                }
            }
            (ENTERPRISE, Value::Object(extension)) => {
                for (name, value) in extension {
                    match name.as_str() {
                        "manager" => {
                            _ = attributes.insert(name.clone(), referred(value, keys).into())
                        }
                        _ => flatten(name, value, &mut attributes),
                    }
                }
            }
            _ => flatten(name, value, &mut attributes),
        }
    }
    attributes
}

fn flatten(path: &str, value: &Value, attributes: &mut Attributes) {
    let last = path.rsplit('.').next().unwrap_or(path);
    match value {
        _ if ASIDE.contains(&last) => {}
        Value::Null => {}
        Value::Object(parts) => {
            for (name, part) in parts {
                flatten(&format!("{path}.{name}"), part, attributes);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                let mut element = element.as_object().cloned().unwrap_or_default();
                let of_type = element.remove("type");
                let of_type = of_type.as_ref().and_then(Value::as_str).unwrap_or("?");
                flatten(&format!("{path}[{of_type}]"), &element.into(), attributes);
            }
        }
        value => {
            if let Some(other) = attributes.insert(path.to_owned(), value.clone()) {
                attributes.insert(format!("{path} (again)"), other);
            }
        }
    }
}

/// The keys of members.
fn sorted(members: &Value, keys: &BTreeMap<String, String>) -> Vec<String> {
    let members = members.as_array().into_iter().flatten();
    let mut members: Vec<_> = members.map(|member| referred(member, keys)).collect();
    members.sort();
    members
}

/// The key of what a member or manager refers to.
fn referred(reference: &Value, keys: &BTreeMap<String, String>) -> String {
    let id = reference["value"].as_str().unwrap_or_default();
    let key = keys.get(id).cloned();
    key.unwrap_or_else(|| format!("{id}, whom nobody knows"))
}

/// How a reference to a resource is written that was there and has been deleted.
pub(super) fn gone(key: &str) -> String {
    format!("{key}, who is gone")
}

fn compare(
    kind: &str,
    key: &str,
    shown: &Attributes,
    expected: &Attributes,
    differences: &mut Vec<String>,
) {
    let paths: BTreeSet<_> = shown.keys().chain(expected.keys()).collect();
    for path in paths {
        let (shown, expected) = (shown.get(path), expected.get(path));
        if shown != expected {
            let (shown, expected) = told_apart(shown, expected);
            differences.push(format!(
                "{kind} {key} {path}: {shown} instead of {expected}"
            ));
        }
    }
}

/// Two values for people; of two lists, what only one of them has.
fn told_apart(one: Option<&Value>, other: Option<&Value>) -> (String, String) {
    let say = |value: Option<&Value>, besides: Option<&Value>| match (value, besides) {
        (Some(Value::Array(list)), Some(Value::Array(besides))) => {
            let own = list.iter().filter(|element| !besides.contains(element));
            Value::from_iter(own.cloned()).to_string()
        }
        (value, _) => value.map_or("nothing".to_owned(), Value::to_string),
    };
    (say(one, other), say(other, one))
}

fn text(resource: &Map<String, Value>, name: &str) -> String {
    resource
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
