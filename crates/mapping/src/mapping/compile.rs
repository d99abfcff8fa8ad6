//! Mappings checked against the target's schema, with their expressions read.

use portreeve_scim::ResourceType;

use super::target::{Target, TargetError, TargetKind};
use super::{AttributeMapping, FlowBehavior, FlowType, ObjectMapping};
use crate::expression::{Expression, ParseError};
use crate::functions::{SELECT_UNIQUE, SWITCH};
use crate::scope::{CompiledScope, ScopeError};

/// The mappings of one kind of object, ready to be evaluated.
#[derive(Debug, Clone)]
pub struct Mappings {
    /// One for each attribute of the target, as they were written.
    pub(super) mappings: Vec<CompiledMapping>,
    pub(super) scope: CompiledScope,
}

/// One attribute mapping, ready to be evaluated.
#[derive(Debug, Clone)]
pub struct CompiledMapping {
    /// What it writes to.
    pub target: Target,
    /// What it writes; `None` where it only has a default value.
    pub source: Option<Expression>,
    /// Used when a resource is made and the source has no value.
    pub default_value: Option<String>,
    /// 0, or the precedence in matching.
    pub matching_priority: u32,
    /// When it applies.
    pub flow_type: FlowType,
    /// Whether a value that has not changed is written all the same.
    pub flow_behavior: FlowBehavior,
    /// Whether a value that the source has lost is removed.
    pub flow_nulls: bool,
}

/// A mapping that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", .target.as_ref().map(|target| format!("{target}: ")).unwrap_or_default())]
pub struct MappingError {
    /// The attribute of the target, as it was written; `None` for the scope.
    pub target: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The target cannot be written.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Another mapping writes to the same.
    #[error("another mapping writes to the same attribute")]
    Duplicate,
    /// More than one of attribute, constant and expression.
    #[error("there is more than one of attribute, constant and expression")]
    SeveralSources,
    /// The expression, or the name of the attribute.
    #[error(transparent)]
    Expression(#[from] ParseError),
    /// `SelectUniqueValue` where it would change a name at every write.
    #[error("SelectUniqueValue needs flowType = \"ObjectAddOnly\"")]
    UniqueAlways,
    /// `SelectUniqueValue` on what existing resources are found by.
    #[error("SelectUniqueValue cannot be used on a matching attribute")]
    UniqueMatching,
    /// `Switch` on a reference.
    #[error("Switch cannot be used on a reference")]
    SwitchOnReference,
    /// Matching by what only one resource of many can be found by.
    #[error("it cannot be used for matching: no SCIM server can be asked for it")]
    NotFilterable,
    /// The scope.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

impl Mappings {
    /// Checks the mappings of one kind of object against a resource type.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn compile(
        object: &ObjectMapping,
        resource: &ResourceType,
    ) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let mut mappings: Vec<CompiledMapping> = Vec::new();
        for mapping in &object.attribute_mappings {
            let compiled = compile(mapping, object, resource).and_then(|compiled| {
                let same =
                    |other: &CompiledMapping| other.target.canonical == compiled.target.canonical;
                match mappings.iter().any(same) {
                    true => Err(Problem::Duplicate),
                    false => Ok(compiled),
                }
            });
            match compiled {
                Ok(compiled) => mappings.push(compiled),
                Err(problem) => errors.push(MappingError {
                    target: Some(mapping.target.clone()),
                    problem,
                }),
            }
        }
        match (object.scope.compile(), errors.is_empty()) {
            (Ok(scope), true) => Ok(Self { mappings, scope }),
            (scope, _) => {
                errors.extend(scope.err().map(|problem| MappingError {
                    target: None,
                    problem: problem.into(),
                }));
                Err(errors)
            }
        }
    }

    /// The mappings, as they were written.
    pub fn iter(&self) -> impl Iterator<Item = &CompiledMapping> {
        self.mappings.iter()
    }

    /// Which objects these mappings are for.
    pub fn scope(&self) -> &CompiledScope {
        &self.scope
    }

    /// Every attribute of the source that a mapping or the scope reads, each once.
    pub fn source_attributes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let mapped = self
            .mappings
            .iter()
            .filter_map(|mapping| mapping.source.as_ref());
        for name in mapped
            .flat_map(Expression::attributes)
            .chain(self.scope.attributes())
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

fn compile(
    mapping: &AttributeMapping,
    object: &ObjectMapping,
    resource: &ResourceType,
) -> Result<CompiledMapping, Problem> {
    let target = Target::parse(&mapping.target, resource, &object.target_attributes)?;
    let source = match (&mapping.attribute, &mapping.constant, &mapping.expression) {
        (None, None, None) => None,
        (Some(name), None, None) => Some(Expression::attribute(name)?),
        (None, Some(text), None) => Some(Expression::constant(text)?),
        (None, None, Some(text)) => Some(Expression::parse(text)?),
        _ => return Err(Problem::SeveralSources),
    };
    let uses = |name: &str| {
        let mut functions = source.iter().flat_map(Expression::functions);
        functions.any(|function| function.name == name)
    };
    let matches = mapping.matching_priority > 0;
    if uses(SELECT_UNIQUE) && matches {
        return Err(Problem::UniqueMatching);
    }
    if uses(SELECT_UNIQUE) && mapping.flow_type != FlowType::ObjectAddOnly {
        return Err(Problem::UniqueAlways);
    }
    if uses(SWITCH) && target.kind == TargetKind::Reference {
        return Err(Problem::SwitchOnReference);
    }
    if matches && !target.filterable {
        return Err(Problem::NotFilterable);
    }
    Ok(CompiledMapping {
        target,
        source,
        default_value: mapping.default_value.clone(),
        matching_priority: mapping.matching_priority,
        flow_type: mapping.flow_type,
        flow_behavior: mapping.flow_behavior,
        flow_nulls: mapping.flow_nulls,
    })
}
