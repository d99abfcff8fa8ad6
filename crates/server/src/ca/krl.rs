//! The list of what is revoked (OpenSSH's KRL), as hosts fetch it.
//!
//! A list is kept in memory and completed with what was revoked since; only when something in it has run out it is made
//! anew. It depends on nothing but what is in the database and the hour, so that all servers of one database give the same
//! one. A list always has its header: `sshd` takes a file without it for one that revokes nothing.

use super::{Error, Keyring};
use crate::app::App;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_directory::revocations::{self, Entered, Entry};
use portreeve_ssh_cert::Krl;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What has run out drops out of the list at full hours (microseconds).
const HOUR: i64 = 3_600_000_000;

const SECOND: i64 = 1_000_000;

/// What the signature of a list is for, so that it is good for nothing else (`ssh-keygen -Y verify -n`).
pub(crate) const NAMESPACE: &str = "krl@portreeve";

/// A list of what is revoked.
#[derive(Debug)]
pub(crate) struct List {
    /// Rises with everything that is revoked.
    pub(crate) version: i64,
    /// When the last thing in it was revoked (microseconds since 1970 UTC); 0: nothing was yet.
    pub(crate) generated_at: i64,
    /// How many certificates and keys are in it.
    pub(crate) entries: usize,
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Its entity tag, with quotation marks.
    pub(crate) tag: String,
    /// With the id of the key, which is current no more after a rotation.
    signature: Mutex<Option<(String, Arc<str>)>>,
}

/// The lists of all teams.
#[derive(Default)]
pub(super) struct Lists(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Building>>>>);

/// A list that is completed.
#[derive(Default)]
struct Building {
    /// Up to where it is complete.
    position: i64,
    /// When the last thing was revoked.
    at: i64,
    entries: Vec<Entry>,
    krl: Krl,
    /// The full hour at which it was looked for what has run out.
    hour: i64,
    made: Option<Arc<List>>,
}

impl App {
    /// The list of what is revoked in a team, complete up to this moment.
    pub(crate) async fn krl(&self, team_id: &str) -> Result<Arc<List>, Error> {
        let building = self.ca.lists.of(team_id);
        let mut building = building.lock().await;
        let (team, after) = (team_id.to_owned(), building.position);
        let new = self
            .store
            .lookup(move |tx| revocations::after(tx, &team, after))
            .await?;
        Ok(building.complete(new, self.clock.now()))
    }
}

impl List {
    /// The signature of the file by the current key for people, as `ssh-keygen -Y verify` takes it.
    pub(crate) async fn signature(self: &Arc<Self>, keyring: &Keyring) -> Result<Arc<str>, Error> {
        let key = keyring.user()?.clone();
        if let Some((id, signature)) = &*self.signed()
            && *id == key.id
        {
            return Ok(signature.clone());
        }
        let list = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            let signature: Arc<str> = key.authority.sign_file(NAMESPACE, &list.bytes)?.into();
            *list.signed() = Some((key.id, signature.clone()));
            Ok::<_, Error>(signature)
        });
        made.await.map_err(Error::keys)?
    }

    fn signed(&self) -> std::sync::MutexGuard<'_, Option<(String, Arc<str>)>> {
        self.signature
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn of(&self, team_id: &str) -> Arc<tokio::sync::Mutex<Building>> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.entry(team_id.to_owned()).or_default().clone()
    }
}

impl Building {
    fn complete(&mut self, new: Vec<Entry>, now: i64) -> Arc<List> {
        let hour = now - now.rem_euclid(HOUR);
        let has_run_out = |entry: &Entry| entry.keep_until.is_some_and(|until| until <= hour);
        let mut is_same = new.is_empty();
        for entry in new {
            self.position = self.position.max(entry.position);
            self.at = self.at.max(entry.at);
            if has_run_out(&entry) || entry.what == Entered::Nothing {
                continue;
            }
            enter(&mut self.krl, &entry);
            self.entries.push(entry);
        }
        if hour != self.hour {
            self.hour = hour;
            let before = self.entries.len();
            self.entries.retain(|entry| !has_run_out(entry));
            if self.entries.len() < before {
                is_same = false;
                self.krl = Krl::default();
                for entry in &self.entries {
                    enter(&mut self.krl, entry);
                }
            }
        }
        match &self.made {
            Some(made) if is_same => made.clone(),
            _ => self.make(),
        }
    }

    fn make(&mut self) -> Arc<List> {
        self.krl.version = self.position.unsigned_abs();
        self.krl.generated = (self.at / SECOND).unsigned_abs();
        let bytes = self.krl.to_bytes();
        let hash = digest(&SHA256, &bytes);
        let list = Arc::new(List {
            version: self.position,
            generated_at: self.at,
            entries: self.entries.len(),
            tag: format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])),
            bytes,
            signature: Mutex::default(),
        });
        self.made = Some(list.clone());
        list
    }
}

fn enter(krl: &mut Krl, entry: &Entry) {
    match &entry.what {
        Entered::Certificate { authority, serial } => {
            krl.revoke_serial(authority, serial.unsigned_abs());
        }
        Entered::Key(fingerprint) => {
            krl.revoke_fingerprint(fingerprint);
        }
        Entered::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &[u8] = b"an authority";

    fn entry(position: i64, keep_until: Option<i64>) -> Entry {
        Entry {
            position,
            at: position * SECOND,
            keep_until,
            what: Entered::Certificate {
                authority: CA.to_vec(),
                serial: position,
            },
        }
    }

    fn revoked(list: &List) -> Vec<u64> {
        let krl = Krl::from_bytes(&list.bytes).unwrap();
        (1..10)
            .filter(|serial| krl.revokes(CA, *serial, "", b""))
            .collect()
    }

    #[test]
    fn a_list_of_nothing_is_a_list() {
        let list = Building::default().complete(Vec::new(), HOUR);
        assert!(!list.bytes.is_empty());
        assert_eq!((revoked(&list), list.version), (Vec::new(), 0));
    }

    #[test]
    fn what_has_run_out_drops_out_and_the_version_stays() {
        let mut building = Building::default();
        let first = building.complete(vec![entry(1, Some(HOUR)), entry(2, None)], 0);
        assert_eq!(revoked(&first), [1, 2]);
        let same = building.complete(Vec::new(), HOUR - 1);
        assert_eq!(same.tag, first.tag);
        let later = building.complete(Vec::new(), HOUR);
        assert_eq!((revoked(&later), later.version), (vec![2], 2));
        assert_ne!(later.tag, first.tag);
        let more = building.complete(vec![entry(5, Some(3 * HOUR))], 2 * HOUR);
        assert_eq!((revoked(&more), more.version), (vec![2, 5], 5));
    }

    #[test]
    fn a_list_that_was_completed_is_the_one_that_is_made_at_once() {
        let all = [
            entry(1, Some(2 * HOUR)),
            entry(2, None),
            entry(3, Some(5 * HOUR)),
        ];
        let mut bit_by_bit = Building::default();
        for entry in &all {
            bit_by_bit.complete(vec![entry.clone()], 0);
        }
        let completed = bit_by_bit.complete(Vec::new(), 3 * HOUR);
        let at_once = Building::default().complete(all.to_vec(), 3 * HOUR);
        assert_eq!(completed.bytes, at_once.bytes);
        assert_eq!(completed.tag, at_once.tag);
    }
}
