//! `portreeve-host doctor`.

use super::Global;
use super::failure::Failure;
use super::machine::Machine;
use super::output::{Format, say, show};
use portreeve_host::doctor::{Facts, Finding, Verdict, examine};
use portreeve_host::net::Socket;
use portreeve_host::world::World;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show only what is not as it has to be
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let paths = global.paths();
    let half = Socket::new(paths.apply_socket());
    let facts = Facts::collect(&paths, &*global.sshd(), &half, Machine::new().now());
    let mut findings = examine(&paths, &facts);
    let worst = findings.iter().map(|finding| finding.verdict).max();
    if args.quiet {
        findings.retain(|finding| finding.verdict > Verdict::Ok);
    }
    show(global.output, &findings, &rows(&findings))?;
    if global.output == Format::Table && worst == Some(Verdict::Ok) {
        say(global.output, "everything is as it has to be");
    }
    match worst {
        Some(Verdict::Fail) => Err(Failure::told()),
        _ => Ok(()),
    }
}

fn rows(findings: &[Finding]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "WARN",
            Verdict::Fail => "FAIL",
        };
        rows.push(vec![
            verdict.to_owned(),
            finding.check.to_owned(),
            finding.detail.clone(),
        ]);
        if let Some(remedy) = &finding.remedy {
            rows.push(vec![String::new(), String::new(), format!("→ {remedy}")]);
        }
    }
    rows
}
