//! The project's own checks and chores: `cargo xtask test` is what continuous integration runs.
#![expect(
    clippy::print_stdout,
    reason = "a program for people at a terminal and for the log of a build"
)]

mod cargo;
mod doc_test;
mod server;
mod suites;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  test [SUITE…]   run every suite, or those named; ends with the line `N passed, N failed`
  test list       name the suites
  tidy            check the rules that no other tool checks";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", "list"] => {
            suites::list();
            Ok(true)
        }
        ["test", names @ ..] => suites::run(names),
        ["tidy"] => tidy::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
