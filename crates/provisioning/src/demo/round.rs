//! The two cycles, request by request in Entra's order.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::target::{Client, Error as TargetError, Patch, Resource, ResourceId, ResourceKind};

use super::company::{Company, Group, Person, missing};
use super::{Counts, Error, Phase, Problem, Progress, Round, wire};

/// How many objects are worked on at a time; Entra is modest, too.
const IN_FLIGHT: usize = 8;

/// How many members one PATCH adds or removes at most.
const MEMBERS_PER_PATCH: usize = 100;

/// What the target calls the people and groups, by their Entra object id.
#[derive(Debug, Default)]
pub(super) struct Links(HashMap<String, Link>);

#[derive(Debug)]
struct Link {
    id: ResourceId,
    /// The manager's id at the target, for a user.
    manager: Option<String>,
    /// Whether the target had it before, so that it may have members.
    matched: bool,
}

impl Links {
    /// The id at the target of the person or group with this object id.
    pub(super) fn id(&self, object_id: &str) -> Option<ResourceId> {
        self.0.get(object_id).map(|link| link.id.clone())
    }
}

/// A person or a group on its way into the target.
pub(super) trait Object {
    const KIND: ResourceKind;
    /// What a lookup leaves out of its answer.
    const EXCLUDED: &'static [&'static str];

    fn object_id(&self) -> &str;
    /// The value of the kind's matching attribute.
    fn name(&self) -> &str;
    fn body(&self) -> Value;
    fn differences(&self, there: &Resource) -> Patch;
}

impl Object for Person {
    const KIND: ResourceKind = ResourceKind::User;
    const EXCLUDED: &'static [&'static str] = &[];

    fn object_id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.user_name
    }

    fn body(&self) -> Value {
        wire::new_user(self)
    }

    fn differences(&self, there: &Resource) -> Patch {
        wire::user_differences(self, there)
    }
}

impl Object for Group {
    const KIND: ResourceKind = ResourceKind::Group;
    const EXCLUDED: &'static [&'static str] = &["members"];

    fn object_id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.display_name
    }

    fn body(&self) -> Value {
        wire::new_group(self)
    }

    fn differences(&self, there: &Resource) -> Patch {
        wire::group_differences(self, there)
    }
}

/// Who is to join and to leave one group.
struct MemberChange<'a> {
    group: &'a Group,
    joining: Vec<&'a String>,
    leaving: Vec<&'a String>,
}

impl<'a> MemberChange<'a> {
    fn between(old: &'a Group, new: &'a Group) -> Self {
        Self {
            group: new,
            joining: missing(&new.members, &old.members),
            leaving: missing(&old.members, &new.members),
        }
    }

    fn steps(&self) -> u64 {
        (self.joining.len() + self.leaving.len()) as u64
    }
}

/// What the two cycles share: the links that the first makes and the second uses.
pub(super) struct Cycles<'a> {
    client: &'a Client,
    progress: &'a mut dyn Progress,
    /// Whether an object that is not found by its name is looked up by its object id: it may have got its new name
    /// in an earlier run that was interrupted.
    resuming: bool,
    links: Links,
    problems: Vec<Problem>,
}

impl<'a> Cycles<'a> {
    pub(super) fn new(client: &'a Client, progress: &'a mut dyn Progress) -> Self {
        Self {
            client,
            progress,
            resuming: false,
            links: Links::default(),
            problems: Vec::new(),
        }
    }

    pub(super) fn into_outcome(self) -> (Links, Vec<Problem>) {
        (self.links, self.problems)
    }

    /// Whether an earlier run came to the second day: then somebody who joins on it is there already.
    pub(super) async fn second_day_has_begun(
        &self,
        first: &Company,
        second: &Company,
    ) -> Result<bool, Error> {
        for joiner in &second.people[first.people.len()..] {
            let found = self
                .client
                .find(ResourceKind::User, "userName", &joiner.user_name, &[])
                .await;
            if found
                .map_err(|source| aborted(&joiner.user_name, source))?
                .is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The initial cycle: everybody is matched or created.
    pub(super) async fn initial(&mut self, company: &Company) -> Result<Round, Error> {
        let people: Vec<&Person> = company.people.iter().collect();
        self.progress.begin(Phase::Users, people.len() as u64);
        let users = self.objects(&people).await?;

        let reports = company.reports(&people);
        self.progress.begin(Phase::Managers, reports.len() as u64);
        let managers_set = self.managers(&reports).await?;

        let groups: Vec<&Group> = company.groups.iter().collect();
        self.progress.begin(Phase::Groups, groups.len() as u64);
        let groups = self.objects(&groups).await?;

        let everybody = |group| MemberChange {
            group,
            joining: group.members.iter().collect(),
            leaving: Vec::new(),
        };
        let changes: Vec<_> = company.groups.iter().map(everybody).collect();
        self.progress.begin(
            Phase::Members,
            changes.iter().map(MemberChange::steps).sum(),
        );
        let (members_added, members_removed) = self.members(changes).await?;
        Ok(Round {
            users,
            groups,
            managers_set,
            members_added,
            members_removed,
        })
    }

    /// An initial cycle on the second day, after a run that sent some of that day's changes or all of them.
    pub(super) async fn resume(
        &mut self,
        first: &Company,
        second: &Company,
    ) -> Result<Round, Error> {
        self.resuming = true;
        let mut round = self.initial(second).await?;
        let left = first
            .groups
            .iter()
            .zip(&second.groups)
            .map(|(old, new)| MemberChange {
                joining: Vec::new(),
                ..MemberChange::between(old, new)
            });
        let left: Vec<_> = left.filter(|change| change.steps() > 0).collect();
        self.progress
            .begin(Phase::Changes, left.iter().map(MemberChange::steps).sum());
        (_, round.members_removed) = self.members(left).await?;
        Ok(round)
    }

    /// The incremental cycle: only what differs between two days, by the links that the initial cycle made.
    pub(super) async fn incremental(
        &mut self,
        old: &Company,
        new: &Company,
    ) -> Result<Round, Error> {
        let known: HashMap<&str, &Person> = old
            .people
            .iter()
            .map(|person| (&*person.id, person))
            .collect();
        let joiners: Vec<&Person> = new
            .people
            .iter()
            .filter(|person| !known.contains_key(&*person.id))
            .collect();
        let changed =
            |person: &&Person| known.get(&*person.id).is_some_and(|known| known != person);
        let changed: Vec<&Person> = new.people.iter().filter(changed).collect();
        let reports = new.reports(&joiners);
        let pairs = || old.groups.iter().zip(&new.groups);
        let groups: Vec<&Group> = pairs()
            .filter(|(old, new)| old.display_name != new.display_name)
            .map(|(_, new)| new)
            .collect();
        let changes: Vec<_> = pairs()
            .map(|(old, new)| MemberChange::between(old, new))
            .filter(|change| change.steps() > 0)
            .collect();

        let steps = changes.iter().map(MemberChange::steps).sum::<u64>();
        self.progress.begin(
            Phase::Changes,
            (joiners.len() + changed.len() + reports.len() + groups.len()) as u64 + steps,
        );
        // Joiners come first and alone: by them a later run knows how far this one has come.
        let users = self
            .objects(&joiners)
            .await?
            .and(&self.objects(&changed).await?);
        let managers_set = self.managers(&reports).await?;
        let groups = self.objects(&groups).await?;
        let (members_added, members_removed) = self.members(changes).await?;
        Ok(Round {
            users,
            groups,
            managers_set,
            members_added,
            members_removed,
        })
    }

    /// Brings objects into the target, and links them.
    async fn objects<T: Object>(&mut self, objects: &[&T]) -> Result<Counts, Error> {
        let (client, resuming) = (self.client, self.resuming);
        let linked: Vec<_> = objects
            .iter()
            .map(|object| (*object, self.links.id(object.object_id())))
            .collect();
        let mut answers = stream::iter(linked)
            .map(|(object, id)| async move { (object, bring(client, object, id, resuming).await) })
            .buffer_unordered(IN_FLIGHT);
        let mut counts = Counts::default();
        while let Some((object, outcome)) = answers.next().await {
            self.progress.advance(1);
            let (resource, what) = match outcome {
                Ok(done) => done,
                Err(error) => {
                    counts.failed += 1;
                    note(&mut self.problems, object.name(), error)?;
                    continue;
                }
            };
            match what {
                Brought::Created => counts.created += 1,
                Brought::Updated => counts.updated += 1,
                Brought::Unchanged => counts.unchanged += 1,
            }
            let link = Link {
                id: resource.id().clone(),
                manager: wire::manager_of(&resource).map(str::to_owned),
                matched: !matches!(what, Brought::Created),
            };
            self.links.0.insert(object.object_id().to_owned(), link);
        }
        Ok(counts)
    }

    /// Sets the managers of people, given as pairs of a person and the manager. Returns how many had to be set.
    async fn managers(&mut self, reports: &[(&Person, &Person)]) -> Result<u64, Error> {
        let client = self.client;
        let mut patches = Vec::new();
        for (person, manager) in reports {
            match (self.links.0.get(&person.id), self.links.id(&manager.id)) {
                (Some(link), Some(manager))
                    if link.manager.as_deref() != Some(manager.as_str()) =>
                {
                    patches.push((
                        *person,
                        link.id.clone(),
                        Patch::new().refer(wire::MANAGER, manager),
                    ));
                }
                // Known already, or one of the two was refused, which is in the problems.
                _ => self.progress.advance(1),
            }
        }
        let mut answers = stream::iter(patches)
            .map(|(person, id, patch)| async move {
                (person, client.patch(ResourceKind::User, &id, &patch).await)
            })
            .buffer_unordered(IN_FLIGHT);
        let mut set = 0;
        while let Some((person, outcome)) = answers.next().await {
            self.progress.advance(1);
            match outcome {
                Ok(_) => set += 1,
                Err(error) => note(&mut self.problems, &person.user_name, error)?,
            }
        }
        Ok(set)
    }

    /// Lets members join and leave groups. Returns how many memberships were sent to be added and to be removed.
    async fn members(&mut self, changes: Vec<MemberChange<'_>>) -> Result<(u64, u64), Error> {
        let client = self.client;
        let mut linked = Vec::new();
        for change in changes {
            let ids = |people: &[&String]| {
                people
                    .iter()
                    .filter_map(|person| self.links.id(person))
                    .collect::<Vec<_>>()
            };
            match self.links.0.get(&change.group.id) {
                Some(link) => {
                    let (joining, leaving) = (ids(&change.joining), ids(&change.leaving));
                    linked.push((change, link.id.clone(), link.matched, joining, leaving));
                }
                None => self.progress.advance(change.steps()),
            }
        }
        let mut answers = stream::iter(linked)
            .map(|(change, group, matched, joining, leaving)| async move {
                (
                    change,
                    change_members(client, &group, matched, joining, leaving).await,
                )
            })
            .buffer_unordered(IN_FLIGHT);
        let (mut added, mut removed) = (0, 0);
        while let Some((change, outcome)) = answers.next().await {
            self.progress.advance(change.steps());
            match outcome {
                Ok((joined, left)) => {
                    added += joined as u64;
                    removed += left as u64;
                }
                Err(error) => note(&mut self.problems, &change.group.display_name, error)?,
            }
        }
        Ok((added, removed))
    }
}

/// How an object came to be at the target as it should.
enum Brought {
    Created,
    Updated,
    Unchanged,
}

/// Reads an object by its link, or looks it up, and sends the differences; one that is not there is created.
async fn bring<T: Object>(
    client: &Client,
    object: &T,
    link: Option<ResourceId>,
    resuming: bool,
) -> Result<(Resource, Brought), TargetError> {
    let mut there = match link {
        Some(id) => client.get(T::KIND, &id, T::EXCLUDED).await?,
        None => {
            client
                .find(
                    T::KIND,
                    T::KIND.matching_attribute(),
                    object.name(),
                    T::EXCLUDED,
                )
                .await?
        }
    };
    if there.is_none() && resuming {
        there = client
            .find(T::KIND, "externalId", object.object_id(), T::EXCLUDED)
            .await?;
    }
    let Some(there) = there else {
        let created = client.create(T::KIND, &object.body()).await?;
        return Ok((created.into_resource(), Brought::Created));
    };
    let patch = object.differences(&there);
    if patch.is_empty() {
        return Ok((there, Brought::Unchanged));
    }
    client.patch(T::KIND, there.id(), &patch).await?;
    Ok((there, Brought::Updated))
}

/// Adds and removes members in batches. A group that was there before is read first, so that only differences are
/// sent; Entra itself would send every member again.
async fn change_members(
    client: &Client,
    group: &ResourceId,
    matched: bool,
    mut joining: Vec<ResourceId>,
    mut leaving: Vec<ResourceId>,
) -> Result<(usize, usize), TargetError> {
    if matched && let Some(resource) = client.get(ResourceKind::Group, group, &[]).await? {
        let there: HashSet<&str> = wire::members_of(&resource).collect();
        joining.retain(|id| !there.contains(id.as_str()));
        leaving.retain(|id| there.contains(id.as_str()));
    }
    for batch in joining.chunks(MEMBERS_PER_PATCH) {
        client
            .patch(
                ResourceKind::Group,
                group,
                &Patch::new().add_members(batch.to_vec()),
            )
            .await?;
    }
    for batch in leaving.chunks(MEMBERS_PER_PATCH) {
        client
            .patch(
                ResourceKind::Group,
                group,
                &Patch::new().remove_members(batch.to_vec()),
            )
            .await?;
    }
    Ok((joining.len(), leaving.len()))
}

/// Takes down what happened to one object, unless it would happen to all of them.
fn note(problems: &mut Vec<Problem>, name: &str, error: TargetError) -> Result<(), Error> {
    if error.concerns_every_request() {
        return Err(aborted(name, error));
    }
    problems.push(Problem {
        name: name.to_owned(),
        error: error.to_string(),
        remedy: error.remedy(),
    });
    Ok(())
}

fn aborted(name: &str, source: TargetError) -> Error {
    Error::Target {
        doing: format!("provisioning {name}"),
        source,
    }
}
