//! Lists of entity tags in conditional requests (RFC 9110 sections 13.1.1 and 13.1.2).

use http::{HeaderMap, HeaderName};

/// What a conditional header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted<'h> {
    /// Whatever there is.
    Any,
    /// One of these tags, which are without `W/` and quotes.
    Tags(Vec<&'h str>),
}

/// A header that is no list of tags, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// What is between the quotes of one of our tags.
pub(crate) fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// All lines of a header together, which are one list (RFC 9110 section 5.3).
pub(crate) fn read<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<Wanted<'h>>, Malformed> {
    let mut wanted = None;
    for line in headers.get_all(name) {
        let text = line
            .to_str()
            .map_err(|_| Malformed(String::from_utf8_lossy(line.as_bytes()).into_owned()))?;
        let malformed = || Malformed(text.to_owned());
        wanted = match (wanted, text.trim()) {
            (None, "*") => Some(Wanted::Any),
            (Some(Wanted::Any), _) | (_, "*") => return Err(malformed()),
            (before, text) => {
                let more = list(text).ok_or_else(malformed)?;
                let mut all = match before {
                    Some(Wanted::Tags(all)) => all,
                    _ => Vec::new(),
                };
                all.extend(more);
                Some(Wanted::Tags(all))
            }
        };
    }
    Ok(wanted)
}

/// The tags of a list, of which there is one at least. A tag may contain commas.
pub(crate) fn list(text: &str) -> Option<Vec<&str>> {
    let mut tags = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let tag = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, after) = tag.split_once('"')?;
        tags.push(tag);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    (!tags.is_empty()).then_some(tags)
}
