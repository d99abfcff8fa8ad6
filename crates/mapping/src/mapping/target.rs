//! What a mapping writes to.

use portreeve_scim::filter::{Filter, Literal, Op};
use portreeve_scim::path::{AttributePath, PatchPath};
use portreeve_scim::schema::{Attribute, Kind, Mutability, Resolved, Uniqueness, common};
use portreeve_scim::{Profile, ResourceType};

use super::{AttributeType, TargetAttribute};
use crate::suggest::closest;

/// The pseudo-attribute of Entra's mappings that can only skip the whole object.
const OBJECT_FILTER: &str = "objectFilter";

/// An attribute of the target, or one slot of a list: `emails[type eq "work"].value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The path as it was written.
    pub text: String,
    /// The path in the schema's spelling; equal for two paths that mean the same.
    pub canonical: String,
    /// What it holds.
    pub kind: TargetKind,
    /// Whether it takes several values.
    pub multi_valued: bool,
    /// Whether a change of letter case alone is a change.
    pub case_exact: bool,
    /// Whether a resource cannot be made without it.
    pub required: bool,
    /// Whether the schema says that no two resources have the same value.
    pub unique: bool,
    /// Whether `eq` on it can be asked of a SCIM server.
    pub filterable: bool,
}

/// What an attribute of the target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// Text, and whatever else is written as text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// A date and time.
    DateTime,
    /// Other resources: a manager, members.
    Reference,
    /// A list of objects with a value and a type, such as roles.
    Complex,
    /// Nothing: the mapping can only skip the object.
    ObjectFilter,
}

/// Why a mapping cannot write to a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Not a SCIM path.
    #[error("{0}")]
    Path(String),
    /// No schema has it.
    #[error("{resource} has no attribute {name}{}; an attribute of your own has a URN in front, or is listed in targetAttributes", .suggestion.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default())]
    Unknown {
        /// The resource type.
        resource: String,
        /// The path.
        name: String,
        /// What may be meant.
        suggestion: Option<String>,
    },
    /// Servers set it.
    #[error("{0} is read-only: the target sets it itself")]
    ReadOnly(String),
    /// An object with named parts, whole.
    #[error("{name} has parts; map one of them, such as {name}.{part}")]
    Whole {
        /// The path.
        name: String,
        /// One of its parts.
        part: String,
    },
    /// Brackets that do not name one slot of a list.
    #[error(
        "{0}: the brackets must choose by equality, such as [type eq \"work\"], and a part must follow, such as .value"
    )]
    Slot(String),
}

impl Target {
    /// Finds what a path means in a resource type, or among the attributes that are listed.
    ///
    /// # Errors
    /// The path is none, or means nothing that can be written.
    pub fn parse(
        text: &str,
        resource: &ResourceType,
        listed: &[TargetAttribute],
    ) -> Result<Self, TargetError> {
        if text == OBJECT_FILTER {
            return Ok(Self::plain(text, TargetKind::ObjectFilter));
        }
        if let Some(own) = listed
            .iter()
            .find(|own| own.name.eq_ignore_ascii_case(text))
        {
            return Ok(Self::listed(text, own));
        }
        let path = PatchPath::parse(text).map_err(|error| TargetError::Path(error.detail))?;
        let resolved = resource.resolve(&path.attribute, Profile::Entra);
        let Some(resolved) = resolved.filter(|found| found.attribute.is_some()) else {
            return Self::custom(text, &path, resource);
        };
        match &path.filter {
            Some(filter) => Self::slot(text, &path, filter, &resolved),
            None => Self::attribute(text, &resolved),
        }
    }

    fn plain(text: &str, kind: TargetKind) -> Self {
        Self {
            text: text.to_owned(),
            canonical: text.to_owned(),
            kind,
            multi_valued: false,
            case_exact: false,
            required: false,
            unique: false,
            filterable: !matches!(kind, TargetKind::Boolean | TargetKind::ObjectFilter),
        }
    }

    fn listed(text: &str, own: &TargetAttribute) -> Self {
        let kind = match own.kind {
            AttributeType::String | AttributeType::Binary => TargetKind::Text,
            AttributeType::Integer => TargetKind::Integer,
            AttributeType::Reference => TargetKind::Reference,
            AttributeType::Boolean => TargetKind::Boolean,
            AttributeType::DateTime => TargetKind::DateTime,
        };
        Self {
            canonical: own.name.clone(),
            multi_valued: own.multi_valued,
            case_exact: own.case_exact,
            required: own.required,
            ..Self::plain(text, kind)
        }
    }

    /// An attribute of an extension that nobody has described: text, as Entra takes it to be.
    fn custom(text: &str, path: &PatchPath, resource: &ResourceType) -> Result<Self, TargetError> {
        let urn = text
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("urn:"));
        if urn && path.filter.is_none() && text.matches(':').count() > 2 {
            return Ok(Self::plain(text, TargetKind::Text));
        }
        let own = resource.schema.attributes.iter().chain(common());
        let extensions = resource.extensions.iter();
        let other = extensions.flat_map(|(schema, _)| &schema.attributes);
        let names = own.chain(other).map(|attribute| attribute.name.as_str());
        let name = path.attribute.as_str();
        let head = name.split('.').next().unwrap_or(name);
        Err(TargetError::Unknown {
            resource: resource.name.clone(),
            name: name.to_owned(),
            suggestion: closest(head, names)
                .filter(|found| *found != head)
                .map(str::to_owned),
        })
    }

    fn attribute(text: &str, resolved: &Resolved<'_>) -> Result<Self, TargetError> {
        let Some(attribute) = resolved.attribute else {
            return Err(TargetError::Path(format!("{text} names no attribute")));
        };
        let is_reference = refers(attribute)
            && resolved
                .sub
                .is_none_or(|sub| sub.name.eq_ignore_ascii_case("value"));
        let leaf = resolved.sub.unwrap_or(attribute);
        writable(text, attribute, leaf)?;
        let kind = match (is_reference, leaf.kind) {
            (true, _) => TargetKind::Reference,
            (false, Kind::Complex) if attribute.multi_valued => TargetKind::Complex,
            (false, Kind::Complex) => {
                let part = leaf.sub_attributes.first().map(|sub| sub.name.clone());
                return Err(TargetError::Whole {
                    name: text.to_owned(),
                    part: part.unwrap_or_default(),
                });
            }
            (false, kind) => plain_kind(kind),
        };
        Ok(Self {
            canonical: resolved.canonical(),
            multi_valued: attribute.multi_valued,
            case_exact: leaf.case_exact,
            required: attribute.required && resolved.sub.is_none(),
            unique: leaf.uniqueness != Uniqueness::None,
            filterable: filterable(kind) && leaf.mutability != Mutability::WriteOnly,
            ..Self::plain(text, kind)
        })
    }

    /// One slot of a list, chosen by equality of its parts.
    fn slot(
        text: &str,
        path: &PatchPath,
        filter: &Filter,
        resolved: &Resolved<'_>,
    ) -> Result<Self, TargetError> {
        let wrong = || TargetError::Slot(text.to_owned());
        let (Some(attribute), Some(sub)) = (resolved.attribute, &path.sub) else {
            return Err(wrong());
        };
        let chosen = choice(filter).ok_or_else(wrong)?;
        let known = chosen.iter().all(|(name, _)| attribute.sub(name).is_some());
        let leaf = attribute
            .sub(sub)
            .filter(|_| known && attribute.multi_valued);
        let leaf = leaf.ok_or_else(wrong)?;
        writable(text, attribute, leaf)?;
        let kind = match refers(attribute) && leaf.name == "value" {
            true => TargetKind::Reference,
            false => plain_kind(leaf.kind),
        };
        let conditions = chosen
            .iter()
            .map(|(name, value)| format!("{} eq {value}", name.to_ascii_lowercase()));
        let conditions = conditions.collect::<Vec<_>>().join(" and ");
        Ok(Self {
            canonical: format!("{}[{conditions}].{}", resolved.canonical(), leaf.name),
            case_exact: leaf.case_exact,
            filterable: filterable(kind),
            ..Self::plain(text, kind)
        })
    }
}

/// The members and values that a filter asks for, if it asks for equality and nothing else.
fn choice(filter: &Filter) -> Option<Vec<(&str, &Literal)>> {
    match filter {
        Filter::Compare {
            path,
            op: Op::Eq,
            value,
        } if *value != Literal::Null => Some(vec![(AttributePath::as_str(path), value)]),
        Filter::And(terms) => {
            let parts: Option<Vec<_>> = terms.iter().map(choice).collect();
            Some(parts?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// Whether the attribute's values are other resources.
fn refers(attribute: &Attribute) -> bool {
    attribute.sub("$ref").is_some()
}

fn writable(text: &str, attribute: &Attribute, leaf: &Attribute) -> Result<(), TargetError> {
    let read_only = [attribute, leaf]
        .iter()
        .any(|it| it.mutability == Mutability::ReadOnly);
    match read_only || attribute.name == "schemas" {
        true => Err(TargetError::ReadOnly(text.to_owned())),
        false => Ok(()),
    }
}

fn plain_kind(kind: Kind) -> TargetKind {
    match kind {
        Kind::Boolean => TargetKind::Boolean,
        Kind::Integer => TargetKind::Integer,
        Kind::Decimal => TargetKind::Decimal,
        Kind::DateTime => TargetKind::DateTime,
        Kind::String | Kind::Binary | Kind::Reference => TargetKind::Text,
        Kind::Complex => TargetKind::Complex,
    }
}

fn filterable(kind: TargetKind) -> bool {
    !matches!(
        kind,
        TargetKind::Boolean | TargetKind::Complex | TargetKind::ObjectFilter
    )
}
