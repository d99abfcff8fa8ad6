//! What kind of server answers: its root entry (RFC 4512 section 5.1) tells.

use ldap3::ldap_escape;

use super::LdapSettings;
use super::attributes::{guid, guid_bytes};
use super::connection::{Connection, Query};
use super::entry::Entry;
use crate::source::Error;
use crate::source::ledger::mark;

/// Capability of Active Directory and of its small sister AD LDS ([MS-ADTS] section 3.1.1.3.4.3).
const ACTIVE_DIRECTORY: [&str; 2] = ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1851"];

/// Simple paged results (RFC 2696).
pub(super) const PAGED: &str = "1.2.840.113556.1.4.319";

/// Shows deleted objects ([MS-ADTS] section 3.1.1.3.4.1.14).
pub(super) const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";

/// A server, and what follows from its kind.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// For people.
    pub(super) name: String,
    pub(super) key: String,
    pub(super) user_filter: String,
    pub(super) group_filter: String,
    /// Which domain controller answers, and how far its update sequence has come, before anything is read.
    pub(super) sequence: Option<Sequence>,
    /// Whether it shows what was deleted.
    pub(super) shows_deleted: bool,
    active_directory: bool,
}

/// A point in the updates of one domain controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Tells controllers apart, and one that was restored from a backup from itself.
    pub(super) invocation: String,
    pub(super) highest: u64,
}

impl Server {
    pub(super) async fn ask(
        connection: &mut Connection,
        settings: &LdapSettings,
    ) -> Result<Self, Error> {
        let root = Query {
            base: String::new(),
            deep: false,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec!["*".to_owned(), "+".to_owned()],
            deleted: false,
        };
        let root = connection.single(&root).await?.unwrap_or_default();
        connection.paged = root.texts("supportedControl").any(|oid| oid == PAGED);
        let active_directory = root
            .texts("supportedCapabilities")
            .any(|oid| ACTIVE_DIRECTORY.contains(&oid));
        let sequence = if active_directory {
            sequence(connection, &root).await?
        } else {
            None
        };
        let or = |chosen: &Option<String>, microsoft: &str, others: &str| {
            let usual = if active_directory { microsoft } else { others };
            chosen.clone().unwrap_or_else(|| usual.to_owned())
        };
        Ok(Self {
            name: name(&root, active_directory),
            key: or(&settings.key, "objectGUID", "entryUUID"),
            user_filter: or(
                &settings.user_filter,
                "(&(objectCategory=person)(objectClass=user))",
                "(objectClass=inetOrgPerson)",
            ),
            group_filter: or(
                &settings.group_filter,
                "(objectClass=group)",
                "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))",
            ),
            sequence,
            shows_deleted: root
                .texts("supportedControl")
                .any(|oid| oid == SHOW_DELETED),
            active_directory,
        })
    }

    /// The key of an entry, if the server shows it.
    pub(super) fn key_of(&self, entry: &Entry) -> Option<String> {
        let value = entry.value(&self.key)?;
        guid(&self.key, value).or_else(|| {
            let text = std::str::from_utf8(value).ok()?;
            (!text.is_empty()).then(|| text.to_owned())
        })
    }

    /// A filter for the entry with this key; `None` if it can be nobody's.
    pub(super) fn key_test(&self, key: &str) -> Option<String> {
        let value = match guid_bytes(&self.key, key) {
            Some(bytes) => bytes?.iter().map(|byte| format!("\\{byte:02x}")).collect(),
            None => ldap_escape(key).into_owned(),
        };
        Some(format!("({}={value})", self.key))
    }

    pub(super) fn without_key(&self, entry: &Entry) -> String {
        format!(
            "{} shows no {}; let the reader see it, or choose another attribute as key",
            entry.dn, self.key
        )
    }

    /// What tells that an entry has changed.
    pub(super) fn stamp_attributes(&self) -> &'static [&'static str] {
        if self.active_directory {
            &["uSNChanged"]
        } else {
            &["entryCSN", "modifyTimestamp"]
        }
    }

    /// What an entry says about its last change; 0 if nothing.
    pub(super) fn stamp(&self, entry: &Entry) -> u64 {
        let invocation = self.sequence.as_ref().map_or("", |it| &it.invocation);
        self.stamp_attributes()
            .iter()
            .find_map(|name| entry.value(name))
            .map_or(0, |value| mark([invocation.as_bytes(), value]))
    }

    pub(super) fn stamps(&self) -> &'static str {
        if self.active_directory {
            "uSNChanged"
        } else {
            "entryCSN, or modifyTimestamp where there is none"
        }
    }
}

async fn sequence(connection: &mut Connection, root: &Entry) -> Result<Option<Sequence>, Error> {
    let highest = root
        .text("highestCommittedUSN")
        .and_then(|text| text.parse().ok());
    let (Some(highest), Some(service)) = (highest, root.text("dsServiceName")) else {
        return Ok(None);
    };
    let service = Query {
        base: service.to_owned(),
        deep: false,
        filter: "(objectClass=*)".to_owned(),
        attributes: vec!["invocationId".to_owned()],
        deleted: false,
    };
    let service = connection.single(&service).await?.unwrap_or_default();
    let invocation = service
        .value("invocationId")
        .and_then(|value| guid("invocationId", value));
    Ok(invocation.map(|invocation| Sequence {
        invocation,
        highest,
    }))
}

fn name(root: &Entry, active_directory: bool) -> String {
    if active_directory {
        return "Active Directory".to_owned();
    }
    let open_ldap = root
        .texts("objectClass")
        .any(|class| class == "OpenLDAProotDSE");
    match root.text("vendorName") {
        _ if open_ldap => "OpenLDAP".to_owned(),
        Some(vendor) => vendor.to_owned(),
        None => "An LDAP server".to_owned(),
    }
}
