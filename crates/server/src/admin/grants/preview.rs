//! What a grant would come to: the hosts and people that it matches, and who could log in where and cannot now, or the other
//! way about.

use super::super::Admin;
use super::{GrantChange, NewGrant, changed_record, find_team, new_record};
use crate::app::App;
use portreeve_access::{Grant, Reach};
use portreeve_directory::access::{self, Access, Who};
use portreeve_directory::{Refusal, grants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many of each kind a preview names.
const NAMED: usize = 100;

/// A grant that is thought of.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// Id of a grant that would be changed; without it, one would be made.
    pub(crate) grant: Option<String>,
    /// Id or name of a group; not where a grant would be changed.
    pub(crate) group: Option<String>,
    /// Id or `userName` of a user, or id or name of a service account.
    pub(crate) user: Option<String>,
    /// Id or name of the directory of group or user.
    pub(crate) directory: Option<String>,
    /// Which hosts, as a tag expression.
    pub(crate) hosts: String,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// What it would come to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Preview {
    /// The hosts that it matches.
    pub(crate) hosts: Matched,
    /// The people and service accounts who have it and may come in.
    pub(crate) people: Matched,
    /// Who could log in where and cannot now.
    pub(crate) adds: Gained,
    /// Who can log in where now and could not any more.
    pub(crate) removes: Gained,
}

/// How many there are, and the names of the first hundred.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct Matched {
    pub(crate) count: usize,
    pub(crate) names: Vec<String>,
}

/// Somebody on a host counts as one login.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct Gained {
    /// How many people.
    pub(crate) people: usize,
    /// How many hosts.
    pub(crate) hosts: usize,
    /// How many of them on how many hosts, each with each.
    pub(crate) logins: usize,
}

/// What a grant would come to, compared with what is in force.
pub(crate) async fn preview(
    app: &App,
    admin: &Admin,
    wanted: PreviewRequest,
) -> Result<Preview, Refusal> {
    let admin = admin.clone();
    let team = find_team(app, &admin, wanted.team.clone()).await?;
    let access = app.access(&team.id).await?;
    let read = app.store.read(move |tx| {
        let grant = match &wanted.grant {
            Some(id) => {
                let change = GrantChange {
                    hosts: Some(wanted.hosts.clone()),
                    ..GrantChange::default()
                };
                changed_record(&grants::by_id(tx, &team.id, id)?, &change)?.grant
            }
            None => {
                let new = NewGrant {
                    group: wanted.group.clone(),
                    user: wanted.user.clone(),
                    directory: wanted.directory.clone(),
                    hosts: wanted.hosts.clone(),
                    ..NewGrant::default()
                };
                new_record(tx, &admin, &team, &new)?.grant
            }
        };
        let people = access::having(tx, &team.id, std::iter::once(&grant.to), admin.at)?;
        Ok::<_, Refusal>(compare(&access, &grant, &people, admin.at))
    });
    read.await
}

fn compare(access: &Arc<Access>, grant: &Grant, people: &[Who], now: i64) -> Preview {
    let at = access::moment(now);
    let others = access.grants.iter().filter(|other| other.id != grant.id);
    let after: Vec<&Grant> = others.chain([grant]).collect();
    let (mut adds, mut removes) = (Difference::default(), Difference::default());
    for Who { person, .. } in people {
        let now = Reach::of(person, &access.estate, &access.grants, at).ok();
        let then = Reach::of(person, &access.estate, after.iter().copied(), at).ok();
        adds.count(then.as_ref(), now.as_ref());
        removes.count(now.as_ref(), then.as_ref());
    }
    let hosts = access.estate.chosen(&grant.hosts);
    Preview {
        hosts: matched(hosts.map(|host| host.name.clone())),
        people: matched(people.iter().map(|who| who.person.name.clone())),
        adds: adds.total(),
        removes: removes.total(),
    }
}

fn matched(mut names: impl Iterator<Item = String>) -> Matched {
    let first: Vec<String> = names.by_ref().take(NAMED).collect();
    Matched {
        count: first.len() + names.count(),
        names: first,
    }
}

/// Who gets in where by one thing and not by another.
#[derive(Default)]
struct Difference<'a> {
    people: usize,
    hosts: BTreeSet<&'a str>,
    logins: usize,
}

impl<'a> Difference<'a> {
    fn count(&mut self, by: Option<&Reach<'a>>, not_by: Option<&Reach<'a>>) {
        let Some(by) = by else {
            return;
        };
        let before = self.logins;
        for host in by.beyond(not_by) {
            self.hosts.insert(&host.id);
            self.logins += 1;
        }
        self.people += usize::from(self.logins > before);
    }

    fn total(&self) -> Gained {
        Gained {
            people: self.people,
            hosts: self.hosts.len(),
            logins: self.logins,
        }
    }
}
