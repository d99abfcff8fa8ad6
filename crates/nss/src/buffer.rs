//! The caller's buffer, into which an answer's texts and lists go.

use std::ffi::c_char;
use std::mem::{self, MaybeUninit};
use std::ptr;

use crate::answer::Failure;

/// What is free of a buffer.
pub struct Buffer<'c> {
    free: &'c mut [MaybeUninit<u8>],
}

impl<'c> Buffer<'c> {
    /// Takes over all of `buffer`, whatever is in it.
    pub fn new(buffer: &'c mut [MaybeUninit<u8>]) -> Self {
        Self { free: buffer }
    }

    /// Puts a text, with the 0 that ends it.
    ///
    /// # Errors
    ///
    /// [`Failure::Small`]
    pub fn text(&mut self, text: &[u8]) -> Result<*mut c_char, Failure> {
        let len = text.len().checked_add(1).ok_or(Failure::Small)?;
        let free = mem::take(&mut self.free);
        let (room, free) = free.split_at_mut_checked(len).ok_or(Failure::Small)?;
        self.free = free;
        put(text, room)?;
        Ok(room.as_mut_ptr().cast())
    }

    /// Gives what is free to a list of texts, which is the last that an answer has.
    #[must_use]
    pub fn into_list(self) -> List<'c> {
        List {
            room: self.free,
            used: 0,
            count: 0,
        }
    }
}

/// Texts one behind the other, and behind them their addresses.
pub struct List<'c> {
    room: &'c mut [MaybeUninit<u8>],
    /// Bytes of the room that hold texts.
    used: usize,
    count: usize,
}

impl List<'_> {
    /// Puts one more text, which has no byte 0.
    ///
    /// # Errors
    ///
    /// [`Failure::Small`]
    pub fn push(&mut self, text: &[u8]) -> Result<(), Failure> {
        let room = self.room.get_mut(self.used..).ok_or(Failure::Small)?;
        self.used = self.used.saturating_add(put(text, room)?);
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Puts the addresses of the texts in the order in which they came, and the null that ends them.
    ///
    /// # Errors
    ///
    /// [`Failure::Small`]
    pub fn finish(self) -> Result<*mut *mut c_char, Failure> {
        let (texts, free) = self
            .room
            .split_at_mut_checked(self.used)
            .ok_or(Failure::Small)?;
        #[expect(unsafe_code, reason = "the bytes have been written one by one")]
        // SAFETY: `push` wrote every byte in front of `used`.
        let texts = unsafe { texts.assume_init_mut() };
        #[expect(
            unsafe_code,
            reason = "there is no other way to find aligned room in bytes"
        )]
        // SAFETY: both types may hold any bytes, and none.
        let (_, free, _) = unsafe { free.align_to_mut::<MaybeUninit<*mut c_char>>() };
        let needed = self.count.checked_add(1).ok_or(Failure::Small)?;
        let addresses = free.get_mut(..needed).ok_or(Failure::Small)?;
        let texts = texts.split_inclusive_mut(|byte| *byte == 0);
        let values = texts.map(|text| text.as_mut_ptr().cast());
        let values = values.chain([ptr::null_mut()]);
        for (address, value) in addresses.iter_mut().zip(values) {
            address.write(value);
        }
        Ok(addresses.as_mut_ptr().cast())
    }
}

/// Writes the text and a 0; says how many bytes that were.
fn put(text: &[u8], room: &mut [MaybeUninit<u8>]) -> Result<usize, Failure> {
    let (room, rest) = room
        .split_at_mut_checked(text.len())
        .ok_or(Failure::Small)?;
    let end = rest.first_mut().ok_or(Failure::Small)?;
    for (to, from) in room.iter_mut().zip(text) {
        to.write(*from);
    }
    end.write(0);
    Ok(text.len().saturating_add(1))
}
