//! What has changed in a directory, by the feed of its team.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_directory::events::{self, Changes, Event};
use portreeve_directory::{local_members, members};
use portreeve_store::Tx;
use serde_json::Value;

use super::{At, Mark, PAGE, Rules, further, member, now, text};
use crate::source::{Change, Error, Kind, Member, Next, Page};

/// What happened after `mark`, at most up to `until`; without it, to where the feed ends now.
pub(super) fn page(
    tx: &mut Tx<'_>,
    directory: &Rules,
    mark: Mark,
    until: Option<i64>,
) -> Result<Page, Error> {
    let place = Some(mark.position);
    let found = events::changes(tx, &directory.team_id, Some(&directory.id), place, PAGE)?;
    let found = match found {
        Changes::Page(found) => found,
        Changes::Lost { ahead: false, .. } => {
            return Err(Error::Expired(
                "the log of events is not kept for so long".to_owned(),
            ));
        }
        Changes::Lost { ahead: true, .. } => {
            return Err(Error::Expired(
                "the database was put back to an earlier state".to_owned(),
            ));
        }
    };
    let until = until.unwrap_or(found.end);
    let mark = Mark {
        position: found.next,
        ..mark
    };
    let mut touched = Touched::default();
    for event in &found.changes {
        touched.add(event)?;
    }
    Ok(Page {
        changes: touched.tell(tx, directory)?,
        next: match found.next < until {
            true => further(mark, At::Changes { until }),
            false => Next::Watermark(text(&mark)),
        },
        total: None,
    })
}

/// What the events of a page are about, each object once.
#[derive(Default)]
struct Touched {
    users: BTreeSet<String>,
    groups: BTreeMap<String, Group>,
}

#[derive(Default)]
struct Group {
    /// The group itself was.
    itself: bool,
    /// It was deleted. One that is kept out of sight can have come back since, under its old id and with other members.
    deleted: bool,
    /// Who has come or gone.
    members: BTreeSet<String>,
}

impl Touched {
    fn add(&mut self, event: &Event) -> Result<(), Error> {
        let (Some(kind), Some(id)) = (&event.object_kind, &event.object_id) else {
            return Ok(());
        };
        let deleted = event.action == "delete";
        match kind.as_str() {
            "User" => {
                self.users.insert(id.clone());
            }
            "Group" => {
                let group = self.groups.entry(id.clone()).or_default();
                group.itself = true;
                group.deleted |= deleted;
                if !deleted {
                    group.members.extend(ids(event, "members")?);
                }
            }
            _ => return Ok(()),
        }
        if deleted {
            for left in ids(event, "groups")? {
                let group = self.groups.entry(left).or_default();
                group.members.insert(id.clone());
            }
        }
        Ok(())
    }

    /// What has become of it. Who is gone comes first and takes all memberships along, also of groups that come before it;
    /// those that it has again, having come back, come last.
    fn tell(self, tx: &mut Tx<'_>, directory: &Rules) -> Result<Vec<Change>, Error> {
        let (mut gone, mut present, mut moves) = (Vec::new(), Vec::new(), Vec::new());
        for key in self.users {
            let kind = Kind::User;
            match now(tx, directory, kind, &key)? {
                Some(user) => present.push(Change::Present(user)),
                None => gone.push(Change::Gone { kind, key }),
            }
        }
        for (key, group) in self.groups {
            let kind = Kind::Group;
            let is_now = now(tx, directory, kind, &key)?;
            let is_here = is_now.is_some();
            if group.deleted || (group.itself && !is_here) {
                let key = key.clone();
                gone.push(Change::Gone { kind, key });
            }
            present.extend(is_now.filter(|_| group.itself).map(Change::Present));
            if is_here && !group.members.is_empty() {
                moves.push(moved(tx, directory, key, &group.members)?);
            }
        }
        gone.append(&mut present);
        gone.append(&mut moves);
        Ok(gone)
    }
}

/// Which of these are in the group now, and which are not.
fn moved(
    tx: &mut Tx<'_>,
    directory: &Rules,
    group: String,
    ids: &BTreeSet<String>,
) -> Result<Change, Error> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut present: Vec<Member> = members::present(tx, &directory.id, &group, &ids)?
        .into_iter()
        .map(|it| member(&it.kind, it.id))
        .collect();
    for id in &ids {
        let is_known = present.iter().any(|member| member.key == **id);
        if !is_known && local_members::find(tx, &directory.id, &group, id)?.is_some() {
            present.push(member("User", (*id).to_owned()));
        }
    }
    let removed = ids
        .iter()
        .filter(|id| !present.iter().any(|member| member.key == **id));
    let removed = removed.map(|id| Member {
        kind: None,
        key: (*id).to_owned(),
    });
    Ok(Change::Members {
        group,
        removed: removed.collect(),
        added: present,
    })
}

/// The ids that an event names as old or new values of an attribute.
fn ids(event: &Event, attribute: &str) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    let entries = event
        .changes
        .iter()
        .filter(|entry| entry["attribute"] == attribute);
    for entry in entries {
        if entry.get("count").is_some() {
            return Err(Error::Expired(format!(
                "with \"{}\" more memberships ended than the log names",
                event.object_name.as_deref().unwrap_or_default()
            )));
        }
        let named = [&entry["old"], &entry["new"]].into_iter();
        let named = named.filter_map(Value::as_array).flatten();
        ids.extend(named.filter_map(Value::as_str).map(str::to_owned));
    }
    Ok(ids)
}
