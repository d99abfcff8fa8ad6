//! What the mappings give for an object, and a fingerprint of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use portreeve_mapping::mapping::{
    Assigned, CompiledMapping, Evaluated, Flow, FlowBehavior, Match, Scalar,
    Target as MappingTarget, TargetKind, Why,
};
use portreeve_mapping::{Context, Object, Operation, Random, Value};
use serde_json::json;

use super::failure::Failure;
use super::subject::Subject;
use super::target::Target;
use crate::application::ObjectRules;
use crate::engine::codes::{Code, During};
use crate::engine::diff;
use crate::source::Kind;

/// The function whose values must be asked for at the target.
const SELECT_UNIQUE: &str = "SelectUniqueValue";

/// The attribute by which access is taken away.
const ACTIVE: &str = "active";

/// How many candidates of `SelectUniqueValue` are tried for one object.
const CANDIDATES: usize = 64;

/// How much of a digest a fingerprint is: two values of one object never meet by chance.
const FINGERPRINT: usize = 16;

/// An object of the source as the mappings see it, with everything else that they may ask for.
pub(super) struct Evaluation<'a> {
    rules: &'a ObjectRules,
    kind: Kind,
    source: Object,
    now: Timestamp,
    default_domain: Option<&'a str>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(
        rules: &'a ObjectRules,
        subject: &Subject,
        now: Timestamp,
        default_domain: Option<&'a str>,
    ) -> Self {
        Self {
            rules,
            kind: subject.kind,
            source: source(subject),
            now,
            default_domain,
        }
    }

    /// Evaluates every mapping for a resource that is there.
    pub(super) fn update(&self) -> Evaluated<'_> {
        let mappings = &self.rules.mappings;
        mappings.evaluate(&self.source, &self.context(), Operation::Update)
    }

    /// Evaluates every mapping for a resource that is to be made. `taken` are values that the target has already.
    pub(super) fn create<'s>(&'s self, taken: &'s dyn Fn(&str) -> bool) -> Evaluated<'s> {
        let context = self.context().with_taken(taken);
        let mappings = &self.rules.mappings;
        mappings.evaluate(&self.source, &context, Operation::Create)
    }

    /// The values by which a resource is looked for, in order of precedence.
    pub(super) fn matching(&self) -> Result<Vec<Match<'_>>, Failure> {
        let matching = self.rules.mappings.matching(&self.source, &self.context());
        matching.map_err(|failed| Failure::of_flow(&failed))
    }

    /// The matching attributes of the target, each with those of the source that it is made from.
    pub(super) fn matched_by(&self) -> Vec<String> {
        let mappings = self.rules.mappings.iter();
        let matching = mappings.filter(|mapping| mapping.matching_priority > 0);
        let told = matching.map(|mapping| {
            let source = mapping.source.iter().flat_map(|source| source.attributes());
            let from: Vec<_> = source.collect();
            format!("{} from {}", mapping.target.canonical, from.join(", "))
        });
        told.collect()
    }

    /// What the scoping filters say, clause by clause.
    pub(super) fn scope(&self) -> Vec<(String, serde_json::Value)> {
        let checked = match self.rules.mappings.scope().explain(&self.source) {
            Ok(checked) => checked,
            Err(error) => {
                return vec![("ScopeEvaluationError".to_owned(), json!(error.to_string()))];
            }
        };
        let told = checked.into_iter().map(|checked| {
            let result = json!({"value": checked.value, "holds": checked.holds});
            (checked.clause, result)
        });
        told.collect()
    }

    /// What each reference attribute other than members refers to. One that fails or is left out is not named.
    pub(super) fn references(&self, evaluated: &Evaluated<'_>) -> Vec<(String, Vec<String>)> {
        let own = |canonical: &str| !self.are_members(canonical);
        let mut references: Vec<(String, Vec<String>)> = diff::references(&evaluated.assigned)
            .map(|(target, keys)| {
                let keys = keys.into_iter().map(str::to_owned).collect();
                (target.canonical.clone(), keys)
            })
            .collect();
        let none = evaluated.dropped.iter().filter(|dropped| {
            dropped.why == Why::Null && dropped.target.kind == TargetKind::Reference
        });
        references.extend(none.map(|dropped| (dropped.target.canonical.clone(), Vec::new())));
        references.retain(|(canonical, _)| own(canonical));
        references
    }

    /// Whether a value is compared with what the target has even where it has not changed.
    pub(super) fn flows_always(&self) -> bool {
        let mut mappings = self.rules.mappings.iter();
        mappings.any(|mapping| mapping.flow_behavior == FlowBehavior::FlowAlways)
    }

    /// The attributes of the target, other than members, that refer to other objects.
    pub(super) fn reference_targets(&self) -> impl Iterator<Item = &'a MappingTarget> {
        let targets = self.rules.mappings.iter().map(|mapping| &mapping.target);
        targets.filter(|target| {
            target.kind == TargetKind::Reference && !self.are_members(&target.canonical)
        })
    }

    /// Asks the target which values that `SelectUniqueValue` would choose are taken. Those that are known already are
    /// given along.
    pub(super) async fn taken(
        &self,
        target: &Target,
        mut known: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Failure> {
        let unique: Vec<&CompiledMapping> = self.rules.mappings.iter().filter(chooses).collect();
        let mut tried = 0;
        while !unique.is_empty() && tried < CANDIDATES {
            let Some((attribute, value)) = self.candidate(&unique, &known, target).await? else {
                break;
            };
            tracing::debug!(
                attribute,
                "a unique value is taken; the next candidate is tried"
            );
            known.insert(value);
            tried += 1;
        }
        Ok(known)
    }

    /// The first value that would be chosen and is taken, with its attribute.
    async fn candidate(
        &self,
        unique: &[&CompiledMapping],
        known: &BTreeSet<String>,
        target: &Target,
    ) -> Result<Option<(String, String)>, Failure> {
        for (attribute, value) in self.chosen(unique, known) {
            if known.contains(&value) {
                continue;
            }
            let found = target.find(self.kind, &attribute, &value).await;
            match found {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(Some((attribute, value))),
                Err(error) => return Err(Failure::of(target, self.kind, error, During::Find).await),
            }
        }
        Ok(None)
    }

    /// What would be chosen, with the attribute that it is for.
    fn chosen(
        &self,
        unique: &[&CompiledMapping],
        known: &BTreeSet<String>,
    ) -> Vec<(String, String)> {
        let taken = |value: &str| known.contains(value);
        let evaluated = self.create(&taken);
        let is_unique = |assigned: &&Assigned<'_>| {
            let canonical = &assigned.target.canonical;
            unique.iter().any(|it| it.target.canonical == *canonical)
        };
        let chosen = evaluated.assigned.iter().filter(is_unique);
        chosen
            .filter_map(|assigned| match &assigned.value {
                Flow::One(Scalar::Text(value)) => {
                    Some((assigned.target.canonical.clone(), value.clone()))
                }
                _ => None,
            })
            .collect()
    }

    fn are_members(&self, canonical: &str) -> bool {
        let members = self.rules.members.as_deref();
        members.is_some_and(|members| members.eq_ignore_ascii_case(canonical))
            || (self.kind == Kind::Group && canonical.eq_ignore_ascii_case("members"))
    }

    fn context(&self) -> Context<'_> {
        let context = Context::at(self.now).with_random(FILL);
        match self.default_domain {
            Some(domain) => context.with_default_domain(domain),
            None => context,
        }
    }
}

/// Whether the machine had no randomness to give when it was asked, after which no value can be trusted.
static WITHOUT_CHANCE: AtomicBool = AtomicBool::new(false);

/// For `Guid` and `RandomString`, which may be passwords.
const FILL: &Random<'static> = &|bytes| {
    if aws_lc_rs::rand::fill(bytes).is_err() {
        WITHOUT_CHANCE.store(true, Ordering::Relaxed);
    }
};

/// The attributes of the source together with those that are worked out here.
fn source(subject: &Subject) -> Object {
    let mut source = Object::from_json(&subject.attributes);
    if source.get("objectId").is_null() {
        source.set("objectId", subject.key.as_str());
    }
    source.set("IsSoftDeleted", subject.standing.is_soft_deleted());
    if !subject.roles.is_empty() {
        let roles = subject.roles.iter().map(|role| Value::from(role.as_str()));
        source.set("appRoleAssignments", Value::List(roles.collect()));
    }
    source
}

/// Whether a mapping chooses a value that nobody at the target has.
fn chooses(mapping: &&CompiledMapping) -> bool {
    let functions = mapping.source.as_ref().map(|source| source.functions());
    functions
        .into_iter()
        .flatten()
        .any(|function| function.name == SELECT_UNIQUE)
}

/// A short digest of the values that a resource should have. Equal fingerprints mean that there is nothing to send.
/// References are not part of it; they are written, and remembered, one by one.
pub(super) fn fingerprint(evaluated: &Evaluated<'_>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    let written = |assigned: &&Assigned<'_>| assigned.target.kind != TargetKind::Reference;
    for assigned in evaluated.assigned.iter().filter(written) {
        let value = match &assigned.value {
            Flow::Null => serde_json::Value::Null,
            Flow::One(scalar) => scalar.to_json(),
            Flow::Many(scalars) => scalars.iter().map(Scalar::to_json).collect(),
        };
        let line = json!([
            assigned.target.canonical,
            assigned.only_if_empty,
            assigned.additive,
            value
        ]);
        context.update(line.to_string().as_bytes());
        context.update(b"\n");
    }
    let digest = context.finish();
    let digest = digest.as_ref();
    URL_SAFE_NO_PAD.encode(digest.get(..FINGERPRINT).unwrap_or(digest))
}

/// Why the values cannot be written, if they cannot: half of a person is worse than none.
pub(super) fn failure(evaluated: &Evaluated<'_>) -> Option<Failure> {
    if WITHOUT_CHANCE.load(Ordering::Relaxed) {
        let detail = "the machine has no randomness to give, so no value can be made by chance";
        return Some(Failure::new(Code::InternalError, detail));
    }
    evaluated.failed.first().map(Failure::of_flow)
}

/// Whether it could not be worked out if the resource is to be active.
pub(super) fn lacks_active(evaluated: &Evaluated<'_>) -> bool {
    let mut failed = evaluated.failed.iter();
    failed.any(|failed| failed.target.canonical == ACTIVE)
}

/// What an object that a mapping leaves out is told with.
pub(super) const LEFT_OUT: (Code, &str) = (
    Code::EntrySynchronizationSkipped,
    "an expression of the mappings leaves this object out (IgnoreObjectFlow)",
);
