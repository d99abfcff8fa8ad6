//! Where an enumeration stands: the only thing that outlives a call.

use std::fs::File;
use std::sync::{Mutex, TryLockError};

use crate::answer::Failure;
use crate::lines::Lines;
use crate::snapshot;

/// The place in an enumeration of one of the files, for the whole process, as the C library has it.
pub struct Cursor {
    path: &'static str,
    place: Mutex<Option<Place>>,
}

/// An enumeration keeps the file that it began with: it shows all people of one moment, and each once. It remembers where
/// it is by itself, because a file's own position is shared with processes that were forked.
struct Place {
    file: File,
    offset: u64,
}

impl Cursor {
    #[must_use]
    pub const fn new(path: &'static str) -> Self {
        Self {
            path,
            place: Mutex::new(None),
        }
    }

    /// Begins from the front, at the next question.
    ///
    /// # Errors
    ///
    /// [`Failure::Later`], as for [`step`](Self::step).
    pub fn reset(&self) -> Result<(), Failure> {
        self.with(|place| {
            *place = None;
            Ok(())
        })
    }

    /// Has `answer` take the next record from the lines, and remembers where it stopped unless it failed: whoever comes
    /// back with a larger buffer is to get the same record.
    ///
    /// # Errors
    ///
    /// Those of [`snapshot::open`] and of `answer`. [`Failure::Later`] when another thread is in the middle of an
    /// enumeration, which the C library does not let happen, or was when this process was forked from it: waiting
    /// could take forever.
    pub fn step<T>(
        &self,
        answer: impl FnOnce(&mut Lines<'_, File>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with(|place| {
            let place = match place {
                Some(place) => place,
                None => place.insert(Place {
                    file: snapshot::open(self.path)?,
                    offset: 0,
                }),
            };
            let mut lines = Lines::new(&place.file, place.offset);
            let answered = answer(&mut lines)?;
            place.offset = lines.offset();
            Ok(answered)
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Option<Place>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.place.try_lock() {
            Ok(mut place) => work(&mut place),
            Err(TryLockError::Poisoned(poisoned)) => work(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Failure::Later(libc::EAGAIN)),
        }
    }
}
