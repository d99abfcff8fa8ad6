//! `portreeve mapping check --source` and `app lint`: what mappings would make of everybody in a source.

use super::Chance;
use super::objects::Named;
use super::population::Population;
use crate::Global;
use crate::failure::Failure;
use crate::output;
use crate::time;
use portreeve_mapping::lint::{Finding, Survey};
use portreeve_mapping::{Context, MappingSet, Mappings};
use portreeve_provisioning::source::Kind;
use portreeve_provisioning::source::graph::Asked;
use portreeve_scim::Catalog;
use std::path::Path;

/// Compiled mappings of one kind of objects, with the name of the resource type.
type Compiled = (Kind, String, Mappings);

/// What the survey is told besides the mappings and the source.
#[derive(Default)]
pub(crate) struct Wishes<'a> {
    /// The attribute of the target whose values become names of accounts on hosts.
    pub(crate) posix: Option<&'a str>,
    /// What `DefaultDomain()` gives.
    pub(crate) default_domain: Option<&'a str>,
}

/// What there is to say about everybody. Mappings that do not compile are passed over: that they do not is said already.
pub(crate) async fn findings(
    global: &Global,
    set: &MappingSet,
    catalog: &Catalog,
    source: &Path,
    wishes: &Wishes<'_>,
) -> Result<Vec<Finding>, Failure> {
    let compiled = compile(set, catalog);
    let is_user = |(kind, ..): &&Compiled| *kind == Kind::User;
    let users = compiled.iter().find(is_user);
    if let (Some(name), Some((.., users))) = (wishes.posix, users)
        && !users.iter().any(|mapping| mapping.target.canonical == name)
    {
        return Err(Failure::usage(format!(
            "--posix {name}: the mappings of users write no such attribute; usually it is userName"
        )));
    }
    let chance = Chance::default();
    let fill = |bytes: &mut [u8]| chance.fill(bytes);
    let mut context = Context::at(time::now()).with_random(&fill);
    if let Some(domain) = wishes.default_domain {
        context = context.with_default_domain(domain);
    }
    let mut surveys: Vec<(Kind, Survey<'_>)> = compiled
        .iter()
        .map(|(kind, object, mappings)| {
            let posix = wishes.posix.filter(|_| *kind == Kind::User);
            (*kind, Survey::new(object, mappings, posix))
        })
        .collect();
    let mut observe = |kind, named: &Named| {
        let of_kind = surveys.iter_mut().filter(|(of, _)| *of == kind);
        of_kind.for_each(|(_, survey)| survey.observe(&named.name, &named.object, &context));
    };
    let population = Population::open(source, &asked(&compiled))?;
    population.each(global, &mut observe).await?;
    chance.verdict()?;
    let mut findings = Vec::new();
    for ((_, object, _), (_, survey)) in compiled.iter().zip(&surveys) {
        let (seen, out_of_scope) = survey.counts();
        let text = format!("note: {object}: {seen} in scope, {out_of_scope} not");
        output::say(global.output, &text);
        findings.extend(survey.findings().into_iter().filter(is_worth_telling));
    }
    Ok(findings)
}

fn compile(set: &MappingSet, catalog: &Catalog) -> Vec<Compiled> {
    let enabled = set.object_mappings.iter().filter(|object| object.enabled);
    let compiled = enabled.filter_map(|object| {
        let kind = match object.target.to_lowercase().as_str() {
            "user" => Kind::User,
            "group" => Kind::Group,
            _ => return None,
        };
        let mappings = Mappings::compile(object, catalog.by_name(&object.target)?).ok()?;
        Some((kind, object.target.clone(), mappings))
    });
    compiled.collect()
}

fn asked(compiled: &[Compiled]) -> Asked {
    let names = |wanted: Kind| {
        let of_kind = compiled.iter().filter(|(kind, ..)| *kind == wanted);
        let names = of_kind.flat_map(|(.., mappings)| mappings.source_attributes());
        names.map(str::to_owned).collect()
    };
    Asked {
        users: names(Kind::User),
        groups: names(Kind::Group),
    }
}

/// Members are told apart from the attributes of a group, so that none of them has any here.
fn is_worth_telling(finding: &Finding) -> bool {
    finding.rule != "null" || finding.target.as_deref() != Some("members")
}
