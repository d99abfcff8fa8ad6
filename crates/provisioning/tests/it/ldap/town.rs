//! A town in slapd, and somebody who hears what is told of it.

use std::sync::Arc;

use ldap3::Ldap;
use portreeve_provisioning::source::{Change, Error, Place, Source};
use serde_json::Value;
use tempfile::TempDir;

use crate::reader::{Time, Told, read, source};
use portreeve_testbed::slapd::{ADMIN, BASE, Slapd, add, set};

/// A directory of a few people, and somebody who reads it.
pub(super) struct Town {
    pub(super) slapd: Slapd,
    pub(super) admin: Ldap,
    folder: TempDir,
    pub(super) time: Arc<Time>,
}

impl Town {
    /// Ada, Bob (whose manager is Ada) and Cy; `gang` has Ada and Bob, `all` has Cy and the gang.
    pub(super) async fn new() -> Self {
        let slapd = Slapd::start().await;
        let admin = slapd.admin().await;
        let mut town = Self {
            slapd,
            admin,
            folder: tempfile::tempdir().unwrap(),
            time: Arc::default(),
        };
        for (uid, name) in [("ada", "Ada"), ("bob", "Bob"), ("cy", "Cy")] {
            town.person(uid, name).await;
        }
        set(
            &mut town.admin,
            &person("bob"),
            "manager",
            &[&person("ada")],
        )
        .await;
        town.group("gang", &[&person("ada"), &person("bob")]).await;
        town.group("all", &[&person("cy"), &group("gang")]).await;
        town
    }

    pub(super) async fn person(&mut self, uid: &str, name: &str) {
        let attributes = [
            ("objectClass", "inetOrgPerson"),
            ("cn", name),
            ("sn", name),
            ("mail", &format!("{uid}@contoso.example")),
            ("userPassword", "hush"),
        ];
        add(&mut self.admin, &person(uid), &attributes).await;
    }

    pub(super) async fn group(&mut self, name: &str, members: &[&str]) {
        let mut attributes = vec![("objectClass", "groupOfNames")];
        attributes.extend(members.iter().map(|member| ("member", *member)));
        add(&mut self.admin, &group(name), &attributes).await;
    }

    pub(super) fn settings(&self, more: &str) -> String {
        format!(
            "type = \"ldap\"\nurl = \"{}\"\nbase = \"{BASE}\"\nbind_dn = \"{ADMIN}\"\npassword = {{ env = \"LDAP_PASSWORD\" }}\n{more}",
            self.slapd.url()
        )
    }

    pub(super) fn source(&self, more: &str) -> Source {
        self.try_source(&self.settings(more)).unwrap()
    }

    pub(super) fn try_source(&self, settings: &str) -> Result<Source, Error> {
        source(settings, self.folder.path(), &self.time)
    }
}

pub(super) fn person(uid: &str) -> String {
    format!("uid={uid},ou=people,{BASE}")
}

pub(super) fn group(name: &str) -> String {
    format!("cn={name},ou=groups,{BASE}")
}

/// What is told, with names in place of keys: an entry is called by its `uid` or `cn`.
#[derive(Default)]
pub(super) struct Ear {
    pub(super) told: Told,
    pub(super) names: std::collections::BTreeMap<String, String>,
}

impl Ear {
    /// Hears a read to its end, and gives back what was told as words.
    pub(super) async fn hear(&mut self, source: &Source, place: &mut Place) -> Vec<String> {
        let (changes, next) = read(source, place).await.unwrap();
        *place = next;
        self.told.hear(&changes);
        for change in &changes {
            if let Change::Present(object) = change {
                let name = object.attributes.get("uid").or(object.attributes.get("cn"));
                let name = name.and_then(Value::as_str).unwrap_or_default();
                self.names.insert(object.key.clone(), name.to_owned());
            }
        }
        let mut words: Vec<String> = changes.iter().map(|change| self.words(change)).collect();
        words.sort();
        words
    }

    fn words(&self, change: &Change) -> String {
        let name = |key: &str| {
            self.names
                .get(key)
                .cloned()
                .unwrap_or_else(|| key.to_owned())
        };
        match change {
            Change::Present(object) => name(&object.key),
            Change::Gone { key, .. } => format!("{} is gone", name(key)),
            Change::Members {
                group,
                added,
                removed,
            } => {
                let mut list: Vec<String> = added
                    .iter()
                    .map(|member| format!("+{}", name(&member.key)))
                    .collect();
                list.extend(
                    removed
                        .iter()
                        .map(|member| format!("-{}", name(&member.key))),
                );
                list.sort();
                format!("{} {}", name(group), list.join(" "))
            }
            other => format!("{other:?}"),
        }
    }
}
