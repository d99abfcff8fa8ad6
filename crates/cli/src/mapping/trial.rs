//! `portreeve mapping test`: what an expression gives for one source object, or for all of them.

use super::population::{From, Population, Whom};
use super::tally::Tally;
use super::{Chance, objects, wrong_expression};
use crate::Global;
use crate::failure::{Code, Failure};
use crate::runtime;
use crate::time;
use clap::ArgGroup;
use jiff::Timestamp;
use portreeve_mapping::{Context, Expression};
use portreeve_provisioning::source::graph::Asked;
use portreeve_provisioning::source::population::Named;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("from").required(true).args(["attributes", "source"])))]
#[command(group(ArgGroup::new("of").args(["all", "key"])))]
pub(crate) struct Args {
    #[arg(
        value_name = "EXPR",
        help = "The expression, such as: ToLower([userPrincipalName])"
    )]
    expression: String,
    /// JSON object with the attributes of a source object, a list of them, or one per line; - is standard input
    #[arg(long, value_name = "FILE")]
    attributes: Option<PathBuf>,
    /// Definition of an application or of a source alone, or directory:NAME of the server, which is read
    #[arg(long, value_name = "FILE|directory:NAME", requires = "of")]
    source: Option<From>,
    /// Everybody in the source
    #[arg(long, requires = "source")]
    all: bool,
    /// The one in the source with this key
    #[arg(long, value_name = "KEY", requires = "source")]
    key: Option<String>,
    /// Whom of the source
    #[arg(long, value_enum, default_value_t = Whom::User, requires = "source")]
    kind: Whom,
    /// Show first what is no name of an account on hosts, and what several would have
    #[arg(long)]
    posix: bool,
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

pub(super) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let expression = Expression::parse(&args.expression)
        .map_err(|error| wrong_expression(&args.expression, &error))?;
    let chance = Chance::default();
    let fill = |bytes: &mut [u8]| chance.fill(bytes);
    let mut context = Context::at(args.now.unwrap_or_else(time::now)).with_random(&fill);
    if let Some(domain) = &args.default_domain {
        context = context.with_default_domain(domain);
    }
    let mut tally = Tally::new(args.posix);
    if let Some(file) = &args.attributes {
        for named in objects::read(file)? {
            tally.add(&expression, &named, &context);
        }
    }
    if let Some(source) = &args.source {
        runtime::client(read(global, args, source, &expression, &mut |named| {
            tally.add(&expression, named, &context);
        }))?;
    }
    chance.verdict()?;
    tally.warn_of_unknown(global.output, &expression);
    match tally.is_single() && !args.all {
        true => tally.print_one(global.output)?,
        false => tally.print(global.output, args.limit)?,
    }
    match tally.is_good() {
        true => Ok(()),
        false => Err(Failure::told(Code::Failure)),
    }
}

async fn read(
    global: &Global,
    args: &Args,
    source: &From,
    expression: &Expression,
    visit: &mut dyn FnMut(&Named),
) -> Result<(), Failure> {
    let names = || {
        expression
            .attributes()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let asked = Asked {
        users: names(),
        groups: names(),
    };
    let population = Population::open(global, source, &asked)?;
    let wanted = args.kind.kind();
    match &args.key {
        Some(key) => {
            let mut visit = |_, named: &Named| visit(named);
            population.one(wanted, key, &mut visit).await
        }
        None => {
            let mut visit = |kind, named: &Named| {
                if kind == wanted {
                    visit(named);
                }
            };
            population.each(global, &mut visit).await
        }
    }
}
