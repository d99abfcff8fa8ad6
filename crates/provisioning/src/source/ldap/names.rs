//! From distinguished names to keys.

use std::collections::HashMap;

use ldap3::ldap_escape;

use super::connection::{Connection, Query};
use super::entry::Entry;
use super::server::Server;
use crate::source::ledger::{Fingerprint, fingerprint};
use crate::source::{Error, Kind};

/// Names in one generation; there are two, some 20 MB when both are full.
const GENERATION: usize = 125_000;

/// Whom a name belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) key: Box<str>,
    /// `None` if it passed neither filter.
    pub(super) kind: Option<Kind>,
}

/// Names that were resolved in one read. When it is full, those not used for longest are forgotten and asked for again.
#[derive(Debug, Default)]
pub(super) struct Names {
    young: HashMap<Fingerprint, Option<Owner>>,
    old: HashMap<Fingerprint, Option<Owner>>,
}

impl Names {
    /// Remembers the name of an entry.
    pub(super) fn learn(&mut self, dn: &str, key: &str, kind: Kind) {
        let owner = Owner {
            key: key.into(),
            kind: Some(kind),
        };
        self.insert(name(dn), Some(owner));
    }

    /// Remembers the `uid` of a person.
    pub(super) fn learn_uid(&mut self, uid: &str, key: &str) {
        let owner = Owner {
            key: key.into(),
            kind: Some(Kind::User),
        };
        self.insert(login(uid), Some(owner));
    }

    /// Whose distinguished name it is, if anybody's.
    pub(super) async fn resolve(
        &mut self,
        connection: &mut Connection,
        server: &Server,
        dn: &str,
    ) -> Result<Option<Owner>, Error> {
        let at = name(dn);
        if let Some(known) = self.known(&at) {
            return Ok(known);
        }
        let query = Query {
            base: without_optional_uid(dn).to_owned(),
            deep: false,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec![server.key.clone()],
            deleted: false,
        };
        let entry = connection.single(&query).await?;
        let owner = entry
            .and_then(|entry| server.key_of(&entry))
            .map(|key| Owner {
                key: key.into(),
                kind: None,
            });
        self.insert(at, owner.clone());
        Ok(owner)
    }

    /// Whose `uid` it is, if anybody's, among entries that `people` finds.
    pub(super) async fn resolve_uid(
        &mut self,
        connection: &mut Connection,
        server: &Server,
        people: Query,
        uid: &str,
    ) -> Result<Option<Owner>, Error> {
        let at = login(uid);
        if let Some(known) = self.known(&at) {
            return Ok(known);
        }
        let query = Query {
            filter: format!("(&{}(uid={}))", people.filter, ldap_escape(uid)),
            attributes: vec![server.key.clone()],
            ..people
        };
        let (entries, _) = connection.first_page(&query).await?;
        let owner = entries.first().and_then(|entry| server.key_of(entry));
        let owner = owner.map(|key| Owner {
            key: key.into(),
            kind: Some(Kind::User),
        });
        self.insert(at, owner.clone());
        Ok(owner)
    }

    /// The key of an entry's manager.
    pub(super) async fn manager(
        &mut self,
        connection: &mut Connection,
        server: &Server,
        entry: &Entry,
    ) -> Result<Option<String>, Error> {
        let Some(manager) = entry.text("manager") else {
            return Ok(None);
        };
        let owner = self.resolve(connection, server, manager).await?;
        Ok(owner.map(|owner| owner.key.into_string()))
    }

    fn known(&mut self, at: &Fingerprint) -> Option<Option<Owner>> {
        if let Some(known) = self.young.get(at) {
            return Some(known.clone());
        }
        let known = self.old.remove(at)?;
        self.insert(*at, known.clone());
        Some(known)
    }

    fn insert(&mut self, at: Fingerprint, owner: Option<Owner>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(at, owner);
    }
}

/// Names are compared without regard to case and to blanks around their separators (RFC 4514 section 2); two spellings
/// that differ otherwise are merely asked for twice.
fn name(dn: &str) -> Fingerprint {
    let mut plain = String::with_capacity(dn.len());
    for part in without_optional_uid(dn).split(',') {
        let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
        plain.push_str(&attribute.trim().to_lowercase());
        plain.push('=');
        plain.push_str(&value.trim().to_lowercase());
        plain.push(',');
    }
    fingerprint([b"dn".as_slice(), plain.as_bytes()])
}

/// `uniqueMember` may have a bit string after the name (RFC 4517 section 3.3.21).
fn without_optional_uid(dn: &str) -> &str {
    match dn.rsplit_once('#') {
        Some((name, bits)) if bits.starts_with('\'') && bits.ends_with("'B") => name,
        _ => dn,
    }
}

fn login(uid: &str) -> Fingerprint {
    fingerprint([b"uid".as_slice(), uid.to_lowercase().as_bytes()])
}
