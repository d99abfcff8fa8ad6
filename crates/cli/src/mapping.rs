//! `portreeve mapping`: expressions and attribute mappings tried out, without a server.

mod objects;
pub(crate) mod population;
pub(crate) mod survey;
mod tally;
mod trial;

use crate::Global;
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Format, Shape};
use crate::runtime;
use crate::time;
use population::From;
use portreeve_mapping::lint::{self, Severity};
use portreeve_mapping::{ParseError, expectations};
use portreeve_provisioning::application::mappings;
use serde_json::{Value, json};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use survey::Wishes;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run a file of expectations: what expressions should give for what source objects
    Verify {
        /// JSON list of {"expr": …, "attributes": {…}, "expect": …}
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Look for mistakes in a set of mappings, and in what they make of everybody in a source
    Check(CheckArgs),
    /// Evaluate an expression for one source object or for many
    Test(trial::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Mappings in TOML or JSON, or a synchronizationSchema exported from Entra
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Definition of an application or of a source alone, or directory:NAME of the server, which is read from one end to
    /// the other
    #[arg(long, value_name = "FILE|directory:NAME")]
    source: Option<From>,
    /// The attribute of users whose values become names of accounts on hosts, usually userName
    #[arg(long, value_name = "ATTRIBUTE", requires = "source")]
    posix: Option<String>,
    /// The tenant's domain that DefaultDomain() gives
    #[arg(long, value_name = "DOMAIN", requires = "source")]
    default_domain: Option<String>,
}

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify { file } => verify(global, &file),
        Command::Check(args) => check(global, &args),
        Command::Test(args) => trial::run(global, &args),
    }
}

const MISMATCHES: Shape = Shape {
    columns: &[
        Column::text("EXPRESSION", "expression"),
        Column::text("EXPECTED", "expected"),
        Column::text("FOUND", "found"),
        Column::text("REASON", "reason"),
    ],
    name: "expression",
};

fn verify(global: &Global, file: &Path) -> Result<(), Failure> {
    let expected = expectations::parse(&read(file)?)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let now = time::now();
    let chance = Chance::default();
    let mut failures = Vec::new();
    for expectation in &expected {
        if let Err(mismatch) = expectation.check(now, &|bytes| chance.fill(bytes)) {
            let mut failure = json!({
                "expression": expectation.expression,
                "expected": mismatch.expected.to_string(),
                "found": mismatch.found.to_string(),
            });
            if let Some(reason) = mismatch.reason {
                failure["reason"] = reason.into();
            }
            failures.push(failure);
        }
    }
    chance.verdict()?;
    let (failed, passed) = (failures.len(), expected.len() - failures.len());
    match global.output {
        Format::Table => {
            let mut text: String = failures.iter().map(mismatch).collect();
            text.push_str(&format!("{passed} passed, {failed} failed\n"));
            output::print(&text)?;
        }
        Format::Json | Format::Yaml => {
            let all = json!({"passed": passed, "failed": failed, "failures": failures});
            output::one(global.output, &MISMATCHES, &all)?;
        }
        Format::Csv | Format::Name => output::list(global.output, &MISMATCHES, &failures)?,
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::told(Code::Failure)),
    }
}

fn mismatch(failure: &Value) -> String {
    let text = |name: &str| output::harmless(failure[name].as_str().unwrap_or_default());
    let reason = match text("reason") {
        reason if reason.is_empty() => String::new(),
        reason => format!("\n  {reason}"),
    };
    let (expression, expected, found) = (text("expression"), text("expected"), text("found"));
    format!("failed: {expression}\n  expected {expected}, found {found}{reason}\n")
}

const FINDINGS: Shape = Shape {
    columns: &[
        Column::text("SEVERITY", "severity"),
        Column::text("OBJECT", "object"),
        Column::text("TARGET", "target"),
        Column::text("RULE", "rule"),
        Column::text("MESSAGE", "message"),
    ],
    name: "rule",
};

fn check(global: &Global, args: &CheckArgs) -> Result<(), Failure> {
    let mappings::Read { set, notes } = mappings::read_file(&args.file).map_err(Failure::usage)?;
    for note in notes {
        output::say(global.output, &format!("note: {note}"));
    }
    let catalog = portreeve_scim::Catalog::standard();
    let mut findings = lint::check(&set, &catalog);
    if let Some(source) = &args.source {
        let wishes = Wishes {
            posix: args.posix.as_deref(),
            default_domain: args.default_domain.as_deref(),
        };
        let survey = survey::findings(global, &set, &catalog, source, &wishes);
        findings.extend(runtime::client(survey)?);
        findings.sort_by_key(|finding| finding.severity);
    }
    let findings: Vec<Value> = findings.iter().map(|it| json!(it)).collect();
    report(global.output, &findings)
}

/// Prints what a linter found. Errors make the command fail.
pub(crate) fn report(format: Format, findings: &[Value]) -> Result<(), Failure> {
    let count = |severity: Severity| {
        let all = findings.iter();
        all.filter(|it| it["severity"] == severity.name()).count()
    };
    let errors = count(Severity::Error);
    match format {
        Format::Table => {
            let mut text: String = findings.iter().map(line).collect();
            let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
            text.push_str(&format!(
                "{errors} errors, {warnings} warnings, {notes} notes\n"
            ));
            output::print(&text)?;
        }
        format => output::list(format, &FINDINGS, findings)?,
    }
    match errors {
        0 => Ok(()),
        _ => Err(Failure::told(Code::Failure)),
    }
}

fn line(finding: &Value) -> String {
    let text = |name: &str| output::harmless(finding[name].as_str().unwrap_or_default());
    let place = match text("target") {
        target if target.is_empty() => text("object"),
        target => format!("{} {target}", text("object")),
    };
    let (severity, message, rule) = (text("severity"), text("message"), text("rule"));
    format!("{severity}: {place}: {message} [{rule}]\n")
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))
}

/// A wrong expression with a mark under the place.
fn wrong_expression(text: &str, error: &ParseError) -> Failure {
    let line_start = text
        .get(..error.offset)
        .and_then(|before| before.rfind('\n'));
    let line_start = line_start.map_or(0, |at| at + 1);
    let line = text.get(line_start..).and_then(|rest| rest.lines().next());
    let before = text.get(line_start..error.offset).unwrap_or_default();
    let mark = " ".repeat(before.chars().count());
    let line = output::harmless(line.unwrap_or_default());
    Failure::usage(format!("{error}\n  {line}\n  {mark}^"))
}

/// The machine's randomness. That it fails is told once, after the work.
#[derive(Default)]
struct Chance {
    failed: Cell<bool>,
}

impl Chance {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            self.failed.set(true);
        }
    }

    fn verdict(&self) -> Result<(), Failure> {
        match self.failed.get() {
            true => Err(Failure::plain("the machine has no randomness to give")),
            false => Ok(()),
        }
    }
}
