//! The values of operations: checked, made canonical, and turned into what to do with them.

use serde_json::{Map, Value};

use super::read::{Place, Reader, refuse_repeats, writable};
use super::{Action, Change, Edit, Otherwise, Part, Verb, elements, members};
use crate::resource;
use crate::schema::{Attribute, Kind, Mutability};
use crate::{Error, Filter, Leniency};

impl Reader<'_> {
    /// An attribute as a whole.
    pub(super) fn plain(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        value: Value,
    ) -> Result<(), Error> {
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
        members::refuse_anonymous(&value)?;
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
        if parts.iter().any(|(key, value)| self.clears(key, value)) {
            return Ok(Action::Unset);
        }
        Ok(Action::Merge(self.object(verb, place, parts)?))
    }

    /// Whether a part of a single complex value takes the whole away.
    fn clears(&self, name: &str, value: &Value) -> bool {
        name.eq_ignore_ascii_case("value")
            && value.as_str() == Some("")
            && self.profile.allows(Leniency::EmptyManagerClears)
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

    /// A sub-attribute of a single complex value.
    pub(super) fn sub_attribute(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        sub: &Attribute,
        value: Value,
    ) -> Result<(), Error> {
        let action = if self.clears(&sub.name, &value) {
            Action::Unset
        } else {
            Action::Merge(vec![self.part(verb, place, sub, value)?])
        };
        self.change(place, action);
        Ok(())
    }

    /// The elements of a list that a filter chooses, or a sub-attribute of all of them.
    pub(super) fn elements(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        filter: Option<Filter>,
        sub: Option<&Attribute>,
        value: Value,
    ) -> Result<(), Error> {
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
        filter: Option<&Filter>,
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

fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        one => vec![one],
    }
}
