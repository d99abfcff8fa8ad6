//! The log as one JSON document.

use std::io::{self, Write};

use crate::engine::steps::Record;

/// Writes entries as the elements of one JSON array, a line each, as they come.
pub struct Json<W: Write> {
    out: W,
    any: bool,
}

impl<W: Write> Json<W> {
    /// Begins the document.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { out, any: false })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, record: &Record) -> io::Result<()> {
        self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        Ok(serde_json::to_writer(&mut self.out, record)?)
    }

    /// Ends the document. Without this it is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<W> {
        self.out
            .write_all(if self.any { b"\n]\n" } else { b"]\n" })?;
        self.out.flush()?;
        Ok(self.out)
    }
}
