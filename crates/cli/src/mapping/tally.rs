//! What an expression gives for how many objects.

use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use portreeve_mapping::lint::posix_problem;
use portreeve_mapping::{Context, Expression, Outcome, Value};
use portreeve_provisioning::source::population::Named;
use serde_json::{Value as Json, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many objects stand for all with the same result.
const EXAMPLES: usize = 3;

/// How many different results are told apart, so that memory has a bound. Names of accounts are all kept.
const DISTINCT: usize = 100_000;

const RESULT: Shape = Shape {
    columns: &[
        Column::text("OUTCOME", "outcome"),
        Column::text("RESULT", "result"),
    ],
    name: "result",
};

const DISTRIBUTION: Shape = Shape {
    columns: &[
        Column::text("COUNT", "count"),
        Column::text("OUTCOME", "outcome"),
        Column::text("RESULT", "result"),
        Column::text("FOR EXAMPLE", "examples"),
    ],
    name: "result",
};

const ACCOUNTS: Shape = Shape {
    columns: &[
        Column::text("COUNT", "count"),
        Column::text("OUTCOME", "outcome"),
        Column::text("RESULT", "result"),
        Column::text("PROBLEM", "problem"),
        Column::text("FOR EXAMPLE", "examples"),
    ],
    name: "result",
};

/// How often each result came.
#[derive(Default)]
pub(super) struct Tally {
    /// Whether results are to be names of accounts on hosts, each of one object.
    accounts: bool,
    results: HashMap<(&'static str, Json), Count>,
    /// How many objects have a result that is not told apart.
    others: u64,
    /// By the position of a `Replace`: for whom it found nothing.
    unmatched: BTreeMap<usize, Count>,
    /// Attributes that somebody has.
    known: BTreeSet<String>,
    outcomes: BTreeMap<&'static str, u64>,
    objects: u64,
}

#[derive(Default)]
struct Count {
    objects: u64,
    examples: Vec<String>,
}

impl Count {
    fn add(&mut self, name: &str) {
        self.objects += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(name.to_owned());
        }
    }
}

impl Tally {
    pub(super) fn new(accounts: bool) -> Self {
        Self {
            accounts,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, expression: &Expression, named: &Named, context: &Context<'_>) {
        let mut unmatched = Vec::new();
        let outcome = expression.evaluate_traced(&named.object, context, &mut unmatched);
        let result = match outcome {
            Ok(Outcome::Value(value)) if value.is_null() => ("null", Json::Null),
            Ok(Outcome::Value(value)) => ("value", json(&value)),
            Ok(Outcome::IgnoreAttribute) => ("left out", Json::Null),
            Ok(Outcome::IgnoreObject) => ("object skipped", Json::Null),
            Err(error) => ("error", error.to_string().into()),
        };
        self.objects += 1;
        *self.outcomes.entry(result.0).or_default() += 1;
        let told_apart = self.accounts || self.results.len() < DISTINCT;
        if told_apart || self.results.contains_key(&result) {
            self.results.entry(result).or_default().add(&named.name);
        } else {
            self.others += 1;
        }
        unmatched.dedup();
        for at in unmatched {
            self.unmatched.entry(at).or_default().add(&named.name);
        }
        for name in named.object.names() {
            if !self.known.contains(name) {
                self.known.insert(name.to_owned());
            }
        }
    }

    /// Tells attributes that nobody has, which are slips of the pen, most of the time.
    pub(super) fn warn_of_unknown(&self, format: Format, expression: &Expression) {
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        for unknown in expression.unknown_attributes(&known) {
            let meant = unknown
                .suggestion
                .map(|name| format!("; did you mean [{name}]?"));
            let name = output::harmless(&unknown.name);
            let meant = meant.unwrap_or_default();
            output::say(format, &format!("note: no object has [{name}]{meant}"));
        }
    }

    /// Whether it was one object only.
    pub(super) fn is_single(&self) -> bool {
        self.objects == 1
    }

    /// Whether every object has a result that can be used.
    pub(super) fn is_good(&self) -> bool {
        !self.outcomes.contains_key("error")
            && !self.problems().any(|(_, problem)| problem.is_some())
    }

    /// Each result with what is wrong with it as a name of an account.
    fn problems(&self) -> impl Iterator<Item = (&(&'static str, Json), Option<String>)> {
        self.results.iter().map(|(result, count)| {
            let is_name = self.accounts && result.0 == "value";
            let problem = is_name.then(|| account_problem(&result.1, count.objects));
            (result, problem.flatten())
        })
    }

    /// The result of the only object, alone.
    pub(super) fn print_one(&self, format: Format) -> Result<(), Failure> {
        let Some(((outcome, result), _)) = self.results.iter().next() else {
            return Ok(());
        };
        let object = json!({"outcome": outcome, "result": result});
        let text = match (format, result) {
            (Format::Table, Json::Array(items)) => items
                .iter()
                .map(|item| line(&output::plain(item)))
                .collect(),
            (Format::Table, Json::Null) => line(&format!("({outcome})")),
            (Format::Table, other) if *outcome == "error" => {
                line(&format!("error: {}", output::plain(other)))
            }
            (Format::Table, other) => line(&output::plain(other)),
            _ => return output::one(format, &RESULT, &object),
        };
        output::print(&text)
    }

    /// All results: first those that are no names of accounts, where they are to be, then the most frequent ones.
    pub(super) fn print(&self, format: Format, limit: usize) -> Result<(), Failure> {
        let mut rows: Vec<_> = self
            .problems()
            .filter_map(|(result, problem)| Some((result, self.results.get(result)?, problem)))
            .collect();
        rows.sort_by_cached_key(|((outcome, result), count, problem)| {
            let place = (problem.is_none(), Reverse(count.objects));
            (place, *outcome, result.to_string())
        });
        let is_table = format == Format::Table;
        let shown = match is_table && limit > 0 {
            true => limit.min(rows.len()),
            false => rows.len(),
        };
        let items: Vec<Json> = rows.iter().take(shown).map(row).collect();
        let shape = match self.accounts {
            true => &ACCOUNTS,
            false => &DISTRIBUTION,
        };
        output::list(format, shape, &items)?;
        if !is_table {
            return Ok(());
        }
        let more = rows.len() - shown;
        let mut text = String::new();
        if more > 0 {
            text.push_str(&format!("… and {more} more results\n"));
        }
        if self.others > 0 {
            text.push_str(&format!(
                "… and {} objects with other results\n",
                self.others
            ));
        }
        for (at, count) in &self.unmatched {
            let (at, objects) = (at + 1, count.objects);
            let examples = output::harmless(&count.examples.join(", "));
            text.push_str(&format!(
                "Replace at position {at} found nothing to replace for {objects}: {examples}\n"
            ));
        }
        text.push_str(&self.summary());
        output::print(&text)
    }

    fn summary(&self) -> String {
        let of = |outcome: &str| self.outcomes.get(outcome).copied().unwrap_or(0);
        let values = self
            .results
            .keys()
            .filter(|(outcome, _)| *outcome == "value");
        let more_than = if self.others > 0 { "more than " } else { "" };
        let mut text = format!(
            "{} objects: {} with a value ({more_than}{} distinct)",
            self.objects,
            of("value"),
            values.count()
        );
        for (outcome, what) in [
            ("null", "null"),
            ("left out", "left out"),
            ("object skipped", "skipped"),
            ("error", "failed"),
        ] {
            if of(outcome) > 0 {
                text.push_str(&format!(", {} {what}", of(outcome)));
            }
        }
        if self.accounts {
            let bad = self.problems().filter(|(_, problem)| problem.is_some());
            text.push_str(&format!("; no names of accounts: {}", bad.count()));
        }
        text + "\n"
    }
}

fn row(((outcome, result), count, problem): &(&(&str, Json), &Count, Option<String>)) -> Json {
    let mut row = json!({
        "count": count.objects,
        "outcome": outcome,
        "result": result,
        "examples": count.examples,
    });
    if let Some(problem) = problem {
        row["problem"] = problem.as_str().into();
    }
    row
}

/// Why a result that so many objects have is no name of one account.
fn account_problem(result: &Json, objects: u64) -> Option<String> {
    let invalid = match result {
        Json::String(name) => posix_problem(name).map(|problem| problem.to_string()),
        _ => Some("it is a list".to_owned()),
    };
    let shared = (objects > 1).then(|| format!("{objects} objects would have it"));
    let problems: Vec<String> = invalid.into_iter().chain(shared).collect();
    (!problems.is_empty()).then(|| problems.join(", and "))
}

fn json(value: &Value<'_>) -> Json {
    match value {
        Value::List(items) => items.iter().map(Value::to_string).collect(),
        one => one.to_string().into(),
    }
}

fn line(text: &str) -> String {
    output::harmless(text) + "\n"
}
