//! What is doubtful about mappings in the light of what the target says of itself.
//!
//! The linter of the mapping language knows what SCIM says; a target may have more, less, or other rules.

use portreeve_mapping::lint::{Finding, Severity};
use portreeve_mapping::mapping::CompiledMapping;

use super::{Application, ObjectRules};
use crate::source::Kind;
use crate::target::{Capabilities, Known, ResourceKind};

/// Compares mappings with what the target says that it can do. What it does not say is taken to be possible.
#[must_use]
pub fn against_target(application: &Application, target: &Capabilities) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in [Kind::User, Kind::Group] {
        if let Some(rules) = application.of(kind) {
            compare(kind, rules, target, &mut findings);
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn compare(kind: Kind, rules: &ObjectRules, target: &Capabilities, findings: &mut Vec<Finding>) {
    let resource = match kind {
        Kind::User => ResourceKind::User,
        Kind::Group => ResourceKind::Group,
    };
    let object = match kind {
        Kind::User => "User",
        Kind::Group => "Group",
    };
    let mut add = |severity, rule, target: Option<&str>, message: String| {
        findings.push(Finding {
            severity,
            rule,
            object: object.to_owned(),
            target: target.map(str::to_owned),
            message,
        });
    };
    if target.serves(resource) == Some(false) {
        let message = format!(
            "the target lists its resource types, and {object} is not among them; set enabled = false on the mapping"
        );
        add(Severity::Error, "target-lacks-object", None, message);
        return;
    }
    if target.filter == Some(false) {
        let message =
            "the target says that it cannot filter, so nobody who is there already would be found";
        add(
            Severity::Error,
            "target-cannot-filter",
            None,
            message.to_owned(),
        );
    }
    let mut required: Vec<&str> = target.required(resource).collect();
    required.sort_unstable();
    for name in required {
        let is_mapped = rules.mappings.iter().any(|mapping| {
            let path = mapping.target.canonical.to_lowercase();
            path.split(['.', '[']).next() == Some(name)
        });
        if !is_mapped {
            let message = format!(
                "the target makes no {object} without {name}, and it is not mapped; map it"
            );
            add(Severity::Error, "target-requires", None, message);
        }
    }
    for mapping in rules.mappings.iter() {
        if let Some((severity, rule, message)) = doubt(mapping, resource, target) {
            add(
                severity,
                rule,
                Some(&mapping.target.text),
                message.to_owned(),
            );
        }
    }
}

/// The weightiest doubt about one mapping.
fn doubt(
    mapping: &CompiledMapping,
    kind: ResourceKind,
    target: &Capabilities,
) -> Option<(Severity, &'static str, &'static str)> {
    let attribute = match target.attribute(kind, &mapping.target.text) {
        Known::Attribute(attribute) => attribute,
        Known::Missing => {
            return Some((
                Severity::Warning,
                "target-lacks-attribute",
                "the target lists its attributes, and this is not among them; it will ignore or refuse it, so leave the mapping out",
            ));
        }
        Known::Unsaid => return None,
    };
    if attribute.read_only {
        return Some((
            Severity::Error,
            "target-read-only",
            "the target sets this itself and takes no value for it; leave the mapping out",
        ));
    }
    let has_value = mapping.source.is_some() || mapping.default_value.is_some();
    (attribute.required && !has_value).then_some((
        Severity::Error,
        "target-requires",
        "the target makes nobody without it, and the mapping has neither a source nor a default value",
    ))
}
