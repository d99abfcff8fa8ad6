//! Where in a resource an attribute path leads (RFC 7644 section 3.10), for the forms that mappings use:
//! `userName`, `name.givenName`, `emails[type eq "work"].value`, each with or without a schema's URN in front.

use serde_json::{Map, Value};

use super::answer::member;

/// The core schemas: their attributes stand in the resource itself and not in an object under the URN.
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";

/// A path in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// The extension in whose object the attribute stands.
    pub(super) extension: Option<&'a str>,
    attribute: &'a str,
    /// A sub-attribute and the value that chooses the elements.
    slot: Option<(&'a str, Value)>,
    sub: Option<&'a str>,
}

impl<'a> Path<'a> {
    /// Reads a path; `None` when it has another form.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let head = text.find('[').map_or(text, |open| &text[..open]);
        let urn = head.rfind(':').map(|colon| &text[..colon]);
        let rest = urn.map_or(text, |urn| &text[urn.len() + 1..]);
        let is_core = |urn: &&str| {
            let begins = urn.get(..CORE.len());
            begins.is_some_and(|begins| begins.eq_ignore_ascii_case(CORE))
        };
        let (attribute, slot, sub) = match rest.split_once('[') {
            Some((attribute, rest)) => {
                let (condition, rest) = rest.rsplit_once(']')?;
                let sub = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix('.')?),
                };
                (attribute, Some(equality(condition)?), sub)
            }
            None => match rest.split_once('.') {
                Some((attribute, sub)) => (attribute, None, Some(sub)),
                None => (rest, None, None),
            },
        };
        let plain = |name: &str| {
            let of_names = |c: char| c.is_ascii_alphanumeric() || "$-_".contains(c);
            !name.is_empty() && name.chars().all(of_names)
        };
        (plain(attribute) && sub.is_none_or(plain)).then(|| Self {
            extension: urn.filter(|urn| !is_core(urn)),
            attribute,
            slot,
            sub,
        })
    }

    /// Attribute and sub-attribute in lower case, without the value that chooses elements.
    pub(super) fn name(&self) -> String {
        let attribute = self.attribute.to_lowercase();
        match self.sub {
            Some(sub) => format!("{attribute}.{}", sub.to_lowercase()),
            None => attribute,
        }
    }

    /// All values at this path; empty when there is none.
    pub(super) fn read<'r>(&self, resource: &'r Map<String, Value>) -> Vec<&'r Value> {
        let home = match self.extension {
            Some(urn) => member(resource, urn).and_then(Value::as_object),
            None => Some(resource),
        };
        let Some(value) = home.and_then(|home| member(home, self.attribute)) else {
            return Vec::new();
        };
        let elements = match value {
            Value::Array(elements) => elements.iter().collect(),
            one => vec![one],
        };
        let chosen = elements.into_iter().filter(|element| self.chooses(element));
        let values = chosen.filter_map(|element| match (self.sub, element) {
            (Some(sub), Value::Object(element)) => member(element, sub),
            (Some(_), _) => None,
            (None, element) => Some(element),
        });
        values.filter(|value| !value.is_null()).collect()
    }

    /// Puts a value in the place of what is there, and makes what leads to it.
    pub(super) fn write(&self, resource: &mut Map<String, Value>, value: &Value) {
        let Some(place) = self.home(resource) else {
            return;
        };
        let Some((name, wanted)) = &self.slot else {
            return put(place, self.sub, value);
        };
        let Some(elements) = as_array(place) else {
            return;
        };
        if !elements.iter().any(|element| self.chooses(element)) {
            elements.push(Map::from_iter([((*name).to_owned(), wanted.clone())]).into());
        }
        for element in elements.iter_mut().filter(|element| self.chooses(element)) {
            put(element, self.sub, value);
        }
    }

    /// Takes away what is there.
    pub(super) fn remove(&self, resource: &mut Map<String, Value>) {
        if self.read(resource).is_empty() {
            return;
        }
        let Some(place) = self.home(resource) else {
            return;
        };
        if self.slot.is_none() {
            return put(place, self.sub, &Value::Null);
        }
        let Some(elements) = as_array(place) else {
            return;
        };
        match self.sub {
            None => elements.retain(|element| !self.chooses(element)),
            sub => {
                for element in elements.iter_mut().filter(|element| self.chooses(element)) {
                    put(element, sub, &Value::Null);
                }
            }
        }
    }

    /// Where the attribute stands; it is made when there is none.
    fn home<'r>(&self, resource: &'r mut Map<String, Value>) -> Option<&'r mut Value> {
        let home = match self.extension {
            Some(urn) => as_object(entry(resource, urn))?,
            None => resource,
        };
        Some(entry(home, self.attribute))
    }

    fn chooses(&self, element: &Value) -> bool {
        let Some((name, wanted)) = &self.slot else {
            return true;
        };
        let found = element
            .as_object()
            .and_then(|element| member(element, name));
        found.is_some_and(|found| same(found, wanted))
    }
}

/// Whether two values of an attribute are one and the same to a person: texts in any case, and a truth value or number
/// like its text.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => text.to_lowercase(),
        other => other.to_string(),
    };
    text(one) == text(other)
}

/// `type eq "work"` as name and value.
fn equality(condition: &str) -> Option<(&str, Value)> {
    let (name, rest) = condition.trim().split_once(' ')?;
    let rest = rest.trim_start();
    let literal = rest
        .get(..2)
        .filter(|operator| operator.eq_ignore_ascii_case("eq"))
        .and_then(|_| rest.get(2..))?;
    Some((name, serde_json::from_str(literal.trim()).ok()?))
}

/// The member with this name in any case; a new one when there is none.
fn entry<'r>(object: &'r mut Map<String, Value>, name: &str) -> &'r mut Value {
    let known = object.keys().find(|key| key.eq_ignore_ascii_case(name));
    let key = known.cloned().unwrap_or_else(|| name.to_owned());
    object.entry(key).or_insert(Value::Null)
}

/// Sets a value, or one of its sub-attributes.
fn put(place: &mut Value, sub: Option<&str>, value: &Value) {
    let place = match sub {
        Some(sub) => as_object(place).map(|object| entry(object, sub)),
        None => Some(place),
    };
    if let Some(place) = place {
        *place = value.clone();
    }
}

/// The object that a value is, or becomes.
fn as_object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

/// The elements of a list. What was one value becomes a list of it.
fn as_array(value: &mut Value) -> Option<&mut Vec<Value>> {
    if !value.is_array() {
        let one = value.take();
        let elements = if one.is_null() { vec![] } else { vec![one] };
        *value = Value::Array(elements);
    }
    value.as_array_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn ada() -> Value {
        json!({
            "userName": "ada",
            "name": {"givenName": "Ada"},
            "emails": [{"type": "work", "value": "a@x"}, {"type": "home", "value": "b@x"}],
            "roles": [{"primary": true, "value": "r"}],
            ENTERPRISE: {"department": "R&D"},
        })
    }

    /// Paths of every form, what is there, and the resource after "new" was written.
    fn cases() -> Vec<(String, Vec<Value>)> {
        let some = |path: &str, values: &[&str]| {
            let values = values.iter().map(|text| json!(text)).collect();
            (path.to_owned(), values)
        };
        vec![
            some("userName", &["ada"]),
            some("USERNAME", &["ada"]),
            some(
                "urn:ietf:params:scim:schemas:core:2.0:User:userName",
                &["ada"],
            ),
            some("name.givenName", &["Ada"]),
            some("name.familyName", &[]),
            some("emails.value", &["a@x", "b@x"]),
            some(r#"emails[type eq "work"].value"#, &["a@x"]),
            some(r#"emails[type eq"Home"].value"#, &["b@x"]),
            some(r#"emails[type eq "other"].value"#, &[]),
            some(r#"roles[primary eq "True"].value"#, &["r"]),
            some("roles[primary eq true].value", &["r"]),
            some(&format!("{ENTERPRISE}:department"), &["R&D"]),
            some(&format!("{ENTERPRISE}:manager.value"), &[]),
            some("urn:example:2.0:User:badge", &[]),
        ]
    }

    #[test]
    fn a_path_of_any_form_is_read() {
        let ada = ada();
        for (path, expected) in cases() {
            let found = Path::parse(&path).unwrap();
            let found = found.read(ada.as_object().unwrap());
            assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_what_is_removed_is_gone() {
        for (path, _) in cases()
            .into_iter()
            .filter(|(path, _)| path != "emails.value")
        {
            let mut ada = ada();
            let resource = ada.as_object_mut().unwrap();
            let place = Path::parse(&path).unwrap();
            place.write(resource, &json!("new"));
            assert_eq!(place.read(resource), [&json!("new")], "{path}");
            place.remove(resource);
            assert!(place.read(resource).is_empty(), "{path}");
        }
    }

    #[test]
    fn another_form_is_none() {
        for text in [
            "",
            "a..b",
            "a b",
            r#"emails[type ne "x"].value"#,
            r#"emails[type eq "x"#,
            r#"emails[type eq work].value"#,
            "name.",
        ] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
