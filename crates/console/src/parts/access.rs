//! What pages about access to hosts are made of.

use std::fmt;

use askama::Template;

use super::{Badge, Icon, Link, Sentence, Time, markup};
use crate::Address;

/// What hosts are called by, each leading to the hosts that have it.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "parts/tags.html")]
pub struct Tags(pub Vec<Link>);

/// How a decision came about, step by step.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "parts/chain.html")]
pub struct Chain(pub Vec<ChainStep>);

/// One step on the way to a decision.
#[derive(Clone, Debug)]
pub struct ChainStep {
    /// What was looked at: "Group".
    pub step: &'static str,
    /// Whether it came out well.
    pub yes: bool,
    /// In a sentence.
    pub why: Sentence,
    /// What it is about.
    pub href: Option<Address>,
}

/// The end of something, counted down by a script to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown(pub Time);

impl fmt::Display for Countdown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.to_string();
        out.write_str(&time.replacen("<time ", "<time data-countdown ", 1))
    }
}

/// Hosts that somebody may log in to.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/reached.html")]
pub struct ReachedHosts {
    /// What they are, for screen readers: "Hosts that Ada Lovelace may log in to".
    pub caption: String,
    /// The hosts by name.
    pub rows: Vec<Reached>,
    /// How many more there are.
    pub more: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Its name.
    pub name: String,
    /// Its page, where the person may open it.
    pub href: Option<Address>,
    /// The name of the account there.
    pub account: String,
    /// Whether `sudo` may be used there.
    pub sudo: bool,
    /// When that ends.
    pub until: Option<Time>,
    /// What is typed to get there, on one's own page.
    pub command: Option<super::Copyable>,
}

impl ReachedHosts {
    fn has_commands(&self) -> bool {
        self.rows.iter().any(|row| row.command.is_some())
    }
}

/// SSH certificates.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/certificates.html")]
pub struct Certificates {
    /// What they are, for screen readers.
    pub caption: String,
    /// The certificates, the latest first.
    pub rows: Vec<Certificate>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its serial number.
    pub serial: String,
    /// Its page, where the person may open it.
    pub href: Option<Address>,
    /// What the logs of servers show.
    pub key_id: String,
    /// The accounts or names that it is for.
    pub principals: String,
    /// Whose it is, where those of several are shown.
    pub who: Option<Link>,
    /// Whether it counts.
    pub state: Badge,
    /// When it was issued.
    pub issued: Time,
    /// When it runs out, or did.
    pub ends: Time,
}

impl Certificates {
    fn shows_who(&self) -> bool {
        self.rows.iter().any(|row| row.who.is_some())
    }
}

markup!(Tags, Chain, Countdown, ReachedHosts, Certificates);
