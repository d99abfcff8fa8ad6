//! How a program ended.

use crate::Error;
use std::fmt;
use std::process::Output;

/// What a program said, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code; `None`: a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained about. Empty for what ran in a [`Session`](crate::Session), where both are in `out`.
    pub err: String,
}

impl Said {
    /// Whether it ended well.
    #[must_use]
    pub fn good(&self) -> bool {
        self.code == Some(0)
    }

    /// What it printed, without white space at the end, if it ended well.
    ///
    /// # Errors
    /// All it said, if it did not.
    pub fn text(&self) -> Result<&str, Error> {
        match self.good() {
            true => Ok(self.out.trim_end()),
            false => Err(Error::Failed(self.to_string())),
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(to, "exit code {code}")?,
            None => write!(to, "ended by a signal")?,
        }
        for text in [&self.out, &self.err] {
            if !text.trim().is_empty() {
                write!(to, "\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}
