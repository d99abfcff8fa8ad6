//! The body of a POST or PUT: finds the attribute behind every key, then has each value checked.

use serde_json::{Map, Value};

use super::normalize::{At, Check, Slots};
use super::{Notes, Resource, schemas_of};
use crate::error::Error;
use crate::profile::{Leniency, Profile};
use crate::schema::{Attribute, ResourceType, common};

impl Resource {
    /// Checks the body of a POST or PUT (RFC 7644 sections 3.3 and 3.5.1) and makes it canonical. Read-only
    /// attributes are ignored, unknown ones too, which `notes` then has.
    ///
    /// # Errors
    /// `invalidSyntax` when the body is no object, has an attribute twice, or does not name its schemas as the
    /// profile demands; `invalidValue` that names the attribute when a value has the wrong type, a required one is
    /// missing or empty, or two elements of a list are primary.
    pub fn parse(
        t: &ResourceType,
        body: Value,
        profile: Profile,
        notes: &mut Notes,
    ) -> Result<Self, Error> {
        let Value::Object(object) = body else {
            return Err(Error::invalid_syntax(format!(
                "The body must be the JSON object of a {}",
                t.name
            )));
        };
        let mut parts = Parts::new(t);
        let mut check = Check { profile, notes };
        for (key, value) in object {
            parts.put(key, value, &mut check)?;
        }
        parts.declared(&mut check)?;
        parts.assemble(&mut check)
    }
}

/// A body sorted by whose attributes they are, not yet checked.
struct Parts<'t> {
    t: &'t ResourceType,
    common: Slots<'static>,
    base: Slots<'t>,
    extensions: Vec<Option<Slots<'t>>>,
}

/// Where a key of a body belongs.
enum Place {
    Common(usize),
    Base(usize),
    Extension(usize),
    ExtensionAttribute(usize, usize),
    Unknown,
}

impl<'t> Parts<'t> {
    fn new(t: &'t ResourceType) -> Self {
        let base = Slots::new(&t.schema.attributes);
        Self {
            t,
            common: Slots::new(common()),
            base,
            extensions: t.extensions.iter().map(|_| None).collect(),
        }
    }

    fn put(&mut self, key: String, value: Value, check: &mut Check<'_>) -> Result<(), Error> {
        match self.place(&key, check.profile) {
            Place::Common(index) => self.common.put(index, key, value),
            Place::Base(index) => self.base.put(index, key, value),
            Place::Extension(index) => self.put_extension(index, value, check),
            Place::ExtensionAttribute(index, attribute) => {
                self.slots(index).put(attribute, key, value)
            }
            Place::Unknown => check.unknown(At::Sub(&At::Resource, &key)),
        }
    }

    fn place(&self, key: &str, profile: Profile) -> Place {
        if key.contains(':') {
            return self
                .t
                .extension_index(key)
                .map_or(Place::Unknown, Place::Extension);
        }
        if let Some(index) = self.base.index(key) {
            return Place::Base(index);
        }
        if let Some(index) = self.common.index(key) {
            return Place::Common(index);
        }
        match self.t.bare(key, profile) {
            Some((extension, attribute)) => Place::ExtensionAttribute(extension, attribute),
            None => Place::Unknown,
        }
    }

    fn put_extension(
        &mut self,
        index: usize,
        value: Value,
        check: &mut Check<'_>,
    ) -> Result<(), Error> {
        let urn = self.t.extensions[index].0.id.as_str();
        let object = match value {
            Value::Object(object) => object,
            Value::Null => return Ok(()),
            Value::Array(list) if list.is_empty() => return Ok(()),
            _ => return Err(Error::invalid_value(format!("{urn} must be an object"))),
        };
        let slots = self.slots(index);
        for (key, value) in object {
            match slots.index(&key) {
                Some(attribute) => slots.put(attribute, key, value)?,
                None => check.unknown(At::Sub(&At::Extension(urn), &key))?,
            }
        }
        Ok(())
    }

    fn slots(&mut self, index: usize) -> &mut Slots<'t> {
        let t = self.t;
        self.extensions[index].get_or_insert_with(|| Slots::new(&t.extensions[index].0.attributes))
    }

    /// Compares `schemas` with what the body has. It is computed anew in any case, so that all of this is a matter
    /// of how strict the profile is.
    fn declared(&mut self, check: &mut Check<'_>) -> Result<(), Error> {
        let value = self.common.take("schemas").unwrap_or_default();
        let urns = match &value {
            Value::Array(list) => list.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
            Value::String(one) if check.profile.allows(Leniency::SingleForMultiple) => {
                Some(vec![one.as_str()])
            }
            Value::Null => Some(Vec::new()),
            _ => None,
        };
        let urns = urns.ok_or_else(|| Error::invalid_syntax("`schemas` must be a list of URNs"))?;
        for urn in &urns {
            if !self.t.schema.id.eq_ignore_ascii_case(urn) && self.t.extension_index(urn).is_none()
            {
                unknown_schema(self.t, urn, check)?;
            }
        }
        if check.profile.allows(Leniency::UndeclaredExtensions) {
            return Ok(());
        }
        let declares = |id: &str| urns.iter().any(|urn| urn.eq_ignore_ascii_case(id));
        let used = self
            .t
            .extensions
            .iter()
            .zip(&self.extensions)
            .filter(|(_, slots)| slots.is_some());
        let mut used = std::iter::once(&self.t.schema).chain(used.map(|((schema, _), _)| schema));
        match used.find(|schema| !declares(&schema.id)) {
            Some(schema) => Err(Error::invalid_syntax(format!(
                "`schemas` must contain {}",
                schema.id
            ))),
            None => Ok(()),
        }
    }

    fn assemble(mut self, check: &mut Check<'_>) -> Result<Resource, Error> {
        let mut out = Map::with_capacity(self.base.filled() + 4);
        out.insert("schemas".into(), Value::Null);
        if let Some((attribute, value)) = self.common.take_entry("externalId")
            && let Some(value) = check.attribute(attribute, value, At::Root(&attribute.name))?
        {
            out.insert(attribute.name.clone(), value);
        }
        check.fill(self.base, At::Resource, &mut out)?;
        for ((schema, required), slots) in self.t.extensions.iter().zip(self.extensions) {
            let mut extension = Map::new();
            if let Some(slots) = slots.filter(|s| s.filled() > 0) {
                check.fill(slots, At::Extension(&schema.id), &mut extension)?;
            }
            if !extension.is_empty() {
                out.insert(schema.id.clone(), Value::Object(extension));
            } else if *required {
                return Err(Error::invalid_value(format!("{} is required", schema.id)));
            }
        }
        let schemas = schemas_of(self.t, &out);
        out.insert("schemas".into(), schemas);
        Ok(Resource::from_stored(out))
    }
}

/// The second URN that Entra ID sends with every group; it says nothing and is not worth a note.
const ENTRA_GROUP: &str =
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

fn unknown_schema(t: &ResourceType, urn: &str, check: &mut Check<'_>) -> Result<(), Error> {
    if !check.profile.allows(Leniency::UnknownSchemaUrns) {
        return Err(Error::invalid_syntax(format!(
            "`schemas` contains {urn}, which is no schema of a {}",
            t.name
        )));
    }
    if !urn.eq_ignore_ascii_case(ENTRA_GROUP) {
        check.notes.add(urn);
    }
    Ok(())
}

impl<'a> Slots<'a> {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.take_entry(name).map(|(_, value)| value)
    }

    fn take_entry(&mut self, name: &str) -> Option<(&'a Attribute, Value)> {
        let index = self.index(name)?;
        let (_, value) = self.found[index].take()?;
        Some((&self.attributes[index], value))
    }
}
