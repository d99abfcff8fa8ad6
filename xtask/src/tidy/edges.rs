//! Who may depend on whom.

use super::{Problems, Tree};

/// Every edge between two packages of this workspace, with its reason. An edge that is not here is a decision that
/// nobody has taken yet: take it in the commit that adds the edge.
pub(super) const EDGES: &[(&str, &str, &str)] = &[
    (
        "portreeve-cli",
        "portreeve-server",
        "`serve` starts the server in this process",
    ),
    (
        "portreeve-cli",
        "portreeve-provisioning",
        "`demo` provisions over HTTP as an identity provider does",
    ),
    (
        "portreeve-cli",
        "portreeve-mapping",
        "`mapping` evaluates and checks expressions without a server",
    ),
    (
        "portreeve-cli",
        "portreeve-machine",
        "`demo --with-host` makes a host to log in to",
    ),
    (
        "portreeve-cli",
        "portreeve-scim",
        "`mapping check` asks the standard schemas what a mapping writes to",
    ),
    (
        "portreeve-cli",
        "portreeve-store",
        "`backup`, `restore` and `migrate` work on a database without a server",
    ),
    (
        "portreeve-cli",
        "portreeve-directory",
        "and ask the rules which migrations they know",
    ),
    (
        "portreeve-server",
        "portreeve-directory",
        "the surfaces ask the rules",
    ),
    (
        "portreeve-server",
        "portreeve-store",
        "the surfaces open the store and choose read or write",
    ),
    (
        "portreeve-server",
        "portreeve-scim",
        "the SCIM surface parses and answers in the protocol's types",
    ),
    (
        "portreeve-server",
        "portreeve-provisioning",
        "jobs of applications run in a server, and its API declares and steers them",
    ),
    (
        "portreeve-server",
        "portreeve-mapping",
        "the API tells what the linter finds",
    ),
    (
        "portreeve-server",
        "portreeve-console",
        "the server fills in the console's pages and sends them",
    ),
    (
        "portreeve-server",
        "portreeve-access",
        "the surfaces decide and explain who may log in where",
    ),
    (
        "portreeve-server",
        "portreeve-ssh-cert",
        "the certificate authority signs SSH certificates and writes revocation lists",
    ),
    (
        "portreeve-server",
        "portreeve-x509",
        "and has X.509 authorities for its own TLS and for identity certificates",
    ),
    (
        "portreeve-server",
        "portreeve-passkey",
        "owners sign in with passkeys",
    ),
    (
        "portreeve-server",
        "portreeve-step",
        "the API that the step client speaks reads and answers in its types",
    ),
    (
        "portreeve-server",
        "portreeve-mail",
        "people are told what happened to a job",
    ),
    (
        "portreeve-server",
        "portreeve-oidc",
        "people sign in at identity providers",
    ),
    (
        "portreeve-directory",
        "portreeve-store",
        "the rules run inside its transactions",
    ),
    (
        "portreeve-directory",
        "portreeve-scim",
        "the rules are about checked resources and change sets",
    ),
    (
        "portreeve-directory",
        "portreeve-access",
        "grants, tags and account names are kept as that has them",
    ),
    (
        "portreeve-mapping",
        "portreeve-access",
        "the linter knows which names accounts on hosts can have",
    ),
    (
        "portreeve-provisioning",
        "portreeve-mapping",
        "what is to be at the target is what the mappings give",
    ),
    (
        "portreeve-provisioning",
        "portreeve-scim",
        "and is written to SCIM paths",
    ),
    (
        "portreeve-provisioning",
        "portreeve-directory",
        "a directory is a source as any other, and the rules keep the state of applications",
    ),
    (
        "portreeve-provisioning",
        "portreeve-store",
        "both inside its transactions",
    ),
    (
        "portreeve-mapping",
        "portreeve-scim",
        "what a mapping writes to is a SCIM path of a SCIM schema",
    ),
    (
        "portreeve-server",
        "portreeve-host-policy",
        "it makes the documents that hosts believe",
    ),
    (
        "portreeve-host",
        "portreeve-host-policy",
        "a host believes signed documents, and says to the server what that expects",
    ),
    (
        "portreeve-host",
        "portreeve-ssh-cert",
        "and reads revocation lists and certificates before sshd gets them",
    ),
    (
        "portreeve-host",
        "portreeve-x509",
        "its identity is good until a certificate says so, and the root is known by its fingerprint",
    ),
    (
        "portreeve-host-policy",
        "portreeve-ssh-cert",
        "a document is believed by its signature, which a key for certificates makes",
    ),
    (
        "portreeve-host-policy",
        "portreeve-access",
        "hosts hold names and numbers of accounts to the rules they were made by",
    ),
    (
        "portreeve-testbed",
        "portreeve-server",
        "tests start a whole server",
    ),
    (
        "portreeve-testbed",
        "portreeve-store",
        "tests choose the database of that server",
    ),
    (
        "portreeve-testbed",
        "portreeve-cluster",
        "which may be a throw-away PostgreSQL",
    ),
    (
        "xtask",
        "portreeve-cluster",
        "`test` starts one PostgreSQL for all suites",
    ),
    (
        "portreeve-bench",
        "portreeve-cluster",
        "the server is measured with a PostgreSQL started for the run",
    ),
    (
        "portreeve-bench",
        "portreeve-ssh-cert",
        "the issue of certificates is measured against signing alone",
    ),
];

/// A dev-dependency on this package is allowed anywhere, an ordinary one nowhere.
const TESTBED: &str = "portreeve-testbed";

const PURE: &[&str] = &[
    "portreeve-scim",
    "portreeve-mapping",
    "portreeve-passkey",
    "portreeve-ssh-cert",
    "portreeve-host-policy",
    "portreeve-x509",
    "portreeve-step",
    "portreeve-console",
];

/// What makes a crate impure, and why.
const IMPURE: &[(&str, &str)] = &[
    ("tokio", "a runtime"),
    ("hyper", "HTTP"),
    ("axum", "HTTP"),
    ("reqwest", "HTTP"),
    ("http", "HTTP"),
    ("rusqlite", "a database"),
    ("tokio-postgres", "a database"),
    ("rand", "ambient randomness"),
    ("getrandom", "ambient randomness"),
    ("tracing", "a log somebody must collect"),
];

pub(super) fn direction(tree: &Tree) -> Problems {
    let mut problems = Problems::new();
    let mut used = Vec::new();
    for package in &tree.workspace.packages {
        for dependency in &package.dependencies {
            let (from, to) = (package.name.as_str(), dependency.name.as_str());
            if !tree
                .workspace
                .packages
                .iter()
                .any(|package| package.name == to)
            {
                continue;
            }
            if to == TESTBED {
                if !dependency.for_tests_only {
                    problems.push(format!(
                        "{from} needs {to} outside its tests: make it a dev-dependency"
                    ));
                }
            } else if EDGES.iter().any(|edge| (edge.0, edge.1) == (from, to)) {
                used.push((from, to));
            } else if !dependency.for_tests_only {
                problems.push(format!(
                    "{from} depends on {to}: list the edge with its reason in xtask/src/tidy/edges.rs, or do without"
                ));
            }
        }
    }
    for (from, to, _) in EDGES {
        if !used.contains(&(from, to)) {
            problems.push(format!("{from} does not depend on {to} any more: remove the edge from xtask/src/tidy/edges.rs"));
        }
    }
    problems
}

pub(super) fn purity(tree: &Tree) -> Problems {
    let mut problems = Problems::new();
    for package in &tree.workspace.packages {
        if !PURE.contains(&package.name.as_str()) {
            continue;
        }
        for dependency in package.dependencies.iter().filter(|it| !it.for_tests_only) {
            if let Some((name, what)) = IMPURE.iter().find(|(name, _)| *name == dependency.name) {
                problems.push(format!(
                    "{} depends on {name}, which is {what}; it must stay pure",
                    package.name
                ));
            }
        }
    }
    problems
}

pub(super) fn folders(tree: &Tree) -> Problems {
    let mut problems = Problems::new();
    for package in &tree.workspace.packages {
        let folder = package.folder.to_string_lossy();
        let expected = folder_of(&package.name);
        if folder != expected {
            problems.push(format!(
                "the package {} is in {folder}; it belongs in {expected}",
                package.name
            ));
        }
    }
    problems
}

/// Where a package belongs.
pub(super) fn folder_of(package: &str) -> String {
    match package.strip_prefix("portreeve-") {
        Some("bench") => "bench".to_owned(),
        Some(short) => format!("crates/{short}"),
        None => package.to_owned(),
    }
}
