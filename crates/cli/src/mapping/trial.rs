//! `portreeve mapping test`: what an expression gives for one source object, or for all of them.

use super::objects::{self, Named};
use super::{Chance, wrong_expression};
use crate::Global;
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Format, Shape};
use crate::time;
use jiff::Timestamp;
use portreeve_mapping::{Context, Expression, Outcome, Value};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// How many objects stand for all with the same result.
const EXAMPLES: usize = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The expression, such as: ToLower([userPrincipalName])
    #[arg(value_name = "EXPR")]
    expression: String,
    /// JSON object with the attributes of a source object, a list of them, or one per line; - is standard input
    #[arg(long, value_name = "FILE")]
    attributes: PathBuf,
    /// The time that Now() gives, such as 2026-11-21T12:00:00Z [default: the present]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// The tenant's domain that DefaultDomain() gives
    #[arg(long, value_name = "DOMAIN")]
    default_domain: Option<String>,
    /// With many objects, show at most so many results; 0 shows all
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
}

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

pub(super) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let expression = Expression::parse(&args.expression)
        .map_err(|error| wrong_expression(&args.expression, &error))?;
    let objects = objects::read(&args.attributes)?;
    let chance = Chance::default();
    let fill = |bytes: &mut [u8]| chance.fill(bytes);
    let mut context = Context::at(args.now.unwrap_or_else(time::now)).with_random(&fill);
    if let Some(domain) = &args.default_domain {
        context = context.with_default_domain(domain);
    }
    warn_of_unknown(global, &expression, &objects);
    let mut tally = Tally::default();
    for named in &objects {
        tally.add(&expression, named, &context);
    }
    chance.verdict()?;
    match objects.as_slice() {
        [_] => tally.print_one(global.output)?,
        _ => tally.print(global.output, args.limit)?,
    }
    match tally.failed {
        0 => Ok(()),
        _ => Err(Failure::told(Code::Failure)),
    }
}

/// An attribute that nobody has is a slip of the pen, most of the time.
fn warn_of_unknown(global: &Global, expression: &Expression, objects: &[Named]) {
    let mut known: Vec<&str> = objects.iter().flat_map(|it| it.object.names()).collect();
    known.sort_unstable();
    known.dedup();
    for unknown in expression.unknown_attributes(&known) {
        let meant = unknown
            .suggestion
            .map(|name| format!("; did you mean [{name}]?"));
        let name = output::harmless(&unknown.name);
        output::say(
            global.output,
            &format!("note: no object has [{name}]{}", meant.unwrap_or_default()),
        );
    }
}

/// How often each result came.
#[derive(Default)]
struct Tally {
    results: HashMap<(&'static str, Json), (u64, Vec<String>)>,
    unmatched: BTreeMap<usize, (u64, Vec<String>)>,
    failed: u64,
    objects: u64,
}

impl Tally {
    fn add(&mut self, expression: &Expression, named: &Named, context: &Context<'_>) {
        let mut unmatched = Vec::new();
        let outcome = expression.evaluate_traced(&named.object, context, &mut unmatched);
        let result = match outcome {
            Ok(Outcome::Value(value)) if value.is_null() => ("null", Json::Null),
            Ok(Outcome::Value(value)) => ("value", json(&value)),
            Ok(Outcome::IgnoreAttribute) => ("left out", Json::Null),
            Ok(Outcome::IgnoreObject) => ("object skipped", Json::Null),
            Err(error) => {
                self.failed += 1;
                ("error", error.to_string().into())
            }
        };
        self.objects += 1;
        count(self.results.entry(result).or_default(), &named.name);
        unmatched.dedup();
        for at in unmatched {
            count(self.unmatched.entry(at).or_default(), &named.name);
        }
    }

    /// The result alone.
    fn print_one(&self, format: Format) -> Result<(), Failure> {
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

    /// All results, the most frequent first.
    fn print(&self, format: Format, limit: usize) -> Result<(), Failure> {
        let mut results: Vec<_> = self.results.iter().collect();
        results.sort_by_cached_key(|((outcome, result), (count, _))| {
            (std::cmp::Reverse(*count), *outcome, result.to_string())
        });
        let rows: Vec<Json> = results
            .iter()
            .map(|((outcome, result), (count, examples))| {
                json!({"count": count, "outcome": outcome, "result": result, "examples": examples})
            })
            .collect();
        let shown = match (format, limit) {
            (Format::Table, 1..) => rows.get(..limit).unwrap_or(&rows),
            _ => &rows,
        };
        output::list(format, &DISTRIBUTION, shown)?;
        if format != Format::Table {
            return Ok(());
        }
        let more = rows.len() - shown.len();
        let mut text = String::new();
        if more > 0 {
            text.push_str(&format!("… and {more} more results\n"));
        }
        for (at, (count, examples)) in &self.unmatched {
            let examples = output::harmless(&examples.join(", "));
            let at = at + 1;
            text.push_str(&format!(
                "Replace at position {at} found nothing to replace for {count}: {examples}\n"
            ));
        }
        text.push_str(&self.summary());
        output::print(&text)
    }

    fn summary(&self) -> String {
        let of = |wanted: &str| {
            let all = self
                .results
                .iter()
                .filter(|((outcome, _), _)| *outcome == wanted);
            all.fold((0, 0), |(objects, results), (_, (count, _))| {
                (objects + count, results + 1)
            })
        };
        let (values, distinct) = of("value");
        let mut text = format!(
            "{} objects: {values} with a value ({distinct} distinct)",
            self.objects
        );
        for (outcome, what) in [
            ("null", "null"),
            ("left out", "left out"),
            ("object skipped", "skipped"),
            ("error", "failed"),
        ] {
            if of(outcome).0 > 0 {
                text.push_str(&format!(", {} {what}", of(outcome).0));
            }
        }
        text + "\n"
    }
}

fn count((count, examples): &mut (u64, Vec<String>), name: &str) {
    *count += 1;
    if examples.len() < EXAMPLES {
        examples.push(name.to_owned());
    }
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
