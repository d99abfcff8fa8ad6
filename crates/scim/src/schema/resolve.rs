//! From the attribute path that a client wrote to the attribute that it means.

use std::sync::Arc;

use super::{Attribute, ResourceType, Schema, common};
use crate::path::AttributePath;
use crate::profile::{Leniency, Profile};

/// What an attribute path means in a resource type.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    /// The extension that the attribute belongs to; `None` for the base schema and the common attributes.
    pub extension: Option<&'a Schema>,
    /// The attribute; `None` when the path names the whole extension.
    pub attribute: Option<&'a Attribute>,
    /// The sub-attribute, when the path names one.
    pub sub: Option<&'a Attribute>,
}

impl Resolved<'_> {
    /// The path in the schema's spelling, such as `name.givenName` or
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`.
    pub fn canonical(&self) -> String {
        let mut path = self.extension.map_or_else(String::new, |e| e.id.clone());
        if let Some(attribute) = self.attribute {
            if !path.is_empty() {
                path.push(':');
            }
            path.push_str(&attribute.name);
        }
        if let Some(sub) = self.sub {
            path.push('.');
            path.push_str(&sub.name);
        }
        path
    }
}

impl ResourceType {
    /// The extension of that URN, in any letter case, also by its other names.
    pub fn extension(&self, urn: &str) -> Option<&Arc<Schema>> {
        self.extension_index(urn)
            .map(|index| &self.extensions[index].0)
    }

    /// The place in `extensions` of the extension of that URN, in any letter case, also by its other names.
    pub(crate) fn extension_index(&self, urn: &str) -> Option<usize> {
        let by_id = |id: &str| {
            self.extensions
                .iter()
                .position(|(schema, _)| schema.id.eq_ignore_ascii_case(id))
        };
        by_id(urn).or_else(|| {
            let alias = self
                .aliases
                .iter()
                .find(|a| a.attribute.is_none() && a.from.eq_ignore_ascii_case(urn))?;
            by_id(&alias.schema)
        })
    }

    /// What a name without a URN that is not of the base schema stands for, as the places of extension and
    /// attribute: an alias such as `defaultRemoteIdentity`, or by leniency the one extension attribute of that name.
    pub(crate) fn bare(&self, name: &str, profile: Profile) -> Option<(usize, usize)> {
        let attribute = |index: usize, name: &str| {
            let attributes = &self.extensions[index].0.attributes;
            attributes
                .iter()
                .position(|a| a.name.eq_ignore_ascii_case(name))
                .map(|found| (index, found))
        };
        if let Some(alias) = self
            .aliases
            .iter()
            .find(|a| a.attribute.is_some() && a.from.eq_ignore_ascii_case(name))
        {
            return attribute(
                self.extension_index(&alias.schema)?,
                alias.attribute.as_deref()?,
            );
        }
        if !profile.allows(Leniency::ExtensionWithoutUrn) {
            return None;
        }
        let mut found = (0..self.extensions.len()).filter_map(|index| attribute(index, name));
        match (found.next(), found.next()) {
            (only, None) => only,
            _ => None,
        }
    }

    /// The attribute of the base schema, or the common one, of that name.
    pub(crate) fn base(&self, name: &str) -> Option<&Attribute> {
        self.schema
            .attribute(name)
            .or_else(|| common().iter().find(|a| a.name.eq_ignore_ascii_case(name)))
    }

    /// Finds the attribute that a path means; `None` when this type has no such attribute.
    ///
    /// A URN contains colons and dots itself, so a path is split only at the end of a URN that this type knows.
    pub fn resolve(&self, path: &AttributePath, profile: Profile) -> Option<Resolved<'_>> {
        let text = path.as_str();
        if let Some(rest) = after_urn(text, &self.schema.id, profile) {
            return self.resolve_base(rest);
        }
        let extensions = self
            .extensions
            .iter()
            .map(|(schema, _)| (schema.id.as_str(), schema));
        let aliases = self.aliases.iter().filter(|a| a.attribute.is_none());
        let aliases = aliases.filter_map(|a| Some((a.from.as_str(), self.extension(&a.schema)?)));
        for (urn, schema) in extensions.chain(aliases) {
            if text.eq_ignore_ascii_case(urn) {
                return Some(Resolved {
                    extension: Some(schema),
                    attribute: None,
                    sub: None,
                });
            }
            if let Some(rest) = after_urn(text, urn, profile) {
                return within(schema, rest);
            }
        }
        self.resolve_base(text)
            .or_else(|| self.resolve_bare(text, profile))
    }

    fn resolve_base(&self, text: &str) -> Option<Resolved<'_>> {
        let (name, sub) = split(text);
        select(None, self.base(name)?, sub)
    }

    fn resolve_bare(&self, text: &str, profile: Profile) -> Option<Resolved<'_>> {
        let (name, sub) = split(text);
        let (extension, attribute) = self.bare(name, profile)?;
        let schema = &self.extensions[extension].0;
        select(Some(schema), &schema.attributes[attribute], sub)
    }
}

fn within<'a>(schema: &'a Schema, text: &str) -> Option<Resolved<'a>> {
    let (name, sub) = split(text);
    select(Some(schema), schema.attribute(name)?, sub)
}

fn select<'a>(
    extension: Option<&'a Schema>,
    attribute: &'a Attribute,
    sub: Option<&str>,
) -> Option<Resolved<'a>> {
    let sub = match sub {
        None => None,
        Some(name) => Some(attribute.sub(name)?),
    };
    Some(Resolved {
        extension,
        attribute: Some(attribute),
        sub,
    })
}

/// What follows `urn` and its separator in `text`, when `text` starts with it in any letter case.
fn after_urn<'t>(text: &'t str, urn: &str, profile: Profile) -> Option<&'t str> {
    let head = text.get(..urn.len())?;
    let rest = text.get(urn.len()..)?;
    let rest = rest.strip_prefix(':').or_else(|| {
        rest.strip_prefix('.')
            .filter(|_| profile.allows(Leniency::DotAfterUrn))
    })?;
    head.eq_ignore_ascii_case(urn).then_some(rest)
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (text, None),
    }
}
