//! Asking before something is lost.

use crate::failure::{Code, Failure};
use crate::output::{self, Format, Shape};
use serde_json::Value;
use std::io::{IsTerminal, stdin};

/// What commands take that others may miss something after.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Care {
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

impl Care {
    /// Whether to go on. `loss` names the thing and what is lost with it; the object is printed where nothing is done.
    pub(crate) fn allows(
        &self,
        format: Format,
        shape: &Shape,
        object: &Value,
        loss: &str,
    ) -> Result<bool, Failure> {
        if self.dry_run {
            output::one(format, shape, object)?;
            output::say(
                format,
                &format!("\n{loss}. Nothing was done: this was a dry run."),
            );
            return Ok(false);
        }
        if !self.yes {
            confirm(loss)?;
        }
        Ok(true)
    }
}

/// Says what will be lost and asks a person; a program has to say `--yes`.
pub(crate) fn confirm(loss: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::usage(loss).hint("say --yes if that is meant"));
    }
    eprint!("{loss}. Go on? [y/N] ");
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(Failure::plain)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Code::Cancelled, "nothing was changed")),
    }
}
