//! References that somebody has changed at the target.

use super::{Named, Reference, Wanted, named, put};
use crate::Refusal;
use crate::applications::{Kind, links};
use portreeve_store::Tx;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the target shows of an object.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its key at the source.
    pub source_key: &'a str,
    /// By attribute of the target, the resources that it refers to.
    pub resources: &'a [(String, Vec<String>)],
}

/// Notes that references are to be written again that the target had, and does not show any more.
pub fn compare(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    objects: &[Shown<'_>],
) -> Result<(), Refusal> {
    let places: Vec<Wanted<'_>> = objects
        .iter()
        .map(|object| Wanted {
            source_key: object.source_key,
            others: object.resources,
        })
        .collect();
    let mut known = named(tx, application_id, kind, &places)?;
    for others in known.values_mut() {
        others.retain(|_, reference| reference.wanted && reference.applied);
    }
    let resources = resources(tx, application_id, &known)?;
    for object in objects {
        for (attribute, shown) in object.resources {
            let place = (object.source_key.to_owned(), attribute.clone());
            let had = known.get(&place).into_iter().flat_map(BTreeMap::values);
            let lost = had.filter(|reference| {
                let resource = resources.of(reference);
                resource.is_some_and(|resource| !shown.contains(resource))
            });
            for reference in lost {
                let again = Reference {
                    applied: false,
                    due: true,
                    ..reference.clone()
                };
                put(tx, application_id, &again)?;
            }
        }
    }
    Ok(())
}

/// The resources of objects, by what they are and by their keys.
struct Resources(HashMap<(Kind, String), String>);

/// The resources of all that is referred to.
fn resources(tx: &mut Tx<'_>, application_id: &str, known: &Named) -> Result<Resources, Refusal> {
    let keys: BTreeSet<&str> = known.values().flatten().map(|(key, _)| &**key).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let mut resources = HashMap::new();
    for kind in [Kind::User, Kind::Group] {
        for end in links::ends(tx, application_id, kind, &keys)? {
            if let Some(resource) = end.target_id {
                resources.insert((kind, end.source_key), resource);
            }
        }
    }
    Ok(Resources(resources))
}

impl Resources {
    /// That of the other object; of a person, where nobody has said what it is and there are both.
    fn of(&self, reference: &Reference) -> Option<&String> {
        let of = |kind| self.0.get(&(kind, reference.other_key.clone()));
        match reference.other_kind {
            Some(kind) => of(kind),
            None => of(Kind::User).or_else(|| of(Kind::Group)),
        }
    }
}
