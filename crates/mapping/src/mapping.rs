//! Attribute mappings: as they are written down, and compiled for evaluation.

use serde::{Deserialize, Serialize};

use crate::scope::Scope;

mod compile;
mod flow;
mod target;

pub use compile::{CompiledMapping, MappingError, Mappings, Problem};
pub use flow::{
    Assigned, Dropped, Evaluated, Failed, Flow, FlowError, Match, Operation, Scalar, Why,
};
pub use target::{Target, TargetError, TargetKind};

/// The mappings of an application, for each kind of object. In TOML:
///
/// ```
/// let set: portreeve_mapping::MappingSet = toml::from_str(r#"
///     [[objectMappings]]
///     source = "User"
///     target = "User"
///
///     [[objectMappings.attributeMappings]]
///     target = "userName"
///     expression = 'ToLower([userPrincipalName])'
///     matchingPriority = 1
///
///     [[objectMappings.attributeMappings]]
///     target = 'emails[type eq "work"].value'
///     attribute = "mail"
/// "#)?;
/// assert_eq!(set.object_mappings[0].attribute_mappings.len(), 2);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MappingSet {
    /// One for users, one for groups.
    pub object_mappings: Vec<ObjectMapping>,
}

/// How objects of one kind become resources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectMapping {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether objects of this kind are provisioned at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The kind of object at the source, such as `User`.
    pub source: String,
    /// The resource type at the target: `User` or `Group`.
    pub target: String,
    /// What may be done at the target.
    #[serde(default = "FlowAction::all")]
    pub flow_types: Vec<FlowAction>,
    /// Which objects are in scope; all of them, where there is no group.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// Attributes of the target that no SCIM schema has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_attributes: Vec<TargetAttribute>,
    /// One for each attribute of the target.
    pub attribute_mappings: Vec<AttributeMapping>,
}

/// What may be done at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum FlowAction {
    Add,
    Update,
    Delete,
}

impl FlowAction {
    fn all() -> Vec<Self> {
        vec![Self::Add, Self::Update, Self::Delete]
    }
}

/// Where the value of one attribute of the target comes from. At most one of `attribute`, `constant` and
/// `expression` is there; with none of them the mapping's type is None: the target is left alone, but gets the
/// default value where it has none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeMapping {
    /// The attribute of the target as a SCIM path, such as `emails[type eq "work"].value`.
    #[serde(alias = "targetAttributeName")]
    pub target: String,
    /// Direct: the source attribute that is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Constant: the value itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// Expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Default value if null: used when a resource is made and the source has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// 0: not used for matching. Else the precedence in which existing resources are looked for, lowest first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub matching_priority: u32,
    /// When the mapping applies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flow_type: FlowType,
    /// Whether a value that has not changed is written all the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flow_behavior: FlowBehavior,
    /// Whether a value that the source has lost is removed from the target. Entra never does that; here it is a
    /// choice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flow_nulls: bool,
}

/// When a mapping applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FlowType {
    /// Whenever the object is written.
    #[default]
    Always,
    /// Only while the resource is made.
    ObjectAddOnly,
    /// Values are added to those that the target has, and none removed.
    MultiValueAddOnly,
}

/// Whether a value that has not changed is written all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FlowBehavior {
    /// Only changes are written.
    #[default]
    FlowWhenChanged,
    /// The value is written whenever the object is.
    FlowAlways,
}

/// An attribute of the target that no SCIM schema has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetAttribute {
    /// The path by which mappings name it, such as
    /// `urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge`.
    pub name: String,
    /// Its type.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub kind: AttributeType,
    /// Whether a resource cannot be without it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// Whether it has a list of values.
    #[serde(default, alias = "multivalued", skip_serializing_if = "is_default")]
    pub multi_valued: bool,
    /// Whether a change of letter case alone is a change.
    #[serde(default, skip_serializing_if = "is_default")]
    pub case_exact: bool,
}

/// The types of Entra's list of target attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum AttributeType {
    #[default]
    String,
    Integer,
    Reference,
    Binary,
    Boolean,
    DateTime,
}

fn yes() -> bool {
    true
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
