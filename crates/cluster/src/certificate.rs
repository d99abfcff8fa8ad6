//! A certificate for a test's server, by the `openssl` program that PostgreSQL's packages bring along.

use std::path::Path;
use std::process::Command;

use crate::programs::run;

/// The certificate of the authority, in the server's folder.
pub(crate) const AUTHORITY: &str = "authority.crt";

/// What makes the server use it.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("ssl", "on"),
    ("ssl_cert_file", "../server.crt"),
    ("ssl_key_file", "../server.key"),
];

/// Makes an authority and a certificate by it for the host `name`.
pub(crate) fn make(folder: &Path, name: &str) -> Result<(), String> {
    let config = format!(
        "[req]\ndistinguished_name = subject\nprompt = no\n[subject]\nCN = throw-away\n\
         [authority]\nbasicConstraints = critical,CA:TRUE\n\
         [server]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:{name}\n"
    );
    let file = folder.join("openssl.cnf");
    std::fs::write(&file, config)
        .map_err(|error| format!("could not write {}: {error}", file.display()))?;
    sign(folder, "authority", &[])?;
    sign(
        folder,
        "server",
        &["-CA", AUTHORITY, "-CAkey", "authority.key"],
    )
}

fn sign(folder: &Path, which: &str, by: &[&str]) -> Result<(), String> {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder).args([
        "req",
        "-x509",
        "-config",
        "openssl.cnf",
        "-days",
        "2",
        "-noenc",
    ]);
    openssl.args([
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-extensions",
        which,
    ]);
    openssl
        .args([
            "-keyout",
            &format!("{which}.key"),
            "-out",
            &format!("{which}.crt"),
        ])
        .args(by);
    run(openssl)
}
