//! How much of the server one client, or all of them together, may have: rates, requests at once, time.
//!
//! Requests with a valid token count on the token, all others on the address they come from: an identity provider sends
//! from few addresses for all its customers, and whoever guesses tokens has none.

mod allowance;
mod origin;

use crate::config::{Config, Load};
use allowance::{Allowances, Rate};
use http::{Extensions, HeaderMap, StatusCode};
pub(crate) use origin::Origin;
use portreeve_store as store;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For how many seconds a token may send all at once what it may send in that time.
const TOKEN_BURST_S: u32 = 2;
/// The same for addresses; people who set something up try a few things quickly.
const ADDRESS_BURST_S: u32 = 4;
/// How often a refusal that repeats itself is worth a line in the log, or an event.
const MENTION: Rate = Rate {
    each: Duration::from_secs(60),
    burst: 1,
};

/// How fast somebody who is signed in may type codes of devices: ten at once, then two a minute. Among the codes that wait
/// at a time a guess is right once in millions.
const GUESSES: Rate = Rate {
    each: Duration::from_secs(30),
    burst: 10,
};
/// How many devices may ask for a code from one address, behind which there may be a whole office.
const DEVICES: Rate = Rate {
    each: Duration::from_secs(3),
    burst: 20,
};

/// How fast a tablet may ask for names of people: each visitor who searches asks some ten times, and nobody is to read all
/// people out through it.
const SEARCHES: Rate = Rate {
    each: Duration::from_secs(2),
    burst: 60,
};

/// Why a request is not served now. Nothing is wrong with it; it may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// One token sends more than this many requests a second.
    TokenRate(u32),
    /// One address sends more than this many requests a second without a valid token.
    AddressRate(u32),
    /// So many requests are being worked on.
    Requests(usize),
    /// So many requests wait for news.
    Waits(usize),
    /// As many large bodies are in memory as there may be.
    LargeBodies,
    /// The answer did not begin in this time.
    Slow(Duration),
    /// The database has more to do than it can keep up with.
    Busy,
    /// The disk is full.
    DiskFull,
    /// The database cannot be reached.
    Unavailable,
}

impl NotNow {
    /// What the failure of the database means for a client, if all it can do is wait.
    pub(crate) fn of(error: &store::Error) -> Option<Self> {
        match error {
            store::Error::Busy { .. } => Some(Self::Busy),
            store::Error::Full => Some(Self::DiskFull),
            store::Error::Unavailable { .. } | store::Error::Closed => Some(Self::Unavailable),
            _ => None,
        }
    }

    /// Whether the client's own rate is the reason, and not the state of the server.
    fn is_rate(self) -> bool {
        matches!(self, Self::TokenRate(_) | Self::AddressRate(_))
    }

    pub(crate) fn status(self) -> StatusCode {
        match self.is_rate() {
            true => StatusCode::TOO_MANY_REQUESTS,
            false => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A code that does not change with the wording.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TokenRate(_) | Self::AddressRate(_) => "rate_limited",
            Self::Requests(_) | Self::Waits(_) | Self::LargeBodies | Self::Busy => "busy",
            Self::Slow(_) => "timed_out",
            Self::DiskFull => "disk_full",
            Self::Unavailable => "unavailable",
        }
    }

    /// After how many seconds it makes sense to try again.
    pub(crate) fn retry_after(self) -> u32 {
        match self {
            // No rate is under one a second, so the next request is allowed within one.
            Self::TokenRate(_) | Self::AddressRate(_) => 1,
            Self::Requests(_) | Self::Waits(_) | Self::LargeBodies | Self::Busy => 1,
            Self::Slow(_) | Self::Unavailable => 5,
            Self::DiskFull => 30,
        }
    }

    /// Which limit it was, for the log.
    fn limit(self) -> &'static str {
        match self {
            Self::TokenRate(_) => "rate-limit-token",
            Self::AddressRate(_) => "rate-limit-address",
            Self::Requests(_) => "max-requests",
            Self::Waits(_) => "waiting requests",
            Self::LargeBodies => "large bodies",
            Self::Slow(_) => "request-timeout",
            Self::Busy | Self::DiskFull | Self::Unavailable => "database",
        }
    }
}

impl fmt::Display for NotNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenRate(most) => write!(
                f,
                "more than {most} requests a second come with this token; send fewer at once, or have the server's rate-limit-token raised"
            ),
            Self::AddressRate(most) => write!(
                f,
                "more than {most} requests a second without a valid token come from this address (the server's rate-limit-address); check the token, then try again"
            ),
            Self::Requests(most) => write!(
                f,
                "the server is working on {most} requests, its max-requests; try again in a moment"
            ),
            Self::Waits(most) => write!(
                f,
                "{most} requests are waiting for news already, as many as may; try again in a moment"
            ),
            Self::LargeBodies => f.write_str(
                "the server is reading as many large bodies as it can; try again in a moment",
            ),
            Self::Slow(limit) => write!(
                f,
                "the answer took longer than {} s, the server's request-timeout; the change may have been made all the same, so look before you send it again",
                limit.as_secs_f32()
            ),
            Self::Busy => f.write_str("the server is busy; try again in a moment"),
            Self::DiskFull => f.write_str(
                "the server's disk is full and nothing was changed; try again once its admin has freed some space",
            ),
            Self::Unavailable => f.write_str(
                "the server cannot use its database now; a change may have been made all the same, so look before you send it again in a moment",
            ),
        }
    }
}

/// The state of all limits.
pub(crate) struct Limits {
    load: Load,
    trusted_proxies: Vec<IpAddr>,
    tokens: Option<Allowances<Arc<str>>>,
    addresses: Option<Allowances<Origin>>,
    working: Arc<Semaphore>,
    waiting: Room,
    agents: Room,
    most_queued: u64,
    events: Allowances<Arc<str>>,
    guesses: Allowances<Arc<str>>,
    devices: Allowances<Origin>,
    searches: Allowances<Arc<str>>,
    lines: Allowances<&'static str>,
}

/// Room for requests that wait for news.
struct Room {
    free: Arc<Semaphore>,
    most: usize,
}

impl Room {
    fn of(most: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most)),
            most,
        }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, NotNow> {
        let room = self.free.clone().try_acquire_owned();
        room.map_err(|_| NotNow::Waits(self.most))
    }
}

/// Where a request from the network comes from, and whether a token of it was found valid. It travels in the request's
/// extensions.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The other end of the connection; not always the client.
    pub(crate) peer: IpAddr,
    known: Arc<AtomicBool>,
}

impl Visitor {
    pub(crate) fn new(peer: IpAddr) -> Self {
        Self {
            peer,
            known: Arc::default(),
        }
    }

    /// Something valid was presented.
    pub(crate) fn let_in(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    /// Whether a valid token was found.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }
}

impl Limits {
    /// `queue` is how many writes may wait in the store.
    pub(crate) fn new(config: &Config, queue: usize) -> Self {
        let load = config.load;
        Self {
            tokens: Rate::new(load.token_rate, TOKEN_BURST_S).map(Allowances::new),
            addresses: Rate::new(load.address_rate, ADDRESS_BURST_S).map(Allowances::new),
            working: Arc::new(Semaphore::new(load.requests)),
            waiting: Room::of(config.patience.waits),
            agents: Room::of(config.patience.agents),
            most_queued: u64::try_from(queue - queue / 8).unwrap_or(u64::MAX),
            events: Allowances::new(MENTION),
            guesses: Allowances::new(GUESSES),
            devices: Allowances::new(DEVICES),
            searches: Allowances::new(SEARCHES),
            lines: Allowances::new(MENTION),
            trusted_proxies: config.trusted_proxies.clone(),
            load,
        }
    }

    /// Where a request comes from, behind the proxies that are trusted.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        Origin::of(peer, headers, &self.trusted_proxies)
    }

    /// A request comes with a valid token. It counts on the token, and no longer on its address.
    pub(crate) fn token(
        &self,
        request: &Extensions,
        token: &Arc<str>,
        now: Duration,
    ) -> Result<(), NotNow> {
        if let Some(visitor) = request.get::<Visitor>() {
            visitor.let_in();
        }
        self.prover(token, now)
    }

    /// A request comes from somebody who has proven who they are, by that name.
    pub(crate) fn prover(&self, token: &Arc<str>, now: Duration) -> Result<(), NotNow> {
        match &self.tokens {
            Some(tokens) if !tokens.take(token, now) => {
                let refused = NotNow::TokenRate(self.load.token_rate);
                self.mention(refused, now);
                Err(refused)
            }
            _ => Ok(()),
        }
    }

    /// A request without a valid token comes from there.
    pub(crate) fn stranger(&self, origin: Origin, now: Duration) -> Result<(), NotNow> {
        match &self.addresses {
            Some(addresses) if !addresses.take(&origin, now) => {
                Err(NotNow::AddressRate(self.load.address_rate))
            }
            _ => Ok(()),
        }
    }

    /// Room for a request that is worked on, until the permit is dropped.
    pub(crate) fn work(&self) -> Result<OwnedSemaphorePermit, NotNow> {
        let room = self.working.clone().try_acquire_owned();
        room.map_err(|_| NotNow::Requests(self.load.requests))
    }

    /// Room for a request that waits for news, until the permit is dropped.
    pub(crate) fn wait(&self) -> Result<OwnedSemaphorePermit, NotNow> {
        self.waiting.take()
    }

    /// Room for the agent of a host that waits for news, until the permit is dropped.
    pub(crate) fn wait_as_agent(&self) -> Result<OwnedSemaphorePermit, NotNow> {
        self.agents.take()
    }

    /// Whether the store's queue is nearly full.
    pub(crate) fn too_many_wait_to_write(&self, stats: &store::Stats) -> bool {
        stats.queued >= self.most_queued
    }

    /// How long a request may be worked on until its answer begins.
    pub(crate) fn time(&self) -> Duration {
        self.load.timeout
    }

    /// Whether a refusal for the rate of a token is to become an event: not each of thousands a second.
    pub(crate) fn is_event(&self, token: &Arc<str>, now: Duration) -> bool {
        self.events.take(token, now)
    }

    /// Whether this holder may try another code of a device. If not, after how many seconds.
    pub(crate) fn guess(&self, holder: &Arc<str>, now: Duration) -> Result<(), u64> {
        match self.guesses.take(holder, now) {
            true => Ok(()),
            false => Err(GUESSES.each.as_secs()),
        }
    }

    /// Whether another device may ask for a code from there. If not, after how many seconds.
    pub(crate) fn device(&self, origin: Origin, now: Duration) -> Result<(), u64> {
        match self.devices.take(&origin, now) {
            true => Ok(()),
            false => Err(DEVICES.each.as_secs()),
        }
    }

    /// Whether this tablet may ask for names of people once more. If not, after how many seconds.
    pub(crate) fn search(&self, tablet: &Arc<str>, now: Duration) -> Result<(), u32> {
        match self.searches.take(tablet, now) {
            true => Ok(()),
            false => Err(u32::try_from(SEARCHES.each.as_secs()).unwrap_or(u32::MAX)),
        }
    }

    /// Leaves a line in the log if this limit has had none of late.
    pub(crate) fn mention(&self, refused: NotNow, now: Duration) {
        let limit = refused.limit();
        if self.lines.take(&limit, now) {
            tracing::warn!(limit, "requests are refused for now: {refused}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(&Config::local("unused".into()), 4096)
    }

    #[test]
    fn a_hundred_times_what_entra_sends_passes_for_as_long_as_it_lasts() {
        let (limits, request) = (limits(), Extensions::new());
        let token = Arc::from("token");
        let ask = |at: Duration| limits.token(&request, &token, at).is_ok();
        for second in 0..60 {
            // All at the beginning of a second, as a client with many connections may have it.
            assert!((0..2500).all(|_| ask(Duration::from_secs(second))));
        }
        assert!((0..2500).all(|_| ask(Duration::from_secs(59))), "the burst");
        assert!(!ask(Duration::from_secs(59)));
    }

    #[test]
    fn a_valid_token_is_seen_by_whoever_let_the_request_in() {
        let (limits, mut request) = (limits(), Extensions::new());
        let visitor = Visitor::new([192, 0, 2, 7].into());
        request.insert(visitor.clone());
        assert!(!visitor.is_known());
        let counted = limits.token(&request, &Arc::from("token"), Duration::ZERO);
        assert_eq!((counted, visitor.is_known()), (Ok(()), true));
    }

    #[test]
    fn writes_are_refused_before_the_queue_of_the_store_is_full() {
        for (queued, refused) in [(0, false), (3583, false), (3584, true), (4096, true)] {
            let mut stats = store::Stats::default();
            stats.queued = queued;
            assert_eq!(limits().too_many_wait_to_write(&stats), refused, "{queued}");
        }
    }

    #[test]
    fn failures_that_pass_are_told_from_those_that_do_not() {
        let message = String::new;
        for (error, expected) in [
            (
                store::Error::Busy {
                    waited: Duration::ZERO,
                },
                Some(("busy", 1)),
            ),
            (store::Error::Full, Some(("disk_full", 30))),
            (
                store::Error::Unavailable { message: message() },
                Some(("unavailable", 5)),
            ),
            (store::Error::Closed, Some(("unavailable", 5))),
            (store::Error::Damaged(message()), None),
            (store::Error::Failed(message()), None),
        ] {
            let not_now = NotNow::of(&error);
            let seen = not_now.map(|it| (it.code(), it.retry_after()));
            assert_eq!(seen, expected, "{error}");
            assert!(not_now.is_none_or(|it| it.status() == StatusCode::SERVICE_UNAVAILABLE));
        }
    }
}
