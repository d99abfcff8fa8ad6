//! What the agent of a host has said of it.

use crate::Address;
use crate::parts::{Badge, Facts, Link, Time};

/// The agent of a host, as it was last heard.
#[derive(Debug)]
pub struct Agent {
    /// How it stands.
    pub state: Badge,
    /// Versions, times, certificate.
    pub facts: Facts,
    /// Where it is said how machines enrol; where it has none and the person may have it enrol.
    pub enrol: Option<Address>,
    /// What of the policy it could not do.
    pub conflicts: Vec<Conflict>,
    /// What it found wrong with the machine.
    pub findings: Vec<Finding>,
    /// Who is logged in, where the person may know.
    pub sessions: Option<Vec<Open>>,
}

/// Something of a policy that a host could not do.
#[derive(Debug)]
pub struct Conflict {
    /// The account or group.
    pub account: String,
    /// What is in the way, in words.
    pub why: String,
    /// The host's own words; may be empty.
    pub detail: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Something that is wrong with a machine.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it is meant.
    pub verdict: Badge,
    /// What is wrong.
    pub detail: String,
}

/// A session on a host that has not ended.
#[derive(Debug)]
pub struct Open {
    /// The account.
    pub account: String,
    /// Whose it is, where that is known.
    pub who: Option<Link>,
    /// Where they are; may be empty.
    pub address: String,
    /// The certificate that opened it.
    pub certificate: Option<Link>,
    /// Since when.
    pub began: Time,
}
