//! Carrying everything from one store into another, whatever databases they are.
//!
//! Each side is one transaction. The source's keeps writers out until the end; the target's is committed when every
//! table has been read back and has the same rows, and leaves nothing behind otherwise. Between the two goes a short
//! queue of rows, so that memory does not grow with the database.

mod rows;
mod schema;

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use self::rows::{Batch, Sum};
use self::schema::Shape;
use crate::store::Engine;
use crate::{Error, Scope, Store, Tx};

/// Batches of rows that may wait for the target.
const QUEUE: usize = 2;

/// Rows between two looks at the watch while the target is read back.
const STEP: u64 = 4096;

/// Takes PostgreSQL's limits of time from a transaction.
const NO_LIMITS: &str = "SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('statement_timeout', '0', true)";

/// Told how far the copy has come; ends it with [`ControlFlow::Break`].
pub type Watch = Arc<dyn Fn(Progress) -> ControlFlow<()> + Send + Sync>;

/// How far a copy has come, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Rows are being written to the target.
    Copying {
        /// Rows written.
        done: u64,
        /// Rows of the source.
        total: u64,
    },
    /// Rows are being read back from the target.
    Comparing {
        /// Rows read.
        done: u64,
        /// Rows of the source.
        total: u64,
    },
}

/// A table that is the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256, in hexadecimal digits, over all rows in the order of their keys.
    pub checksum: String,
}

/// Why nothing was copied. The target is as it was.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyError {
    /// The source refused.
    #[error("the source: {0}")]
    Source(Error),
    /// The target refused.
    #[error("the target: {0}")]
    Target(Error),
    /// The target refused rows of one table.
    #[error("the target does not take rows of {table}: {cause}")]
    Rows {
        /// The table.
        table: String,
        /// What it said.
        cause: Error,
    },
    /// There is something in the target.
    #[error("the target is not empty: there are rows in {table}")]
    NotEmpty {
        /// The first table with rows.
        table: String,
    },
    /// The two do not have the same tables and columns.
    #[error(
        "the two databases differ in their table {table}: bring both to the same version first"
    )]
    Different {
        /// The first table that differs.
        table: String,
    },
    /// A table is made in a way that cannot be copied.
    #[error("the table {table} {why}, so it cannot be copied")]
    Table {
        /// The table.
        table: String,
        /// What is in the way.
        why: &'static str,
    },
    /// What the target gives back is not what the source gave.
    #[error("the table {} came out different: {} rows with checksum {} became {} rows with checksum {}", .source_side.table, .source_side.rows, .source_side.checksum, .target_side.rows, .target_side.checksum)]
    Mismatch {
        /// As it is in the source.
        source_side: Box<Copied>,
        /// As it was read back.
        target_side: Box<Copied>,
    },
    /// The watch ended it.
    #[error("it was cancelled")]
    Cancelled,
}

/// Copies every row of every table, reads all of it back, compares, and says what there is. Both stores were opened
/// with the same migrations; the target is empty.
///
/// No server can write to the source meanwhile; who runs one on PostgreSQL should have stopped it, or what it writes
/// afterwards is left behind.
pub async fn copy(source: &Store, target: &Store, watch: Watch) -> Result<Vec<Copied>, CopyError> {
    let shape = shape(source)
        .await
        .map_err(|stop| stop.of(CopyError::Source))?;
    let wanted = self::shape(target)
        .await
        .map_err(|stop| stop.of(CopyError::Target))?;
    shape.same_as(&wanted)?;
    let (sender, receiver) = sync_channel(QUEUE);
    let (sender, receiver) = (Once::new(sender), Once::new(receiver));
    let (from, to) = (source.engine(), target.engine());
    let (sent, received) = tokio::join!(
        source.write(Scope::ALL, move |tx| send(tx, from, &shape, &sender)),
        target.write(Scope::ALL, move |tx| receive(
            tx, to, &wanted, &receiver, &watch
        )),
    );
    match (sent, received) {
        (_, Ok(copied)) => Ok(copied),
        (_, Err(stop @ (Stop::Store(_) | Stop::Refused(_)))) => Err(stop.of(CopyError::Target)),
        (Err(stop), Err(Stop::Other)) => Err(stop.of(CopyError::Source)),
        (Ok(()), Err(Stop::Other)) => Err(CopyError::Target(Error::Closed)),
    }
}

impl Engine {
    /// Lets the transaction wait for the other side. Elsewhere a server that is frozen loses its transaction.
    fn wait_long(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        match self {
            Self::Sqlite => Ok(()),
            Self::Postgres => tx.query(NO_LIMITS, &[]).map(drop),
        }
    }
}

/// Why one side ended.
enum Stop {
    Store(Error),
    Refused(CopyError),
    /// Because the other side did, which knows why.
    Other,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<CopyError> for Stop {
    fn from(error: CopyError) -> Self {
        Self::Refused(error)
    }
}

impl Stop {
    fn of(self, side: fn(Error) -> CopyError) -> CopyError {
        match self {
            Self::Store(error) => side(error),
            Self::Refused(error) => error,
            Self::Other => side(Error::Closed),
        }
    }
}

/// An end of the queue, for a closure that the store may run again. Once rows have passed, that is too late.
struct Once<T>(Mutex<Option<T>>);

impl<T> Once<T> {
    fn new(end: T) -> Self {
        Self(Mutex::new(Some(end)))
    }

    fn take(&self) -> Result<T, Stop> {
        let end = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        end.ok_or_else(|| Error::Failed("the connection was lost on the way".to_string()).into())
    }
}

enum Message {
    Total(u64),
    /// Rows of the table at this place.
    Rows(usize, Batch),
    /// All rows were sent; this is what they were.
    End(Vec<Copied>),
}

async fn shape(store: &Store) -> Result<Shape, Stop> {
    let engine = store.engine();
    store.read(move |tx| Shape::read(tx, engine)).await
}

/// The source's side.
fn send(
    tx: &mut Tx<'_>,
    engine: Engine,
    shape: &Shape,
    queue: &Once<SyncSender<Message>>,
) -> Result<(), Stop> {
    engine.wait_long(tx)?;
    let mut total = 0;
    for table in &shape.tables {
        total += rows::count(tx, table)?;
    }
    let queue = queue.take()?;
    let send = |message| queue.send(message).map_err(|_| Stop::Other);
    send(Message::Total(total))?;
    let mut sums = Vec::new();
    for (place, table) in shape.tables.iter().enumerate() {
        let (mut sum, mut batch) = (Sum::default(), Batch::default());
        let mut sent = Ok(());
        tx.each(&rows::select(table), &[], |row| {
            sum.add(&row);
            batch.push(row);
            if batch.is_full() {
                sent = send(Message::Rows(place, std::mem::take(&mut batch)));
            }
            match sent {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        sent?;
        if batch.len() > 0 {
            send(Message::Rows(place, batch))?;
        }
        sums.push(sum.finish(table));
    }
    send(Message::End(sums))
}

/// The target's side.
fn receive(
    tx: &mut Tx<'_>,
    engine: Engine,
    shape: &Shape,
    queue: &Once<Receiver<Message>>,
    watch: &Watch,
) -> Result<Vec<Copied>, Stop> {
    engine.wait_long(tx)?;
    for table in &shape.tables {
        if !rows::is_empty(tx, table)? {
            let table = table.name.clone();
            return Err(CopyError::NotEmpty { table }.into());
        }
    }
    let queue = queue.take()?;
    let (mut done, mut total) = (0, 0);
    let sums = loop {
        match queue.recv().map_err(|_| Stop::Other)? {
            Message::Total(rows) => {
                total = rows;
                go_on(watch, Progress::Copying { done, total })?;
            }
            Message::Rows(place, batch) => {
                done += batch.len();
                let table = &shape.tables[place];
                rows::insert(tx, table, batch).map_err(|cause| CopyError::Rows {
                    table: table.name.clone(),
                    cause,
                })?;
                go_on(watch, Progress::Copying { done, total })?;
            }
            Message::End(sums) => break sums,
        }
    };
    compare(tx, shape, &sums, total, watch)?;
    Ok(sums)
}

fn compare(
    tx: &mut Tx<'_>,
    shape: &Shape,
    sums: &[Copied],
    total: u64,
    watch: &Watch,
) -> Result<(), Stop> {
    let mut done = 0;
    for (table, wanted) in shape.tables.iter().zip(sums) {
        let mut sum = Sum::default();
        let mut going = Ok(());
        tx.each(&rows::select(table), &[], |row| {
            sum.add(&row);
            done += 1;
            if done % STEP == 0 || done == total {
                going = go_on(watch, Progress::Comparing { done, total });
            }
            match going {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        going?;
        let found = sum.finish(table);
        if found != *wanted {
            return Err(CopyError::Mismatch {
                source_side: Box::new(wanted.clone()),
                target_side: Box::new(found),
            }
            .into());
        }
    }
    Ok(())
}

fn go_on(watch: &Watch, progress: Progress) -> Result<(), CopyError> {
    match watch(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(CopyError::Cancelled),
    }
}
