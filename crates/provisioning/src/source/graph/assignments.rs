//! Who is assigned to an enterprise application, and with which of its roles.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::{Failure, List, Query};
use super::place::Tally;
use super::{Graph, collection, text};
use crate::source::{Change, Error, Kind};

/// The role of somebody who was assigned without one.
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

/// An enterprise application.
pub(super) struct Application {
    pub(super) name: String,
    /// The values of its roles by their ids.
    roles: HashMap<String, String>,
}

/// One assignment of a user or a group.
pub(super) struct Assignment<'a> {
    pub(super) kind: Kind,
    pub(super) key: &'a str,
    /// The value of the role; none for the default access.
    pub(super) role: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServicePrincipal {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    app_roles: Vec<AppRole>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppRole {
    id: String,
    /// What a token calls it; roles that were never meant for tokens have none.
    value: Option<String>,
    display_name: Option<String>,
}

impl Graph {
    /// The application whose assignments count.
    pub(super) async fn application(&self) -> Result<Application, Error> {
        let id = self.assigned_to.as_deref().unwrap_or_default();
        let url = self.client.address(
            &["servicePrincipals", id],
            &[("$select", "id,displayName,appRoles")],
        );
        let found: Result<ServicePrincipal, Failure> = self.client.get(url, Query::Plain).await;
        let found = found.map_err(|failure| match failure {
            Failure::NotFound(said) | Failure::BadQuery(said) => Error::Unusable(format!(
                "there is no enterprise application with the object id {id}; service_principal is the object id on its overview page, not the application id ({said})"
            )),
            Failure::Error(error) => error,
        })?;
        let role = |role: AppRole| {
            let value = role.value.filter(|value| !value.is_empty());
            Some((role.id, value.or(role.display_name)?))
        };
        Ok(Application {
            name: found.display_name.unwrap_or_else(|| id.to_owned()),
            roles: found.app_roles.into_iter().filter_map(role).collect(),
        })
    }
}

impl Graph {
    /// The assignments of one object, and of the groups that it is directly in; `None` where all are provisioned.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn granted(&self, kind: Kind, key: &str) -> Result<Option<Vec<Change>>, Error> {
        let Some(resource) = self.assigned_to.as_deref() else {
            return Ok(None);
        };
        let application = self.application().await?;
        // Only the index has all that come by groups.
        let path = [collection(kind), key, "appRoleAssignments"];
        let mut url = self.client.address(&path, &[("$count", "true")]);
        let mut granted = Vec::new();
        loop {
            let mut list: List = match self.client.get(url, Query::Advanced).await {
                Ok(list) => list,
                Err(Failure::NotFound(_)) => break,
                Err(failure) => return Err(failure.into()),
            };
            list.value
                .retain(|entry| text(entry, "resourceId") == Some(resource));
            let assignments = application.read(&list.value);
            granted.extend(assignments.into_iter().map(|assignment| Change::Assigned {
                kind: assignment.kind,
                key: assignment.key.to_owned(),
                roles: assignment.role.into_iter().collect(),
            }));
            let Some(next) = list.next else { break };
            url = self.client.follow(&next)?;
        }
        Ok(Some(granted))
    }
}

impl Application {
    /// The users and groups in a page of assignments. Other applications can be assigned too, and are nobody's account.
    pub(super) fn read<'a>(&self, page: &'a [Map<String, Value>]) -> Vec<Assignment<'a>> {
        page.iter()
            .filter_map(|entry| {
                let kind = match text(entry, "principalType")? {
                    "User" => Kind::User,
                    "Group" => Kind::Group,
                    _ => return None,
                };
                let key = text(entry, "principalId")?;
                let role = self.role(text(entry, "appRoleId").unwrap_or(DEFAULT_ACCESS));
                Some(Assignment { kind, key, role })
            })
            .collect()
    }

    fn role(&self, id: &str) -> Option<String> {
        let role = self.roles.get(id).cloned();
        if role.is_none() && id != DEFAULT_ACCESS {
            tracing::warn!(
                role = id,
                application = self.name,
                "somebody is assigned with a role that the application does not have (any more)"
            );
        }
        role
    }
}

impl Assignment<'_> {
    /// Adds it to a tally, which changes with who is assigned and with the names of their roles.
    pub(super) fn count(&self, tally: &mut Tally) {
        let kind = match self.kind {
            Kind::User => "user",
            Kind::Group => "group",
        };
        tally.add(&[kind, self.key, self.role.as_deref().unwrap_or_default()]);
    }
}
