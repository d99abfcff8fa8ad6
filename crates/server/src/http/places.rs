//! Places for connections: so many may be open, and who waits for a place gets that of a connection that does nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    idle: Mutex<Idle>,
    /// Wakes who looks for a place: another connection may have one to give.
    look_again: Notify,
}

/// The connections on which no request is under way, by the order in which they became so.
#[derive(Debug, Default)]
struct Idle {
    last: u64,
    leave: BTreeMap<u64, Arc<Notify>>,
    /// Whether somebody looked for one in vain.
    wanted: bool,
}

/// The place of one connection, taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    /// Its number among the idle ones; 0 while a request is under way.
    turn: AtomicU64,
    leave: Arc<Notify>,
    _permit: OwnedSemaphorePermit,
}

/// A request is under way on a connection until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Place>);

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            idle: Mutex::default(),
            look_again: Notify::new(),
        })
    }

    /// Takes a place. If none is free the connection that has been idle for the longest time must leave; if all have
    /// requests under way, this waits.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Arc<Place>> {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return Some(self.place(permit));
            }
            self.clear_one_or_wait();
            tokio::select! {
                // The semaphore is never closed.
                permit = self.free.clone().acquire_owned() => return Some(self.place(permit.ok()?)),
                () = self.look_again.notified() => {}
            }
        }
    }

    /// Tells the connection to leave that has been idle for the longest time, if one is.
    pub(super) fn clear_one(&self) {
        if let Some((_, leave)) = self.lock().leave.pop_first() {
            leave.notify_one();
        }
    }

    /// The same; if none is idle, the next that is wakes who waits.
    fn clear_one_or_wait(&self) {
        let mut idle = self.lock();
        match idle.leave.pop_first() {
            Some((_, leave)) => leave.notify_one(),
            None => idle.wanted = true,
        }
    }

    fn place(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Arc<Place> {
        let place = Place {
            places: self.clone(),
            turn: AtomicU64::new(0),
            leave: Arc::default(),
            _permit: permit,
        };
        place.rest();
        Arc::new(place)
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A request has come.
    pub(super) fn work(self: &Arc<Self>) -> UnderWay {
        self.unlist();
        UnderWay(self.clone())
    }

    /// Ends when the connection must leave because somebody needs its place.
    pub(super) async fn is_needed(&self) {
        loop {
            self.leave.notified().await;
            if self.turn.load(Ordering::Relaxed) != 0 {
                return;
            }
            // A request that came in the same moment is answered; somebody else has to leave.
            self.places.look_again.notify_one();
        }
    }

    fn rest(&self) {
        let mut idle = self.places.lock();
        idle.last += 1;
        let turn = idle.last;
        self.turn.store(turn, Ordering::Relaxed);
        idle.leave.insert(turn, self.leave.clone());
        if std::mem::take(&mut idle.wanted) {
            self.places.look_again.notify_one();
        }
    }

    fn unlist(&self) {
        let turn = self.turn.swap(0, Ordering::Relaxed);
        self.places.lock().leave.remove(&turn);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.unlist();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn take(places: &Arc<Places>) -> Option<Arc<Place>> {
        places.take().now_or_never().flatten()
    }

    #[test]
    fn who_has_been_idle_for_the_longest_time_leaves_first() {
        let places = Places::new(3);
        let [a, b, c] = [(); 3].map(|()| take(&places).unwrap());
        let needed = |place: &Arc<Place>| place.is_needed().now_or_never().is_some();
        drop(a.work());
        let work = b.work();
        assert!(take(&places).is_none(), "all places are taken");
        assert_eq!([&a, &b, &c].map(needed), [false, false, true]);
        assert!(take(&places).is_none(), "nobody has left");
        assert_eq!([&a, &b].map(needed), [true, false]);
        drop(work);
        drop(c);
        assert!(take(&places).is_some(), "now somebody has");
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_of_the_next_that_becomes_idle() {
        let places = Places::new(1);
        let only = take(&places).unwrap();
        let work = only.work();
        let waiting = places.take();
        tokio::pin!(waiting);
        assert!((&mut waiting).now_or_never().is_none());
        assert!(only.is_needed().now_or_never().is_none(), "it works");
        drop(work);
        assert!((&mut waiting).now_or_never().is_none(), "it is told to");
        only.is_needed().await;
        drop(only);
        assert!(waiting.await.is_some());
    }

    #[test]
    fn a_request_that_comes_as_its_connection_must_leave_is_answered() {
        let places = Places::new(1);
        let only = take(&places).unwrap();
        assert!(take(&places).is_none());
        let work = only.work();
        assert!(only.is_needed().now_or_never().is_none());
        drop(work);
        assert!(take(&places).is_none());
        assert!(only.is_needed().now_or_never().is_some());
    }
}
