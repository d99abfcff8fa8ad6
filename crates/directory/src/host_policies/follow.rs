//! Whom the changes of a team concern: people whose access to hosts may have become another one.

use super::asking::{self, Asking};
use super::queue;
use crate::access::{self, Access, inside};
use crate::events::{self, Category, Changes, Event};
use crate::grants::To;
use crate::holders::Holder;
use crate::members::{CHUNK, placeholders};
use crate::{Refusal, grants, host_accounts, teams};
use portreeve_access::Grant;
use portreeve_access::grant::Subject;
use portreeve_store::{Param, Tx, params, statements};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

statements! {
    BEHIND = "SELECT p.team_id, p.position, p.seen_at, f.position, (SELECT min(q.due_at) FROM host_policy_queue q WHERE q.team_id = p.team_id), p.common, EXISTS (SELECT 1 FROM host_policies h WHERE h.team_id = p.team_id AND h.version = 0) FROM host_policy_feed p JOIN feeds f ON f.team_id = p.team_id";
    NAMELESS = "SELECT directory_id, holder_id FROM posix_accounts WHERE team_id = $1 AND name IS NULL AND gone_at IS NULL";
    CERTIFIED = "SELECT DISTINCT COALESCE(directory_id, ''), holder_id FROM certificates WHERE team_id = $1 AND valid_before > $2 AND revoked_at IS NULL AND holder_kind IN ('user', 'service')";
    /// Those who have temporary access.
    ONES = "SELECT DISTINCT COALESCE(directory_id, ''), subject_id FROM grants WHERE team_id = $1 AND subject_kind <> 'group' AND ended IS NULL";
}

/// Changes that one look passes over at most.
const CHANGES: usize = 100;
/// People who are looked at, at once; the others wait in the queue.
const AT_ONCE: usize = 100;
/// People on new hosts, after whom no further host is looked at, at once.
const ON_NEW: usize = 5_000;
/// People from the queue who are looked at even so.
const AT_LEAST: usize = 20;

/// How far the changes of a team were followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Which team.
    pub team_id: String,
    /// Up to where they were followed; `None`: everybody is to be looked at.
    pub position: Option<i64>,
    /// The same, as it is written down.
    pub written: Option<i64>,
    /// The time by which grants that begin and end were looked at last.
    pub seen_at: i64,
    /// Where they end.
    pub end: i64,
    /// When the first of those who wait is due; `None`: nobody waits.
    pub due_at: Option<i64>,
    /// What all documents have in common, as a hash; empty: no host has asked for its policy yet.
    pub common: String,
    /// Whether a host waits for the first version of its policy.
    pub has_new: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Whose access is worked out anew, and whether that is to be done once more in a moment.
    pub people: BTreeMap<Who, bool>,
    /// Those for whom there was no room.
    pub later: BTreeSet<Who>,
    /// Those of `people` who had waited.
    pub waited: Vec<Who>,
    /// Hosts that are called otherwise.
    pub renamed: BTreeSet<String>,
    /// Hosts that are gone.
    pub gone: BTreeSet<String>,
    /// Hosts that are looked at by themselves, each with all whom it may be about.
    pub hosts: BTreeMap<String, BTreeSet<Who>>,
    /// Those of them that may hear their first version after this.
    pub new: Vec<String>,
    /// Up to where the changes were followed.
    pub position: i64,
    /// Whether there is more to be looked at already.
    pub has_more: bool,
}

/// Somebody, in an order: the directory (empty for service accounts) and the id.
pub type Who = (String, String);

/// How far each team with hosts is behind.
pub fn behind(tx: &mut Tx<'_>) -> Result<Vec<Behind>, Refusal> {
    let rows = tx.query(BEHIND, &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Behind {
                position: row.opt_int(1)?,
                written: row.opt_int(1)?,
                seen_at: row.int(2)?,
                end: row.int(3)?,
                due_at: row.opt_int(4)?,
                common: row.take_text(5)?,
                has_new: row.bool(6)?,
                team_id: row.take_text(0)?,
            })
        })
        .collect()
}

/// Looks at what has changed since. `None`: the hosts and grants are not as they were read; they are to be read anew.
pub fn look(
    tx: &mut Tx<'_>,
    behind: &Behind,
    access: &Access,
    now: i64,
) -> Result<Option<Look>, Refusal> {
    let team_id = behind.team_id.as_str();
    if access::version(tx, team_id)? != access.version {
        return Ok(None);
    }
    let mut looking = Looking {
        team_id,
        access,
        now,
        active: teams::by_id(tx, team_id)?.active_directory_id,
        found: Look::default(),
        all: BTreeSet::new(),
        grants: BTreeSet::new(),
        having: HashMap::new(),
        concerns_everybody: false,
    };
    looking.follow(tx, behind.position)?;
    looking.turned(behind.seen_at);
    looking.new_hosts(tx)?;
    looking.those_of_grants(tx)?;
    if looking.concerns_everybody {
        looking.everybody(tx)?;
    }
    looking.waiting(tx)?;
    Ok(Some(looking.done()))
}

struct Looking<'a> {
    team_id: &'a str,
    access: &'a Access,
    now: i64,
    /// The directory whose people reach hosts.
    active: Option<String>,
    /// With those whom a change names themselves.
    found: Look,
    /// Those who are concerned because of a group, a grant or a host.
    all: BTreeSet<Who>,
    /// Grants that have changed, or count on a host that has.
    grants: BTreeSet<String>,
    /// Who has some grants, of those that were asked for: hosts are often chosen by the same ones.
    having: HashMap<Vec<String>, BTreeSet<Who>>,
    concerns_everybody: bool,
}

impl Looking<'_> {
    /// The next changes.
    fn follow(&mut self, tx: &mut Tx<'_>, position: Option<i64>) -> Result<(), Refusal> {
        let Some(position) = position else {
            self.found.position = events::last(tx, self.team_id)?;
            self.concerns_everybody = true;
            return Ok(());
        };
        let page = match events::changes(tx, self.team_id, None, Some(position), CHANGES)? {
            Changes::Page(page) => page,
            Changes::Lost { end, .. } => {
                self.found.position = end;
                self.concerns_everybody = true;
                return Ok(());
            }
        };
        self.found.position = page.next;
        self.found.has_more = page.next < page.end;
        let mut hosts: BTreeMap<String, bool> = BTreeMap::new();
        let mut has_freed_a_name = false;
        for change in &page.changes {
            let Some(id) = change.object_id.as_deref() else {
                continue;
            };
            match change.object_kind.as_deref() {
                Some("User") => {
                    if let Some(directory_id) = &change.directory_id {
                        let who = (directory_id.clone(), id.to_owned());
                        self.found.people.insert(who, false);
                        has_freed_a_name |= frees_a_name(change);
                    }
                }
                Some("ServiceAccount") => {
                    let who = (String::new(), id.to_owned());
                    self.found.people.insert(who, false);
                    has_freed_a_name |= frees_a_name(change);
                }
                Some("Group") => self.group(tx, change, id)?,
                Some("Grant") => {
                    self.grants.insert(id.to_owned());
                    // Nobody's account is called as one that grants let others into.
                    has_freed_a_name = true;
                }
                Some("Host") if change.category == Category::Admin.name() => {
                    let has = |attribute| change.changes.iter().any(|of| is_of(of, attribute));
                    if has("name") {
                        self.found.renamed.insert(id.to_owned());
                    }
                    let is_lost = change.action == "delete" || has("name") || has("tags");
                    *hosts.entry(id.to_owned()).or_default() |= is_lost;
                }
                // The active directory, or the rule of names.
                Some("Team" | "Directory") => self.concerns_everybody = true,
                _ => {}
            }
        }
        self.hosts(tx, &hosts)?;
        if has_freed_a_name {
            // It is free only when the change was settled.
            let waiting = whos(tx, NAMELESS, &params![self.team_id])?;
            self.found.later.extend(waiting);
        }
        Ok(())
    }

    /// Hosts that have changed, and whether other grants may choose them than before.
    fn hosts(&mut self, tx: &mut Tx<'_>, hosts: &BTreeMap<String, bool>) -> Result<(), Refusal> {
        let changed: Vec<&str> = hosts.keys().map(String::as_str).collect();
        for id in Asking::default().among(tx, self.team_id, &changed)? {
            self.host(tx, &id)?;
        }
        match hosts.values().any(|is_lost| *is_lost) {
            true => self.certified(tx),
            false => Ok(()),
        }
    }

    /// Grants that have begun or ended because time has passed, or was set back.
    fn turned(&mut self, seen_at: i64) {
        let (seen, now) = (access::moment(seen_at), access::moment(self.now));
        let has_turned = |grant: &&Grant| grant.phase(seen) != grant.phase(now);
        let turned = self.access.grants.iter().filter(has_turned);
        self.grants.extend(turned.map(|grant| grant.id.clone()));
    }

    /// Those who have waited, as far as there is room.
    fn waiting(&mut self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let room = AT_ONCE.saturating_sub(self.found.people.len() + self.all.len());
        self.found.waited = queue::due(tx, self.team_id, self.now, room.max(AT_LEAST))?;
        self.found.has_more |= !self.found.waited.is_empty();
        Ok(())
    }

    fn group(&mut self, tx: &mut Tx<'_>, change: &Event, id: &str) -> Result<(), Refusal> {
        let Some(directory_id) = self.active.clone() else {
            return Ok(());
        };
        if change.directory_id.as_ref() != Some(&directory_id) {
            return Ok(());
        }
        let entries = change
            .changes
            .iter()
            .filter(|entry| is_of(entry, "members"));
        let mut moved: BTreeSet<&str> = BTreeSet::new();
        for entry in entries {
            if entry.get("count").is_some() {
                // Not all of them are named.
                self.concerns_everybody = true;
                return Ok(());
            }
            moved.extend(ids(entry.get("old")));
            moved.extend(ids(entry.get("new")));
        }
        let mut groups = groups_among(tx, &directory_id, &moved)?;
        for user_id in moved.iter().filter(|id| !groups.contains(**id)) {
            self.all
                .insert((directory_id.clone(), (*user_id).to_owned()));
        }
        if change.action == "create" {
            // It may have been there before, with its local members.
            groups.insert(id.to_owned());
        }
        self.inside(tx, groups.iter().map(String::as_str))
    }

    /// Whoever has one of the grants that were found.
    fn those_of_grants(&mut self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let mut groups = BTreeSet::new();
        for id in std::mem::take(&mut self.grants) {
            let record = match grants::by_id(tx, self.team_id, &id) {
                Ok(record) => record,
                Err(Refusal::NotFound(..)) => continue,
                Err(error) => return Err(error),
            };
            match record.subject {
                To::Group { directory_id, id } => {
                    if self.active.as_ref() == Some(&directory_id) {
                        groups.insert(id);
                    }
                }
                To::User { directory_id, id } => drop(self.all.insert((directory_id, id))),
                To::Service(id) => drop(self.all.insert((String::new(), id))),
            }
        }
        self.inside(tx, groups.iter().map(String::as_str))
    }

    /// Hosts that wait for their first version, at least one of them.
    fn new_hosts(&mut self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let mut people = 0;
        for id in asking::new(tx, self.team_id)? {
            self.found.has_more = true;
            if people > ON_NEW {
                break;
            }
            people += self.host(tx, &id)?;
            self.found.new.push(id);
        }
        Ok(())
    }

    /// Whoever has a certificate. It may say more than access does when a host is chosen by other grants than before, and who
    /// could log in to a host that does not ask is not written down.
    fn certified(&mut self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let certified = whos(tx, CERTIFIED, &params![self.team_id, self.now])?;
        self.all.extend(certified);
        Ok(())
    }

    /// Whoever could log in to a host, and whoever can now; how many that are.
    fn host(&mut self, tx: &mut Tx<'_>, id: &str) -> Result<usize, Refusal> {
        let on = host_accounts::on(tx, self.team_id, id)?;
        let mut people: BTreeSet<Who> = on.iter().map(who).collect();
        let access = self.access;
        match access.estate.hosts().iter().find(|host| host.id == id) {
            None => drop(self.found.gone.insert(id.to_owned())),
            Some(host) => {
                let on_it = access
                    .grants
                    .iter()
                    .filter(|grant| grant.hosts.contains(host));
                people.extend(self.having(tx, on_it)?);
            }
        }
        let count = people.len();
        self.found.hosts.insert(id.to_owned(), people);
        Ok(count)
    }

    /// Whoever has any of some grants.
    fn having<'g>(
        &mut self,
        tx: &mut Tx<'_>,
        grants: impl Iterator<Item = &'g Grant> + Clone,
    ) -> Result<BTreeSet<Who>, Refusal> {
        let key: Vec<String> = grants.clone().map(|grant| grant.id.clone()).collect();
        if let Some(known) = self.having.get(&key) {
            return Ok(known.clone());
        }
        let people = access::having(tx, self.team_id, grants.map(|grant| &grant.to), self.now)?;
        let people: BTreeSet<Who> = people
            .into_iter()
            .map(|one| (one.directory_id.unwrap_or_default(), one.person.id))
            .collect();
        self.having.insert(key, people.clone());
        Ok(people)
    }

    /// All who have or may have access.
    fn everybody(&mut self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        for holder in host_accounts::everybody(tx, self.team_id)? {
            self.all.insert(who(&holder));
        }
        self.all.extend(whos(tx, ONES, &params![self.team_id])?);
        self.certified(tx)?;
        let access = self.access;
        let groups = access.grants.iter().filter_map(|grant| match &grant.to {
            Subject::Group(id) => Some(id.as_str()),
            Subject::User(_) => None,
        });
        self.inside(tx, groups)
    }

    /// The people in some groups of the active directory, also through others.
    fn inside<'g>(
        &mut self,
        tx: &mut Tx<'_>,
        groups: impl IntoIterator<Item = &'g str>,
    ) -> Result<(), Refusal> {
        let Some(directory_id) = &self.active else {
            return Ok(());
        };
        let groups: BTreeSet<&str> = groups.into_iter().collect();
        let found = inside(tx, directory_id, &groups, self.now, usize::MAX)?;
        let found = found.into_iter().map(|id| (directory_id.to_owned(), id));
        self.all.extend(found);
        Ok(())
    }

    /// Those whom a change names come first, then whoever else is concerned, then those who have waited.
    fn done(self) -> Look {
        let mut found = self.found;
        for who in self.all {
            match found.people.contains_key(&who) || found.people.len() < AT_ONCE {
                // A certificate may be on its way that was decided on by what was known a moment before.
                true => drop(found.people.insert(who, true)),
                false => drop(found.later.insert(who)),
            }
        }
        for who in &found.waited {
            found.people.entry(who.clone()).or_insert(false);
        }
        for people in found.hosts.values_mut() {
            people.retain(|who| !found.people.contains_key(who));
        }
        found
    }
}

/// As decisions take somebody.
pub(crate) fn holder((directory_id, id): &Who) -> Holder {
    match directory_id.as_str() {
        "" => Holder::Service(id.clone()),
        directory_id => Holder::User {
            directory_id: directory_id.to_owned(),
            id: id.clone(),
        },
    }
}

fn who(holder: &Holder) -> Who {
    let directory_id = holder.directory_id().unwrap_or_default();
    (directory_id.to_owned(), holder.id().to_owned())
}

fn whos(tx: &mut Tx<'_>, sql: &str, given: &[Param<'_>]) -> Result<Vec<Who>, Refusal> {
    let rows = tx.query(sql, given)?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, row.take_text(1)?)))
        .collect()
}

/// Whether the name of an account may be free after a change, so that somebody else gets it who could not have it.
fn frees_a_name(change: &Event) -> bool {
    let renames = |entry: &Value| is_of(entry, "userName") || is_of(entry, "name");
    change.action == "delete" || change.changes.iter().any(renames)
}

fn is_of(entry: &Value, attribute: &str) -> bool {
    entry.get("attribute").and_then(Value::as_str) == Some(attribute)
}

/// The members that a change names: ids, or objects with them in a new group.
fn ids(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|one| one.as_str().or_else(|| one.get("value")?.as_str()))
}

/// Which of some ids are groups'.
fn groups_among(
    tx: &mut Tx<'_>,
    directory_id: &str,
    ids: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, Refusal> {
    let ids: Vec<&str> = ids.iter().copied().collect();
    let mut groups = BTreeSet::new();
    for chunk in ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![directory_id.into()];
        let list = placeholders(chunk, &mut given);
        let sql = format!("SELECT id FROM groups WHERE directory_id = $1 AND id IN ({list})");
        for mut row in tx.query(&sql, &given)? {
            groups.insert(row.take_text(0)?);
        }
    }
    Ok(groups)
}
