//! What hosts are called by: `key=value`.

use std::collections::BTreeMap;
use std::collections::btree_map;

use serde::{Deserialize, Serialize};

/// The key under which expressions find the host's own name. No tag can have it.
pub const NAME: &str = "name";

/// The most characters of a key.
pub const MAX_KEY: usize = 63;

/// The most characters of a value.
pub const MAX_VALUE: usize = 255;

/// The most tags of a host.
pub const MAX_TAGS: usize = 64;

/// The tags of a host, at most one for each key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, String>",
    into = "BTreeMap<String, String>"
)]
pub struct Tags(BTreeMap<String, String>);

/// Why something cannot be a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// No `=`.
    #[error("{0:?} is no tag; write key=value")]
    NoValue(String),
    /// The key is empty, too long, or has other characters.
    #[error(
        "{0:?} cannot be the key of a tag; use 1 to {MAX_KEY} letters, digits, '-', '_', '.' or '/', and begin with a letter"
    )]
    Key(String),
    /// The key is one that expressions need themselves.
    #[error("{0:?} cannot be the key of a tag, because expressions use it; choose another one")]
    Reserved(String),
    /// The value is empty, too long, or has control characters.
    #[error(
        "the value of tag {0:?} must have 1 to {MAX_VALUE} characters and no control characters"
    )]
    Value(String),
    /// Two values.
    #[error("tag {0:?} is given twice; a host has one value for each key")]
    Twice(String),
    /// Too many.
    #[error("a host has at most {MAX_TAGS} tags")]
    TooMany,
}

impl Tags {
    /// Tags as people write them, each `key=value`.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn parse<S: AsRef<str>>(written: impl IntoIterator<Item = S>) -> Result<Self, TagError> {
        let mut tags = Self::default();
        for text in written {
            let text = text.as_ref();
            let (key, value) = text
                .split_once('=')
                .ok_or_else(|| TagError::NoValue(text.to_owned()))?;
            tags.add(key.trim(), value.trim())?;
        }
        Ok(tags)
    }

    /// Adds one.
    ///
    /// # Errors
    /// When it cannot be a tag, or there is one with this key.
    pub fn add(&mut self, key: &str, value: &str) -> Result<(), TagError> {
        if !is_key(key) {
            return Err(TagError::Key(key.to_owned()));
        }
        if key == NAME || is_word(key) {
            return Err(TagError::Reserved(key.to_owned()));
        }
        if value.is_empty()
            || value.chars().count() > MAX_VALUE
            || value.chars().any(char::is_control)
        {
            return Err(TagError::Value(key.to_owned()));
        }
        if self.0.len() >= MAX_TAGS {
            return Err(TagError::TooMany);
        }
        match self.0.entry(key.to_owned()) {
            btree_map::Entry::Occupied(_) => Err(TagError::Twice(key.to_owned())),
            btree_map::Entry::Vacant(entry) => {
                entry.insert(value.to_owned());
                Ok(())
            }
        }
    }

    /// The value for a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Keys with their values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for Tags {
    type Error = TagError;

    fn try_from(map: BTreeMap<String, String>) -> Result<Self, TagError> {
        let mut tags = Self::default();
        for (key, value) in &map {
            tags.add(key, value)?;
        }
        Ok(tags)
    }
}

impl From<Tags> for BTreeMap<String, String> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

/// Whether a text can be a key in an expression.
pub(crate) fn is_key(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        && text.len() <= MAX_KEY
}

/// Whether a text is a word of the language of expressions.
pub(crate) fn is_word(text: &str) -> bool {
    ["and", "or", "not"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_they_are_written() {
        let tags = Tags::parse(["env=prod", "role = web", "team/cost.centre=a=b"]).unwrap();
        let all: Vec<_> = tags.iter().collect();
        assert_eq!(
            all,
            [
                ("env", "prod"),
                ("role", "web"),
                ("team/cost.centre", "a=b")
            ]
        );
    }

    #[test]
    fn what_is_no_tag_is_refused_by_name() {
        let long = "k".repeat(MAX_KEY + 1);
        let cases = [
            (
                "no value",
                "legacy".to_owned(),
                TagError::NoValue("legacy".into()),
            ),
            (
                "an empty key",
                "=x".to_owned(),
                TagError::Key(String::new()),
            ),
            (
                "a digit first",
                "1a=x".to_owned(),
                TagError::Key("1a".into()),
            ),
            (
                "a blank inside",
                "a b=x".to_owned(),
                TagError::Key("a b".into()),
            ),
            ("a long key", format!("{long}=x"), TagError::Key(long)),
            (
                "the name",
                "name=x".to_owned(),
                TagError::Reserved("name".into()),
            ),
            (
                "a word of expressions",
                "Not=x".to_owned(),
                TagError::Reserved("Not".into()),
            ),
            (
                "an empty value",
                "env=".to_owned(),
                TagError::Value("env".into()),
            ),
            (
                "a line break",
                "env=a\nb".to_owned(),
                TagError::Value("env".into()),
            ),
        ];
        for (name, text, error) in cases {
            assert_eq!(Tags::parse([text]), Err(error), "{name}");
        }
        assert_eq!(
            Tags::parse(["env=a", "env=b"]),
            Err(TagError::Twice("env".into()))
        );
        let many = (0..=MAX_TAGS).map(|n| format!("k{n}=v"));
        assert_eq!(Tags::parse(many), Err(TagError::TooMany));
    }
}
