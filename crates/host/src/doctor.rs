//! Everything that is known to go wrong on a host, looked for.
//!
//! What needs the machine is asked beforehand ([`Facts`]); what follows from it is worked out by functions of those facts
//! and of the files below the root folder.

use crate::config::{Config, Error};
use crate::paths::Paths;
use crate::sshd::Sshd;
use crate::wire::{Answer, State};
use jiff::{SignedDuration, Timestamp};
use portreeve_host_policy::api;
use serde::Serialize;

mod facts;
mod local;
mod names;
mod server;
mod ssh;
mod sudo;

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in one word.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// Why.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it has to be.
    Ok,
    /// It works, but not as well or as safely as it should, or may not for long.
    Warn,
    /// People do not get in who should, or get in who should not.
    Fail,
}

/// What the machine says when it is asked.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// `sshd`'s effective configuration for people who are not managed; an error: why it cannot be asked.
    pub sshd: Result<String, String>,
    /// The same for somebody who is; `None`: there is nobody yet.
    pub sshd_managed: Option<Result<String, String>>,
    /// Names of programs that run.
    pub running: Vec<String>,
    /// How the half with root's rights stands; an error: why it does not answer.
    pub state: Result<State, String>,
    /// What the server says; an error: why it does not answer.
    pub server: Result<Heard, String>,
    /// From when until when the identity is good; `None`: only root and the half on the network may know.
    pub identity: Option<(Timestamp, Timestamp)>,
}

/// What the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// By how much its clock is ahead of this machine's, to the second; `None`: it does not say.
    pub ahead: Option<SignedDuration>,
    /// Whether it has another document than the one in force.
    pub has_other: bool,
}

/// Looks at everything.
pub fn examine(paths: &Paths, facts: &Facts) -> Vec<Finding> {
    let config = match Config::load(paths) {
        Ok(config) => config,
        Err(Error::NotEnrolled) => {
            let remedy = "as root: portreeve-host enroll --token …";
            return vec![fail("enrolled", "this machine is no host", remedy)];
        }
        Err(error) => {
            return vec![fail(
                "enrolled",
                error.to_string(),
                "as root: portreeve-host doctor",
            )];
        }
    };
    let enrolled = format!("this machine is the host {}", config.host.name);
    let mut all = vec![ok("enrolled", enrolled)];
    all.extend(server::examine(facts));
    all.extend(on_machine(paths, &config, facts));
    all
}

/// Answers [`Request::Doctor`](crate::wire::Request::Doctor): everything but what is between this host and its server, which
/// the server knows.
pub fn answer(paths: &Paths, sshd: &dyn Sshd, now: Timestamp) -> Answer {
    let Ok(config) = Config::load(paths) else {
        return Answer::Doctor(Vec::new());
    };
    let facts = Facts::of_machine(paths, sshd, now);
    let findings = on_machine(paths, &config, &facts);
    Answer::Doctor(findings.into_iter().map(api::Finding::from).collect())
}

fn on_machine(paths: &Paths, config: &Config, facts: &Facts) -> Vec<Finding> {
    let mut all = names::examine(paths, config, facts);
    all.extend(ssh::examine(paths, facts));
    all.extend(sudo::examine(paths));
    all.extend(local::examine(paths, facts));
    all
}

impl From<Finding> for api::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            check: finding.check.to_owned(),
            verdict: finding.verdict.name().to_owned(),
            detail: match finding.remedy {
                Some(remedy) => format!("{}; {remedy}", finding.detail),
                None => finding.detail,
            },
        }
    }
}

impl Verdict {
    /// As it is in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

fn ok(check: &'static str, detail: impl Into<String>) -> Finding {
    Finding {
        check,
        verdict: Verdict::Ok,
        detail: detail.into(),
        remedy: None,
    }
}

fn warn(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding {
        check,
        verdict: Verdict::Warn,
        detail: detail.into(),
        remedy: Some(remedy.into()),
    }
}

fn fail(check: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Fail,
        ..warn(check, detail, remedy)
    }
}

/// A file's text; nothing where there is none.
fn text(paths: &Paths, path: &str) -> String {
    std::fs::read_to_string(paths.at(path)).unwrap_or_default()
}

/// What puts right what enrolment has set up.
const SET_UP: &str = "portreeve-host enroll --replace … sets it up anew";
