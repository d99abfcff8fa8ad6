//! The document on its way: signed by the server, believed by the host only when everything fits.

use portreeve_access::posix::{check_number, posix_problem};
use portreeve_ssh_cert::SubjectKey;
use portreeve_ssh_cert::file;
use serde::{Deserialize, Serialize};

use crate::document::{Document, FORMAT, Group};
use crate::{
    MAX_ACCOUNTS, MAX_BYTES, MAX_GROUPS, MAX_KEYS, MAX_PRINCIPALS, MAX_SUCCESSORS, NAMESPACE,
    SUCCESSOR_NAMESPACE, text::prefix_problem,
};

/// A document and its signature, as they travel and as the host keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The exact text that was signed.
    pub document: String,
    /// Its signature, as `ssh-keygen -Y verify` takes it.
    pub signature: String,
    /// How the key that has signed it came after others, the oldest first: for a host that has not heard of it, because it
    /// was away or because there was no time to announce it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successors: Vec<Successor>,
}

/// A key that the one before it vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successor {
    /// Its line.
    pub key: String,
    /// The signature of that line by the key before, for [`SUCCESSOR_NAMESPACE`].
    pub signature: String,
}

/// A document that its host may believe. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    document: Document,
    envelope: Envelope,
}

/// What a host knows about itself and what it has seen.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The id of its team.
    pub team: &'a str,
    /// Its own id.
    pub host_id: &'a str,
    /// The highest version that it has ever believed; 0: none yet.
    pub above_or_same: u64,
    /// The text of the document of that version, where it is still there: no other may have the same version.
    pub seen: Option<&'a str>,
}

/// Why a host does not believe a document. It goes on with the one that it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Larger than [`MAX_BYTES`].
    #[error("the document has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not what a document looks like.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    /// Not signed, or not by a key that this host trusts.
    #[error(
        "the document is not signed by this host's authority: {0}; if the authority was replaced, enrol the host again"
    )]
    Signature(String),
    /// In a format that this program does not know.
    #[error("the document has format {0}, which this agent does not know; update the agent")]
    Format(u32),
    /// Of another team.
    #[error("the document is for the team {0}, not for this host's")]
    Team(String),
    /// For another host.
    #[error("the document is for the host {0}, not for this one")]
    Host(String),
    /// An old one.
    #[error(
        "the document has version {version}, but this host has already followed version {seen}; an old document is being replayed, or the server was restored from an old backup"
    )]
    Old {
        /// Its version.
        version: u64,
        /// The highest that was believed.
        seen: u64,
    },
    /// Another document with a version that was believed before.
    #[error("there are two different documents of version {0}")]
    Replaced(u64),
    /// More of something than a host takes.
    #[error("the document has too many {0}")]
    TooMany(&'static str),
    /// Keys that cannot be those of an authority.
    #[error("the document names no usable keys: {0}")]
    Keys(String),
    /// Rules under which no account would be safe.
    #[error("the rules of the document cannot be followed: {0}")]
    Rules(String),
}

impl Refused {
    /// What programs know it by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Unreadable(_) => "unreadable",
            Self::Signature(_) => "signature",
            Self::Format(_) => "format",
            Self::Team(_) => "team",
            Self::Host(_) => "host",
            Self::Old { .. } => "old",
            Self::Replaced(_) => "replaced",
            Self::TooMany(_) => "too_many",
            Self::Keys(_) => "keys",
            Self::Rules(_) => "rules",
        }
    }
}

impl Envelope {
    /// As it is sent and kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Two texts: they can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Verified {
    /// What it says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What it came in, to be kept.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

/// Believes a document, or says why not. `trusted` are the lines of the keys that may have signed it: the
/// [`user_keys`](Document::user_keys) of the document before, or those that came with the enrolment.
///
/// # Errors
/// When anything about it is not as it must be; the document as a whole is refused then.
pub fn verify(
    envelope: &[u8],
    trusted: &[String],
    expect: &Expect<'_>,
) -> Result<Verified, Refused> {
    if envelope.len() > MAX_BYTES {
        return Err(Refused::TooLarge);
    }
    let unreadable = |cause: serde_json::Error| Refused::Unreadable(cause.to_string());
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(unreadable)?;
    let text = envelope.document.as_bytes();
    // Whatever is not signed is not even looked at.
    let trusted = keys(trusted)?;
    let signed_by = |keys: &[Vec<u8>]| file::verify(keys, NAMESPACE, text, &envelope.signature);
    if let Err(cause) = signed_by(&trusted) {
        signed_by(&succeeded(trusted, &envelope.successors))
            .map_err(|_| Refused::Signature(cause.to_string()))?;
    }
    let Format { format } = serde_json::from_slice(text).map_err(unreadable)?;
    if format != FORMAT {
        return Err(Refused::Format(format));
    }
    let document: Document = serde_json::from_slice(text).map_err(unreadable)?;
    addressee(&document, expect)?;
    if document.version == expect.above_or_same
        && expect.seen.is_some_and(|seen| seen != envelope.document)
    {
        return Err(Refused::Replaced(document.version));
    }
    counts(&document)?;
    keys(&document.user_keys)?;
    keys(&document.host_keys)?;
    rules(&document)?;
    Ok(Verified { document, envelope })
}

/// The keys with those that came after them. Whoever has a key that is trusted could as well sign the document itself, so
/// that this gives nobody more than they have.
fn succeeded(mut known: Vec<Vec<u8>>, successors: &[Successor]) -> Vec<Vec<u8>> {
    for successor in successors.iter().take(MAX_SUCCESSORS) {
        let Successor { key, signature } = successor;
        let is_vouched_for =
            file::verify(&known, SUCCESSOR_NAMESPACE, key.as_bytes(), signature).is_ok();
        if is_vouched_for && let Ok(new) = keys(std::slice::from_ref(key)) {
            known.extend(new);
        }
    }
    known
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn addressee(document: &Document, expect: &Expect<'_>) -> Result<(), Refused> {
    if document.team != expect.team {
        return Err(Refused::Team(document.team.clone()));
    }
    if document.host.id != expect.host_id {
        return Err(Refused::Host(document.host.id.clone()));
    }
    if document.version < expect.above_or_same.max(1) {
        return Err(Refused::Old {
            version: document.version,
            seen: expect.above_or_same,
        });
    }
    Ok(())
}

fn counts(document: &Document) -> Result<(), Refused> {
    let principals: usize = document
        .shared
        .iter()
        .map(|shared| shared.principals.len())
        .sum();
    let counts = [
        (document.accounts.len(), MAX_ACCOUNTS, "accounts"),
        (document.groups.len(), MAX_GROUPS, "groups"),
        (document.shared.len(), MAX_ACCOUNTS, "shared accounts"),
        (principals, MAX_PRINCIPALS, "people on shared accounts"),
    ];
    match counts.into_iter().find(|(count, most, _)| count > most) {
        Some((_, _, what)) => Err(Refused::TooMany(what)),
        None => Ok(()),
    }
}

/// The wire forms of keys, of which there must be one at least.
fn keys(lines: &[String]) -> Result<Vec<Vec<u8>>, Refused> {
    let count = lines.len();
    if !(1..=MAX_KEYS).contains(&count) {
        return Err(Refused::Keys(format!(
            "there are {count}, and there must be 1 to {MAX_KEYS}"
        )));
    }
    let blob = |line: &String| {
        // A second line would be another key to whoever reads the file it is written to.
        if line.chars().any(char::is_control) {
            return Err(Refused::Keys("one has a control character".to_owned()));
        }
        let key =
            SubjectKey::from_openssh(line).map_err(|cause| Refused::Keys(cause.to_string()))?;
        Ok(key.blob())
    };
    lines.iter().map(blob).collect()
}

fn rules(document: &Document) -> Result<(), Refused> {
    let rules = &document.rules;
    let (first, last) = (rules.ids.first, rules.ids.last);
    if first > last || check_number(first, false).is_err() {
        return Err(Refused::Rules(format!(
            "accounts cannot have the numbers {first} to {last}; they start at 1000 at least"
        )));
    }
    if let Some(problem) = prefix_problem(&rules.home_prefix) {
        return Err(Refused::Rules(format!(
            "homes cannot be in {:?}: {problem}",
            rules.home_prefix
        )));
    }
    for group in [&rules.people, &rules.sudo] {
        let Group { name, gid } = group;
        if let Some(problem) = posix_problem(name) {
            return Err(Refused::Rules(format!(
                "no group can be called {name:?}: {problem}"
            )));
        }
        if !(first..=last).contains(gid) || check_number(*gid, false).is_err() {
            return Err(Refused::Rules(format!(
                "the group {name} cannot have the number {gid}, which is not between {first} and {last}"
            )));
        }
    }
    if rules.people.name == rules.sudo.name || rules.people.gid == rules.sudo.gid {
        return Err(Refused::Rules(
            "the group of people and that of sudo are the same".to_owned(),
        ));
    }
    Ok(())
}
