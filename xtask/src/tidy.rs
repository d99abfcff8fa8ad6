//! `cargo xtask tidy`: the rules of this project that no other tool checks, each with its reason.

mod code;
mod docs;
mod edges;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cargo::{Workspace, files, root};
use crate::suites::Tally;

/// The project's text files, with what they hold, and its packages.
struct Tree {
    workspace: Workspace,
    files: Vec<Source>,
}

struct Source {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }
}

impl Tree {
    fn read() -> Result<Self> {
        let text = |path: PathBuf| {
            // What is not UTF-8 is no text and no concern of these rules.
            let text = fs::read_to_string(root().join(&path)).ok()?;
            let path = path.to_string_lossy().replace('\\', "/");
            Some(Source { path, text })
        };
        Ok(Self {
            workspace: Workspace::read()?,
            files: files()?.into_iter().filter_map(text).collect(),
        })
    }

    fn file(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether the path is a file of the project or a folder that holds one.
    fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files
            .iter()
            .any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

/// What breaks a rule: where, what, and what to do.
type Problems = Vec<String>;

type Rule = (&'static str, fn(&Tree) -> Problems);

const RULES: &[Rule] = &[
    ("crates depend in one direction", edges::direction),
    ("pure crates do no input or output", edges::purity),
    ("a folder has the name of its package", edges::folders),
    ("SQL has one home", code::sql),
    ("every module says what it is for", code::headers),
    ("files are short", code::length),
    ("nothing is left for later", code::unfinished),
    ("no path of somebody's machine", code::machine_paths),
    ("the manual's table of contents is complete", docs::summary),
    ("links lead somewhere", docs::links),
    ("documents name what exists", docs::names),
    ("every dependency has a reason", docs::dependencies),
    ("the manual has every setting", docs::settings),
    (
        "the change log has a place for the next change",
        docs::change_log,
    ),
];

/// Checks all rules and prints what breaks them. True when nothing does.
pub(crate) fn run() -> Result<bool> {
    let (report, tally) = check(&Tree::read()?);
    print!("{report}");
    Ok(tally.failed == 0)
}

/// The rules as one suite of `cargo xtask test`.
pub(crate) fn suite(log: &Path) -> Result<Tally> {
    let (report, tally) = check(&Tree::read()?);
    fs::write(log, report)?;
    Ok(tally)
}

fn check(tree: &Tree) -> (String, Tally) {
    let mut report = String::new();
    let mut tally = Tally::default();
    for (name, rule) in RULES {
        let problems = rule(tree);
        if problems.is_empty() {
            tally.passed += 1;
            continue;
        }
        tally.failed += 1;
        report.push_str(&format!("Rule broken: {name}\n"));
        for problem in problems {
            report.push_str(&format!("  {problem}\n"));
        }
    }
    (report, tally)
}

#[cfg(test)]
mod tests;
