//! Everybody in a source as mappings see them, for what is tried out and not provisioned: one after the other, and never
//! more than a page of them in memory.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use portreeve_mapping::Object as Attributes;
use serde_json::{Map, Value};

use super::{Change, Error, Kind, Next, Object, Page, Place, Source};

/// How many rows and entries that cannot be used are named.
const NAMED: u64 = 5;

/// Attributes that name an object for people, the best first.
const NAMES: [&str; 6] = [
    "userPrincipalName",
    "userName",
    "displayName",
    "mail",
    "objectId",
    "id",
];

/// Somebody, with what people call them.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// A name for people.
    pub name: String,
    /// The attributes, with those that the engine works out.
    pub object: Attributes,
}

/// What people call an object with these attributes.
#[must_use]
pub fn name(attributes: &Map<String, Value>) -> Option<&str> {
    NAMES
        .iter()
        .find_map(|name| attributes.get(*name)?.as_str())
}

/// An object as mappings see it.
#[must_use]
pub fn named(object: &Object) -> Named {
    let mut attributes = Attributes::from_json(&object.attributes);
    if attributes.get("objectId").is_null() {
        attributes.set("objectId", object.key.as_str());
    }
    let disabled = object.attributes.get("accountEnabled") == Some(&Value::Bool(false));
    attributes.set("IsSoftDeleted", disabled);
    Named {
        name: name(&object.attributes).unwrap_or(&object.key).to_owned(),
        object: attributes,
    }
}

/// Who has passed by, each once, and what there is to say of the reading.
#[derive(Debug, Default)]
pub struct Census {
    hasher: RandomState,
    /// Fingerprints of the keys.
    keys: HashSet<u64>,
    repeated: u64,
    unusable: u64,
    notes: Vec<String>,
}

impl Census {
    /// Reads a source from one end to the other, or until so many objects were seen, and shows each to `visit`.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn read(
        &mut self,
        source: &Source,
        most: usize,
        visit: &mut (impl FnMut(Kind, &Named) + ?Sized),
    ) -> Result<(), Error> {
        let mut place = Place::Everything;
        loop {
            let Page { changes, next, .. } = source.read(&place).await?;
            for change in changes {
                match change {
                    Change::Present(object) | Change::Altered(object) => self.see(&object, visit),
                    Change::Unusable { place, reason } => self.pass_over(&place, &reason),
                    _ => {}
                }
                if self.keys.len() >= most {
                    self.notes
                        .push(format!("only the first {most} were looked at"));
                    return Ok(());
                }
            }
            match next {
                Next::Page(at) => place = Place::Page(at),
                Next::Watermark(_) => return Ok(()),
            }
        }
    }

    /// Shows an object to `visit`, unless it was seen before. Sources may repeat themselves; the first telling is the whole
    /// of an object but for what changed while it was read.
    pub fn see(&mut self, object: &Object, visit: &mut (impl FnMut(Kind, &Named) + ?Sized)) {
        let fingerprint = self.hasher.hash_one((object.kind, &object.key));
        match self.keys.insert(fingerprint) {
            true => visit(object.kind, &named(object)),
            false => self.repeated += 1,
        }
    }

    fn pass_over(&mut self, place: &str, reason: &str) {
        self.unusable += 1;
        if self.unusable <= NAMED {
            self.notes.push(format!("{place}: {reason}"));
        }
    }

    /// How many were seen.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// What there is to say, in sentences.
    #[must_use]
    pub fn notes(self) -> Vec<String> {
        let mut notes = self.notes;
        let more = self.unusable.saturating_sub(NAMED);
        if more > 0 {
            notes.push(format!("{more} more rows or entries cannot be used"));
        }
        if self.repeated > 0 {
            let repeated = self.repeated;
            notes.push(format!(
                "changed while it was read, and looked at once: {repeated}"
            ));
        }
        notes
    }
}
