//! From operations to checked changes.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Operation, Patch, Verb, members};
use crate::path::{AttributePath, PatchPath};
use crate::resource::Notes;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};
use crate::{Error, Leniency, Profile};

pub(super) struct Reader<'a> {
    pub(super) resource_type: &'a ResourceType,
    pub(super) profile: Profile,
    pub(super) notes: &'a mut Notes,
    pub(super) patch: Patch,
    /// The resource's own id.
    id: &'a str,
    /// The operation at hand.
    pub(super) number: usize,
}

/// An attribute and the extension it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) extension: Option<&'a Schema>,
    pub(super) attribute: &'a Attribute,
}

impl Place<'_> {
    /// The path, for errors.
    pub(super) fn name(self) -> String {
        match self.extension {
            Some(schema) => format!("{}:{}", schema.id, self.attribute.name),
            None => self.attribute.name.clone(),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        resource_type: &'a ResourceType,
        id: &'a str,
        profile: Profile,
        notes: &'a mut Notes,
    ) -> Self {
        Self {
            resource_type,
            profile,
            notes,
            patch: Patch::default(),
            id,
            number: 0,
        }
    }

    pub(super) fn operation(&mut self, number: usize, operation: Operation) -> Result<(), Error> {
        self.number = number;
        let Operation { verb, path, value } = operation;
        if verb == Verb::Remove {
            self.check_remove(value.as_ref())?;
        }
        match (verb, path) {
            (Verb::Remove, None) => Err(Error::no_target("a remove needs a `path`")),
            (_, None) => match value {
                Some(Value::Object(attributes)) => self.attributes(verb, attributes),
                _ => Err(Error::invalid_value(
                    "without a `path` the `value` is an object of attributes",
                )),
            },
            (Verb::Remove, Some(path)) => self.at_path(verb, &path, value.unwrap_or_default()),
            (_, Some(path)) => match value {
                Some(value) => self.at_path(verb, &path, value),
                None => Err(Error::invalid_value(format!(
                    "{} of {path} needs a `value`",
                    verb.name()
                ))),
            },
        }
    }

    /// A `value` on a remove must never be overlooked: who sends one means some elements, not all of them.
    fn check_remove(&self, value: Option<&Value>) -> Result<(), Error> {
        match value {
            None | Some(Value::Null) => Ok(()),
            Some(_) if self.profile.allows(Leniency::RemoveByValue) => Ok(()),
            Some(_) => Err(Error::invalid_value(
                "a remove takes no `value`; choose elements with a filter in `path`",
            )),
        }
    }

    /// The value of an operation without a path.
    fn attributes(&mut self, verb: Verb, attributes: Map<String, Value>) -> Result<(), Error> {
        refuse_repeats(&attributes)?;
        for (key, value) in attributes {
            if key.eq_ignore_ascii_case("id") {
                self.check_id(&value)?;
            } else if let Some(schema) = self.resource_type.extension(&key) {
                let schema = schema.as_ref();
                self.extension(verb, schema, value)?;
            } else if is_metadata(&key) && self.profile.allows(Leniency::MetadataInPatch) {
                continue;
            } else {
                self.key(verb, &key, value)?;
            }
        }
        Ok(())
    }

    /// One attribute of an object, whose name may be a path.
    fn key(&mut self, verb: Verb, key: &str, value: Value) -> Result<(), Error> {
        let is_path = key.contains(['.', ':', '[']);
        if is_path && self.profile.allows(Leniency::QualifiedKeys) {
            if PatchPath::parse(key).is_ok_and(|path| {
                self.resource_type
                    .resolve(&path.attribute, self.profile)
                    .is_some()
            }) {
                return self.at_path(verb, key, value);
            }
        } else if !is_path
            && let Ok(path) = AttributePath::parse(key)
            && let Some(found) = self.resource_type.resolve(&path, self.profile)
            && let Some(attribute) = found.attribute
        {
            return self.plain(
                verb,
                Place {
                    extension: found.extension,
                    attribute,
                },
                value,
            );
        }
        self.unknown(key, Leniency::UnknownAttributes)
    }

    fn check_id(&self, value: &Value) -> Result<(), Error> {
        if value.as_str() == Some(self.id) && self.profile.allows(Leniency::SameIdInPatch) {
            return Ok(());
        }
        Err(Error::mutability(
            "the service gives out the `id`; it cannot be changed",
        ))
    }

    /// All attributes of an extension, under its URN.
    fn extension(&mut self, verb: Verb, schema: &'a Schema, value: Value) -> Result<(), Error> {
        let attributes = match value {
            Value::Null if verb == Verb::Add => return Ok(()),
            Value::Null => return self.remove_extension(schema),
            Value::Object(attributes) => attributes,
            _ => {
                return Err(Error::invalid_value(format!(
                    "{} has to be an object",
                    schema.id
                )));
            }
        };
        refuse_repeats(&attributes)?;
        for (key, value) in attributes {
            if let Some(attribute) = schema.attribute(&key) {
                self.plain(
                    verb,
                    Place {
                        extension: Some(schema),
                        attribute,
                    },
                    value,
                )?;
            } else {
                self.key(verb, &format!("{}:{key}", schema.id), value)?;
            }
        }
        Ok(())
    }

    fn remove_extension(&mut self, schema: &'a Schema) -> Result<(), Error> {
        for attribute in schema
            .attributes
            .iter()
            .filter(|attribute| attribute.mutability != Mutability::ReadOnly)
        {
            self.plain(
                Verb::Remove,
                Place {
                    extension: Some(schema),
                    attribute,
                },
                Value::Null,
            )?;
        }
        Ok(())
    }

    fn at_path(&mut self, verb: Verb, text: &str, value: Value) -> Result<(), Error> {
        let path = PatchPath::parse(text)?;
        let resource_type = self.resource_type;
        let Some(found) = resource_type.resolve(&path.attribute, self.profile) else {
            return self.unknown(text, Leniency::UnknownPaths);
        };
        let Some(attribute) = found.attribute else {
            return match (found.extension, &path.filter, verb) {
                (Some(schema), None, Verb::Remove) => self.remove_extension(schema),
                (Some(schema), None, _) => self.extension(verb, schema, value),
                _ => Err(Error::invalid_path(format!(
                    "brackets cannot follow {}",
                    path.attribute
                ))),
            };
        };
        let sub = match (&path.sub, found.sub) {
            (None, sub) => sub,
            (Some(name), _) => match attribute.sub(name) {
                Some(sub) => Some(sub),
                None => return self.unknown(text, Leniency::UnknownPaths),
            },
        };
        let place = Place {
            extension: found.extension,
            attribute,
        };
        match (path.filter, sub) {
            (None, None) => self.plain(verb, place, value),
            (Some(_), _) if found.sub.is_some() || !attribute.multi_valued => {
                Err(Error::invalid_path(format!(
                    "brackets choose among several values, and {} has one",
                    path.attribute
                )))
            }
            (filter, sub) => {
                writable(place)?;
                if members::are(self.resource_type, place) {
                    let step = members::at_filter(verb, filter, place, sub, self.profile)?;
                    self.patch.members.push(step);
                    return Ok(());
                }
                match sub {
                    Some(sub) if sub.mutability == Mutability::ReadOnly => Err(Error::mutability(
                        format!("{}.{} is read-only", place.name(), sub.name),
                    )),
                    Some(sub) if !attribute.multi_valued => {
                        self.sub_attribute(verb, place, sub, value)
                    }
                    sub => self.elements(verb, place, filter, sub, value),
                }
            }
        }
    }

    pub(super) fn unknown(&mut self, name: &str, leniency: Leniency) -> Result<(), Error> {
        if self.profile.allows(leniency) {
            self.notes.add(name);
            return Ok(());
        }
        Err(Error::invalid_path(format!(
            "a {} has no attribute {name}",
            self.resource_type.name
        )))
    }

    pub(super) fn unknown_in_filter(&mut self, name: &str) -> Result<(), Error> {
        self.unknown(name, Leniency::UnknownPaths)
            .map_err(|error| Error::invalid_filter(error.detail))
    }
}

pub(super) fn writable(place: Place<'_>) -> Result<(), Error> {
    let attribute = place.attribute;
    if attribute.mutability == Mutability::ReadOnly {
        return Err(Error::mutability(format!("{} is read-only", place.name())));
    }
    if place.extension.is_none() && attribute.name == "schemas" {
        return Err(Error::mutability(
            "`schemas` follows from the attributes that are present; change those",
        ));
    }
    Ok(())
}

/// Names that differ in letter case only are one name; which of the two values would count?
pub(super) fn refuse_repeats(object: &Map<String, Value>) -> Result<(), Error> {
    let mut seen = HashSet::with_capacity(object.len());
    match object
        .keys()
        .find(|key| !seen.insert(key.to_ascii_lowercase()))
    {
        Some(key) => Err(Error::invalid_syntax(format!(
            "the attribute {key} is there twice"
        ))),
        None => Ok(()),
    }
}

fn is_metadata(key: &str) -> bool {
    key.eq_ignore_ascii_case("schemas") || key.eq_ignore_ascii_case("meta")
}
