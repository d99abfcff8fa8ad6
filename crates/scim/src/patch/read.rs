//! From operations to checked changes.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Action, Change, Edit, Operation, Otherwise, Part, Patch, Verb, elements, members};
use crate::path::{AttributePath, PatchPath};
use crate::resource::{self, Notes};
use crate::schema::{Attribute, Kind, Mutability, ResourceType, Schema};
use crate::{Error, Leniency, Profile};

pub(super) struct Reader<'a> {
    pub(super) resource_type: &'a ResourceType,
    pub(super) profile: Profile,
    pub(super) notes: &'a mut Notes,
    pub(super) patch: Patch,
    /// The resource's own id.
    id: &'a str,
    /// The operation at hand.
    number: usize,
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
                self.parts(verb, place, filter, sub, value)
            }
        }
    }

    /// An attribute as a whole.
    fn plain(&mut self, verb: Verb, place: Place<'_>, value: Value) -> Result<(), Error> {
        writable(place)?;
        let attribute = place.attribute;
        if members::are(self.resource_type, place) {
            return self.members(verb, place, value);
        }
        let action = match (verb, attribute.multi_valued, value) {
            (Verb::Remove, true, value) if !value.is_null() => {
                Action::RemoveLike(self.list(place, value)?)
            }
            (Verb::Remove, ..) => Action::Unset,
            (Verb::Add, true, value) => Action::Append(self.list(place, value)?),
            (_, false, Value::Object(parts)) if attribute.kind == Kind::Complex => {
                self.merge(verb, place, parts)?
            }
            (_, _, value) => {
                refuse_blank(attribute, &value, &place.name())?;
                match self.normalize(attribute, value, &place.name())? {
                    Some(Value::Object(parts)) => self.merge(verb, place, parts)?,
                    Some(value) => Action::Set(value),
                    None => Action::Unset,
                }
            }
        };
        self.change(place, action);
        Ok(())
    }

    fn members(&mut self, verb: Verb, place: Place<'_>, value: Value) -> Result<(), Error> {
        let listed = match (verb, &value) {
            (Verb::Remove, Value::Null) => None,
            (Verb::Replace, _) => Some(
                self.normalize(place.attribute, value, &place.name())?
                    .map(into_list)
                    .unwrap_or_default(),
            ),
            _ => Some(self.list(place, value)?),
        };
        self.patch.members.extend(members::whole(verb, listed));
        Ok(())
    }

    /// A list, or one element of it.
    fn list(&mut self, place: Place<'_>, value: Value) -> Result<Vec<Value>, Error> {
        let value = match value {
            list @ (Value::Array(_) | Value::Null) => list,
            one => Value::Array(vec![one]),
        };
        Ok(self
            .normalize(place.attribute, value, &place.name())?
            .map(into_list)
            .unwrap_or_default())
    }

    /// Parts of a single complex value: those named change, the others stay.
    fn merge(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        parts: Map<String, Value>,
    ) -> Result<Action, Error> {
        let emptied = self.profile.allows(Leniency::EmptyManagerClears)
            && parts.iter().any(|(key, value)| {
                key.eq_ignore_ascii_case("value") && value.as_str() == Some("")
            });
        if emptied {
            return Ok(Action::Unset);
        }
        Ok(Action::Merge(self.object(verb, place, parts)?))
    }

    fn object(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        object: Map<String, Value>,
    ) -> Result<Vec<Part>, Error> {
        refuse_repeats(&object)?;
        let mut parts = Vec::with_capacity(object.len());
        for (key, value) in object {
            match place.attribute.sub(&key) {
                // Clients repeat what they read, such as the display name of a manager.
                Some(sub) if sub.mutability == Mutability::ReadOnly => {}
                Some(sub) => parts.push(self.part(verb, place, sub, value)?),
                None => self.unknown(
                    &format!("{}.{key}", place.name()),
                    Leniency::UnknownAttributes,
                )?,
            }
        }
        Ok(parts)
    }

    fn part(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        sub: &Attribute,
        value: Value,
    ) -> Result<Part, Error> {
        let at = format!("{}.{}", place.name(), sub.name);
        let value = match verb {
            Verb::Remove => None,
            Verb::Add if sub.multi_valued && !value.is_array() && !value.is_null() => {
                self.normalize(sub, Value::Array(vec![value]), &at)?
            }
            _ => {
                refuse_blank(sub, &value, &at)?;
                self.normalize(sub, value, &at)?
            }
        };
        if value.is_none() && sub.required {
            return Err(Error::mutability(format!(
                "{at} is required; it cannot be removed"
            )));
        }
        Ok(Part {
            name: sub.name.clone(),
            value,
            append: verb == Verb::Add && sub.multi_valued,
        })
    }

    /// A sub-attribute, or elements that a filter chooses.
    fn parts(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        filter: Option<crate::Filter>,
        sub: Option<&Attribute>,
        value: Value,
    ) -> Result<(), Error> {
        if let Some(sub) = sub.filter(|sub| sub.mutability == Mutability::ReadOnly) {
            return Err(Error::mutability(format!(
                "{}.{} is read-only",
                place.name(),
                sub.name
            )));
        }
        if let Some(filter) = &filter {
            let checked = filter.check_elements(place.attribute, self.profile)?;
            if let Some(unknown) = checked.unknown().first() {
                let path = format!("{}[{unknown}]", place.name());
                return self.unknown_in_filter(&path);
            }
        }
        let edit = match (sub, verb) {
            (Some(sub), _) => Edit::Merge(vec![self.part(verb, place, sub, value)?]),
            (None, Verb::Remove) => Edit::Drop,
            (None, Verb::Add) if place.attribute.kind == Kind::Complex => match value {
                Value::Object(object) => Edit::Merge(self.object(verb, place, object)?),
                Value::Null => return Ok(()),
                _ => {
                    return Err(Error::invalid_value(format!(
                        "an element of {} is an object",
                        place.name()
                    )));
                }
            },
            (None, _) => self.list(place, value)?.pop().map_or(Edit::Drop, Edit::Put),
        };
        if !place.attribute.multi_valued {
            if let Edit::Merge(parts) = edit {
                self.change(place, Action::Merge(parts));
            }
            return Ok(());
        }
        let otherwise = self.otherwise(verb, place, filter.as_ref(), &edit)?;
        self.change(
            place,
            Action::Elements {
                which: filter,
                profile: self.profile,
                edit,
                otherwise,
            },
        );
        Ok(())
    }

    /// What to do when no element is there to be changed.
    fn otherwise(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        filter: Option<&crate::Filter>,
        edit: &Edit,
    ) -> Result<Otherwise, Error> {
        let gives_nothing = match edit {
            Edit::Merge(parts) => parts.iter().all(|part| part.value.is_none()),
            Edit::Put(_) => false,
            Edit::Drop => true,
        };
        let Some(filter) = filter else {
            return Ok(if gives_nothing {
                Otherwise::Nothing
            } else {
                Otherwise::Create(Vec::new())
            });
        };
        let leniency = match verb {
            Verb::Remove => return Ok(Otherwise::Nothing),
            Verb::Add => Leniency::CreateOnAdd,
            Verb::Replace => Leniency::CreateOnReplace,
        };
        let no_target = |why: &str| {
            Otherwise::NoTarget(format!(
                "no element satisfies {}[{filter}]{why}",
                place.name()
            ))
        };
        if !self.profile.allows(leniency) {
            return Ok(no_target(""));
        }
        if gives_nothing {
            return Ok(Otherwise::Nothing);
        }
        let described = elements::described(filter, place, self.profile, self.notes)?;
        Ok(match described {
            Some(parts) => Otherwise::Create(parts),
            None => no_target(", which does not say what a new one would look like"),
        })
    }

    fn normalize(
        &mut self,
        attribute: &Attribute,
        value: Value,
        at: &str,
    ) -> Result<Option<Value>, Error> {
        resource::normalize(attribute, value, self.profile, at, self.notes)
    }

    fn change(&mut self, place: Place<'_>, action: Action) {
        self.patch.changes.push(Change {
            number: self.number,
            extension: place.extension.map(|schema| schema.id.clone()),
            attribute: place.attribute.name.clone(),
            action,
        });
    }

    fn unknown(&mut self, name: &str, leniency: Leniency) -> Result<(), Error> {
        if self.profile.allows(leniency) {
            self.notes.add(name);
            return Ok(());
        }
        Err(Error::invalid_path(format!(
            "a {} has no attribute {name}",
            self.resource_type.name
        )))
    }

    fn unknown_in_filter(&mut self, name: &str) -> Result<(), Error> {
        self.unknown(name, Leniency::UnknownPaths)
            .map_err(|error| Error::invalid_filter(error.detail))
    }
}

fn writable(place: Place<'_>) -> Result<(), Error> {
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

/// To empty a required string is to remove it (RFC 7644 section 3.5.2.2), not to send a bad value.
fn refuse_blank(attribute: &Attribute, value: &Value, at: &str) -> Result<(), Error> {
    match value {
        Value::String(text) if attribute.required && text.trim().is_empty() => Err(
            Error::mutability(format!("{at} is required; it cannot be emptied")),
        ),
        _ => Ok(()),
    }
}

/// Names that differ in letter case only are one name; which of the two values would count?
fn refuse_repeats(object: &Map<String, Value>) -> Result<(), Error> {
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

fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        one => vec![one],
    }
}
