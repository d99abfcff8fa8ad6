//! One connection: requests go out together, and their answers are awaited together.
//!
//! What is sent waits in this process until somebody asks for an answer; then everything goes out at once. Such a
//! *flight* is one round trip, whatever its number of statements.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::trouble::{Reach, Trouble};

type Driver =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

type Answer<T> = Result<T, tokio_postgres::Error>;

/// For how long a connection may take its leave.
const FAREWELL: Duration = Duration::from_millis(200);

/// A connection. It belongs to the thread that opened it.
pub(super) struct Connection {
    runtime: Rc<Runtime>,
    client: Option<Rc<Client>>,
    /// Carries requests and answers while somebody waits. `None` once it has ended.
    driver: Option<Driver>,
    sent: VecDeque<Sent>,
    /// How long to wait for an answer before the connection counts as lost.
    patience: Duration,
    /// How long the server waits for locks.
    lock_wait: Duration,
    flights: u64,
    heard: Vec<Notification>,
}

/// A request whose answer nobody has looked at yet.
struct Sent {
    /// On whose behalf.
    tag: usize,
    /// Whether it is part of running the transaction, so that its failure is no closure's fault.
    control: bool,
    answer: Pin<Box<dyn Future<Output = Answer<()>>>>,
}

/// What [`Connection::listen`] waited for.
pub(super) enum Event<T> {
    /// The caller's own.
    Done(T),
    /// There are notifications.
    Heard,
    /// The connection has ended.
    Lost,
}

/// A request that failed.
pub(super) struct Failure {
    /// On whose behalf it was sent.
    pub(super) tag: usize,
    pub(super) trouble: Trouble,
}

impl Connection {
    pub(super) fn new(
        runtime: Rc<Runtime>,
        client: Client,
        driver: Driver,
        lock_wait: Duration,
        patience: Duration,
    ) -> Self {
        Self {
            runtime,
            client: Some(Rc::new(client)),
            driver: Some(driver),
            sent: VecDeque::new(),
            patience,
            lock_wait,
            flights: 0,
            heard: Vec::new(),
        }
    }

    /// What requests are made with.
    pub(super) fn client(&self) -> Result<Rc<Client>, Trouble> {
        let client = self.client.as_ref().filter(|_| self.driver.is_some());
        client
            .cloned()
            .ok_or_else(|| Trouble::unavailable("the connection was closed"))
    }

    pub(super) fn lost(&self) -> bool {
        self.driver.is_none()
    }

    /// Flights since the last call.
    pub(super) fn take_flights(&mut self) -> u64 {
        std::mem::take(&mut self.flights)
    }

    /// How many requests have been sent whose answers nobody has looked at.
    pub(super) fn under_way(&self) -> usize {
        self.sent.len()
    }

    /// Whether one of these is a closure's own.
    pub(super) fn owes(&self) -> bool {
        self.sent.iter().any(|sent| !sent.control)
    }

    /// Sends a request without waiting for its answer.
    pub(super) fn send(
        &mut self,
        tag: usize,
        control: bool,
        request: impl Future<Output = Answer<()>> + 'static,
    ) -> Result<(), Trouble> {
        let mut answer: Pin<Box<dyn Future<Output = Answer<()>>>> = Box::pin(request);
        // The first poll hands the request over.
        match answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(Err(error)) => Err(Trouble::new(&error, self.lock_wait)),
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Pending => {
                self.sent.push_back(Sent {
                    tag,
                    control,
                    answer,
                });
                Ok(())
            }
        }
    }

    /// Waits for the answers to everything sent.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if self.sent.is_empty() {
            return Ok(());
        }
        self.flight(0, async { Ok(()) })
    }

    /// Sends `last`, waits for the answers to everything sent before and then for its own. The first failure counts:
    /// those behind it follow from it.
    pub(super) fn flight<T>(
        &mut self,
        tag: usize,
        last: impl Future<Output = Answer<T>>,
    ) -> Result<T, Failure> {
        let mut sent = std::mem::take(&mut self.sent);
        self.flights += 1;
        let lock_wait = self.lock_wait;
        let fail = |tag, control, error| {
            let mut trouble = Trouble::new(&error, lock_wait);
            if control && trouble.reach == Reach::Closure {
                trouble.reach = Reach::Transaction;
            }
            Failure { tag, trouble }
        };
        let both = async {
            let mut last = pin!(last);
            let early = poll_fn(|context| Poll::Ready(last.as_mut().poll(context))).await;
            let mut failed = None;
            while let Some(Sent {
                tag,
                control,
                answer,
            }) = sent.pop_front()
            {
                if let Err(error) = answer.await {
                    failed.get_or_insert_with(|| fail(tag, control, error));
                }
            }
            let last = match early {
                Poll::Ready(answer) => answer,
                Poll::Pending => last.await,
            };
            match failed {
                Some(failure) => Err(failure),
                None => last.map_err(|error| fail(tag, false, error)),
            }
        };
        let answered = drive(
            &self.runtime,
            &mut self.driver,
            &mut self.heard,
            self.patience,
            both,
        );
        answered.unwrap_or_else(|| {
            self.driver = None;
            let message = format!(
                "the server did not answer for {} s",
                self.patience.as_secs()
            );
            Err(Failure {
                tag,
                trouble: Trouble::unavailable(message),
            })
        })
    }

    /// Hands what was sent to the operating system, without waiting for any answer.
    pub(super) fn push(&mut self) {
        let Some(driver) = &mut self.driver else {
            return;
        };
        let once = poll_fn(|context| Poll::Ready(driver.poll_message(context)));
        if let Poll::Ready(None | Some(Err(_))) = self.runtime.block_on(once) {
            self.driver = None;
        }
    }

    /// Waits for `until`, for a notification or for the end of the connection.
    pub(super) fn listen<T>(&mut self, until: impl Future<Output = T>) -> Event<T> {
        if !self.heard.is_empty() {
            return Event::Heard;
        }
        let (driver, heard) = (&mut self.driver, &mut self.heard);
        let mut until = pin!(until);
        let wait = poll_fn(|context| {
            loop {
                match driver.as_mut().map(|it| it.poll_message(context)) {
                    Some(Poll::Ready(Some(Ok(AsyncMessage::Notification(notification))))) => {
                        heard.push(notification);
                        return Poll::Ready(Event::Heard);
                    }
                    Some(Poll::Ready(Some(Ok(_)))) => {}
                    Some(Poll::Pending) => return until.as_mut().poll(context).map(Event::Done),
                    Some(Poll::Ready(None | Some(Err(_)))) | None => {
                        *driver = None;
                        return Poll::Ready(Event::Lost);
                    }
                }
            }
        });
        self.runtime.block_on(wait)
    }

    /// Notifications that came since the last call.
    pub(super) fn take_heard(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.heard)
    }
}

/// Says good-bye, so that the server need not wonder where its client has gone.
impl Drop for Connection {
    fn drop(&mut self) {
        self.sent.clear();
        self.client = None;
        drive(
            &self.runtime,
            &mut self.driver,
            &mut self.heard,
            FAREWELL,
            std::future::pending::<()>(),
        );
    }
}

/// Carries requests and answers until `flight` has what it wants. `None` when time runs out, or when `flight` still
/// waits although the connection has ended.
fn drive<T>(
    runtime: &Runtime,
    driver: &mut Option<Driver>,
    heard: &mut Vec<Notification>,
    patience: Duration,
    flight: impl Future<Output = T>,
) -> Option<T> {
    let mut flight = pin!(flight);
    let carry = poll_fn(|context| {
        loop {
            if let Poll::Ready(done) = flight.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            let Some(connection) = driver.as_mut() else {
                return Poll::Ready(None);
            };
            match connection.poll_message(context) {
                // What the flight sends next, and what has come for it.
                Poll::Pending => return flight.as_mut().poll(context).map(Some),
                Poll::Ready(Some(Ok(AsyncMessage::Notification(notification)))) => {
                    heard.push(notification)
                }
                Poll::Ready(Some(Ok(_))) => {}
                // With the driver go the ends that the flight waits for, so its next poll tells it.
                Poll::Ready(None | Some(Err(_))) => *driver = None,
            }
        }
    });
    runtime.block_on(async { tokio::time::timeout(patience, carry).await.ok().flatten() })
}
