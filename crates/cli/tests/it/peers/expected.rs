//! What a target must show after each cycle: worked out from the company alone, by rules written here a second time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::company::{Company, Person};

/// The mappings that [`Expected::follow`] says in Rust.
pub(super) const MAPPINGS: &str = r#"
[[objectMappings]]
source = "User"
target = "User"
attributeMappings = [
    { target = "userName", expression = 'ToLower(Append([mailNickname], "@contoso.example"))', matchingPriority = 1 },
    { target = "externalId", attribute = "employeeId" },
    { target = "active", expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    { target = "displayName", attribute = "displayName" },
    { target = "name.givenName", attribute = "givenName" },
    { target = "name.familyName", attribute = "surname" },
    { target = "name.formatted", expression = 'Join(" ", [givenName], [surname])' },
    { target = "title", attribute = "jobTitle", flowNulls = true },
    { target = "userType", constant = "Employee" },
    { target = "preferredLanguage", attribute = "preferredLanguage", defaultValue = "en" },
    { target = 'emails[type eq "work"].value', attribute = "mail" },
    { target = 'phoneNumbers[type eq "work"].value', attribute = "telephoneNumber" },
    { target = 'phoneNumbers[type eq "mobile"].value', attribute = "mobile", flowNulls = true },
    { target = 'addresses[type eq "work"].locality', attribute = "city" },
    { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", attribute = "employeeId" },
    { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", attribute = "department" },
    { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", attribute = "manager", flowNulls = true },
]

[[objectMappings]]
source = "Group"
target = "Group"
attributeMappings = [
    { target = "displayName", attribute = "displayName", matchingPriority = 1 },
    { target = "externalId", attribute = "mailNickname" },
    { target = "members", attribute = "members" },
]
"#;

/// Attribute paths with their values; people and groups that are referred to are named by their keys.
pub(super) type Attributes = BTreeMap<String, Value>;

/// Resources by their keys, which are their `externalId`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Expected {
    pub(super) users: BTreeMap<String, Attributes>,
    pub(super) groups: BTreeMap<String, Attributes>,
    /// By group, who was a member at the time of being deleted.
    pub(super) left: BTreeMap<String, BTreeSet<String>>,
}

impl Expected {
    /// What a cycle makes of the target that shows this, now that the company is like that.
    pub(super) fn follow(&mut self, company: &Company) {
        self.leave(company);
        for (key, person) in &company.people {
            // Nobody who may not sign in is made.
            if person.enabled && !self.users.contains_key(key) {
                let made = Attributes::from([("preferredLanguage".to_owned(), json!("en"))]);
                self.users.insert(key.clone(), made);
            }
            if let Some(user) = self.users.get_mut(key) {
                flow(user, key, person);
            }
        }
        self.refer(company);
    }

    /// Takes out who is not in the company any more.
    fn leave(&mut self, company: &Company) {
        let stays =
            |key: &String| company.people.contains_key(key) || company.groups.contains_key(key);
        self.users.retain(|key, _| stays(key));
        self.groups.retain(|key, _| stays(key));
        self.left.retain(|key, _| stays(key));
        for (key, group) in &self.groups {
            let members = group
                .get("members")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let members = members.filter_map(Value::as_str).map(str::to_owned);
            let left = self.left.entry(key.clone()).or_default();
            left.extend(members.filter(|member| !stays(member)));
        }
    }

    /// Managers and members: those who are there.
    fn refer(&mut self, company: &Company) {
        let there: BTreeSet<String> = self.users.keys().cloned().collect();
        for (key, person) in &company.people {
            let manager = person
                .manager
                .as_ref()
                .filter(|manager| there.contains(*manager));
            if let Some(user) = self.users.get_mut(key) {
                set_or_remove(user, "manager", manager.map(|manager| json!(manager)));
            }
        }
        self.groups = company
            .groups
            .iter()
            .map(|(key, group)| {
                let is_there = |member: &&String| {
                    there.contains(*member) || company.groups.contains_key(*member)
                };
                let members: Vec<_> = group.members.iter().filter(is_there).collect();
                let mut attributes = Attributes::from([
                    ("displayName".to_owned(), json!(group.name)),
                    ("externalId".to_owned(), json!(key)),
                ]);
                set_or_remove(
                    &mut attributes,
                    "members",
                    (!members.is_empty()).then(|| json!(members)),
                );
                (key.clone(), attributes)
            })
            .collect();
    }
}

fn flow(user: &mut Attributes, key: &str, person: &Person) {
    let formatted = match &person.given_name {
        Some(given) => format!("{given} {}", person.surname),
        None => person.surname.clone(),
    };
    let login = person.login.to_lowercase();
    // A value that the source has lost stays, as with Entra.
    let always: [(&str, Option<Value>); 13] = [
        ("userName", Some(json!(format!("{login}@contoso.example")))),
        ("externalId", Some(json!(key))),
        ("active", Some(json!(person.enabled))),
        ("displayName", Some(json!(person.display_name))),
        ("name.givenName", text(&person.given_name)),
        ("name.familyName", Some(json!(person.surname))),
        ("name.formatted", Some(json!(formatted))),
        ("userType", Some(json!("Employee"))),
        ("preferredLanguage", text(&person.language)),
        ("emails[work].value", text(&person.mail)),
        ("phoneNumbers[work].value", text(&person.phone)),
        ("addresses[work].locality", text(&person.city)),
        ("employeeNumber", Some(json!(key))),
    ];
    for (path, value) in always {
        if let Some(value) = value {
            user.insert(path.to_owned(), value);
        }
    }
    if let Some(department) = text(&person.department) {
        user.insert("department".to_owned(), department);
    }
    // Unless its mapping lets nulls flow.
    set_or_remove(user, "title", text(&person.job_title));
    set_or_remove(user, "phoneNumbers[mobile].value", text(&person.mobile));
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_ref().map(|value| json!(value))
}

fn set_or_remove(attributes: &mut Attributes, path: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(attributes.insert(path.to_owned(), value)),
        None => drop(attributes.remove(path)),
    }
}
