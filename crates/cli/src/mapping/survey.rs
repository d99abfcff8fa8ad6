//! `portreeve mapping check --source` and `app lint`: what mappings would make of everybody in a source.

use super::Chance;
use super::population::{From, Population};
use crate::Global;
use crate::failure::Failure;
use crate::output;
use crate::time;
use portreeve_mapping::lint::Finding;
use portreeve_mapping::{Context, MappingSet};
use portreeve_provisioning::application::survey::Surveyed;
use portreeve_scim::Catalog;

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
    source: &From,
    wishes: &Wishes<'_>,
) -> Result<Vec<Finding>, Failure> {
    let surveyed = Surveyed::new(set, catalog);
    if let Some(name) = wishes.posix.filter(|name| !surveyed.writes(name)) {
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
    let mut count = surveyed.count(wishes.posix);
    let population = Population::open(global, source, &surveyed.asked())?;
    let mut observe = |kind, named: &_| count.observe(kind, named, &context);
    population.each(global, &mut observe).await?;
    chance.verdict()?;
    for line in count.looked_at() {
        output::say(global.output, &format!("note: {line}"));
    }
    Ok(count.findings())
}
