//! Microsoft Entra ID as a source, read through Microsoft Graph.
//!
//! Users and groups come from delta queries: the first tells everything, and leaves a link that tells what has changed
//! since. Graph keeps such a link for seven days; afterwards, or when it has lost it, everything is read anew
//! ([`Error::Expired`]). One read goes through users, then groups, then assignments, and its place holds both links.
//!
//! What is told:
//! - An object is [`Change::Altered`](super::Change::Altered): Graph names the attributes that it knows, in a first read and later alike. It may
//!   repeat itself, and tell the members of one group on many pages.
//! - An object in the recycle bin is [`Change::Suspended`](super::Change::Suspended), one that is purged is [`Change::Gone`](super::Change::Gone). A read of everything
//!   reads the recycle bin too, because a delta query begins without it.
//! - Assignments have no delta query. Each read counts them, at one request for 999 of them, and tells them all
//!   ([`Change::AssignmentsAnew`](super::Change::AssignmentsAnew)) when their digest, which is part of the watermark, is another one. So neither the
//!   source nor its watermark holds a list of them.
//! - Only direct members of an assigned group count in Entra; who has the groups' members applies that.
//!
//! The attributes of mappings keep the names that Entra gives them: `physicalDeliveryOfficeName` and
//! `extensionAttribute1` as well as `officeLocation`; `userPrincipalName` of a guest is the address at home, and
//! `originalUserPrincipalName` what the tenant calls it.
//!
//! All this is written from Microsoft's documentation and tested against a double made from it. No real tenant has been
//! read yet; what the documentation leaves open is how members are told of a group that comes back from the recycle bin.

mod assignments;
mod attributes;
mod client;
mod http;
mod on_demand;
mod place;
mod read;
mod settings;
mod token;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use self::settings::{Algorithm, Cloud, Scope, Settings};

use self::attributes::Attributes;
use self::client::Client;
use self::http::Http;
use self::place::fingerprint;
use self::token::Tokens;
use crate::secret::Secret;
use crate::source::{Error, Home, Kind, Object};
use crate::target::Limits;

/// The attributes that mappings and scoping filters use, by the names that they have there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Of users. `manager` is among them if it is used.
    pub users: Vec<String>,
    /// Of groups. Members are told in any case.
    pub groups: Vec<String>,
}

impl Default for Asked {
    /// What Entra's default mappings use.
    fn default() -> Self {
        let users = [
            "objectId",
            "userPrincipalName",
            "displayName",
            "givenName",
            "surname",
            "mail",
            "mailNickname",
            "proxyAddresses",
            "jobTitle",
            "department",
            "companyName",
            "employeeId",
            "preferredLanguage",
            "physicalDeliveryOfficeName",
            "streetAddress",
            "city",
            "state",
            "postalCode",
            "country",
            "telephoneNumber",
            "mobile",
            "facsimileTelephoneNumber",
            "manager",
        ];
        let groups = ["objectId", "displayName", "mail", "mailNickname"];
        Self {
            users: users.map(str::to_owned).to_vec(),
            groups: groups.map(str::to_owned).to_vec(),
        }
    }
}

/// A tenant of Microsoft Entra ID. Clones share the token.
#[derive(Debug, Clone)]
pub struct Graph {
    client: Arc<Client>,
    users: Attributes,
    groups: Attributes,
    /// The enterprise application whose assignments count.
    assigned_to: Option<String>,
    tenant: String,
}

impl Graph {
    /// Sets a tenant up as a source of what Entra's default mappings use; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the settings cannot work, [`Error::Credentials`] when a secret, certificate or key
    /// cannot be read or does not fit.
    pub fn new(settings: &Settings, home: &Home, limits: Limits) -> Result<Self, Error> {
        let hosts = settings.hosts()?;
        let assigned_to = settings.assigned_to()?;
        let reveal = |secret: &Secret| secret.reveal(&home.folder, home.environment);
        let login = Http::new(&hosts.token, limits.clone(), Arc::clone(&home.surroundings))?;
        let tokens = Tokens::new(login, hosts.token, &hosts.graph, settings, &reveal)?;
        let http = Http::new(&hosts.graph, limits, Arc::clone(&home.surroundings))?;
        let Asked { users, groups } = Asked::default();
        Ok(Self {
            client: Arc::new(Client::new(http, tokens, hosts.graph)),
            users: Attributes::new(Kind::User, &users),
            groups: Attributes::new(Kind::Group, &groups),
            assigned_to,
            tenant: settings.tenant.trim().to_owned(),
        })
    }

    /// The same source, for these attributes. Whoever changes them reads everything anew.
    #[must_use]
    pub fn asking(self, asked: &Asked) -> Self {
        Self {
            users: Attributes::new(Kind::User, &asked.users),
            groups: Attributes::new(Kind::Group, &asked.groups),
            ..self
        }
    }

    /// A digest of what is asked for; a watermark for anything else is of no use.
    fn asked(&self) -> String {
        fingerprint(&[
            self.client.base().as_str(),
            &self.tenant,
            &self.users.names(),
            &self.groups.names(),
            self.assigned_to.as_deref().unwrap_or_default(),
        ])
    }

    fn attributes(&self, kind: Kind) -> &Attributes {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    /// What an object tells, under the names that were asked for.
    fn object(&self, kind: Kind, key: &str, properties: &Map<String, Value>) -> Object {
        Object {
            kind,
            key: key.to_owned(),
            attributes: self.attributes(kind).read(properties),
        }
    }
}

/// The collection of objects of this kind.
fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "users",
        Kind::Group => "groups",
    }
}

/// The text of a member of an object.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}
