//! `cargo xtask test`: every check and every test in one run with one count.
//!
//! The order is that of patience: what fails in seconds comes first. All of it shares one build in the dev profile;
//! the suites against a running server come last, side by side, and after them what harms one. Each suite writes its
//! output to `target/test-logs/<suite>.log`; a person sees one line for it, and the log's end when it failed.

mod browser;
mod hosts;
mod package;
mod postgres;
mod python;
mod step;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use portreeve_cluster::Cluster;

use crate::cargo::{Workspace, root};
use crate::{doc_test, tidy};

const TAIL_LINES: usize = 60;
/// And of the lines before it that name failures.
const FAILURE_LINES: usize = 60;

/// What a suite counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    const PASS: Self = Self {
        passed: 1,
        failed: 0,
    };
    const FAIL: Self = Self {
        passed: 0,
        failed: 1,
    };

    fn good(self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

/// Where things are, for the suites.
pub(crate) struct Place {
    /// Cargo's target folder.
    target: PathBuf,
    scratch: PathBuf,
}

impl Place {
    /// The program that the build made.
    pub(crate) fn program(&self) -> PathBuf {
        self.target.join("debug/portreeve")
    }

    /// The folder of a suite's own files, not made yet. Its path is short, because that of a Unix socket must be.
    pub(crate) fn scratch(&self, suite: &str) -> PathBuf {
        self.scratch.join(suite)
    }

    pub(crate) fn log(&self, suite: &str) -> PathBuf {
        self.target.join("test-logs").join(format!("{suite}.log"))
    }

    /// Where scripts/peers installs.
    fn peers(&self) -> PathBuf {
        self.target.join("peers")
    }

    fn python(&self) -> PathBuf {
        self.peers().join("venv/bin/python")
    }
}

/// When a suite can run, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Needs nothing.
    Check,
    /// Makes the program and the tests; nothing after it runs when it fails.
    Build,
    /// Uses both cores by itself.
    Test,
    /// Drives a running server; all of these run at the same time.
    Peer,
    /// Harms servers of its own, and keeps both cores busy enough.
    Fault,
}

struct Suite {
    name: &'static str,
    what: &'static str,
    stage: Stage,
    run: fn(&Place, &Path) -> Result<Tally>,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "fmt",
        what: "the code is formatted",
        stage: Stage::Check,
        run: |_, log| {
            status_of(
                cargo(&["fmt", "--all", "--", "--check", "--color=never", "-l"]),
                log,
            )
        },
    },
    Suite {
        name: "tidy",
        what: "the project's own rules hold",
        stage: Stage::Check,
        run: |_, log| tidy::suite(log),
    },
    Suite {
        name: "clippy",
        what: "no warning from the compiler or clippy",
        stage: Stage::Check,
        run: |_, log| {
            let clippy = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-Dwarnings",
            ];
            status_of(cargo(&clippy), log)
        },
    },
    Suite {
        name: "build",
        what: "the program and the tests compile",
        stage: Stage::Build,
        run: |_, log| {
            let build = [
                "build",
                "--workspace",
                "--bins",
                "--tests",
                "--examples",
                "--locked",
            ];
            status_of(cargo(&build), log)
        },
    },
    Suite {
        name: "cargo-test",
        what: "unit, property and integration tests",
        stage: Stage::Test,
        run: |_, log| cargo_test(log),
    },
    Suite {
        name: "server-postgres",
        what: "the server's tests once more, on PostgreSQL",
        stage: Stage::Test,
        run: |_, log| postgres::suite(log),
    },
    Suite {
        name: "scim2-tester",
        what: "an independent SCIM compliance tester",
        stage: Stage::Peer,
        run: |place, log| python::scim_peer(place, "scim2-tester", "scim_tester.py", &[], log),
    },
    Suite {
        name: "scim2-postgres",
        what: "the same tester against a server on PostgreSQL",
        stage: Stage::Peer,
        run: |place, log| {
            let url = postgres()?.fresh_url();
            let database = ["--database", &url];
            python::scim_peer(place, "scim2-postgres", "scim_tester.py", &database, log)
        },
    },
    Suite {
        name: "scim2-cli",
        what: "a session with an independent SCIM client",
        stage: Stage::Peer,
        run: |place, log| python::scim_peer(place, "scim2-cli", "scim2_cli.py", &[], log),
    },
    Suite {
        name: "schemathesis",
        what: "the admin API does what its description says",
        stage: Stage::Peer,
        run: python::schemathesis,
    },
    Suite {
        name: "docs",
        what: "the commands in the documentation work",
        stage: Stage::Peer,
        run: doc_test::suite,
    },
    Suite {
        name: "browser",
        what: "people do what they came for, in a real browser",
        stage: Stage::Peer,
        run: browser::suite,
    },
    Suite {
        name: "step",
        what: "OpenSSH and Smallstep's step take the certificate authority for their own",
        stage: Stage::Peer,
        run: step::suite,
    },
    Suite {
        name: "hosts",
        what: "managed hosts, on machines in namespaces with the system's own sshd, PAM and sudo",
        stage: Stage::Peer,
        run: |_, log| hosts::suite(log),
    },
    Suite {
        name: "package",
        what: "the package of the host agent comes, works and goes without a trace",
        stage: Stage::Peer,
        run: package::suite,
    },
    Suite {
        name: "faults",
        what: "nothing acknowledged is lost, whatever happens to the server",
        stage: Stage::Fault,
        run: python::faults,
    },
];

/// Prints the names of the suites.
pub(crate) fn list() {
    for suite in SUITES {
        println!("{:<14}{}", suite.name, suite.what);
    }
}

/// Runs the suites named, or all, prints a line for each and the total. True when something passed and nothing failed.
pub(crate) fn run(names: &[&str]) -> Result<bool> {
    for name in names {
        ensure!(
            SUITES.iter().any(|suite| suite.name == *name),
            "there is no suite `{name}`; `cargo xtask test list` names them"
        );
    }
    let place = Place {
        target: Workspace::read()?.target,
        scratch: std::env::temp_dir().join(format!("portreeve-test-{}", std::process::id())),
    };
    let total = run_stages(&place, names);
    if place.scratch.exists() {
        fs::remove_dir_all(&place.scratch)?;
    }
    let total = total?;
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(total.good())
}

fn run_stages(place: &Place, names: &[&str]) -> Result<Tally> {
    let wanted = |stage: Stage| {
        let chosen = |suite: &&Suite| {
            suite.stage == stage && (names.is_empty() || names.contains(&suite.name))
        };
        SUITES.iter().filter(chosen).collect::<Vec<_>>()
    };
    let (checks, tests) = (wanted(Stage::Check), wanted(Stage::Test));
    let (peers, faults) = (wanted(Stage::Peer), wanted(Stage::Fault));
    let mut build = wanted(Stage::Build);
    if build.is_empty() && !(tests.is_empty() && peers.is_empty() && faults.is_empty()) {
        build.extend(SUITES.iter().find(|suite| suite.stage == Stage::Build));
    }

    thread::scope(|scope| {
        // Waits for the network while the compiler waits for the processor.
        let needed = !(tests.is_empty() && peers.is_empty());
        let installing = needed.then(|| scope.spawn(|| python::prepare(place)));
        let mut total = in_turn(place, &checks);
        let built = in_turn(place, &build);
        add(&mut total, built);
        if built.failed == 0 {
            if let Some(installing) = installing {
                match installing.join() {
                    Ok(installed) => installed.context("the peers could not be installed")?,
                    Err(_) => bail!("installing the peers panicked"),
                }
            }
            add(&mut total, in_turn(place, &tests));
            add(&mut total, side_by_side(place, &peers));
            add(&mut total, in_turn(place, &faults));
        }
        Ok(total)
    })
}

fn in_turn(place: &Place, suites: &[&Suite]) -> Tally {
    suites.iter().fold(Tally::default(), |mut total, suite| {
        add(&mut total, run_one(place, suite));
        total
    })
}

fn side_by_side(place: &Place, suites: &[&Suite]) -> Tally {
    thread::scope(|scope| {
        let running: Vec<_> = suites
            .iter()
            .map(|suite| scope.spawn(|| run_one(place, suite)))
            .collect();
        running
            .into_iter()
            .fold(Tally::default(), |mut total, suite| {
                add(&mut total, suite.join().unwrap_or(Tally::FAIL));
                total
            })
    })
}

fn add(total: &mut Tally, more: Tally) {
    total.passed += more.passed;
    total.failed += more.failed;
}

fn run_one(place: &Place, suite: &Suite) -> Tally {
    let log = place.log(suite.name);
    let started = now();
    let done = fresh(&log).and_then(|()| (suite.run)(place, &log));
    let seconds = now().duration_since(started).as_secs_f64();
    let tally = match &done {
        Ok(tally) if tally.passed + tally.failed > 0 => *tally,
        _ => Tally::FAIL,
    };
    let verdict = if tally.good() { "ok  " } else { "FAIL" };
    println!(
        "{verdict} {:<14}{seconds:>7.1} s   {} passed, {} failed ({})",
        suite.name, tally.passed, tally.failed, suite.what
    );
    for line in left_out(&log) {
        println!("     {line}");
    }
    if !tally.good() {
        let text = fs::read(&log).unwrap_or_default();
        println!("{}", why(&String::from_utf8_lossy(&text)));
        match done {
            Err(error) => println!("     {}: {error:#}", suite.name),
            Ok(tally) if tally == Tally::default() => {
                println!("     {}: it ran no test", suite.name)
            }
            Ok(_) => {}
        }
        println!("     the whole log: {}", log.display());
    }
    tally
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a suite took is for the person who waits and decides nothing"
)]
fn now() -> Instant {
    Instant::now()
}

/// Makes the folder of a log and removes what an earlier run left.
fn fresh(log: &Path) -> Result<()> {
    fs::create_dir_all(log.parent().unwrap_or(root()))?;
    File::create(log)?;
    Ok(())
}

/// What a suite says it could not do here.
fn left_out(log: &Path) -> Vec<String> {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let told = text.lines().filter(|line| line.starts_with("left out: "));
    told.map(str::to_owned).collect()
}

/// What a log says of a failure: the tests that failed with the words of their panics, and its
/// end. The names come first, since whoever prints this may cut it.
fn why(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let told = (0..lines.len()).filter(|&at| {
        let panicked = |at: usize| {
            lines
                .get(at)
                .is_some_and(|line| line.contains(" panicked at "))
        };
        lines[at].ends_with(" ... FAILED") || panicked(at) || (at > 0 && panicked(at - 1))
    });
    let from = lines.len().saturating_sub(TAIL_LINES);
    told.take_while(|&at| at < from)
        .take(FAILURE_LINES)
        .chain(from..lines.len())
        .map(|at| format!("     | {}", lines[at]))
        .collect::<Vec<_>>()
        .join("\n")
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(words);
    command
}

/// Runs a command to its end with its output in the log. True when it succeeded.
pub(crate) fn logged(mut command: Command, log: &Path) -> Result<bool> {
    let file = File::options().create(true).append(true).open(log)?;
    let status = command
        .current_dir(root())
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("could not run {command:?}"))?;
    Ok(status.success())
}

/// A command that is one test: its exit code is the result.
fn status_of(command: Command, log: &Path) -> Result<Tally> {
    Ok(if logged(command, log)? {
        Tally::PASS
    } else {
        Tally::FAIL
    })
}

/// A command whose last line counts: `N passed, N failed`.
fn counted(command: Command, log: &Path) -> Result<Tally> {
    let good = logged(command, log)?;
    Ok(agree(closing_line(&fs::read_to_string(log)?), good))
}

fn cargo_test(log: &Path) -> Result<Tally> {
    let mut test = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    test.env(portreeve_cluster::VARIABLE, postgres()?.url());
    let good = logged(test, log)?;
    Ok(agree(test_results(&fs::read_to_string(log)?), good))
}

/// One for all suites and test programs: each would start its own otherwise.
fn postgres() -> Result<&'static Cluster> {
    Cluster::try_shared().map_err(anyhow::Error::msg)
}

/// A failure that the count does not show, such as a crash, is a failure all the same.
fn agree(mut tally: Tally, good: bool) -> Tally {
    if !good && tally.failed == 0 {
        tally.failed = 1;
    }
    tally
}

/// The sum of the lines `test result: ok. 3 passed; 1 failed; …` that the test harness prints.
fn test_results(output: &str) -> Tally {
    let mut total = Tally::default();
    for line in output
        .lines()
        .filter(|line| line.starts_with("test result: "))
    {
        let more = Tally {
            passed: number_before(line, " passed"),
            failed: number_before(line, " failed"),
        };
        add(&mut total, more);
    }
    total
}

/// The last line `N passed, N failed`.
fn closing_line(output: &str) -> Tally {
    let last = output
        .lines()
        .rev()
        .find(|line| line.ends_with(" failed") && line.contains(" passed, "));
    last.map_or_else(Tally::default, |line| Tally {
        passed: number_before(line, " passed"),
        failed: number_before(line, " failed"),
    })
}

fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    let digits = before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests;
