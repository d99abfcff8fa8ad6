//! Schema versions: one numbered list for every database.

use std::borrow::Cow;

use crate::{Error, Result};

/// One step of the schema. Applied ones never change; a correction is a new step.
///
/// The text may use these words, which each database spells in its own way: `{int}`, `{bool}`, `{bytes}`,
/// `{json}`, `{identity}` (a primary key that the database counts up and never reuses), and after the closing
/// parenthesis of a table `{strict}`, `{without_rowid}` or `{strict}, {without_rowid}`. A SQLite table that is
/// `{strict}` takes only the types written by these words and `TEXT`.
///
/// Text is ordered and compared by its bytes on every database. PostgreSQL is told so with each `TEXT`, which may
/// therefore stand for nothing but the type of a column.
///
/// Deferred constraints are refused: they are checked at the commit, which unrelated transactions share.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, ascending.
    pub version: i64,
    /// What it brings, for people.
    pub name: &'static str,
    /// One or more statements, each ended by a semicolon.
    pub sql: &'static str,
}

impl Migration {
    /// The text for one database.
    pub(crate) fn expand(&self, dialect: &[(&str, &str)]) -> Result<String> {
        let text = dialect
            .iter()
            .fold(Cow::Borrowed(self.sql), |text, (word, spelling)| {
                Cow::Owned(text.replace(word, spelling))
            });
        if let Some(word) = leftover_word(&text) {
            return Err(self.failed(format!("{word} is not a word of the migration language")));
        }
        if text.to_ascii_uppercase().contains("DEFERRED") {
            return Err(self.failed("deferred constraints cannot be used".to_string()));
        }
        Ok(text.into_owned())
    }

    /// FNV-1a over the text without comments and layout, so that an edit of those alone is no change. It notices
    /// accidents; it is no protection against a person who can write to the database anyway.
    pub(crate) fn checksum(&self) -> String {
        let words = self.sql.lines().flat_map(|line| {
            line.split_once("--")
                .map_or(line, |(code, _)| code)
                .split_whitespace()
        });
        let hash = words
            .flat_map(|word| word.bytes().chain([b' ']))
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
        format!("{hash:016x}")
    }

    pub(crate) fn failed(&self, message: String) -> Error {
        Error::Migration {
            version: self.version,
            name: self.name.to_string(),
            message,
        }
    }
}

/// A migration as the database remembers it.
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) checksum: String,
}

/// The migrations that are still to run, in order.
pub(crate) fn pending<'a>(known: &'a [Migration], applied: &[Applied]) -> Result<&'a [Migration]> {
    if let Some(pair) = known
        .windows(2)
        .find(|pair| pair[0].version >= pair[1].version)
    {
        return Err(pair[1].failed(format!("it comes after version {}", pair[0].version)));
    }
    let newest = known.last().map_or(0, |migration| migration.version);
    if let Some(newer) = applied.last().filter(|applied| applied.version > newest) {
        return Err(Error::Newer {
            found: newer.version,
            known: newest,
        });
    }
    for (index, done) in applied.iter().enumerate() {
        let ours = known.get(index);
        if ours.is_none_or(|ours| ours.version != done.version || ours.checksum() != done.checksum)
        {
            return Err(Error::Changed {
                version: done.version,
                name: ours.map_or("unknown", |ours| ours.name).to_string(),
            });
        }
    }
    Ok(&known[applied.len()..])
}

/// The first `{word}` in `text`. Empty braces and JSON are not words.
fn leftover_word(text: &str) -> Option<&str> {
    text.match_indices('{').find_map(|(start, _)| {
        let length = text[start..].find('}')?;
        let inner = &text[start + 1..start + length];
        let is_word = !inner.is_empty()
            && inner
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_word.then(|| &text[start..=start + length])
    })
}
