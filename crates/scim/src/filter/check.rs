//! Binding a filter to a resource type: every path is resolved once, every comparison is one the type allows.

use serde_json::{Map, Value};

use super::evaluate::{Wanted, has_value};
use super::{Filter, Literal, Op};
use crate::path::AttributePath;
use crate::schema::{Attribute, Kind, Resolved, ResourceType, Returned};
use crate::{Error, Leniency, Profile};

impl Filter {
    /// Binds the filter to a resource type.
    ///
    /// # Errors
    /// `invalidFilter` for comparisons that RFC 7644 section 3.4.2.2 refuses (order of booleans and binaries), that
    /// cannot ever hold (a number against a string attribute, `co` on a date), and for attributes that are never
    /// returned, such as `password`: comparing them would give them away letter by letter.
    pub fn check<'t>(
        &self,
        resource_type: &'t ResourceType,
        profile: Profile,
    ) -> Result<Checked<'t>, Error> {
        Checked::new(self, Scope::Resource(resource_type), profile)
    }

    /// Binds a filter that stands in brackets to the attribute before them; its paths are sub-attributes.
    ///
    /// # Errors
    /// As for [`Filter::check`].
    pub fn check_elements<'t>(
        &self,
        attribute: &'t Attribute,
        profile: Profile,
    ) -> Result<Checked<'t>, Error> {
        Checked::new(self, Scope::Element(attribute), profile)
    }
}

/// A filter bound to a resource type: attributes are resolved, literals prepared.
///
/// Attributes that the type does not have never match, whatever the operator: a query over all types at once meets
/// them regularly (RFC 7644 section 3.4.2.1). [`Checked::unknown`] lists them.
#[derive(Debug, Clone)]
pub struct Checked<'t> {
    root: Node<'t>,
    unknown: Vec<String>,
}

impl<'t> Checked<'t> {
    /// Whether a resource satisfies the filter. `resource` is the whole representation with canonical names,
    /// including `id`, `meta` and `groups`.
    ///
    /// `ne` holds where the attribute has no value. On a list a comparison holds when any element satisfies it.
    pub fn matches(&self, resource: &Map<String, Value>) -> bool {
        self.root.holds(Element::Object(resource))
    }

    /// Whether one element satisfies a filter from [`Filter::check_elements`].
    pub fn matches_element(&self, element: &Value) -> bool {
        self.root.holds(Element::of(element))
    }

    /// The paths that name no attribute, in the order of the filter.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    fn new(filter: &Filter, scope: Scope<'t>, profile: Profile) -> Result<Self, Error> {
        let mut checker = Checker {
            profile,
            unknown: Vec::new(),
        };
        let root = checker.node(filter, scope)?;
        Ok(Self {
            root,
            unknown: checker.unknown,
        })
    }
}

#[derive(Debug, Clone)]
enum Node<'t> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Never,
    Present(Place<'t>),
    Compare {
        place: Place<'t>,
        attribute: &'t Attribute,
        op: Op,
        wanted: Wanted,
    },
    Element(Place<'t>, Box<Self>),
}

/// Where a value is found, seen from a resource or an element.
#[derive(Debug, Clone, Copy)]
enum Place<'t> {
    Extension(&'t str),
    Attribute {
        extension: Option<&'t str>,
        name: &'t str,
        sub: Option<&'t str>,
    },
    /// The element itself; the elements of a list of strings are their own `value`.
    Itself,
}

/// What filters are evaluated on.
#[derive(Debug, Clone, Copy)]
enum Element<'v> {
    Object(&'v Map<String, Value>),
    Single(&'v Value),
}

impl<'v> Element<'v> {
    fn of(value: &'v Value) -> Self {
        match value {
            Value::Object(members) => Self::Object(members),
            other => Self::Single(other),
        }
    }
}

impl Node<'_> {
    fn holds(&self, element: Element<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(element)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(element)),
            Self::Not(node) => !node.holds(element),
            Self::Never => false,
            Self::Present(place) => place.any(element, |value| value.is_some_and(has_value)),
            Self::Compare {
                place,
                attribute,
                op,
                wanted,
            } => place.any(element, |value| wanted.holds(attribute, *op, value)),
            Self::Element(place, node) => place.any(element, |value| {
                value.is_some_and(|value| has_value(value) && node.holds(Element::of(value)))
            }),
        }
    }
}

impl Place<'_> {
    /// Whether any value at this place passes; a place without a value is asked once, with `None`.
    fn any(&self, element: Element<'_>, test: impl Fn(Option<&Value>) -> bool) -> bool {
        let (found, sub) = match (self, element) {
            (Self::Itself, Element::Single(value)) => (Some(value), None),
            (Self::Itself, Element::Object(_)) | (_, Element::Single(_)) => (None, None),
            (Self::Extension(urn), Element::Object(members)) => (members.get(*urn), None),
            (
                Self::Attribute {
                    extension,
                    name,
                    sub,
                },
                Element::Object(members),
            ) => {
                let members = match extension {
                    Some(urn) => members.get(*urn).and_then(Value::as_object),
                    None => Some(members),
                };
                (members.and_then(|members| members.get(*name)), *sub)
            }
        };
        each(found, |value| match sub {
            Some(sub) => each(value.and_then(|value| value.get(sub)), &test),
            None => test(value),
        })
    }
}

/// Whether a value or any element of it, if it is a list, passes. No value and an empty list count as `None`.
fn each(value: Option<&Value>, test: impl Fn(Option<&Value>) -> bool) -> bool {
    match value {
        Some(Value::Array(elements)) if !elements.is_empty() => {
            elements.iter().any(|element| test(Some(element)))
        }
        Some(Value::Array(_) | Value::Null) | None => test(None),
        one => test(one),
    }
}

#[derive(Clone, Copy)]
enum Scope<'t> {
    Resource(&'t ResourceType),
    Element(&'t Attribute),
}

impl<'t> Scope<'t> {
    fn find(self, path: &AttributePath, profile: Profile) -> Option<Found<'t>> {
        match self {
            Self::Resource(resource_type) => resource_type.resolve(path, profile).map(Found::of),
            Self::Element(parent) if parent.kind != Kind::Complex => path
                .as_str()
                .eq_ignore_ascii_case("value")
                .then_some(Found {
                    place: Place::Itself,
                    attribute: Some(parent),
                    lists: false,
                }),
            Self::Element(parent) => parent.sub(path.as_str()).map(|sub| Found {
                place: Place::Attribute {
                    extension: None,
                    name: &sub.name,
                    sub: None,
                },
                attribute: Some(sub),
                lists: sub.multi_valued,
            }),
        }
    }
}

/// A place and the attribute there; no attribute for a whole extension.
struct Found<'t> {
    place: Place<'t>,
    attribute: Option<&'t Attribute>,
    lists: bool,
}

impl<'t> Found<'t> {
    fn of(resolved: Resolved<'t>) -> Self {
        let extension = resolved.extension.map(|schema| schema.id.as_str());
        match (resolved.attribute, extension) {
            (None, urn) => Self {
                place: Place::Extension(urn.unwrap_or_default()),
                attribute: None,
                lists: false,
            },
            (Some(attribute), extension) => Self {
                place: Place::Attribute {
                    extension,
                    name: &attribute.name,
                    sub: resolved.sub.map(|sub| sub.name.as_str()),
                },
                attribute: Some(resolved.sub.unwrap_or(attribute)),
                lists: resolved.sub.is_none() && attribute.multi_valued,
            },
        }
    }

    /// Complex attributes compare by their `value` (RFC 7643 section 2.4).
    fn default_value(self) -> Self {
        let Self {
            place:
                Place::Attribute {
                    extension,
                    name,
                    sub: None,
                },
            attribute: Some(attribute),
            ..
        } = self
        else {
            return self;
        };
        match attribute.sub("value") {
            Some(value) if attribute.kind == Kind::Complex => Self {
                place: Place::Attribute {
                    extension,
                    name,
                    sub: Some(&value.name),
                },
                attribute: Some(value),
                lists: false,
            },
            _ => self,
        }
    }
}

struct Checker {
    profile: Profile,
    unknown: Vec<String>,
}

impl Checker {
    fn node<'t>(&mut self, filter: &Filter, scope: Scope<'t>) -> Result<Node<'t>, Error> {
        Ok(match filter {
            Filter::And(terms) => Node::All(self.nodes(terms, scope)?),
            Filter::Or(terms) => Node::Any(self.nodes(terms, scope)?),
            Filter::Not(inner) => Node::Not(Box::new(self.node(inner, scope)?)),
            Filter::Present(path) => match self.find(path, scope)? {
                Some(found) => Node::Present(found.place),
                None => Node::Never,
            },
            Filter::Compare { path, op, value } => match self.find(path, scope)? {
                Some(found) => comparison(found, path, *op, value, self.profile)?,
                None => Node::Never,
            },
            Filter::Value { path, filter } => match self.find(path, scope)? {
                Some(Found {
                    place,
                    attribute: Some(attribute),
                    lists,
                }) if lists || attribute.kind == Kind::Complex => Node::Element(
                    place,
                    Box::new(self.node(filter, Scope::Element(attribute))?),
                ),
                Some(_) => {
                    return Err(Error::invalid_filter(format!(
                        "Brackets choose among several values, and {path} has one; write {path} eq … instead"
                    )));
                }
                None => Node::Never,
            },
        })
    }

    fn nodes<'t>(&mut self, filters: &[Filter], scope: Scope<'t>) -> Result<Vec<Node<'t>>, Error> {
        filters
            .iter()
            .map(|filter| self.node(filter, scope))
            .collect()
    }

    fn find<'t>(
        &mut self,
        path: &AttributePath,
        scope: Scope<'t>,
    ) -> Result<Option<Found<'t>>, Error> {
        let found = scope.find(path, self.profile);
        match &found {
            None => self.unknown.push(path.to_string()),
            Some(found)
                if found
                    .attribute
                    .is_some_and(|attribute| attribute.returned == Returned::Never) =>
            {
                return Err(Error::invalid_filter(format!(
                    "{path} is a secret; filters cannot use it"
                )));
            }
            Some(_) => {}
        }
        Ok(found)
    }
}

fn comparison<'t>(
    found: Found<'t>,
    path: &AttributePath,
    op: Op,
    literal: &Literal,
    profile: Profile,
) -> Result<Node<'t>, Error> {
    if *literal == Literal::Null {
        return match op {
            Op::Eq => Ok(Node::Not(Box::new(Node::Present(found.place)))),
            Op::Ne => Ok(Node::Present(found.place)),
            _ => Err(Error::invalid_filter(format!(
                "`{op}` cannot compare {path} with null; use `not ({path} pr)`"
            ))),
        };
    }
    let Found {
        place,
        attribute: Some(attribute),
        ..
    } = found.default_value()
    else {
        return Err(Error::invalid_filter(format!(
            "{path} is a whole extension; compare one of its attributes, or ask `{path} pr`"
        )));
    };
    allow(attribute, path, op)?;
    let wanted =
        Wanted::new(attribute, literal).or_else(|| boolean_string(attribute, literal, profile));
    match wanted {
        Some(wanted) => Ok(Node::Compare {
            place,
            attribute,
            op,
            wanted,
        }),
        None => Err(Error::invalid_filter(format!(
            "{path} is {}, which {literal} is not; nothing could ever match",
            kind_name(attribute.kind)
        ))),
    }
}

/// Whether the attribute's type knows the operator.
fn allow(attribute: &Attribute, path: &AttributePath, op: Op) -> Result<(), Error> {
    let usable = match attribute.kind {
        Kind::String | Kind::Reference => return Ok(()),
        Kind::Boolean | Kind::Binary => "eq, ne or pr",
        Kind::Integer | Kind::Decimal | Kind::DateTime => "eq, ne, gt, ge, lt, le or pr",
        Kind::Complex => {
            let subs: Vec<_> = attribute
                .sub_attributes
                .iter()
                .map(|sub| format!("{path}.{}", sub.name))
                .collect();
            return Err(Error::invalid_filter(format!(
                "{path} has parts; compare one of them: {}",
                subs.join(", ")
            )));
        }
    };
    if usable.split([',', ' ']).any(|name| name == op.name()) {
        return Ok(());
    }
    Err(Error::invalid_filter(format!(
        "`{op}` cannot be applied to {path}, which is {}; use {usable}",
        kind_name(attribute.kind)
    )))
}

fn boolean_string(attribute: &Attribute, literal: &Literal, profile: Profile) -> Option<Wanted> {
    let Literal::String(text) = literal else {
        return None;
    };
    if attribute.kind != Kind::Boolean || !profile.allows(Leniency::BooleanStrings) {
        return None;
    }
    [true, false]
        .into_iter()
        .find(|truth| text.eq_ignore_ascii_case(&truth.to_string()))
        .map(Wanted::Bool)
}

/// A type with its article, for sentences.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Boolean => "a boolean",
        Kind::Decimal => "a decimal number",
        Kind::Integer => "an integer",
        Kind::DateTime => "a date and time",
        Kind::Binary => "binary data in base64",
        Kind::Reference => "a reference",
        Kind::Complex => "a complex value",
    }
}
