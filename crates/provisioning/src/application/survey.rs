//! What mappings would make of everybody in a source.

use portreeve_mapping::lint::{Finding, Survey};
use portreeve_mapping::{Context, MappingSet, Mappings};
use portreeve_scim::Catalog;

use crate::source::Kind;
use crate::source::graph::Asked;
use crate::source::population::Named;

/// Mappings that compile, each of one kind of objects.
#[derive(Debug)]
pub struct Surveyed(Vec<Of>);

#[derive(Debug)]
struct Of {
    kind: Kind,
    /// The name of the resource type.
    object: String,
    mappings: Mappings,
}

/// Counts what mappings make of one object after the other.
#[derive(Debug)]
pub struct Count<'m>(Vec<(Kind, &'m str, Survey<'m>)>);

impl Surveyed {
    /// Those of a set that are enabled. Mappings that do not compile are passed over: the linter says so.
    #[must_use]
    pub fn new(set: &MappingSet, catalog: &Catalog) -> Self {
        let enabled = set.object_mappings.iter().filter(|object| object.enabled);
        let compiled = enabled.filter_map(|object| {
            let kind = match object.target.to_lowercase().as_str() {
                "user" => Kind::User,
                "group" => Kind::Group,
                _ => return None,
            };
            Some(Of {
                kind,
                object: object.target.clone(),
                mappings: Mappings::compile(object, catalog.by_name(&object.target)?).ok()?,
            })
        });
        Self(compiled.collect())
    }

    /// The attributes of the source that they use.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let names = |wanted: Kind| {
            let of_kind = self.0.iter().filter(|of| of.kind == wanted);
            let names = of_kind.flat_map(|of| of.mappings.source_attributes());
            names.map(str::to_owned).collect()
        };
        Asked {
            users: names(Kind::User),
            groups: names(Kind::Group),
        }
    }

    /// Whether the mappings of people write this attribute.
    #[must_use]
    pub fn writes(&self, attribute: &str) -> bool {
        let mut people = self.0.iter().filter(|of| of.kind == Kind::User);
        let writes = |of: &Of| {
            let mut mappings = of.mappings.iter();
            mappings.any(|mapping| mapping.target.canonical == attribute)
        };
        people.next().is_none_or(writes)
    }

    /// A count of nobody yet. `posix` is the attribute of people whose values become names of accounts on hosts.
    #[must_use]
    pub fn count(&self, posix: Option<&str>) -> Count<'_> {
        let surveys = self.0.iter().map(|of| {
            let posix = posix.filter(|_| of.kind == Kind::User);
            let survey = Survey::new(of.object.clone(), &of.mappings, posix);
            (of.kind, of.object.as_str(), survey)
        });
        Count(surveys.collect())
    }
}

impl Count<'_> {
    /// Looks at one object.
    pub fn observe(&mut self, kind: Kind, named: &Named, context: &Context<'_>) {
        let of_kind = self.0.iter_mut().filter(|(of, ..)| *of == kind);
        of_kind.for_each(|(_, _, survey)| survey.observe(&named.name, &named.object, context));
    }

    /// How many were looked at, in sentences.
    #[must_use]
    pub fn looked_at(&self) -> Vec<String> {
        let told = self.0.iter().map(|(_, object, survey)| {
            let (seen, out_of_scope) = survey.counts();
            format!("{object}: {seen} in scope, {out_of_scope} not")
        });
        told.collect()
    }

    /// What there is to say of them. Members are told apart from the attributes of a group, so that none has any here.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let all = self.0.iter().flat_map(|(_, _, survey)| survey.findings());
        all.filter(|finding| finding.rule != "null" || finding.target.as_deref() != Some("members"))
            .collect()
    }
}
