//! `attributes` and `excludedAttributes`: which part of a resource an answer has (RFC 7644 section 3.9).

use serde_json::{Map, Value};

use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::{Attribute, Resolved, ResourceType, Returned, common};

/// What a client asked to see. Names that no schema has are ignored.
///
/// `id` and `schemas` always stay; a list in `attributes` replaces the default set, `meta` included. When both
/// parameters are given, `excludedAttributes` takes away from what `attributes` asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    only: Option<Vec<AttributePath>>,
    without: Vec<AttributePath>,
}

impl Projection {
    /// Reads the two query parameters: names separated by commas, blanks around them ignored. A parameter without
    /// any name is as good as absent.
    pub fn parse(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        Self::from_names(
            attributes.unwrap_or_default().split(','),
            excluded.unwrap_or_default().split(','),
        )
    }

    /// The same from lists of names, as a SearchRequest has them.
    pub fn from_names<'n>(
        attributes: impl IntoIterator<Item = &'n str>,
        excluded: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        Self {
            only: paths(attributes),
            without: paths(excluded).unwrap_or_default(),
        }
    }

    /// Whether nothing was asked for, so that the default set is the answer.
    pub fn is_everything(&self) -> bool {
        self.only.is_none() && self.without.is_empty()
    }

    /// Whether an answer has that attribute of the base schema, or a part of it; what it has not need not be loaded.
    pub fn wants(&self, t: &ResourceType, attribute: &str) -> bool {
        let asked = self.resolve(t);
        t.base(attribute)
            .is_some_and(|a| !matches!(asked.verdict(None, a), Verdict::Drop))
    }

    /// Reduces a full representation to what was asked for.
    pub fn apply(&self, t: &ResourceType, full: &mut Map<String, Value>) {
        self.bind(t).apply(full);
    }

    /// Resolves the names once, for all resources of a list.
    pub fn bind<'t>(&self, t: &'t ResourceType) -> Selection<'t> {
        let asked = self.resolve(t);
        let verdicts = |extension, attributes: &'t [Attribute]| {
            attributes
                .iter()
                .map(|a| (a.name.as_str(), asked.verdict(extension, a)))
                .collect::<Vec<_>>()
        };
        let mut base = verdicts(None, common());
        base.extend(verdicts(None, &t.schema.attributes));
        let extensions = t
            .extensions
            .iter()
            .map(|(e, _)| (e.id.as_str(), verdicts(Some(e.id.as_str()), &e.attributes)));
        Selection {
            base,
            extensions: extensions.collect(),
        }
    }

    fn resolve<'t>(&self, t: &'t ResourceType) -> Asked<'t> {
        // Whom a name is read for makes no difference to a reader, so that the tolerant reading is right for all.
        let resolve = |path: &AttributePath| match path.as_str().eq_ignore_ascii_case(&t.schema.id)
        {
            true => Some(Resolved {
                extension: None,
                attribute: None,
                sub: None,
            }),
            false => t.resolve(path, Profile::Lenient),
        };
        let only = self
            .only
            .as_ref()
            .map(|paths| paths.iter().filter_map(resolve).collect());
        Asked {
            only,
            without: self.without.iter().filter_map(resolve).collect(),
        }
    }
}

/// A [`Projection`] bound to a resource type.
#[derive(Debug)]
pub struct Selection<'t> {
    base: Vec<(&'t str, Verdict<'t>)>,
    extensions: Vec<(&'t str, Vec<(&'t str, Verdict<'t>)>)>,
}

impl Selection<'_> {
    /// Reduces a full representation to what was asked for. An extension that is left without data takes its URN
    /// out of `schemas`.
    pub fn apply(&self, full: &mut Map<String, Value>) {
        let mut gone = Vec::new();
        full.retain(|key, value| {
            if let Some((_, verdict)) = self.base.iter().find(|(name, _)| name == key) {
                return verdict.apply(value);
            }
            let Some((urn, verdicts)) = self.extensions.iter().find(|(urn, _)| urn == key) else {
                return false;
            };
            let stays = value.as_object_mut().is_some_and(|extension| {
                extension.retain(|key, value| {
                    let verdict = verdicts.iter().find(|(name, _)| name == key);
                    verdict.is_some_and(|(_, verdict)| verdict.apply(value))
                });
                !extension.is_empty()
            });
            if !stays {
                gone.push(*urn);
            }
            stays
        });
        if let Some(Value::Array(schemas)) = full.get_mut("schemas").filter(|_| !gone.is_empty()) {
            schemas.retain(|urn| !gone.iter().any(|gone| urn == gone));
        }
    }
}

/// What happens to one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict<'t> {
    Drop,
    Keep,
    /// Only these sub-attributes stay.
    Subs(Vec<&'t str>),
}

impl Verdict<'_> {
    /// Reduces a value; whether anything is left.
    fn apply(&self, value: &mut Value) -> bool {
        match (self, value) {
            (Self::Drop, _) => false,
            (Self::Keep, _) => true,
            (Self::Subs(_), Value::Array(list)) => {
                list.retain_mut(|element| self.apply(element));
                !list.is_empty()
            }
            (Self::Subs(subs), Value::Object(object)) => {
                object.retain(|key, _| subs.contains(&key.as_str()));
                !object.is_empty()
            }
            (Self::Subs(_), _) => true,
        }
    }
}

struct Asked<'t> {
    only: Option<Vec<Resolved<'t>>>,
    without: Vec<Resolved<'t>>,
}

impl Asked<'_> {
    fn verdict<'a>(&self, extension: Option<&str>, a: &'a Attribute) -> Verdict<'a> {
        let asked = self.only.as_ref().map(|only| Named::of(only, extension, a));
        let taken = Named::of(&self.without, extension, a);
        let kept = match a.returned {
            Returned::Never => false,
            Returned::Always => true,
            Returned::Default => asked.as_ref().is_none_or(Named::any) && !taken.whole,
            Returned::Request => asked.as_ref().is_some_and(Named::any) && !taken.whole,
        };
        if !kept {
            return Verdict::Drop;
        }
        let subs: Vec<_> = a
            .sub_attributes
            .iter()
            .filter(|s| keeps_sub(s, asked.as_ref(), &taken))
            .map(|s| s.name.as_str())
            .collect();
        match subs.len() {
            all if all == a.sub_attributes.len() => Verdict::Keep,
            0 => Verdict::Drop,
            _ => Verdict::Subs(subs),
        }
    }
}

fn keeps_sub(sub: &Attribute, asked: Option<&Named<'_>>, taken: &Named<'_>) -> bool {
    let named = asked.is_some_and(|n| n.subs.contains(&sub.name.as_str()));
    let taken = taken.subs.contains(&sub.name.as_str());
    match sub.returned {
        Returned::Never => false,
        Returned::Always => true,
        Returned::Default => (named || asked.is_none_or(|n| n.whole)) && !taken,
        Returned::Request => named && !taken,
    }
}

/// How a list of paths names an attribute.
struct Named<'p> {
    whole: bool,
    subs: Vec<&'p str>,
}

impl<'p> Named<'p> {
    fn of(paths: &[Resolved<'p>], extension: Option<&str>, a: &Attribute) -> Self {
        let mut named = Self {
            whole: false,
            subs: Vec::new(),
        };
        for path in paths
            .iter()
            .filter(|p| p.extension.map(|e| e.id.as_str()) == extension)
        {
            match (path.attribute, path.sub) {
                (Some(attribute), _) if attribute.name != a.name => {}
                (_, Some(sub)) => named.subs.push(&sub.name),
                (_, None) => named.whole = true,
            }
        }
        named
    }

    fn any(&self) -> bool {
        self.whole || !self.subs.is_empty()
    }
}

/// `None` when there is no name at all. Text that cannot be a path names nothing, as an unknown name does.
fn paths<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Vec<AttributePath>> {
    let mut names = names
        .into_iter()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .peekable();
    names.peek()?;
    let mut paths = Vec::new();
    for path in names.filter_map(|name| AttributePath::parse(name).ok()) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Some(paths)
}

#[cfg(test)]
mod tests;
