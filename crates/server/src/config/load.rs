//! What clients may ask of the server: the part of it that is a setting, and the part that nobody has to think about.

use super::{ConfigError, Values, read};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// How much may be asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Requests a second with one token; 0 is no limit.
    pub token_rate: u32,
    /// Requests a second without a valid token from one address; 0 is no limit.
    pub address_rate: u32,
    /// Requests that are worked on at once.
    pub requests: usize,
    /// How long a request may take until its answer begins. The time in which its body arrives is bounded by
    /// [`Patience::body`].
    pub timeout: Duration,
}

impl Default for Load {
    /// Entra sends up to 25 requests a second for one directory, so its token may send a hundred times as many.
    fn default() -> Self {
        Self {
            token_rate: 2500,
            address_rate: 50,
            requests: 1024,
            timeout: Duration::from_secs(30),
        }
    }
}

/// How much of the server one client, or all of them together, may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a connection may be open without the whole head of a request.
    pub head: Duration,
    /// How long a client may take to send a body.
    pub body: Duration,
    /// How long a client may take nothing of an answer that is waiting for it.
    pub write: Duration,
    /// How long a stream that has nothing to tell says nothing, so that nobody on the way takes it for dead.
    pub silence: Duration,
    /// How many connections may be open at once. Whoever comes then takes the place of the one that has been without a
    /// request for the longest time, or waits until there is one.
    pub connections: usize,
    /// How many requests may wait for news at once. They are counted apart, because waiting is no work; but they must
    /// not take all connections.
    pub waits: usize,
    /// How many agents of hosts may wait for news at once. They have connections of their own, beside
    /// [`connections`](Self::connections).
    pub agents: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Longer than reverse proxies keep a connection to use it again, so that they are the ones to close it.
            head: Duration::from_secs(75),
            body: Duration::from_secs(30),
            write: Duration::from_secs(60),
            silence: Duration::from_secs(15),
            connections: 4096,
            waits: 3072,
            agents: 16_384,
        }
    }
}

impl Load {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let usual = Self::default();
        let rate = |name| read(values, name, |value| number(value, 0, 1_000_000));
        let requests = read(values, "max-requests", |value| number(value, 1, 1_000_000))?;
        let timeout = read(values, "request-timeout", |value| number(value, 1, 3600))?;
        Ok(Self {
            token_rate: rate("rate-limit-token")?.unwrap_or(usual.token_rate),
            address_rate: rate("rate-limit-address")?.unwrap_or(usual.address_rate),
            requests: requests.unwrap_or(usual.requests),
            timeout: timeout.map_or(usual.timeout, Duration::from_secs),
        })
    }
}

pub(super) fn number<T>(value: &str, least: T, most: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display + Copy,
{
    match value.trim().parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("give a whole number from {least} to {most}")),
    }
}
