//! Where in a resource a mapping writes to.

use portreeve_mapping::mapping::{Assigned, Flow, Scalar, Target, TargetKind};
use portreeve_scim::filter::{Filter, Literal, Op};
use portreeve_scim::path::PatchPath;
use serde_json::{Map, Value, json};

use super::compare::{has_value, same_text, shown_text};
use crate::target::member;

/// Where a value is: in an extension or not, an attribute, perhaps an element of it, perhaps a part of that.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    path: String,
    extension: Option<String>,
    attribute: String,
    /// The parts by which one element of a list is chosen.
    chosen: Vec<(String, Literal)>,
    sub: Option<String>,
    /// Whether the elements of the list are objects.
    complex: bool,
}

impl Place {
    /// Where a mapping writes to. What is no SCIM path is the name of an attribute.
    pub(super) fn of(target: &Target) -> Self {
        let text = target.canonical.as_str();
        let parsed = PatchPath::parse(text).ok();
        let chosen = parsed.as_ref().and_then(|path| path.filter.as_ref());
        let whole = parsed.as_ref().map_or(text, |path| path.attribute.as_str());
        let (extension, name) = match whole.rsplit_once(':') {
            Some((urn, name)) => (Some(urn.to_owned()), name),
            None => (None, whole),
        };
        let extension = extension.filter(|urn| !is_core(urn));
        let (attribute, sub) = match name.split_once('.') {
            Some((attribute, sub)) => (attribute, Some(sub.to_owned())),
            None => (name, None),
        };
        let sub = parsed.as_ref().and_then(|path| path.sub.clone()).or(sub);
        let list = target.multi_valued && chosen.is_none();
        Self {
            // A list is written whole: a part of all of its elements is no place for several values.
            path: match (&sub, list) {
                (Some(sub), true) => text.trim_end_matches(&format!(".{sub}")).to_owned(),
                _ => text.to_owned(),
            },
            extension,
            attribute: attribute.to_owned(),
            chosen: chosen.map(choice).unwrap_or_default(),
            complex: sub.is_some() || target.kind == TargetKind::Complex,
            sub,
        }
    }

    /// The path for a PATCH.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The part of an element that holds a value of a list.
    pub(super) fn part(&self) -> &str {
        self.sub.as_deref().unwrap_or("value")
    }

    /// What a resource has there: of a list, the whole list; of several elements that are chosen, the part of the first
    /// that has one.
    pub(super) fn shown<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        let attribute = self.attribute(resource)?;
        match &self.sub {
            Some(sub) if !self.chosen.is_empty() => {
                let parts = self.elements(attribute).filter_map(|it| member(it, sub));
                parts.into_iter().find(|value| has_value(value))
            }
            Some(sub) if !attribute.is_array() => member(attribute.as_object()?, sub),
            _ => Some(attribute),
        }
    }

    /// Whether any value that a resource has there is a certain one.
    pub(super) fn holds(&self, resource: &Map<String, Value>, is: impl Fn(&Value) -> bool) -> bool {
        match (&self.sub, self.attribute(resource)) {
            (Some(sub), Some(attribute)) if !self.chosen.is_empty() => self
                .elements(attribute)
                .filter_map(|element| member(element, sub))
                .any(is),
            _ => is(self.shown(resource).unwrap_or(&Value::Null)),
        }
    }

    /// Whether a resource has an element that is chosen.
    pub(super) fn has_element(&self, resource: &Map<String, Value>) -> bool {
        self.attribute(resource)
            .is_some_and(|attribute| self.elements(attribute).next().is_some())
    }

    /// Whether this would say of an element only that it is the primary one, as nothing else of it is written.
    pub(super) fn is_lonely_primary(&self, others: &[(Self, &Assigned<'_>)]) -> bool {
        let primary = |place: &Self| {
            let sub = place.sub.as_deref().unwrap_or_default();
            sub.eq_ignore_ascii_case("primary") && !place.chosen.is_empty()
        };
        primary(self)
            && !others.iter().any(|(other, assigned)| {
                self.is_beside(other) && !primary(other) && assigned.value != Flow::Null
            })
    }

    /// Where a work element says that it is the primary one, if no mapping speaks of primary ones in that list.
    pub(super) fn work_primary(&self, others: &[(Self, &Assigned<'_>)]) -> Option<Self> {
        let is_primary = |name: &String| name.eq_ignore_ascii_case("primary");
        let speaks = |place: &Self| {
            let same = place.extension == self.extension && place.attribute == self.attribute;
            let mut names = place.chosen.iter().map(|(name, _)| name).chain(&place.sub);
            same && names.any(is_primary)
        };
        let work = [("type".to_owned(), Literal::String("work".to_owned()))];
        let applies = self.chosen == work && !others.iter().any(|(other, _)| speaks(other));
        applies.then(|| Self {
            sub: Some("primary".to_owned()),
            ..self.clone()
        })
    }

    /// Writes a value into a resource that is being made.
    pub(super) fn write(&self, body: &mut Map<String, Value>, value: Value) {
        let home = match &self.extension {
            Some(urn) => object(body.entry(urn.clone()).or_insert(Value::Null)),
            None => Some(body),
        };
        let Some(entry) =
            home.map(|home| home.entry(self.attribute.clone()).or_insert(Value::Null))
        else {
            return;
        };
        let Some(sub) = self.sub.as_ref().filter(|_| !value.is_array()) else {
            *entry = value;
            return;
        };
        let parts = match self.chosen.is_empty() {
            true => object(entry),
            false => self.element(entry),
        };
        if let Some(parts) = parts {
            parts.insert(sub.clone(), value);
        }
    }

    fn is_beside(&self, other: &Self) -> bool {
        (&self.extension, &self.attribute, &self.chosen)
            == (&other.extension, &other.attribute, &other.chosen)
    }

    fn attribute<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        let home = match &self.extension {
            Some(urn) => member(resource, urn)?.as_object()?,
            None => resource,
        };
        member(home, &self.attribute)
    }

    /// The elements that are chosen. Some servers show a list of one as the element itself.
    fn elements<'r>(&self, attribute: &'r Value) -> impl Iterator<Item = &'r Map<String, Value>> {
        let list = match attribute {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        list.iter()
            .filter_map(Value::as_object)
            .filter(|element| self.chooses(element))
    }

    fn chooses(&self, element: &Map<String, Value>) -> bool {
        self.chosen.iter().all(|(name, literal)| {
            let have = member(element, name).map(shown_text);
            have.is_some_and(|have| same_text(&have, &shown_text(&literal_json(literal)), false))
        })
    }

    /// The element that is chosen, made where there is none yet.
    fn element<'b>(&self, list: &'b mut Value) -> Option<&'b mut Map<String, Value>> {
        if !list.is_array() {
            *list = Value::Array(Vec::new());
        }
        let elements = list.as_array_mut()?;
        let chosen = |element: &Value| element.as_object().is_some_and(|it| self.chooses(it));
        let index = elements.iter().position(chosen).unwrap_or_else(|| {
            elements.push(Value::Object(self.new_element()));
            elements.len() - 1
        });
        elements.get_mut(index)?.as_object_mut()
    }

    /// What the choice says of an element becomes part of it. `primary` is a boolean, though Entra's mappings compare
    /// it with a word.
    fn new_element(&self) -> Map<String, Value> {
        let parts = self.chosen.iter().map(|(name, literal)| {
            let value = literal_json(literal);
            let boolean = name.eq_ignore_ascii_case("primary");
            let value = match shown_text(&value).to_lowercase().as_str() {
                "true" if boolean => Value::Bool(true),
                "false" if boolean => Value::Bool(false),
                _ => value,
            };
            (name.clone(), value)
        });
        parts.collect()
    }
}

/// A value as an element of a list: an object where the list has objects, and where nobody knows, as Entra sends it.
pub(super) fn element(place: &Place, scalar: &Scalar, there: Option<&Value>) -> Value {
    let value = scalar.to_json();
    let plain = || {
        let first = there
            .and_then(Value::as_array)
            .and_then(|list| list.first());
        !place.complex && first.is_some_and(|first| !first.is_object())
    };
    match value.is_object() || plain() {
        true => value,
        false => json!({ place.part(): value }),
    }
}

fn is_core(urn: &str) -> bool {
    [super::USER, super::GROUP]
        .iter()
        .any(|core| core.eq_ignore_ascii_case(urn))
}

/// The parts that a choice by equality asks for.
fn choice(filter: &Filter) -> Vec<(String, Literal)> {
    match filter {
        Filter::Compare {
            path,
            op: Op::Eq,
            value,
        } => vec![(path.as_str().to_owned(), value.clone())],
        Filter::And(terms) => terms.iter().flat_map(choice).collect(),
        _ => Vec::new(),
    }
}

fn literal_json(literal: &Literal) -> Value {
    match literal {
        Literal::String(text) => json!(text),
        Literal::Number(number) => json!(number),
        Literal::Bool(truth) => json!(truth),
        Literal::Null => Value::Null,
    }
}

/// The value as an object, which it is made if it is none.
fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}
