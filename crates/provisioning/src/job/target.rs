//! The target of a cycle: the SCIM client, or one that reads for real and keeps its writes to itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use portreeve_mapping::mapping::{Assigned, Target as MappingTarget};
use serde_json::{Map, Value};

use crate::engine::diff;
use crate::source::Kind;
use crate::target::{
    Client, Created, Dialect, Error, NotCreated, Patch, Resource, ResourceId, ResourceKind,
};

/// What a group is read without: it may have a hundred thousand of them.
const MEMBERS: &str = "members";

/// Where objects are brought.
#[derive(Debug)]
pub struct Target {
    client: Client,
    /// In a dry run, the resources that would have been made.
    noted: Option<Mutex<Noted>>,
    requests: AtomicU64,
}

/// Resources that a dry run would have made, so that the run finds them again.
#[derive(Debug, Default)]
struct Noted {
    made: u64,
    by_value: HashMap<(Kind, String, String), ResourceId>,
}

/// A resource as the target shows it.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// The target has it.
    There(Resource),
    /// A dry run would have made it. Nothing is known of its values.
    Noted(ResourceId),
}

impl Shown {
    pub(super) fn id(&self) -> &ResourceId {
        match self {
            Self::There(resource) => resource.id(),
            Self::Noted(id) => id,
        }
    }

    /// What is to be sent so that it has the values that it should have.
    pub(super) fn difference(&self, wanted: &[Assigned<'_>]) -> diff::Difference {
        match self {
            Self::There(resource) => diff::difference(resource.attributes(), wanted),
            Self::Noted(_) => diff::difference(&Map::new(), wanted),
        }
    }

    /// What it refers to in these attributes, as far as that is known: ids by the canonical path of the attribute.
    pub(super) fn references<'m>(
        &self,
        targets: impl Iterator<Item = &'m MappingTarget>,
    ) -> Option<Vec<(String, Vec<String>)>> {
        let Self::There(resource) = self else {
            return None;
        };
        let shown = |target: &MappingTarget| {
            let ids = diff::shown_references(resource.attributes(), target);
            (target.canonical.clone(), ids)
        };
        Some(targets.map(shown).collect())
    }
}

impl Target {
    /// A target that is written to.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            noted: None,
            requests: AtomicU64::new(0),
        }
    }

    /// A target that is only read. What would be written is counted, and resources that would have been made have ids
    /// that begin with `dry-run-`.
    #[must_use]
    pub fn dry(client: Client) -> Self {
        Self {
            noted: Some(Mutex::default()),
            ..Self::new(client)
        }
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.noted.is_some()
    }

    /// The client below.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How many requests there were about objects, without repetitions; of a dry target, how many there would have been.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.client.dialect()
    }

    /// Asks for nobody: whether requests of this kind work at all.
    ///
    /// # Errors
    /// They do not.
    pub async fn probe(&self, kind: Kind) -> Result<(), Error> {
        self.client.probe(resource_kind(kind)).await
    }

    /// The one resource that has a value, as [`Client::find`].
    pub(super) async fn find(
        &self,
        kind: Kind,
        attribute: &str,
        value: &str,
    ) -> Result<Option<Shown>, Error> {
        self.count();
        if let Some(id) = self.noted_with(kind, attribute, value) {
            return Ok(Some(Shown::Noted(id)));
        }
        let resource = resource_kind(kind);
        let found = self
            .client
            .find(resource, attribute, value, excluded(kind))
            .await?;
        Ok(found.map(Shown::There))
    }

    /// A resource by its id, of a group without its members.
    pub(super) async fn get(&self, kind: Kind, id: &ResourceId) -> Result<Option<Shown>, Error> {
        self.count();
        if self.is_noted(id) {
            return Ok(Some(Shown::Noted(id.clone())));
        }
        let read = self
            .client
            .get(resource_kind(kind), id, excluded(kind))
            .await?;
        Ok(read.map(Shown::There))
    }

    /// The ids of a group's members; `None` where there is no such group.
    pub(super) async fn members(&self, id: &ResourceId) -> Result<Option<Vec<ResourceId>>, Error> {
        self.count();
        if self.is_noted(id) {
            return Ok(Some(Vec::new()));
        }
        let read = self.client.get(ResourceKind::Group, id, &[]).await?;
        Ok(read.map(|group| member_ids(&group)))
    }

    /// Makes a resource. `keys` are the values by which it can be found from then on.
    pub(super) async fn create(
        &self,
        kind: Kind,
        body: &Value,
        keys: &[(String, String)],
    ) -> Result<ResourceId, NotCreated> {
        self.count();
        if let Some(noted) = &self.noted {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(noted.make(kind, keys));
        }
        let created = self.client.create(resource_kind(kind), body).await?;
        Ok(Created::into_resource(created).id().clone())
    }

    /// Changes a resource.
    pub(super) async fn patch(
        &self,
        kind: Kind,
        id: &ResourceId,
        patch: &Patch,
    ) -> Result<(), Error> {
        self.count();
        if self.is_dry() {
            return Ok(());
        }
        self.client.patch(resource_kind(kind), id, patch).await?;
        Ok(())
    }

    /// Deletes a resource; `false` where it was gone.
    pub(super) async fn delete(&self, kind: Kind, id: &ResourceId) -> Result<bool, Error> {
        self.count();
        if self.is_dry() {
            return Ok(true);
        }
        match self.client.delete(resource_kind(kind), id).await {
            Ok(()) => Ok(true),
            Err(Error::Refused {
                status: 404 | 410, ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn is_noted(&self, id: &ResourceId) -> bool {
        let number = id.as_str().rsplit('-').next();
        let number = number.and_then(|number| number.parse().ok());
        self.is_dry() && number.is_some_and(|number| *id == ResourceId::made_up(number))
    }

    fn noted_with(&self, kind: Kind, attribute: &str, value: &str) -> Option<ResourceId> {
        let noted = self.noted.as_ref()?;
        let noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted
            .by_value
            .get(&(kind, attribute.to_lowercase(), value.to_lowercase()))
            .cloned()
    }
}

impl Noted {
    fn make(&mut self, kind: Kind, keys: &[(String, String)]) -> ResourceId {
        self.made += 1;
        let id = ResourceId::made_up(self.made);
        for (attribute, value) in keys {
            let key = (kind, attribute.to_lowercase(), value.to_lowercase());
            self.by_value.entry(key).or_insert_with(|| id.clone());
        }
        id
    }
}

pub(super) fn resource_kind(kind: Kind) -> ResourceKind {
    match kind {
        Kind::User => ResourceKind::User,
        Kind::Group => ResourceKind::Group,
    }
}

fn excluded(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::User => &[],
        Kind::Group => &[MEMBERS],
    }
}

fn member_ids(group: &Resource) -> Vec<ResourceId> {
    let members = group.attribute(MEMBERS).and_then(Value::as_array);
    let value = |member: &Value| {
        let id = crate::target::member(member.as_object()?, "value")?.as_str()?;
        ResourceId::new(id)
    };
    members.into_iter().flatten().filter_map(value).collect()
}
