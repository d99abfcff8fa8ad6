//! Asking before something is lost.

use crate::failure::{Code, Failure};
use std::io::{IsTerminal, stdin};

/// Says what will be lost and asks a person; a program has to say `--yes`.
pub(crate) fn confirm(loss: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage(loss).hint("say --yes if that is meant"));
    }
    eprint!("{loss}. Remove it? [y/N] ");
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(Failure::plain)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Code::Cancelled, "nothing was removed")),
    }
}
