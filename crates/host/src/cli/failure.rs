//! How a command fails: a sentence for the person, a code for the script. The codes are those of `portreeve`.

use portreeve_host::{config, enroll, net, setup};
use std::fmt::Display;
use std::process::ExitCode;

/// Exit codes; part of the contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Failure = 1,
    Usage = 2,
    NotSignedIn = 4,
    Forbidden = 5,
    NotFound = 6,
    Conflict = 7,
    Unreachable = 9,
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
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

    /// What went wrong is on standard output already.
    pub(crate) fn told() -> Self {
        Self::plain("")
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hint.get_or_insert_with(|| hint.to_string());
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn print(&self) {
        if self.message.is_empty() {
            return;
        }
        eprintln!("error: {}", self.message);
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code as u8)
    }
}

impl From<net::Fault> for Failure {
    fn from(fault: net::Fault) -> Self {
        let code = match &fault {
            net::Fault::NotEnrolled => Code::NotFound,
            net::Fault::Unreachable(..) => Code::Unreachable,
            net::Fault::Refused { status, .. } => match status {
                400 | 413 | 415 | 422 => Code::Usage,
                401 => Code::NotSignedIn,
                403 => Code::Forbidden,
                404 => Code::NotFound,
                409 | 412 => Code::Conflict,
                _ => Code::Failure,
            },
            _ => Code::Failure,
        };
        Self::new(code, fault)
    }
}

impl From<enroll::Fault> for Failure {
    fn from(fault: enroll::Fault) -> Self {
        match fault {
            enroll::Fault::Server(fault) => fault.into(),
            enroll::Fault::Token(_) => Self::new(Code::Usage, fault),
            enroll::Fault::Enrolled(_) => Self::new(Code::Conflict, fault),
            fault => Self::plain(fault),
        }
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        match error {
            config::Error::NotEnrolled => Self::new(Code::NotFound, error),
            error => Self::plain(error),
        }
    }
}

impl From<setup::Fault> for Failure {
    fn from(fault: setup::Fault) -> Self {
        Self::plain(fault)
    }
}
