//! What a directory wants to know of every user beyond what the schemas of SCIM require: an address to write to, say.

use crate::Refusal;
use portreeve_scim::filter::Filter;
use portreeve_scim::{Catalog, Error, Profile, Resource};
use std::sync::Arc;

/// Attributes that every user of a directory has, by their paths: `name.givenName`, `emails[type eq "work"].value`.
#[derive(Debug, Clone, Default)]
pub struct Required(Arc<[(String, Filter)]>);

/// The most paths; each is looked for at every write.
const MOST: usize = 20;

impl Required {
    /// Reads paths.
    ///
    /// # Errors
    /// When one cannot be read or names nothing that users of the directory have, or when they are too many.
    pub fn read(paths: &[String], catalog: &Catalog) -> Result<Self, Refusal> {
        let refused = |reason: String| Refusal::Invalid {
            attribute: "required_attributes",
            reason,
        };
        if paths.len() > MOST {
            return Err(refused(format!(
                "at most {MOST} attributes can be required"
            )));
        }
        let read = |path: &String| {
            let wrong = |error: Error| refused(format!("{path}: {error}"));
            let filter = Filter::parse(&format!("{path} pr")).map_err(wrong)?;
            let checked = filter
                .check(catalog.user(), Profile::Strict)
                .map_err(wrong)?;
            match checked.unknown() {
                [] => Ok((path.clone(), filter)),
                [unknown, ..] => Err(refused(format!("users have no attribute {unknown}"))),
            }
        };
        let all: Result<Vec<_>, Refusal> = paths.iter().map(read).collect();
        Ok(Self(all?.into()))
    }

    /// Refuses a user who lacks something, naming all of it. What they lacked `before` as well is let pass: it was not required
    /// then, and whoever changes something else cannot know it.
    pub fn check(
        &self,
        catalog: &Catalog,
        user: &Resource,
        before: Option<&Resource>,
    ) -> Result<(), Refusal> {
        let mut missing: Vec<&str> = Vec::new();
        for (path, filter) in &*self.0 {
            let checked = filter.check(catalog.user(), Profile::Strict)?;
            let had = before.is_none_or(|before| checked.matches(before.as_map()));
            if had && !checked.matches(user.as_map()) {
                missing.push(path);
            }
        }
        let why = match &*missing {
            [] => return Ok(()),
            [one] => format!("{one} is required in this directory"),
            several => format!("{} are required in this directory", several.join(", ")),
        };
        Err(Error::invalid_value(why).into())
    }
}
