//! Provisioning on demand: one person, or a group with a few of its members, at once and with every detail.

use std::sync::Arc;

use portreeve_directory::Refusal;
use portreeve_directory::applications::references;
use portreeve_mapping::mapping::TargetKind;
use portreeve_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::claims::Owners;
use super::facts::{Page, Prepared};
use super::failure::Failure;
use super::import::{self, Reading};
use super::progress::Counters;
use super::references::MEMBERS;
use super::referring::Page as Referring;
use super::settle;
use super::state::{JobError, Owner, row_kind};
use super::subject::Stamp;
use super::{Job, Stop};
use crate::engine::codes::{Code, During};
use crate::engine::steps::{ErrorInformation, Initiator, Record, Status, StatusInfo};
use crate::source::{self, Change, Kind, Member, Object};

/// How many members go along with a group, in Entra's way.
pub const MEMBERS_AT_MOST: usize = 5;

/// How many references of one attribute other than members are written at once.
const OTHERS: i64 = 100;

/// So many members of a group are looked through for those who are named.
const LOOKED_THROUGH: usize = 100_000;

/// No cycle has this number: what is done on demand counts in none.
const NO_CYCLE: i64 = 0;

/// What is to be provisioned at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// User or group.
    pub kind: Kind,
    /// Its key at the source, or a value of `attribute`.
    pub object: String,
    /// The source attribute by which it is looked for; without one, the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Keys of the members that go along with a group. Where there is none, the first few of the source.
    #[serde(default)]
    pub members: Vec<String>,
    /// How many members may go along.
    #[serde(default = "members_at_most")]
    pub most: usize,
}

fn members_at_most() -> usize {
    MEMBERS_AT_MOST
}

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnDemandError {
    /// The source has no such object.
    #[error("the source has no {} {object}; look for it by its key, or name the attribute that the value is of", name(*.kind))]
    NotFound {
        /// User or group.
        kind: Kind,
        /// What was looked for.
        object: String,
    },
    /// Several objects have the value.
    #[error("{count} objects of the source have {object}; name the one by its key")]
    Several {
        /// What was looked for.
        object: String,
        /// How many there are.
        count: usize,
    },
    /// More members than may go along.
    #[error(
        "{given} members were named, and {most} may go along with a group on demand; a cycle takes all of them"
    )]
    TooManyMembers {
        /// How many were named.
        given: usize,
        /// How many may be.
        most: usize,
    },
    /// Somebody was named who is not in the group.
    #[error("{key} is no member of the group at the source")]
    NotAMember {
        /// Who was named.
        key: String,
    },
    /// Nothing is mapped.
    #[error("this application has no mappings for a {}; add them, or enable them", name(*.0))]
    NotProvisioned(Kind),
    /// The source does not answer.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The state does not.
    #[error(transparent)]
    Job(#[from] JobError),
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Group => "group",
    }
}

/// How it went, in Entra's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum OnDemandResult {
    Success,
    Skipped,
    Failure,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnDemand {
    /// How it went with the object that was asked for, or with one of those that went along, if that went worse.
    pub result: OnDemandResult,
    /// Why, unless all went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInformation>,
    /// The log's records with every step: of members, of the object itself, and of its references. There is none where the
    /// connection test failed.
    pub records: Vec<Record>,
}

impl OnDemand {
    /// In the form of Microsoft Graph's `provisionOnDemand`: JSON in strings. The record is that of the object itself.
    #[must_use]
    pub fn to_graph(&self, kind: Kind) -> Value {
        let details = self
            .error
            .as_ref()
            .map(|error| json!({"errorCode": error.error_code, "errorMessage": error.reason}));
        let key = json!({"result": self.result, "details": details.unwrap_or_default()});
        let own = |record: &&Record| record.source_identity.identity_type == kind;
        let record = self.records.iter().rfind(own).map(|record| json!(record));
        json!({"key": key.to_string(), "value": record.unwrap_or_default().to_string()})
    }
}

impl Job {
    /// Provisions one object now. It is read from the source and kept as a cycle would keep it, compared with the target
    /// whatever was written before, and brought there by the same rules; the guard against accidental deletions does not
    /// count it. Of a group the people who go along are provisioned before it, and become its members then.
    ///
    /// # Errors
    /// Why nothing was begun. What the target refuses is no error but the result.
    pub async fn on_demand(
        &self,
        asked: &Asked,
        initiator: Initiator,
    ) -> Result<OnDemand, OnDemandError> {
        if self.application.of(asked.kind).is_none() {
            return Err(OnDemandError::NotProvisioned(asked.kind));
        }
        if asked.members.len() > asked.most {
            return Err(OnDemandError::TooManyMembers {
                given: asked.members.len(),
                most: asked.most,
            });
        }
        if let Err(error) = self.target.probe(asked.kind).await {
            let failure = Failure::of(&self.target, asked.kind, error, During::Probe).await;
            return Ok(OnDemand {
                result: OnDemandResult::Failure,
                error: failure.status(failure.detail.clone()).error_information,
                records: Vec::new(),
            });
        }
        let object = self.object(asked).await?;
        let members = match asked.kind {
            Kind::User => Vec::new(),
            Kind::Group => self.chosen(&object.key, asked).await?,
        };
        let now = self.clock.now();
        let owners = Arc::new(Owners::new(self.state.clone()));
        let stamp = Stamp {
            initiator,
            tells_all: true,
            ..self.stamp(&self.ids.next(now).to_string(), owners)
        };
        self.visit(object, members, &stamp).await
    }

    async fn object(&self, asked: &Asked) -> Result<Object, OnDemandError> {
        let not_found = || OnDemandError::NotFound {
            kind: asked.kind,
            object: asked.object.clone(),
        };
        let Some(attribute) = &asked.attribute else {
            let found = self.source.one(asked.kind, &asked.object).await?;
            return found.ok_or_else(not_found);
        };
        let found = self.source.find(asked.kind, attribute, &asked.object);
        let mut found = found.await?;
        match found.len() {
            0 | 1 => found.pop().ok_or_else(not_found),
            count => Err(OnDemandError::Several {
                object: format!("{attribute} {}", asked.object),
                count,
            }),
        }
    }

    /// The members who go along.
    async fn chosen(&self, group: &str, asked: &Asked) -> Result<Vec<Member>, OnDemandError> {
        if asked.members.is_empty() {
            return Ok(self.source.members(group, asked.most).await?);
        }
        let all = self.source.members(group, LOOKED_THROUGH).await?;
        let named = asked.members.iter().map(|key| {
            let member = all.iter().find(|member| member.key == *key).cloned();
            member.ok_or_else(|| OnDemandError::NotAMember { key: key.clone() })
        });
        named.collect()
    }

    async fn visit(
        &self,
        object: Object,
        members: Vec<Member>,
        stamp: &Stamp,
    ) -> Result<OnDemand, OnDemandError> {
        let (kind, key) = (object.kind, object.key.clone());
        let mut told = Told::default();
        for member in &members {
            if member.kind == Some(Kind::Group) || self.application.of(Kind::User).is_none() {
                continue;
            }
            if let Some(person) = self.source.one(Kind::User, &member.key).await? {
                let key = person.key.clone();
                let changes = self.told(person).await?;
                told.hear(self.bring_now(changes, Kind::User, &key, stamp).await?);
            }
        }
        let mut changes = self.told(object).await?;
        if !members.is_empty() {
            changes.push(Change::Members {
                group: key.clone(),
                added: members.clone(),
                removed: Vec::new(),
            });
        }
        told.hear(self.bring_now(changes, kind, &key, stamp).await?);
        let members = members.into_iter().map(|member| member.key).collect();
        told.records
            .extend(self.refer_now(kind, key, members, stamp).await?);
        Ok(told.over())
    }

    /// What the source says of an object, and of its assignments where only those count who have one. A group that a person
    /// is assigned by is told of, with this member.
    async fn told(&self, object: Object) -> Result<Vec<Change>, OnDemandError> {
        let (kind, key) = (object.kind, object.key.clone());
        let mut changes = vec![Change::Present(object)];
        if !self.application.assigned_only {
            return Ok(changes);
        }
        let Some(assignments) = self.source.assignments(kind, &key).await? else {
            return Ok(changes);
        };
        changes.push(Change::Unassigned {
            kind,
            key: key.clone(),
        });
        let mut groups: Vec<String> = Vec::new();
        for assignment in assignments {
            if let Change::Assigned {
                kind: Kind::Group,
                key: group,
                ..
            } = &assignment
                && *group != key
                && !groups.contains(group)
            {
                let Some(known) = self.source.one(Kind::Group, group).await? else {
                    continue;
                };
                groups.push(group.clone());
                changes.push(Change::Present(known));
                changes.push(Change::Members {
                    group: group.clone(),
                    added: vec![Member {
                        kind: Some(kind),
                        key: key.clone(),
                    }],
                    removed: Vec::new(),
                });
            }
            changes.push(assignment);
        }
        Ok(changes)
    }

    /// Takes in what the source says of an object, brings it to the target and writes down what has become of it.
    async fn bring_now(
        &self,
        changes: Vec<Change>,
        kind: Kind,
        key: &str,
        stamp: &Stamp,
    ) -> Result<Vec<Record>, JobError> {
        let expand = self.application.expand_nested_groups;
        self.state
            .write(move |tx, owner| take_in(tx, owner, &changes, expand))
            .await?;
        let page = Page::one(&self.state, kind, key).await?;
        let mut told = Vec::new();
        let prepared = page.prepare(&self.application, kind);
        self.announce(kind, &prepared).await?;
        for mut prepared in prepared {
            if let Prepared::Subject(subject) = &mut prepared {
                // Compared whatever was written before.
                subject.exported = None;
            }
            let done = self.bring(prepared, false, stamp).await;
            told.extend(
                done.record
                    .as_ref()
                    .and_then(|row| serde_json::from_str(&row.body).ok()),
            );
            self.state
                .write(move |tx, owner| {
                    settle::settle(tx, owner, std::slice::from_ref(&done), NO_CYCLE, "{}")
                })
                .await?;
        }
        Ok(told)
    }

    /// The attributes, other than members, that refer to other objects.
    fn reference_attributes(&self, kind: Kind) -> Vec<String> {
        let mapped = self.application.of(kind).into_iter();
        let targets = mapped.flat_map(|rules| rules.mappings.iter().map(|it| &it.target));
        targets
            .filter(|target| target.kind == TargetKind::Reference && target.canonical != MEMBERS)
            .map(|target| target.canonical.clone())
            .collect()
    }

    /// Writes the references that are due: of a group, those to the members who went along; of a person, all.
    async fn refer_now(
        &self,
        kind: Kind,
        key: String,
        members: Vec<String>,
        stamp: &Stamp,
    ) -> Result<Vec<Record>, JobError> {
        let attributes = self.reference_attributes(kind);
        let due = self
            .state
            .read(move |tx, owner| due_of(tx, owner, kind, &key, &members, &attributes))
            .await?;
        let sorted = due.sort(&self.application);
        let results = self.write(stamp, &Stop::default(), sorted).await;
        let told = results.records.iter();
        let told = told
            .filter_map(|row| serde_json::from_str(&row.body).ok())
            .collect();
        self.state
            .write(move |tx, owner| results.settle(tx, owner, NO_CYCLE, "{}"))
            .await?;
        Ok(told)
    }
}

fn take_in(
    tx: &mut Tx<'_>,
    owner: &Owner,
    changes: &[Change],
    expand: bool,
) -> Result<(), Refusal> {
    let reading = Reading {
        epoch: 0,
        roles_epoch: 0,
        expand,
    };
    import::merge(tx, owner, reading, changes, &mut Counters::default())?;
    let groups = changes.iter().filter_map(|change| match change {
        Change::Members { group, .. } if expand => Some(group),
        _ => None,
    });
    for group in groups {
        references::expand(tx, &owner.application_id, group)?;
    }
    Ok(())
}

fn due_of(
    tx: &mut Tx<'_>,
    owner: &Owner,
    kind: Kind,
    key: &str,
    members: &[String],
    attributes: &[String],
) -> Result<Referring, Refusal> {
    let id = &owner.application_id;
    let mut due = match kind {
        Kind::Group => {
            let pairs: Vec<(&str, &str)> = members.iter().map(|it| (key, it.as_str())).collect();
            references::members(tx, id, &pairs)?
        }
        Kind::User => Vec::new(),
    };
    for attribute in attributes {
        let holder = (row_kind(kind), key);
        due.extend(references::of(tx, id, holder, attribute, None, OTHERS)?);
    }
    due.retain(|reference| reference.due);
    Referring::around(tx, owner, due)
}

/// What is told in the end.
#[derive(Default)]
struct Told {
    records: Vec<Record>,
    /// How it went with the object that was asked for.
    own: Option<StatusInfo>,
}

impl Told {
    fn hear(&mut self, records: Vec<Record>) {
        let last = records.last();
        self.own = last.map(|record| record.provisioning_status_info.clone());
        self.records.extend(records);
    }

    fn over(self) -> OnDemand {
        let own = self.own.unwrap_or_else(|| {
            let reason = "an input filter of the scope keeps this object out";
            StatusInfo::of(Code::EntrySynchronizationSkipped, reason)
        });
        let mut all = self
            .records
            .iter()
            .map(|record| &record.provisioning_status_info);
        let failed = all.find(|info| info.status == Status::Failure).cloned();
        let told = failed.unwrap_or(own);
        OnDemand {
            result: match told.status {
                Status::Failure => OnDemandResult::Failure,
                Status::Skipped => OnDemandResult::Skipped,
                Status::Warning | Status::Success => OnDemandResult::Success,
            },
            error: told.error_information,
            records: self.records,
        }
    }
}
