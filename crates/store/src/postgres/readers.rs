//! Threads that read, each with a connection, lent to whoever needs one. They start when first needed.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::line::Line;
use super::opener::Opener;
use crate::room;
use crate::{Error, Result, Tx};

type Task = Box<dyn FnOnce(&mut Line) + Send>;

pub(super) struct Readers {
    room: Arc<Semaphore>,
    wait: Duration,
    opener: Arc<Opener>,
    /// How long a reader waits for an answer.
    patience: Duration,
    idle: Mutex<Vec<Sender<Task>>>,
}

impl Readers {
    pub(super) fn new(
        opener: Arc<Opener>,
        count: usize,
        wait: Duration,
        patience: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(count.max(1))),
            wait,
            opener,
            patience,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Runs `work` on a reader's thread.
    pub(super) async fn run<R, E>(
        self: &Arc<Self>,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let place = room::enter(&self.room, self.wait).await?;
        let reader = self.take()?;
        let (answer, answered) = oneshot::channel();
        let (home, own) = (Arc::clone(self), reader.clone());
        let task: Task = Box::new(move |line| {
            let outcome = line.read(&work);
            drop(work);
            home.give_back(own, place);
            // A requester that has gone does not want the answer.
            let _ = answer.send(outcome);
        });
        reader.send(task).map_err(|_| Error::Closed)?;
        answered.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Lets nobody in any more; readers at work end when they are done.
    pub(super) fn close(&self) {
        self.room.close();
        self.idle().clear();
    }

    /// The reader who was at work last, because its connection is the most likely to be alive and its memory to be
    /// warm.
    fn take(&self) -> Result<Sender<Task>> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.start(), Ok)
    }

    fn start(&self) -> Result<Sender<Task>> {
        let (tasks, queue) = mpsc::channel::<Task>();
        let (opener, patience) = (Arc::clone(&self.opener), self.patience);
        let serve = move || match Line::new(opener, patience) {
            Ok(mut line) => queue.iter().for_each(|task| task(&mut line)),
            Err(error) => tracing::error!(%error, "a reading thread could not start"),
        };
        let started = thread::Builder::new()
            .name("store-reader".to_string())
            .spawn(serve);
        started
            .map_err(|error| Error::Failed(format!("cannot start a reading thread: {error}")))?;
        Ok(tasks)
    }

    fn give_back(&self, reader: Sender<Task>, place: OwnedSemaphorePermit) {
        let mut idle = self.idle();
        if !self.room.is_closed() {
            idle.push(reader);
        }
        drop(idle);
        drop(place);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Sender<Task>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
