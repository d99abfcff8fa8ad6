//! The rules hold in this tree, and each of them can be broken.

use super::edges::{EDGES, folder_of};
use super::{RULES, Source, Tree, check};
use crate::cargo::{Dependency, Package, Workspace};

#[test]
fn this_tree_is_tidy() {
    let tree = Tree::read().expect("the tree can be read");
    let (report, tally) = check(&tree);
    assert_eq!(tally.failed, 0, "\n{report}");
}

/// A small tree in which no rule is broken: it has the packages and edges of the real one, and nothing else.
fn tidy_tree() -> Tree {
    let mut packages: Vec<Package> = Vec::new();
    for (from, to, _) in EDGES {
        for name in [from, to] {
            if !packages.iter().any(|known| known.name == *name) {
                packages.push(package(name, &folder_of(name)));
            }
        }
        let user = packages.iter_mut().find(|known| known.name == *from);
        user.expect("it was just added")
            .dependencies
            .push(dependency(to, false));
    }
    Tree {
        workspace: Workspace {
            packages,
            target: "target".into(),
        },
        files: [
            ("CHANGELOG.md", "## [Unreleased]\n"),
            (
                "docs/src/SUMMARY.md",
                "[One](one.md)\n[Why](dependencies.md)\n",
            ),
            ("docs/src/one.md", "# One\n"),
            (
                "docs/src/dependencies.md",
                "`serde` and, in tests, `tokio`\n",
            ),
        ]
        .map(|(path, text)| source(path, text))
        .into(),
    }
}

fn package(name: &str, folder: &str) -> Package {
    Package {
        name: name.to_owned(),
        folder: folder.into(),
        dependencies: Vec::new(),
    }
}

fn dependency(name: &str, for_tests_only: bool) -> Dependency {
    Dependency {
        name: name.to_owned(),
        for_tests_only,
    }
}

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn broken(tree: &Tree) -> Vec<&'static str> {
    RULES
        .iter()
        .filter(|(_, rule)| !rule(tree).is_empty())
        .map(|(name, _)| *name)
        .collect()
}

#[test]
fn each_rule_about_files_can_be_broken() {
    assert_eq!(
        broken(&tidy_tree()),
        Vec::<&str>::new(),
        "the tree to start from"
    );
    let long = "//! x\n".repeat(501);
    let ignored = format!("//! x\n{}]\n", concat!("#[ig", "nore"));
    let machine = format!("see {}cache\n", concat!("/ro", "ot/."));
    for (rule, path, text) in [
        (
            "SQL has one home",
            "crates/server/src/a.rs",
            "//! x\nconst A: &str = \"SELECT 1\";\n",
        ),
        (
            "every module says what it is for",
            "crates/scim/src/a.rs",
            "fn main() {}\n",
        ),
        ("files are short", "crates/scim/src/a.rs", long.as_str()),
        (
            "nothing is left for later",
            "crates/scim/src/a.rs",
            ignored.as_str(),
        ),
        (
            "no path of somebody's machine",
            "scripts/a",
            machine.as_str(),
        ),
        (
            "the manual's table of contents is complete",
            "docs/src/two.md",
            "# Two\n",
        ),
        (
            "links lead somewhere",
            "README.md",
            "[gone](docs/gone.md)\n",
        ),
        (
            "documents name what exists",
            "README.md",
            "in `crates/gone` and elsewhere\n",
        ),
        (
            "documents name what exists",
            "README.md",
            "the crate `portreeve-gone`\n",
        ),
    ] {
        let mut tree = tidy_tree();
        tree.files.push(source(path, text));
        assert_eq!(broken(&tree), [rule], "{path}");
    }
}

#[test]
fn a_change_log_without_a_place_for_the_next_change_is_reported() {
    let mut tree = tidy_tree();
    tree.files.retain(|file| file.path != "CHANGELOG.md");
    assert_eq!(
        broken(&tree),
        ["the change log has a place for the next change"]
    );
}

#[test]
fn a_setting_that_the_manual_does_not_have_is_reported() {
    let mut tree = tidy_tree();
    let setting = "//! x\n        env: \"PORTREEVE_NEW\",\n";
    tree.files
        .push(source("crates/server/src/config.rs", setting));
    assert_eq!(broken(&tree), ["the manual has every setting"]);
    tree.files
        .push(source("docs/src/operations.md", "set `PORTREEVE_NEW`\n"));
    tree.files[1].text.push_str("[Operations](operations.md)\n");
    assert_eq!(broken(&tree), Vec::<&str>::new());
}

#[test]
fn each_rule_about_packages_can_be_broken() {
    for (rules, name, folder, needs, for_tests_only) in [
        (
            vec!["crates depend in one direction"],
            "portreeve-scim",
            "crates/scim",
            "portreeve-server",
            false,
        ),
        (
            vec!["crates depend in one direction"],
            "portreeve-scim",
            "crates/scim",
            "portreeve-testbed",
            false,
        ),
        (
            vec![],
            "portreeve-scim",
            "crates/scim",
            "portreeve-testbed",
            true,
        ),
        (
            vec!["pure crates do no input or output"],
            "portreeve-scim",
            "crates/scim",
            "tokio",
            false,
        ),
        (vec![], "portreeve-scim", "crates/scim", "tokio", true),
        (
            vec!["a folder has the name of its package"],
            "portreeve-scim",
            "crates/protocol",
            "serde",
            false,
        ),
        (
            vec!["every dependency has a reason"],
            "portreeve-scim",
            "crates/scim",
            "left-pad",
            false,
        ),
    ] {
        let mut tree = tidy_tree();
        let mut user = package(name, folder);
        user.dependencies.push(dependency(needs, for_tests_only));
        tree.workspace.packages.push(user);
        assert_eq!(broken(&tree), rules, "{name} in {folder} with {needs}");
    }
}

#[test]
fn an_edge_that_is_gone_is_reported() {
    let mut tree = tidy_tree();
    tree.workspace.packages.clear();
    assert_eq!(broken(&tree), ["crates depend in one direction"]);
}
