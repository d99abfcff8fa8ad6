//! Lines of a file of any size, through a window of one size.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

/// Bytes that are looked at at a time. They are on the stack, because a module has no memory of its own; a larger window
/// makes nothing faster.
pub const WINDOW: usize = 16 * 1024;

/// What can be read at any place: a file, or in tests a piece of memory.
pub trait Source {
    /// Reads what is at `offset`, at most as much as there is room for; 0 bytes at the end.
    ///
    /// # Errors
    ///
    /// What reading the file says.
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Source for File {
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, room, offset)
    }
}

impl Source for [u8] {
    fn read_at(&self, mut room: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        io::Write::write(&mut room, self.get(from..).unwrap_or_default())
    }
}

/// A line, or what of a long one fits into the window.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'w> {
    /// Without the end of the line, and without the comma behind which a long line was cut.
    pub bytes: &'w [u8],
    /// Nothing of the line came before.
    pub starts: bool,
    /// Nothing of the line comes after.
    pub ends: bool,
}

impl<'w> Piece<'w> {
    /// The line, if this is all of it.
    #[must_use]
    pub fn whole(&self) -> Option<&'w [u8]> {
        (self.starts && self.ends).then_some(self.bytes)
    }
}

/// Goes through the lines of a source.
///
/// A line that is longer than the window, such as that of a group of thousands, comes in pieces, each cut behind a
/// comma; what between two commas does not fit into the window together with what ends it is left out. What follows the last end of a line is no
/// line: it may have been cut off.
pub struct Lines<'s, S: ?Sized> {
    source: &'s S,
    window: [u8; WINDOW],
    /// What of the window has been read and not been given out.
    from: usize,
    to: usize,
    /// Where the source goes on behind the window.
    offset: u64,
    /// The next piece is the first of its line.
    starts: bool,
    /// Everything up to the next comma or end of line belongs to something that is longer than the window.
    leaving_out: bool,
}

/// Where a piece ends, and what ends it.
enum End {
    Line(usize),
    Comma(usize),
    /// Neither is in the window.
    None,
}

impl<'s, S: Source + ?Sized> Lines<'s, S> {
    /// From `offset`, which is the start of a line.
    pub fn new(source: &'s S, offset: u64) -> Self {
        Self {
            source,
            window: [0; WINDOW],
            from: 0,
            to: 0,
            offset,
            starts: true,
            leaving_out: false,
        }
    }

    /// Where the source goes on behind what has been given out.
    #[must_use]
    pub fn offset(&self) -> u64 {
        let unread = self.to.saturating_sub(self.from);
        self.offset
            .saturating_sub(u64::try_from(unread).unwrap_or_default())
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    ///
    /// What reading the source says.
    #[expect(
        clippy::should_implement_trait,
        reason = "what is given out is lent, which an iterator cannot say"
    )]
    pub fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        loop {
            match self.end() {
                End::Line(end) => {
                    let piece = Piece {
                        starts: self.starts,
                        ends: true,
                        bytes: &[],
                    };
                    let bytes = if self.leaving_out {
                        end..end
                    } else {
                        self.from..end
                    };
                    (self.starts, self.leaving_out) = (true, false);
                    self.from = end.saturating_add(1);
                    let bytes = self.window.get(bytes).unwrap_or_default();
                    return Ok(Some(Piece { bytes, ..piece }));
                }
                End::Comma(end) => {
                    let bytes = self.from..end;
                    let starts = std::mem::take(&mut self.starts);
                    self.from = end.saturating_add(1);
                    if !std::mem::take(&mut self.leaving_out) {
                        let bytes = self.window.get(bytes).unwrap_or_default();
                        return Ok(Some(Piece {
                            bytes,
                            starts,
                            ends: false,
                        }));
                    }
                }
                End::None => {
                    if self.from == 0 && self.to == WINDOW {
                        (self.starts, self.leaving_out) = (false, true);
                        self.from = WINDOW;
                    }
                    if !self.fill()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn end(&self) -> End {
        let unread = self.window.get(self.from..self.to).unwrap_or_default();
        let line = |byte: &u8| *byte == b'\n';
        let comma = |byte: &u8| *byte == b',';
        if self.leaving_out {
            let end = unread.iter().position(|byte| line(byte) || comma(byte));
            return match end.and_then(|end| Some((end, unread.get(end)?))) {
                Some((end, b',')) => End::Comma(self.from.saturating_add(end)),
                Some((end, _)) => End::Line(self.from.saturating_add(end)),
                None => End::None,
            };
        }
        if let Some(end) = unread.iter().position(line) {
            return End::Line(self.from.saturating_add(end));
        }
        let is_full = unread.len() == WINDOW;
        let cut = is_full.then(|| unread.iter().rposition(comma));
        cut.flatten().map_or(End::None, End::Comma)
    }

    /// Moves what is unread to the front of the window and reads on behind it. False at the end of the source.
    fn fill(&mut self) -> io::Result<bool> {
        // Both are where they are said to be already; this way the compiler knows, and leaves out what panics.
        let to = self.to.min(WINDOW);
        let from = self.from.min(to);
        self.window.copy_within(from..to, 0);
        self.to = to.saturating_sub(from);
        self.from = 0;
        let room = self.window.get_mut(self.to..).unwrap_or_default();
        let read = loop {
            match self.source.read_at(room, self.offset) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.to = self.to.saturating_add(read);
        self.offset = self
            .offset
            .saturating_add(u64::try_from(read).unwrap_or_default());
        Ok(read > 0)
    }
}
