//! What documents say about the code.

use super::{Problems, Source, Tree};

const BOOK: &str = "docs/src/";
const SUMMARY: &str = "docs/src/SUMMARY.md";
const DEPENDENCIES: &str = "docs/src/dependencies.md";
const SETTINGS: &str = "crates/server/src/config.rs";
const OPERATION: &str = "docs/src/operations.md";

/// Every page of the manual can be reached from its table of contents.
pub(super) fn summary(tree: &Tree) -> Problems {
    let Some(summary) = tree.file(SUMMARY) else {
        return vec![format!("{SUMMARY} is missing")];
    };
    let listed: Vec<String> = targets(&summary.text)
        .map(|target| format!("{BOOK}{target}"))
        .collect();
    let pages = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with(BOOK) && file.is_markdown());
    pages
        .filter(|page| page.path != SUMMARY && !listed.contains(&page.path))
        .map(|page| format!("{}: not in {SUMMARY}", page.path))
        .collect()
}

/// Relative links in documents lead to files of the project.
pub(super) fn links(tree: &Tree) -> Problems {
    let mut problems = Problems::new();
    for file in tree.files.iter().filter(|file| file.is_markdown()) {
        for target in targets(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !tree.has(&resolve(&file.path, path)) {
                problems.push(format!("{}: the link to {target} leads nowhere", file.path));
            }
        }
    }
    problems
}

/// A crate or a path of the source tree that a document names in code style exists.
pub(super) fn names(tree: &Tree) -> Problems {
    let mut problems = Problems::new();
    for file in tree.files.iter().filter(|file| file.is_markdown()) {
        for word in in_code_style(file) {
            let is_path = [
                "crates/",
                "docs/",
                "tests/",
                "xtask/",
                "scripts/",
                "fuzz/",
                "bench/",
                "migrations/",
            ]
            .iter()
            .any(|folder| word.starts_with(folder));
            let missing_path =
                is_path && !word.contains(['<', '*', '{', ' ', ':']) && !tree.has(word);
            let missing_crate = word.starts_with("portreeve-")
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                && !tree
                    .workspace
                    .packages
                    .iter()
                    .any(|package| package.name == word);
            if missing_path || missing_crate {
                problems.push(format!(
                    "{}: names `{word}`, which does not exist",
                    file.path
                ));
            }
        }
    }
    problems
}

/// Every crate from outside is in the manual's list, where its reason stands.
pub(super) fn dependencies(tree: &Tree) -> Problems {
    let listed = tree
        .file(DEPENDENCIES)
        .map_or("", |file| file.text.as_str());
    let members = &tree.workspace.packages;
    let mut problems = Problems::new();
    for package in members {
        for dependency in &package.dependencies {
            let own = members.iter().any(|member| member.name == dependency.name);
            if !own && !listed.contains(&format!("`{}`", dependency.name)) {
                problems.push(format!(
                    "{} depends on {}; say why in {DEPENDENCIES}",
                    package.name, dependency.name
                ));
            }
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// Every variable of the list of settings is in the manual.
pub(super) fn settings(tree: &Tree) -> Problems {
    let code = tree.file(SETTINGS).map_or("", |file| file.text.as_str());
    let manual = tree.file(OPERATION).map_or("", |file| file.text.as_str());
    let variables = code.lines().filter_map(|line| {
        let (_, rest) = line.split_once("env: \"")?;
        rest.split_once('"').map(|(variable, _)| variable)
    });
    variables
        .filter(|variable| !manual.contains(&format!("`{variable}`")))
        .map(|variable| format!("{SETTINGS} has {variable}; describe it in {OPERATION}"))
        .collect()
}

pub(super) fn change_log(tree: &Tree) -> Problems {
    match tree.file("CHANGELOG.md") {
        Some(file)
            if file
                .text
                .lines()
                .any(|line| line.trim() == "## [Unreleased]") =>
        {
            Problems::new()
        }
        _ => vec!["CHANGELOG.md has no section `## [Unreleased]`".to_owned()],
    }
}

/// The targets of a document's links, `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target.trim()))
}

/// A link's target from the root, without `.` and `..`.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What stands between single backquotes, outside fenced blocks.
fn in_code_style(file: &Source) -> Vec<&str> {
    let mut words = Vec::new();
    let mut fenced = false;
    for line in file.text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            words.extend(line.split('`').skip(1).step_by(2));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn links_are_resolved_from_their_page() {
        for (from, target, expected) in [
            (
                "README.md",
                "docs/src/quick-start.md",
                "docs/src/quick-start.md",
            ),
            ("docs/src/a.md", "b.md", "docs/src/b.md"),
            ("docs/src/a.md", "../../LICENSE", "LICENSE"),
            ("docs/src/a.md", "./scim/b.md", "docs/src/scim/b.md"),
        ] {
            assert_eq!(resolve(from, target), expected, "{from} → {target}");
        }
    }
}
