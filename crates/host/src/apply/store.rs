//! What the half with root's rights remembers on disk.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use jiff::Timestamp;
use portreeve_host_policy::api::{Applied, Conflict, Krl};
use portreeve_host_policy::{Account, Document, Envelope, Expect, Verified, verify};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::files::{self, Files};
use super::image::{Image, User};
use crate::config::{Config, SUDO};
use crate::paths::Paths;

/// For root only.
const PRIVATE: u32 = 0o600;

/// The files of the state folder.
#[derive(Debug)]
pub(super) struct Store<'p>(pub(super) &'p Paths);

/// What came of the last document that was followed to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) applied: Applied,
    pub(super) conflicts: Vec<Conflict>,
}

/// Somebody who has no access any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Denial {
    /// The user or service account, by id.
    pub(super) id: String,
    pub(super) account: String,
    pub(super) uid: u32,
    pub(super) home: String,
    /// When it was decided here; once sessions are ended, when that was done.
    pub(super) since: Timestamp,
    /// How many sessions were ended; `None`: they still have to be.
    pub(super) ended: Option<u32>,
    pub(super) had_sudo: bool,
}

/// What a host may believe, by what it has seen.
pub(super) struct Known {
    /// The document that is kept, where it is whole.
    pub(super) document: Option<Verified>,
    /// The highest version that was ever believed.
    pub(super) highest: u64,
}

impl Known {
    /// The keys that may sign the next document: those that the last one names, at first those of the enrolment.
    pub(super) fn trusted<'k>(&'k self, config: &'k Config) -> &'k [String] {
        match &self.document {
            Some(verified) => &verified.document().user_keys,
            None => &config.user_keys,
        }
    }

    pub(super) fn document(&self) -> Option<&Document> {
        self.document.as_ref().map(Verified::document)
    }
}

impl Store<'_> {
    /// Reads what is known. A document that is not whole any more is none.
    pub(super) fn known(&self, config: &Config) -> io::Result<Known> {
        let version = |path: PathBuf| -> io::Result<u64> {
            let text = files::text(&path)?.unwrap_or_default();
            Ok(text.trim().parse().unwrap_or_default())
        };
        let document = self.document(config)?;
        let kept = document.as_ref();
        let kept = kept.map_or(0, |verified| verified.document().version);
        let highest = version(self.0.highest_version())?.max(version(self.highest_of_run())?);
        Ok(Known {
            document,
            highest: highest.max(kept),
        })
    }

    /// The highest version since the start of the machine: what is known there when the disk is full.
    fn highest_of_run(&self) -> PathBuf {
        self.0.run().join("highest-version")
    }

    /// The document that is kept. It was believed when it was put there; that the keys that it names have signed it shows
    /// that it is whole.
    fn document(&self, config: &Config) -> io::Result<Option<Verified>> {
        let Some(text) = files::text(&self.0.policy())? else {
            return Ok(None);
        };
        let Ok(envelope) = serde_json::from_str::<Envelope>(&text) else {
            return Ok(None);
        };
        let Ok(document) = serde_json::from_str::<Document>(&envelope.document) else {
            return Ok(None);
        };
        let expect = Expect {
            team: &config.team,
            host_id: &config.host.id,
            above_or_same: 0,
            seen: None,
        };
        // A key that was just replaced may have signed it.
        let keys = [&document.user_keys[..], &config.user_keys[..]].concat();
        Ok(verify(text.as_bytes(), &keys, &expect).ok())
    }

    /// Keeps a document that is believed, before anything is done of it: what it takes away may never come back.
    pub(super) fn keep(&self, files: &mut dyn Files, verified: &Verified) -> io::Result<()> {
        let version = format!("{}\n", verified.document().version);
        files::folder(&self.0.run(), 0o755)?;
        files::put(files, &self.highest_of_run(), version.as_bytes(), PRIVATE)?;
        self.folder()?;
        let envelope = verified.envelope().to_bytes();
        files::put(files, &self.0.policy(), &envelope, PRIVATE)?;
        let path = self.0.highest_version();
        files::put(files, &path, version.as_bytes(), PRIVATE)
    }

    pub(super) fn outcome(&self) -> io::Result<Option<Outcome>> {
        self.read("applied.json")
    }

    pub(super) fn set_outcome(&self, files: &mut dyn Files, outcome: &Outcome) -> io::Result<()> {
        self.write(files, "applied.json", outcome)
    }

    pub(super) fn denials(&self) -> io::Result<Vec<Denial>> {
        Ok(self.read("denied.json")?.unwrap_or_default())
    }

    pub(super) fn set_denials(&self, files: &mut dyn Files, denials: &[Denial]) -> io::Result<()> {
        self.write(files, "denied.json", &denials)
    }

    /// The last revocation list that was believed.
    pub(super) fn krl(&self) -> io::Result<Option<Krl>> {
        self.read("krl.json")
    }

    pub(super) fn set_krl(&self, files: &mut dyn Files, krl: &Krl) -> io::Result<()> {
        self.write(files, "krl.json", krl)
    }

    /// A file that cannot be read is as good as none: everything in it can be found out again.
    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let text = files::text(&self.at(name))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn write(&self, files: &mut dyn Files, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.folder()?;
        let text = serde_json::to_vec(value)?;
        files::put(files, &self.at(name), &text, PRIVATE)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.state().join(name)
    }

    fn folder(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.0.state())
    }
}

impl Denial {
    /// Of somebody who has left just now.
    pub(super) fn new(account: &Account, old: &Image, now: Timestamp) -> Self {
        Self {
            id: account.id.clone(),
            account: account.name.clone(),
            uid: account.uid,
            home: account.home.clone(),
            since: now,
            ended: None,
            had_sudo: has_sudo(old, &account.name),
        }
    }

    /// Of somebody whose account is no more.
    pub(super) fn gone(name: &str, user: &User, old: &Image, now: Timestamp) -> Self {
        let principals = old.principals.get(name).into_iter().flatten();
        let id = principals.map(|(id, _)| id).next();
        Self {
            id: id.cloned().unwrap_or_default(),
            account: name.to_owned(),
            uid: user.uid,
            home: user.home.clone(),
            since: now,
            ended: None,
            had_sudo: has_sudo(old, name),
        }
    }
}

fn has_sudo(image: &Image, name: &str) -> bool {
    image.members.contains(&(name.to_owned(), SUDO.to_owned()))
}
