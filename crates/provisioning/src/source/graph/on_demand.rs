//! Single objects, for provisioning on demand, and the test of the connection.

use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::client::{Failure, List, Query};
use super::read::member;
use super::{Graph, collection, text};
use crate::source::{Error, Kind, Member, Object};

/// How many objects a search finds at most. Whoever looks for one object and finds a hundred needs no more.
const FOUND: &str = "100";

/// The largest page of members.
const MEMBERS: usize = 999;

impl Graph {
    /// Reads one object by its id; a user by `userPrincipalName` as well. What is in the recycle bin is not found.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn one(&self, kind: Kind, key: &str) -> Result<Option<Object>, Error> {
        // As a part of a path these would lead elsewhere.
        if matches!(key, "" | "." | "..") {
            return Ok(None);
        }
        let attributes = self.attributes(kind);
        let (selected, expanded) = (attributes.selected(), attributes.expanded());
        let mut query = vec![("$select", &*selected)];
        query.extend(expanded.as_deref().map(|expanded| ("$expand", expanded)));
        let url = self.client.address(&[collection(kind), key], &query);
        match self.client.get(url, Query::Plain).await {
            Ok(properties) => self.whole(kind, &properties).map(Some),
            Err(Failure::NotFound(_)) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Finds up to 100 objects that have a value of an attribute, under any name that mappings may use for it.
    ///
    /// # Errors
    /// [`Error::Unusable`] when Graph cannot look for this attribute; any other [`Error`].
    pub async fn find(
        &self,
        kind: Kind,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<Object>, Error> {
        let filter = Attributes::filter(attribute, value).map_err(Error::Unusable)?;
        let attributes = self.attributes(kind);
        let (selected, expanded) = (attributes.selected(), attributes.expanded());
        let mut query = vec![
            ("$filter", &*filter),
            ("$select", &*selected),
            ("$top", FOUND),
        ];
        query.extend(expanded.as_deref().map(|expanded| ("$expand", expanded)));
        let url = self.client.address(&[collection(kind)], &query);
        match self.client.get::<List>(url, Query::Plain).await {
            Ok(list) => list
                .value
                .iter()
                .map(|properties| self.whole(kind, properties))
                .collect(),
            Err(Failure::BadQuery(_)) => self.find_by_index(kind, &filter).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// Some attributes can be looked for in the index alone, which does not bring references along.
    async fn find_by_index(&self, kind: Kind, filter: &str) -> Result<Vec<Object>, Error> {
        let query = [
            ("$filter", filter),
            ("$select", "id"),
            ("$top", FOUND),
            ("$count", "true"),
        ];
        let url = self.client.address(&[collection(kind)], &query);
        let list: List = self.client.get(url, Query::Advanced).await?;
        let mut found = Vec::new();
        for key in list.value.iter().filter_map(|item| text(item, "id")) {
            // The index lags behind: what it still has may be gone.
            found.extend(self.one(kind, key).await?);
        }
        Ok(found)
    }

    /// Reads up to `limit` direct members of a group that are users or groups.
    ///
    /// # Errors
    /// [`Error::Unusable`] when there is no such group; any other [`Error`].
    pub async fn members(&self, group: &str, limit: usize) -> Result<Vec<Member>, Error> {
        let missing = |said: &str| {
            Error::Unusable(format!(
                "there is no group with the object id {group:?}{said}"
            ))
        };
        if matches!(group, "" | "." | "..") {
            return Err(missing(""));
        }
        let size = limit.clamp(1, MEMBERS).to_string();
        let query = [("$select", "id"), ("$top", &*size)];
        let mut url = self.client.address(&["groups", group, "members"], &query);
        let mut members = Vec::new();
        while members.len() < limit {
            let list: List = match self.client.get(url, Query::Plain).await {
                Ok(list) => list,
                Err(Failure::NotFound(said)) => return Err(missing(&format!(" ({said})"))),
                Err(failure) => return Err(failure.into()),
            };
            members.extend(list.value.iter().filter_map(member));
            let Some(next) = list.next else {
                break;
            };
            url = self.client.follow(&next)?;
        }
        members.truncate(limit);
        Ok(members)
    }

    /// Signs in and counts what can be read: a sentence about what was found.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn check(&self) -> Result<String, Error> {
        let users = self.count(Kind::User).await?;
        let groups = self.count(Kind::Group).await?;
        let found = format!(
            "Microsoft Graph shows {} and {} of the tenant {}",
            counted(users, "user"),
            counted(groups, "group"),
            self.tenant
        );
        if self.assigned_to.is_none() {
            return Ok(format!("{found}; all are provisioned."));
        }
        let application = self.application().await?;
        let list: List = self
            .client
            .get(self.assignments_address(), Query::Plain)
            .await?;
        let assigned = application.read(&list.value).len() as u64;
        let more = if list.next.is_some() {
            "more than "
        } else {
            ""
        };
        Ok(format!(
            "{found}; {more}{} lead to \"{}\".",
            counted(assigned, "assignment"),
            application.name
        ))
    }

    /// An object of which everything was asked: what it does not name has no value.
    fn whole(&self, kind: Kind, properties: &Map<String, Value>) -> Result<Object, Error> {
        let key = text(properties, "id").ok_or_else(|| {
            Error::Unusable(format!(
                "it sent an entry of {} without an id",
                collection(kind)
            ))
        })?;
        let mut object = self.object(kind, key, properties);
        object.attributes.retain(|_, value| !value.is_null());
        Ok(object)
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
