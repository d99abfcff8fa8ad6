//! How a command fails: a sentence for the person, a code for the script.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// Exit codes; part of the contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Failure = 1,
    Usage = 2,
    Cancelled = 3,
    NotSignedIn = 4,
    Forbidden = 5,
    NotFound = 6,
    Conflict = 7,
    /// Something that is under way has to end first.
    Pending = 8,
    Unreachable = 9,
}

impl Code {
    /// What the status of an answer means to a script.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            400 | 413 | 415 | 422 => Self::Usage,
            401 => Self::NotSignedIn,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 | 412 => Self::Conflict,
            423 => Self::Pending,
            _ => Self::Failure,
        }
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            hint: None,
        }
    }

    /// Anything that has no code of its own.
    pub(crate) fn plain(message: impl Display) -> Self {
        Self::new(Code::Failure, message)
    }

    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Code::Usage, message)
    }

    /// What went wrong is on standard output already: only the exit code is left to say.
    pub(crate) fn told(code: Code) -> Self {
        Self::new(code, "")
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hint.get_or_insert_with(|| hint.to_string());
        self
    }

    /// Adds where to look, when the thing was not found.
    pub(crate) fn hint_if_missing(self, hint: impl Display) -> Self {
        match self.code {
            Code::NotFound => self.hint(hint),
            _ => self,
        }
    }

    pub(crate) fn print(&self) {
        if !self.message.is_empty() {
            eprintln!("{self}");
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code as u8)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
