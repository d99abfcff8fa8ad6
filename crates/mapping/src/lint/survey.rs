//! What becomes of a whole population.

use std::collections::{BTreeSet, HashMap};

use super::{Finding, Report, Severity, posix_problem};
use crate::evaluate::{Context, Outcome};
use crate::mapping::{CompiledMapping, FlowError, Mappings, Operation};
use crate::object::Object;
use crate::suggest::closest;

/// How many people a finding names.
const EXAMPLES: usize = 3;

/// How many attributes of the source a finding names.
const NAMED: usize = 20;

/// What a sign-in name is called where it is not `userPrincipalName`, the likeliest first.
const SIGN_IN_NAMES: [&str; 9] = [
    "upn",
    "mail",
    "email",
    "emailaddress",
    "username",
    "user_name",
    "login",
    "account",
    "uid",
];

/// Counts what the mappings make of one object after the other. Its memory grows with the number of objects by the
/// values that must be unique, and nothing else.
#[derive(Debug)]
pub struct Survey<'m> {
    mappings: &'m Mappings,
    object: String,
    /// The place of the mapping whose values become names of accounts on hosts.
    posix: Option<usize>,
    seen: u64,
    out_of_scope: u64,
    unmatchable: Examples,
    columns: Vec<Column>,
    /// The attributes that somebody has.
    known: BTreeSet<String>,
}

/// What was seen of one mapping.
#[derive(Debug, Default)]
struct Column {
    empty: Examples,
    failed: HashMap<String, Examples>,
    posix: HashMap<String, Examples>,
    /// How often each value came, where values must be unique; under the key by which they are compared.
    values: HashMap<String, (u64, String)>,
    /// By the position of a `Replace` in the expression: the values that it left unchanged.
    unmatched: HashMap<usize, Examples>,
    with_value: u64,
}

#[derive(Debug, Default, Clone)]
struct Examples {
    count: u64,
    names: Vec<String>,
}

impl Examples {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < EXAMPLES {
            self.names.push(name.to_owned());
        }
    }

    fn list(&self) -> String {
        self.names
            .iter()
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl<'m> Survey<'m> {
    /// A survey of nobody yet. `posix` is the attribute of the target whose values become names of accounts on
    /// hosts, as it is written in the mappings; usually `userName`.
    pub fn new(object: impl Into<String>, mappings: &'m Mappings, posix: Option<&str>) -> Self {
        Self {
            mappings,
            object: object.into(),
            posix: posix
                .and_then(|name| mappings.iter().position(|it| it.target.canonical == name)),
            seen: 0,
            out_of_scope: 0,
            unmatchable: Examples::default(),
            columns: mappings.iter().map(|_| Column::default()).collect(),
            known: BTreeSet::new(),
        }
    }

    /// Looks at one object. `name` is what findings call it.
    pub fn observe(&mut self, name: &str, source: &Object, context: &Context<'_>) {
        for attribute in source.names() {
            if !self.known.contains(attribute) {
                self.known.insert(attribute.to_owned());
            }
        }
        if !self.mappings.scope().contains(source).unwrap_or(true) {
            self.out_of_scope += 1;
            return;
        }
        self.seen += 1;
        let mut matchable = false;
        for (index, mapping) in self.mappings.iter().enumerate() {
            let Some(expression) = &mapping.source else {
                continue;
            };
            let Some(column) = self.columns.get_mut(index) else {
                continue;
            };
            let mut unmatched = Vec::new();
            let outcome = expression.evaluate_traced(source, context, &mut unmatched);
            match outcome {
                Err(error) => column
                    .failed
                    .entry(error.to_string())
                    .or_default()
                    .add(name),
                Ok(Outcome::Value(value)) if !value.is_null_or_empty() => {
                    let matches = mapping.matching_priority > 0;
                    let is_posix = self.posix == Some(index);
                    matchable |= matches;
                    let text = value.to_string();
                    if is_posix || matches || mapping.target.unique {
                        column.count(&text, mapping.target.case_exact);
                    }
                    column.see(&text, &unmatched, is_posix);
                }
                Ok(_) => column.empty.add(name),
            }
        }
        if !matchable {
            self.unmatchable.add(name);
        }
        self.check_types(name, source, context);
    }

    /// Values that the target's type refuses: what the expressions alone do not show.
    fn check_types(&mut self, name: &str, source: &Object, context: &Context<'_>) {
        let evaluated = self.mappings.evaluate(source, context, Operation::Create);
        for failed in &evaluated.failed {
            let index = self
                .mappings
                .iter()
                .position(|it| it.target == *failed.target);
            let column = index.and_then(|index| self.columns.get_mut(index));
            // What an expression failed with is counted already.
            if let Some(column) =
                column.filter(|_| !matches!(failed.error, FlowError::Evaluation(_)))
            {
                column
                    .failed
                    .entry(failed.error.to_string())
                    .or_default()
                    .add(name);
            }
        }
    }

    /// How many objects were in scope, and how many were not.
    pub fn counts(&self) -> (u64, u64) {
        (self.seen, self.out_of_scope)
    }

    /// What there is to say, the worst first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = Report {
            object: self.object.clone(),
            findings: &mut findings,
        };
        if self.unmatchable.count > 0 {
            let message = format!(
                "{} of {} have no value for any matching attribute and are skipped: {}",
                self.unmatchable.count,
                self.seen,
                self.unmatchable.list()
            );
            report.add(Severity::Error, "unmatchable", None, message);
        }
        let mut unfed = Vec::new();
        for (index, (mapping, column)) in self.mappings.iter().zip(&self.columns).enumerate() {
            let name = mapping.target.text.as_str();
            let is_posix = self.posix == Some(index);
            let missing = self.missing(mapping, column);
            column.report(name, self.seen, is_posix, missing.is_none(), &mut report);
            match missing {
                Some(attribute) if mapping.matching_priority > 0 => {
                    let message = self.without(mapping, &attribute);
                    report.add(Severity::Error, "no-such-attribute", Some(name), message);
                }
                Some(attribute) => unfed.push(format!("{name} from [{attribute}]")),
                None => {}
            }
        }
        if !unfed.is_empty() {
            let message = format!(
                "nobody in the source has what these are mapped from, and they are left out: {}",
                unfed.join(", ")
            );
            report.add(Severity::Note, "no-such-attribute", None, message);
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// The attribute that nobody has, where that is why nobody gets a value from a mapping.
    fn missing(&self, mapping: &CompiledMapping, column: &Column) -> Option<String> {
        let source = mapping.source.as_ref()?;
        if self.seen == 0 || column.with_value > 0 {
            return None;
        }
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let unknown = source.unknown_attributes(&known);
        // Members are no attribute of a group, and told by themselves.
        let unknown = unknown.into_iter().map(|it| it.name);
        unknown.into_iter().find(|name| name != "members")
    }

    /// What to do where nobody has an attribute that people are matched by.
    fn without(&self, mapping: &CompiledMapping, attribute: &str) -> String {
        let known = || self.known.iter().map(String::as_str);
        let like = |wanted: &str| known().find(|name| name.eq_ignore_ascii_case(wanted));
        let meant =
            closest(attribute, known()).or_else(|| SIGN_IN_NAMES.into_iter().find_map(like));
        let computed = ["IsSoftDeleted", "objectId"];
        let own = known().filter(|name| !computed.contains(name));
        let mut there: Vec<&str> = own.take(NAMED).collect();
        if there.len() == NAMED {
            there.push("…");
        }
        let (target, priority) = (&mapping.target.text, mapping.matching_priority);
        let instead = match meant {
            Some(name) => format!(
                "map what it is called there: {{ target = \"{target}\", attribute = \"{name}\", matchingPriority = {priority} }}"
            ),
            None => "map another attribute".to_owned(),
        };
        format!(
            "nobody in the source has {attribute}, which people are matched by; the source has {}. Give it a column (or attribute) {attribute}, or {instead}",
            there.join(", ")
        )
    }
}

impl Column {
    /// Notes a value that must be unique.
    fn count(&mut self, text: &str, case_exact: bool) {
        let key = match case_exact {
            true => text.to_owned(),
            false => text.to_lowercase(),
        };
        let entry = self.values.entry(key);
        entry.or_insert_with(|| (0, text.to_owned())).0 += 1;
    }

    /// Notes a value, with the calls of `Replace` that found nothing in making it.
    fn see(&mut self, text: &str, unmatched: &[usize], is_posix: bool) {
        self.with_value += 1;
        for at in unmatched {
            self.unmatched.entry(*at).or_default().add(text);
        }
        if let Some(problem) = posix_problem(text).filter(|_| is_posix) {
            self.posix.entry(problem.to_string()).or_default().add(text);
        }
    }

    fn report(
        &self,
        name: &str,
        seen: u64,
        is_posix: bool,
        tells_empty: bool,
        report: &mut Report<'_>,
    ) {
        let target = Some(name);
        for (error, examples) in sorted(&self.failed) {
            let message = format!(
                "fails for {} of {seen}: {error}; for example {}",
                examples.count,
                examples.list()
            );
            report.add(Severity::Error, "fails", target, message);
        }
        for (problem, examples) in sorted(&self.posix) {
            let message = format!(
                "{} of {seen} names are no names of accounts: {problem}; for example {}",
                examples.count,
                examples.list()
            );
            report.add(Severity::Error, "posix-name", target, message);
        }
        self.report_collisions(target, is_posix, report);
        self.report_unmatched(target, report);
        if self.empty.count > 0 && tells_empty {
            let message = format!(
                "has no value for {} of {seen}: {}",
                self.empty.count,
                self.empty.list()
            );
            report.add(Severity::Note, "null", target, message);
        }
    }

    fn report_collisions(&self, target: Option<&str>, is_posix: bool, report: &mut Report<'_>) {
        let mut shared: Vec<&(u64, String)> = self
            .values
            .values()
            .filter(|(count, _)| *count > 1)
            .collect();
        shared.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        if !shared.is_empty() {
            let first = shared
                .iter()
                .take(EXAMPLES)
                .map(|(count, text)| format!("{text:?} ({count})"));
            let first = first.collect::<Vec<_>>().join(", ");
            let what = if is_posix {
                "names of accounts"
            } else {
                "values that must be unique"
            };
            let message = format!("{} {what} come more than once: {first}", shared.len());
            report.add(Severity::Error, "collision", target, message);
        }
    }

    fn report_unmatched(&self, target: Option<&str>, report: &mut Report<'_>) {
        for (at, examples) in sorted(&self.unmatched) {
            if examples.count < self.with_value {
                let message = format!(
                    "the Replace at position {} finds nothing to replace in {} of {} values and leaves them as they \
                     are; for example the results {}",
                    at + 1,
                    examples.count,
                    self.with_value,
                    examples.list()
                );
                report.add(Severity::Warning, "unchanged", target, message);
            } else {
                let message = format!(
                    "the Replace at position {} never finds anything to replace",
                    at + 1
                );
                report.add(Severity::Note, "never-replaces", target, message);
            }
        }
    }
}

fn sorted<K: Ord, V>(map: &HashMap<K, V>) -> Vec<(&K, &V)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}
