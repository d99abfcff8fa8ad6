//! LDAP directories as a source: OpenLDAP and its kin, and Active Directory.
//!
//! # How changes are found
//!
//! LDAP has no change log that every server keeps, so each read lists the keys of all people and groups that the filters
//! let through, together with what the server says about their last change: `uSNChanged` in Active Directory, `entryCSN`
//! in OpenLDAP, `modifyTimestamp` elsewhere. That listing, some 100 bytes for each entry, is compared with the one before:
//! entries with another stamp are fetched, keys that are no longer there are gone, whether they were deleted, moved out of
//! the base or dropped by the filter. Nothing depends on clocks or on which replica answers, except that
//! `modifyTimestamp` has no fractions: entries of the last five seconds are fetched once more and compared.
//!
//! An entry that is new sends the read back to the groups and people that name it, for they may have named it before it
//! came. An entry that gets another name in a directory that does not correct the names its groups hold (OpenLDAP without
//! the overlay `refint`) stays a member until the group itself is changed.
//!
//! `deletions = "deleted-objects"` saves Active Directory the listing: it asks for entries above the last
//! `highestCommittedUSN`, and for deleted ones among the tombstones. It needs the right to read deleted objects, does not
//! notice entries that merely leave the base or the filter, and falls back to a listing whenever another domain controller
//! answers (update sequence numbers are each controller's own; `invocationId` tells them apart).
//!
//! # Attributes
//!
//! They keep the names the directory gives them; the names of Microsoft Entra ID that have a counterpart are there as well
//! ([`attributes`]), so that the usual mappings work. `manager` holds the key of the manager. Passwords are never
//! asked for nor passed on. Referrals to other servers are not followed.
//!
//! # What it was tried on
//!
//! OpenLDAP's slapd 2.5. What is particular to Active Directory (`objectGUID`, `uSNChanged`, tombstones, ranges of members)
//! was tried on a server that answers as its protocol documents ([MS-ADTS]) say, not on a real one. A primary group
//! (`primaryGroupID`, usually "Domain Users") does not list its members and is not expanded.

pub mod attributes;
mod connection;
mod entry;
mod fault;
mod members;
mod names;
mod reading;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ldap3::ldap_escape;
use secrecy::SecretString;
use serde::Deserialize;

use super::ledger::{Owner, Shelf, mark};
use super::{Error, Home, Kind, Member, Object, Page, Place};
use crate::secret::Secret;
use crate::target::Surroundings;
use connection::{Connection, Query, Wire};
use server::Server;

/// An LDAP directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapSettings {
    /// `ldaps://host[:port]` or `ldap://host[:port]`.
    pub url: String,
    /// Whether to encrypt a connection to `ldap://` with StartTLS (RFC 4511 section 4.14).
    #[serde(default)]
    pub start_tls: bool,
    /// Whether a password may go over a network without encryption. Within this machine it always may.
    #[serde(default)]
    pub plaintext: bool,
    /// Certificates (PEM) of the authorities that the server's certificate may come from, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Who reads. Without it, whoever is anonymous.
    #[serde(default)]
    pub bind_dn: Option<String>,
    /// The reader's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Below which entry people and groups are.
    pub base: String,
    /// Below which entry people are, if not below `base`.
    #[serde(default)]
    pub user_base: Option<String>,
    /// Below which entry groups are, if not below `base`.
    #[serde(default)]
    pub group_base: Option<String>,
    /// Which entries are people. Default: `(&(objectCategory=person)(objectClass=user))` in Active Directory,
    /// `(objectClass=inetOrgPerson)` elsewhere.
    #[serde(default)]
    pub user_filter: Option<String>,
    /// Which entries are groups. Default: `(objectClass=group)` in Active Directory, elsewhere `groupOfNames`,
    /// `groupOfUniqueNames` and `posixGroup`.
    #[serde(default)]
    pub group_filter: Option<String>,
    /// The attribute that identifies an entry for good. Default: `objectGUID` in Active Directory, `entryUUID`
    /// (RFC 4530) elsewhere.
    #[serde(default)]
    pub key: Option<String>,
    /// Which attributes to read, besides those that are needed anyway. Default: all but operational ones.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Attributes of groups that hold members: names of entries, or `memberUid` with values of `uid`. Or `memberOf`
    /// alone, where people name their groups; all people are then read in each cycle, because a change of it leaves
    /// no trace on them.
    #[serde(default = "default_membership")]
    pub membership: Vec<String>,
    /// Whether the people in groups that are members of a group are told as members of it, over any number of steps.
    #[serde(default)]
    pub expand_nested_groups: bool,
    /// How changes are found.
    #[serde(default)]
    pub changes: Changes,
    /// How deletions are found.
    #[serde(default)]
    pub deletions: Deletions,
    /// Entries in one answer of the server (RFC 2696).
    #[serde(default = "default_page_size")]
    pub page_size: u16,
    /// How many seconds the server has for an answer.
    #[serde(default = "default_timeout")]
    pub timeout: u64,
    /// A directory that shows fewer than this many per cent of the people or groups it showed is not believed. 0 takes
    /// any.
    #[serde(default = "default_keep_at_least")]
    pub keep_at_least: u8,
}

/// How changes of entries are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changes {
    /// By what the server says about the time of an entry's last change.
    #[default]
    Stamps,
    /// By reading everything: also attributes that change without a trace, such as `memberOf`.
    Compare,
}

/// How deletions of entries are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deletions {
    /// By listing what there is.
    #[default]
    Compare,
    /// Among Active Directory's deleted objects.
    DeletedObjects,
}

fn default_membership() -> Vec<String> {
    ["member", "uniqueMember", "memberUid"]
        .map(str::to_owned)
        .to_vec()
}

fn default_page_size() -> u16 {
    500
}

fn default_timeout() -> u64 {
    60
}

fn default_keep_at_least() -> u8 {
    50
}

/// People and groups in an LDAP directory.
#[derive(Debug, Clone)]
pub struct Ldap {
    settings: Arc<LdapSettings>,
    password: Option<SecretString>,
    wire: Wire,
    shelf: Shelf,
    /// Fingerprint of the settings that change what is read.
    shape: String,
    surroundings: Arc<dyn Surroundings>,
}

impl Ldap {
    /// # Errors
    /// [`Error::Unusable`] where settings contradict each other or name files that are not there, and
    /// [`Error::Credentials`] where the password cannot be had.
    pub fn new(settings: &LdapSettings, home: &Home) -> Result<Self, Error> {
        let by_people = settings.membership.iter().any(|name| is_member_of(name));
        if by_people && (settings.membership.len() > 1 || settings.expand_nested_groups) {
            return Err(Error::Unusable(
                "memberOf in membership goes neither with other attributes nor with expand_nested_groups; choose one"
                    .to_owned(),
            ));
        }
        let password = settings
            .password
            .as_ref()
            .map(|secret| secret.reveal(&home.folder, home.environment))
            .transpose()
            .map_err(|cause| Error::Credentials(cause.to_string()))?;
        if settings.bind_dn.is_some() != password.is_some() {
            return Err(Error::Credentials(
                "bind_dn and password go together; give both, or none to read anonymously"
                    .to_owned(),
            ));
        }
        let shape = format!(
            "{:?}",
            (
                &settings.base,
                (&settings.user_base, &settings.group_base),
                (&settings.user_filter, &settings.group_filter),
                (&settings.key, &settings.attributes),
                (&settings.membership, settings.expand_nested_groups),
            )
        );
        Ok(Self {
            wire: Wire::new(settings, &home.folder, password.is_some())?,
            settings: Arc::new(settings.clone()),
            password,
            shelf: Shelf::new(&home.state),
            shape: format!("{:016x}", mark([shape.as_bytes()])),
            surroundings: Arc::clone(&home.surroundings),
        })
    }

    /// Reads everything, what has changed, or the next page of such a read.
    ///
    /// # Errors
    /// [`Error::Credentials`] where the server refuses the reader, [`Error::Unavailable`] where it does not answer,
    /// [`Error::Unusable`] where the base is missing, a filter is wrong or the server gives out only a part, and
    /// [`Error::Expired`] where the state folder does not know the place.
    pub async fn read(&self, from: &Place) -> Result<Page, Error> {
        if let Place::Page(at) = from {
            return self.shelf.page(at);
        }
        let id = reading::survey(self, from).await?;
        self.shelf.page(&id)
    }

    /// One user or group by its key.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn one(&self, kind: Kind, key: &str) -> Result<Option<Object>, Error> {
        let (mut connection, server) = self.open().await?;
        let Some(test) = server.key_test(key) else {
            return Ok(None);
        };
        let found = self.matching(&mut connection, &server, kind, &test).await?;
        Ok(found.into_iter().next())
    }

    /// Users or groups whose attribute has this value, as the server compares it. The attribute may have Entra's name.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn find(
        &self,
        kind: Kind,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<Object>, Error> {
        let (mut connection, server) = self.open().await?;
        let mut tests = String::new();
        for name in attributes::originals(kind, attribute) {
            if name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.;".contains(&byte))
            {
                tests.push_str(&format!("({name}={})", ldap_escape(value)));
            }
        }
        if attribute.eq_ignore_ascii_case("objectId") {
            tests = server.key_test(value).unwrap_or_default();
        }
        if tests.is_empty() {
            return Ok(Vec::new());
        }
        self.matching(&mut connection, &server, kind, &format!("(|{tests})"))
            .await
    }

    /// Up to `limit` members of a group.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn members(&self, group: &str, limit: usize) -> Result<Vec<Member>, Error> {
        let (mut connection, server) = self.open().await?;
        members::of_group(self, &mut connection, &server, group, limit).await
    }

    /// Connects and looks what is there.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn check(&self) -> Result<String, Error> {
        let (mut connection, server) = self.open().await?;
        let mut counts = Vec::new();
        for (kind, word) in [(Kind::User, "users"), (Kind::Group, "groups")] {
            let mut query = self.query(&server, kind, "");
            query.attributes = vec![server.key.clone()];
            let (entries, more) = connection.first_page(&query).await?;
            if let Some(entry) = entries.iter().find(|entry| server.key_of(entry).is_none()) {
                return Err(Error::Unusable(server.without_key(entry)));
            }
            let more = if more { "more than " } else { "" };
            counts.push(format!("{more}{} {word}", entries.len()));
        }
        let reader = self
            .settings
            .bind_dn
            .as_deref()
            .unwrap_or("nobody in particular");
        Ok(format!(
            "{} at {} lets {reader} read {}; changes are found by {}",
            server.name,
            self.settings.url,
            counts.join(" and "),
            match self.settings.changes {
                Changes::Stamps => server.stamps(),
                Changes::Compare => "comparing everything",
            }
        ))
    }

    async fn open(&self) -> Result<(Connection, Server), Error> {
        let mut connection = Connection::open(self).await?;
        let server = Server::ask(&mut connection, &self.settings).await?;
        Ok((connection, server))
    }

    async fn matching(
        &self,
        connection: &mut Connection,
        server: &Server,
        kind: Kind,
        test: &str,
    ) -> Result<Vec<Object>, Error> {
        let (entries, _) = connection
            .first_page(&self.query(server, kind, test))
            .await?;
        let mut names = names::Names::default();
        let mut objects = Vec::with_capacity(entries.len());
        for entry in &entries {
            if let Some(key) = server.key_of(entry) {
                let manager = names.manager(connection, server, entry).await?;
                objects.push(attributes::object(kind, key, entry, manager));
            }
        }
        Ok(objects)
    }

    /// Entries of a kind that also pass `test`, a filter or nothing.
    fn query(&self, server: &Server, kind: Kind, test: &str) -> Query {
        let settings = &self.settings;
        let (base, filter) = match kind {
            Kind::User => (&settings.user_base, &server.user_filter),
            Kind::Group => (&settings.group_base, &server.group_filter),
        };
        Query {
            base: base.as_ref().unwrap_or(&settings.base).clone(),
            deep: true,
            filter: if test.is_empty() {
                filter.clone()
            } else {
                format!("(&{filter}{test})")
            },
            attributes: attributes::wanted(kind, settings, &server.key),
            deleted: false,
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.settings.timeout.max(1))
    }

    /// Who names whom.
    fn owner(&self) -> Owner {
        if self
            .settings
            .membership
            .iter()
            .any(|name| is_member_of(name))
        {
            Owner::Member
        } else {
            Owner::Group
        }
    }
}

fn is_member_of(attribute: &str) -> bool {
    attribute.eq_ignore_ascii_case("memberOf")
}
