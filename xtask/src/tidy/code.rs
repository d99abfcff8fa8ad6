//! What source files look like.

use super::{Problems, Source, Tree};

const LINES: usize = 500;

/// Files longer than that, each with the reason why it is one file.
const LONG: &[(&str, &str)] = &[];

/// Where SQL may be written: the rules, the store under them, the throw-away server that its tests use, and the program
/// that measures a bare database. These rules are the fifth, because they list how statements start.
const SQL_HOMES: &[&str] = &[
    "crates/directory/",
    "crates/store/",
    "crates/cluster/",
    "bench/",
    "xtask/src/tidy/",
];

/// How a statement starts.
const SQL: &[(&str, &str)] = &[
    ("SELECT ", MOVE),
    ("INSERT INTO ", MOVE),
    ("\"UPDATE ", MOVE),
    ("DELETE FROM ", MOVE),
    ("CREATE TABLE ", MOVE),
    ("PRAGMA ", MOVE),
];

const MOVE: &str = "move the statement to crates/directory";

/// What means that somebody meant to come back; written in two parts, so that this file does not break its own rule.
const UNFINISHED: &[(&str, &str)] = &[
    (concat!("todo", "!("), "write the code"),
    (concat!("unimplemented", "!("), "write the code"),
    (concat!("#[ig", "nore"), "make the test run, or remove it"),
    (
        concat!("#[al", "low("),
        "use #[expect(…, reason = …)], which ends when its cause does",
    ),
    (concat!("TO", "DO"), "do it, or open an issue"),
    (concat!("FIX", "ME"), "fix it, or open an issue"),
    (
        concat!("should_", "panic"),
        "check the error that is returned",
    ),
];

/// Homes are not among them: those of the people of sample hosts are the project's own subject.
const MACHINE_PATHS: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), FOREIGN),
    // Not all below it: the API of the certificate authority has such a path.
    (concat!("/ro", "ot/."), FOREIGN),
    (concat!("/ro", "ot/go/"), FOREIGN),
];

const FOREIGN: &str = "a path of one machine; the project must not know it";

/// SQL is in the crate of the rules, so that whoever changes a table finds every statement that knows it.
pub(super) fn sql(tree: &Tree) -> Problems {
    let at_home = |file: &Source| SQL_HOMES.iter().any(|home| file.path.starts_with(home));
    find(rust(tree).filter(|file| !at_home(file)), SQL)
}

/// A reader learns from the first line whether this is the file to read. The name `tests.rs` says it all.
pub(super) fn headers(tree: &Tree) -> Problems {
    rust(tree)
        .filter(|file| !file.path.ends_with("/tests.rs") && !is_fuzz_target(file))
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| {
            let path = &file.path;
            format!("{path}: starts without a `//!` line that says what the module is for")
        })
        .collect()
}

/// The attribute must be the first line of a fuzz target.
fn is_fuzz_target(file: &Source) -> bool {
    file.path.starts_with("fuzz/") && file.text.starts_with("#![no_main]")
}

/// A file that is longer than [`LINES`] is usually two; where it is not, the list says why. Tables of tests may be long.
pub(super) fn length(tree: &Tree) -> Problems {
    let mut problems = Problems::new();
    for file in rust(tree).filter(|file| !is_test(file)) {
        let (path, lines) = (&file.path, file.text.lines().count());
        let excused = LONG.iter().any(|(long, _)| long == path);
        if lines > LINES && !excused {
            problems.push(format!(
                "{path}: {lines} lines; split it, or give the reason in xtask/src/tidy/code.rs"
            ));
        }
        if lines <= LINES && excused {
            problems.push(format!(
                "{path}: short again; remove its excuse from xtask/src/tidy/code.rs"
            ));
        }
    }
    for (path, _) in LONG.iter().filter(|(path, _)| tree.file(path).is_none()) {
        problems.push(format!(
            "{path}: gone; remove its excuse from xtask/src/tidy/code.rs"
        ));
    }
    problems
}

fn is_test(file: &Source) -> bool {
    file.path.ends_with("/tests.rs") || file.path.contains("/tests/")
}

/// What is committed is finished; what is not is an issue.
pub(super) fn unfinished(tree: &Tree) -> Problems {
    find(rust(tree), UNFINISHED)
}

/// The project works wherever it is cloned.
pub(super) fn machine_paths(tree: &Tree) -> Problems {
    find(tree.files.iter(), MACHINE_PATHS)
}

fn rust(tree: &Tree) -> impl Iterator<Item = &Source> {
    tree.files.iter().filter(|file| file.path.ends_with(".rs"))
}

/// Every line that holds one of the words, as `path:line: word: advice`.
fn find<'a>(files: impl Iterator<Item = &'a Source>, words: &[(&str, &str)]) -> Problems {
    let mut problems = Problems::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            for (word, advice) in words {
                if line.contains(*word) {
                    let (path, number) = (&file.path, number + 1);
                    problems.push(format!("{path}:{number}: `{word}`: {advice}"));
                }
            }
        }
    }
    problems
}
