//! The linter: what is wrong or doubtful about mappings, before the first cycle runs.
//!
//! [`check`] looks at the mappings alone. A [`Survey`] is shown one object of the source after the other and says
//! what would become of all of them.

use std::fmt;

use portreeve_scim::Catalog;
use serde::Serialize;

use crate::mapping::{
    CompiledMapping, FlowAction, MappingSet, Mappings, ObjectMapping, TargetKind,
};

mod survey;

pub use portreeve_access::posix::{PosixProblem, posix_problem};
pub use survey::Survey;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Provisioning will not work as it must.
    Error,
    /// Some people will not get what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that the linter has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A short name of the rule, which does not change.
    pub rule: &'static str,
    /// The resource type, such as `User`.
    pub object: String,
    /// The attribute of the target, where it is about one.
    pub target: Option<String>,
    /// A sentence about it, with what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity.name(), self.object)?;
        if let Some(target) = &self.target {
            write!(f, " {target}")?;
        }
        write!(f, ": {} [{}]", self.message, self.rule)
    }
}

/// Checks a set of mappings by itself: whether it compiles, and whether it is what anybody would want. The worst
/// comes first.
pub fn check(set: &MappingSet, catalog: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in &set.object_mappings {
        let mut report = Report {
            object: object.target.clone(),
            findings: &mut findings,
        };
        let Some(resource) = catalog.by_name(&object.target) else {
            let names: Vec<&str> = catalog.types().iter().map(|it| it.name.as_str()).collect();
            let message = format!(
                "there is no such resource type; there are {}",
                names.join(", ")
            );
            report.add(Severity::Error, "unknown-object", None, message);
            continue;
        };
        match Mappings::compile(object, resource) {
            Err(errors) => {
                for error in errors {
                    let target = error.target.as_deref();
                    report.add(
                        Severity::Error,
                        "invalid",
                        target,
                        error.problem.to_string(),
                    );
                }
            }
            Ok(mappings) => check_object(object, &mappings, &mut report),
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

struct Report<'f> {
    object: String,
    findings: &'f mut Vec<Finding>,
}

impl Report<'_> {
    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        target: Option<&str>,
        message: impl Into<String>,
    ) {
        self.findings.push(Finding {
            severity,
            rule,
            object: self.object.clone(),
            target: target.map(str::to_owned),
            message: message.into(),
        });
    }
}

fn check_object(object: &ObjectMapping, mappings: &Mappings, report: &mut Report<'_>) {
    let mapped = |canonical: &str| mappings.iter().find(|it| it.target.canonical == canonical);
    let is_user = object.target.eq_ignore_ascii_case("User");
    if !mappings.iter().any(|mapping| mapping.matching_priority > 0) {
        let message = "no attribute is used for matching, so nobody who is there already would be found; give one \
                       matchingPriority = 1";
        report.add(Severity::Error, "no-matching", None, message);
    }
    let required = if is_user { "userName" } else { "displayName" };
    if mapped(required).is_none() {
        let message =
            format!("{required} is not mapped, and no server makes a resource without it");
        report.add(
            Severity::Error,
            "required-not-mapped",
            Some(required),
            message,
        );
    }
    if is_user {
        check_active(object, mapped("active"), report);
    }
    for mapping in mappings.iter() {
        check_mapping(mapping, report);
    }
}

fn check_active(object: &ObjectMapping, active: Option<&CompiledMapping>, report: &mut Report<'_>) {
    let mut add = |message: &str| {
        report.add(
            Severity::Error,
            "active-not-mapped",
            Some("active"),
            message,
        );
    };
    match active {
        None => add(
            "active is not mapped, so people who leave stay active at the target; map \
             Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
        ),
        Some(mapping)
            if mapping
                .source
                .as_ref()
                .is_none_or(|it| it.attributes().is_empty()) =>
        {
            add(
                "active does not depend on the source, so people who leave stay active at the target",
            );
        }
        Some(_) if !object.flow_types.contains(&FlowAction::Update) => {
            add("updates are switched off, so people who leave stay active at the target");
        }
        Some(_) => {}
    }
}

fn check_mapping(mapping: &CompiledMapping, report: &mut Report<'_>) {
    let target = &mapping.target;
    let name = Some(target.text.as_str());
    if mapping.matching_priority > 0 && !target.unique && target.canonical != "externalId" {
        let message = "is used for matching, and no schema says that its values are unique; two people with the same \
                       value would be an error for both";
        report.add(Severity::Warning, "matching-not-unique", name, message);
    }
    let Some(source) = &mapping.source else {
        if mapping.default_value.is_none() {
            report.add(
                Severity::Warning,
                "no-source",
                name,
                "has neither a source nor a default value",
            );
        }
        return;
    };
    for doubt in source.doubts() {
        report.add(Severity::Warning, "doubtful-expression", name, doubt.what);
    }
    let random = ["Guid", "RandomString"];
    let draws = source
        .functions()
        .iter()
        .any(|function| random.contains(&function.name));
    if draws && mapping.flow_type == crate::mapping::FlowType::Always {
        let message = "draws a new random value whenever the object is written; set flowType = \"ObjectAddOnly\"";
        report.add(Severity::Warning, "random-always", name, message);
    }
    let bad = mapping
        .default_value
        .as_deref()
        .filter(|value| match target.kind {
            TargetKind::Boolean => {
                !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false")
            }
            TargetKind::Integer => value.parse::<i64>().is_err(),
            _ => false,
        });
    if let Some(value) = bad {
        let message = format!("has the default value {value:?}, which is not of its type");
        report.add(Severity::Error, "default-type", name, message);
    }
}
