//! Import of a provisioning configuration that was exported from Entra: the `synchronizationSchema` of Microsoft
//! Graph.

use serde::Deserialize;

use crate::expression::Expression;
use crate::functions::{self, Presence};
use crate::mapping::{
    AttributeMapping, AttributeType, FlowAction, FlowBehavior, FlowType, MappingSet, ObjectMapping,
    TargetAttribute,
};
use crate::scope::{Clause, Group, Scope};

/// What an import gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The mappings.
    pub mappings: MappingSet,
    /// What the document says and this program does not take over, in sentences.
    pub notes: Vec<String>,
}

/// A document that is no synchronization schema.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not JSON, or not of this form.
    #[error("this is no synchronizationSchema of Microsoft Graph: {0}")]
    Json(#[from] serde_json::Error),
    /// No mapping at all.
    #[error("this synchronizationSchema has no object mappings")]
    Empty,
}

/// Reads a synchronization schema.
///
/// # Errors
/// The document is none.
pub fn import(json: &str) -> Result<Import, ImportError> {
    let schema: Schema = serde_json::from_str(json)?;
    let mut rules = schema.synchronization_rules;
    // The lowest priority number comes first.
    rules.sort_by_key(|rule| rule.priority);
    let mut notes = Vec::new();
    let mut object_mappings = Vec::new();
    for rule in &rules {
        let target = schema
            .directories
            .iter()
            .find(|it| it.name == rule.target_directory_name);
        for mapping in &rule.object_mappings {
            let known = target.and_then(|it| {
                it.objects
                    .iter()
                    .find(|o| o.name == mapping.target_object_name)
            });
            object_mappings.push(object(mapping, known, &mut notes));
        }
    }
    match object_mappings.is_empty() {
        true => Err(ImportError::Empty),
        false => Ok(Import {
            mappings: MappingSet { object_mappings },
            notes,
        }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    synchronization_rules: Vec<Rule>,
    #[serde(default)]
    directories: Vec<Directory>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    priority: i64,
    #[serde(default)]
    target_directory_name: String,
    #[serde(default)]
    object_mappings: Vec<GraphObject>,
}

#[derive(Deserialize)]
struct Directory {
    #[serde(default)]
    name: String,
    #[serde(default)]
    objects: Vec<DirectoryObject>,
}

#[derive(Deserialize)]
struct DirectoryObject {
    #[serde(default)]
    name: String,
    #[serde(default)]
    attributes: Vec<GraphTarget>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphTarget {
    name: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    multivalued: bool,
    #[serde(default)]
    case_exact: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphObject {
    #[serde(default)]
    name: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    flow_types: Option<String>,
    source_object_name: String,
    target_object_name: String,
    #[serde(default)]
    scope: Option<GraphScope>,
    #[serde(default)]
    attribute_mappings: Vec<GraphAttribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphAttribute {
    target_attribute_name: String,
    #[serde(default)]
    source: Option<GraphSource>,
    #[serde(default)]
    default_value: Option<String>,
    #[serde(default)]
    matching_priority: u32,
    #[serde(default)]
    flow_type: Option<FlowType>,
    #[serde(default)]
    flow_behavior: Option<FlowBehavior>,
}

#[derive(Deserialize)]
struct GraphSource {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    expression: Option<String>,
    #[serde(default)]
    parameters: Vec<GraphParameter>,
}

#[derive(Deserialize)]
struct GraphParameter {
    key: String,
    value: GraphSource,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct GraphScope {
    #[serde(default)]
    groups: Vec<GraphGroup>,
    #[serde(default)]
    input_filter_groups: Vec<GraphGroup>,
    #[serde(default)]
    category_filter_groups: Vec<GraphGroup>,
}

#[derive(Deserialize)]
struct GraphGroup {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    clauses: Vec<GraphClause>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphClause {
    source_operand_name: String,
    operator_name: String,
    #[serde(default)]
    target_operand: Option<GraphOperand>,
}

#[derive(Deserialize)]
struct GraphOperand {
    #[serde(default)]
    values: Vec<Option<String>>,
}

fn yes() -> bool {
    true
}

fn object(
    mapping: &GraphObject,
    known: Option<&DirectoryObject>,
    notes: &mut Vec<String>,
) -> ObjectMapping {
    let target = resource_name(&mapping.target_object_name);
    let scope = mapping.scope.as_ref().map_or_else(Scope::default, |scope| {
        if !scope.category_filter_groups.is_empty() {
            notes.push(format!("{target}: category filters are not taken over"));
        }
        Scope {
            groups: scope.groups.iter().map(group).collect(),
            input_filter_groups: scope.input_filter_groups.iter().map(group).collect(),
        }
    });
    let attributes = mapping.attribute_mappings.iter();
    let attributes: Vec<_> = attributes.map(|it| attribute(it, target, notes)).collect();
    let used = |own: &&GraphTarget| {
        let urn = own.name.to_ascii_lowercase().starts_with("urn:");
        urn && attributes.iter().any(|mapping| mapping.target == own.name)
    };
    let known = known.map_or(&[][..], |object| &object.attributes);
    ObjectMapping {
        name: mapping.name.clone().unwrap_or_default(),
        enabled: mapping.enabled,
        source: mapping.source_object_name.clone(),
        target: target.to_owned(),
        flow_types: flow_types(mapping.flow_types.as_deref()),
        scope,
        target_attributes: known
            .iter()
            .filter(used)
            .filter(|own| !is_standard(own))
            .map(listed)
            .collect(),
        attribute_mappings: attributes,
    }
}

/// Entra names the object types of a SCIM application by the URN of their schema.
fn resource_name(name: &str) -> &str {
    match name.rsplit(':').next() {
        Some(last) if name.to_ascii_lowercase().starts_with("urn:") => last,
        _ => name,
    }
}

/// Attributes of the enterprise extension, which the catalog describes better.
fn is_standard(own: &GraphTarget) -> bool {
    let urn = portreeve_scim::schema::ENTERPRISE;
    own.name
        .get(..urn.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(urn))
}

fn listed(own: &GraphTarget) -> TargetAttribute {
    TargetAttribute {
        name: own.name.clone(),
        kind: match own.kind.as_deref() {
            Some("Integer") => AttributeType::Integer,
            Some("Reference") => AttributeType::Reference,
            Some("Binary") => AttributeType::Binary,
            Some("Boolean") => AttributeType::Boolean,
            Some("DateTime") => AttributeType::DateTime,
            _ => AttributeType::String,
        },
        required: own.required,
        multi_valued: own.multivalued,
        case_exact: own.case_exact,
    }
}

/// `Add, Update, Delete`, or `None`; everything where nothing is said.
fn flow_types(text: Option<&str>) -> Vec<FlowAction> {
    let all = [
        ("Add", FlowAction::Add),
        ("Update", FlowAction::Update),
        ("Delete", FlowAction::Delete),
    ];
    let has = |name: &str| text.is_none_or(|text| text.split(',').any(|it| it.trim() == name));
    all.iter()
        .filter(|(name, _)| has(name))
        .map(|(_, action)| *action)
        .collect()
}

fn group(group: &GraphGroup) -> Group {
    let clauses = group.clauses.iter().map(|clause| Clause {
        attribute: clause.source_operand_name.clone(),
        operator: clause.operator_name.clone(),
        values: clause
            .target_operand
            .as_ref()
            .map_or_else(Vec::new, |operand| {
                operand.values.iter().flatten().cloned().collect()
            }),
    });
    Group {
        name: group.name.clone().unwrap_or_default(),
        clauses: clauses.collect(),
    }
}

fn attribute(mapping: &GraphAttribute, object: &str, notes: &mut Vec<String>) -> AttributeMapping {
    let mut imported = AttributeMapping {
        target: mapping.target_attribute_name.clone(),
        default_value: mapping
            .default_value
            .clone()
            .filter(|value| !value.is_empty()),
        matching_priority: mapping.matching_priority,
        flow_type: mapping.flow_type.unwrap_or_default(),
        flow_behavior: mapping.flow_behavior.unwrap_or_default(),
        ..AttributeMapping::default()
    };
    let Some(source) = &mapping.source else {
        return imported;
    };
    match source.kind.as_str() {
        "Attribute" => imported.attribute = source.name.clone(),
        "Constant" => imported.constant = constant(source),
        "Function" => imported.expression = expression(source),
        other => notes.push(format!(
            "{object}: the source of {} has the type {other:?}, which is not known; the mapping has no source now",
            imported.target
        )),
    }
    imported
}

/// The name of a constant is its value; the expression is that with quotes.
fn constant(source: &GraphSource) -> Option<String> {
    let quoted = source
        .expression
        .as_deref()
        .and_then(|text| Expression::parse(text).ok());
    let unquoted = quoted.and_then(|expression| expression.as_constant().map(str::to_owned));
    unquoted.or_else(|| source.name.clone())
}

/// The expression's text, or what its parameters make where there is none.
fn expression(source: &GraphSource) -> Option<String> {
    let text = source
        .expression
        .clone()
        .filter(|text| !text.trim().is_empty());
    text.or_else(|| Some(call(source)))
}

fn call(source: &GraphSource) -> String {
    let name = source.name.as_deref().unwrap_or_default();
    let slot = |parameter: &GraphParameter| match parameter.value.kind.as_str() {
        "Attribute" => format!("[{}]", parameter.value.name.as_deref().unwrap_or_default()),
        "Constant" => Expression::quote(parameter.value.name.as_deref().unwrap_or_default()),
        _ => call(&parameter.value),
    };
    let function = functions::find(name);
    let fixed = function.map_or(&[][..], |function| function.parameters);
    let fixed = fixed
        .iter()
        .filter(|parameter| parameter.presence != Presence::Repeated);
    // Absent parameters are left out of the list; each one's place is found by its name.
    let graph_name = |name: &str| match (function.map(|it| it.name), name) {
        (Some("Replace"), "oldValue") => "Find".to_owned(),
        (Some("Replace"), "regexPattern") => "RegularExpression".to_owned(),
        (Some("Replace"), "regexGroupName") => "RegularExpressionGroupName".to_owned(),
        (Some("Replace"), "replacementValue") => "Replacement".to_owned(),
        (Some("Replace"), "replacementAttributeName") => "ReplacementPropertyName".to_owned(),
        _ => name.to_owned(),
    };
    let mut rest: Vec<&GraphParameter> = source.parameters.iter().collect();
    let mut slots: Vec<String> = Vec::new();
    for parameter in fixed {
        let wanted = graph_name(parameter.name);
        let found = rest
            .iter()
            .position(|it| it.key.eq_ignore_ascii_case(&wanted));
        slots.push(found.map_or_else(String::new, |at| slot(rest.remove(at))));
    }
    slots.extend(rest.into_iter().map(slot));
    let last = slots.iter().rposition(|slot| !slot.is_empty());
    slots.truncate(last.map_or(0, |last| last + 1));
    format!("{name}({})", slots.join(", "))
}
