//! Carrying out the membership part of a PATCH or PUT.

use super::{CHUNK, CLEAR, Member, kind_name, kinds, page, rows};
use crate::{Call, Refusal};
use portreeve_scim::Error;
use portreeve_scim::filter::Filter;
use portreeve_scim::patch::MemberStep;
use portreeve_scim::resource::{MemberKind, MemberRef};
use portreeve_store::{Param, Tx, params};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a change of memberships came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Who is in the group now and was not before.
    pub added: BTreeSet<String>,
    /// Who was in the group and is not any more.
    pub removed: BTreeSet<String>,
}

impl Moved {
    /// Whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// The entry for the event's list of changes.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("attribute".into(), json!("members"));
        if !self.removed.is_empty() {
            out.insert("old".into(), json!(self.removed));
        }
        if !self.added.is_empty() {
            out.insert("new".into(), json!(self.added));
        }
        Value::Object(out)
    }

    fn add(&mut self, id: String) {
        if !self.removed.remove(&id) {
            self.added.insert(id);
        }
    }

    fn remove(&mut self, id: String) {
        if !self.added.remove(&id) {
            self.removed.insert(id);
        }
    }
}

/// Carries out the steps in order. Adding a member who is there, or removing one who is not, changes nothing.
pub fn apply(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    steps: &[MemberStep],
) -> Result<Moved, Refusal> {
    let mut moved = Moved::default();
    let mut rest = steps.iter().peekable();
    while let Some(step) = rest.next() {
        match step {
            // The usual way to say "these are all": only the difference is written.
            MemberStep::Clear => match rest.next_if(|next| matches!(next, MemberStep::Add(_))) {
                Some(MemberStep::Add(all)) => replace(tx, call, group_id, all, &mut moved)?,
                _ => clear(tx, call, group_id, &mut moved)?,
            },
            // Some clients send an operation for each member: what follows one another is one statement.
            MemberStep::Add(new) => {
                let mut new: Vec<&MemberRef> = new.iter().collect();
                while let Some(MemberStep::Add(more)) =
                    rest.next_if(|next| matches!(next, MemberStep::Add(_)))
                {
                    new.extend(more);
                }
                add(tx, call, group_id, &new, &mut moved)?;
            }
            MemberStep::Remove(gone) => {
                let mut gone: Vec<&str> = gone.iter().map(String::as_str).collect();
                while let Some(MemberStep::Remove(more)) =
                    rest.next_if(|next| matches!(next, MemberStep::Remove(_)))
                {
                    gone.extend(more.iter().map(String::as_str));
                }
                remove(tx, call, group_id, gone.into_iter(), &mut moved)?;
            }
            MemberStep::RemoveWhere(filter) => {
                let gone = matching(tx, call, group_id, filter)?;
                remove(
                    tx,
                    call,
                    group_id,
                    gone.iter().map(String::as_str),
                    &mut moved,
                )?;
            }
        }
    }
    Ok(moved)
}

/// Makes these the members of a group that may have others.
pub fn set(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    all: &[MemberRef],
) -> Result<Moved, Refusal> {
    let mut moved = Moved::default();
    replace(tx, call, group_id, all, &mut moved)?;
    Ok(moved)
}

/// Gives a new group its first members.
pub fn begin(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    first: &[MemberRef],
) -> Result<Moved, Refusal> {
    let mut moved = Moved::default();
    let first: Vec<&MemberRef> = first.iter().collect();
    add(tx, call, group_id, &first, &mut moved)?;
    Ok(moved)
}

fn replace(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    all: &[MemberRef],
    moved: &mut Moved,
) -> Result<(), Refusal> {
    let have = kinds(tx, &call.directory.id, group_id)?;
    let want: BTreeSet<&str> = all.iter().map(|m| m.value.as_str()).collect();
    let gone = have
        .keys()
        .map(String::as_str)
        .filter(|id| !want.contains(id));
    remove(tx, call, group_id, gone, moved)?;
    let mut new = Vec::new();
    for member in all {
        match have.get(&member.value) {
            Some(kind) => agree(member.kind, *kind, &member.value)?,
            None => new.push(member),
        }
    }
    add(tx, call, group_id, &new, moved)
}

fn clear(tx: &mut Tx<'_>, call: &Call, group_id: &str, moved: &mut Moved) -> Result<(), Refusal> {
    for mut row in tx.query(CLEAR, &params![&call.directory.id, group_id])? {
        moved.remove(row.take_text(0)?);
    }
    Ok(())
}

/// Refuses when a client states that a member is something else than it is.
fn agree(stated: Option<MemberKind>, is: MemberKind, id: &str) -> Result<(), Error> {
    match stated {
        Some(stated) if stated != is => Err(Error::invalid_value(format!(
            "members: \"{id}\" is a {}, but its type or $ref says {}; correct that, or leave it out",
            kind_name(is),
            kind_name(stated)
        ))),
        _ => Ok(()),
    }
}

/// One statement per chunk says what the members are and who is there already; what adds the others needs no answer.
fn add(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    new: &[&MemberRef],
    moved: &mut Moved,
) -> Result<(), Refusal> {
    let mut wanted: BTreeMap<&str, Option<MemberKind>> = BTreeMap::new();
    for member in new {
        let stated = wanted.entry(&member.value).or_default();
        *stated = stated.or(member.kind);
    }
    let all: Vec<&str> = wanted.keys().copied().collect();
    for chunk in all.chunks(CHUNK) {
        let found = look_up(tx, call, group_id, chunk)?;
        for id in chunk {
            let Some(found) = found.get(*id) else {
                return Err(Error::invalid_value(format!(
                    "members: there is no user or group with id \"{id}\" in this directory; create it first, or leave it out"
                ))
                .into());
            };
            agree(wanted.get(id).copied().flatten(), found.kind, id)?;
        }
        for kind in [MemberKind::User, MemberKind::Group] {
            let missing = |id: &&str| {
                let found = found.get(*id);
                found.is_some_and(|found| found.kind == kind && !found.present)
            };
            let missing: Vec<&str> = chunk.iter().copied().filter(missing).collect();
            insert(tx, call, group_id, &missing, kind)?;
            for id in missing {
                moved.add(id.to_owned());
            }
        }
    }
    Ok(())
}

/// What can be a member.
struct Found {
    kind: MemberKind,
    /// Whether it is one already.
    present: bool,
}

/// A group that is deleted and kept can be no member.
///
/// Each id is looked up by itself, whatever the planner of a database thinks of the size of groups: it would read all
/// members of one and compare each with each id.
fn look_up(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    ids: &[&str],
) -> Result<BTreeMap<String, Found>, Refusal> {
    let mut given: Vec<Param<'_>> = params![&call.directory.id, group_id].to_vec();
    let list = rows(ids, &mut given, |place| format!("({place})"));
    let sql = format!(
        "WITH wanted (id) AS (VALUES {list}) SELECT w.id, \
         (SELECT u.id FROM users u WHERE u.directory_id = $1 AND u.id = w.id), \
         (SELECT g.id FROM groups g WHERE g.directory_id = $1 AND g.id = w.id AND g.status = 'active'), \
         (SELECT m.member_id FROM members m WHERE m.directory_id = $1 AND m.group_id = $2 AND m.member_id = w.id) \
         FROM wanted w"
    );
    let mut out = BTreeMap::new();
    for mut row in tx.query(&sql, &given)? {
        let kind = match (row.opt_text(1)?, row.opt_text(2)?) {
            (Some(_), _) => MemberKind::User,
            (None, Some(_)) => MemberKind::Group,
            (None, None) => continue,
        };
        let present = row.opt_text(3)?.is_some();
        out.insert(row.take_text(0)?, Found { kind, present });
    }
    Ok(out)
}

fn insert(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    ids: &[&str],
    kind: MemberKind,
) -> Result<(), Refusal> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut given: Vec<Param<'_>> =
        params![&call.directory.id, group_id, kind_name(kind), call.at].to_vec();
    let list = rows(ids, &mut given, |place| format!("($1,$2,{place},$3,$4)"));
    // The last one may stand there more than once.
    let sql = format!(
        "INSERT INTO members (directory_id, group_id, member_id, kind, added_at) VALUES {list} ON CONFLICT DO NOTHING"
    );
    Ok(tx.exec(&sql, &given)?)
}

/// One statement per chunk. Each row of it has the whole key, so that the planner has nothing to look up with but that:
/// with the group said once it would rather read all of its members, as in [`look_up`].
fn remove<'a>(
    tx: &mut Tx<'_>,
    call: &'a Call,
    group_id: &'a str,
    gone: impl Iterator<Item = &'a str>,
    moved: &mut Moved,
) -> Result<(), Refusal> {
    let gone: Vec<&str> = gone.collect();
    for chunk in gone.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![&call.directory.id, group_id].to_vec();
        let list = rows(chunk, &mut given, |place| format!("($1,$2,{place})"));
        for mut row in tx.query(&removal(&list), &given)? {
            moved.remove(row.take_text(0)?);
        }
    }
    Ok(())
}

fn removal(list: &str) -> String {
    format!(
        "WITH gone (directory, of_group, member) AS (VALUES {list}) DELETE FROM members \
         WHERE (directory_id, group_id, member_id) IN (SELECT directory, of_group, member FROM gone) RETURNING member_id"
    )
}

/// Those of the ids that are members of a group, by id.
pub fn present(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    ids: &[&str],
) -> Result<Vec<Member>, Refusal> {
    let mut kinds = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![directory_id, group_id].to_vec();
        let list = rows(chunk, &mut given, |place| format!("({place})"));
        let sql = format!(
            "WITH wanted (id) AS (VALUES {list}) \
             SELECT w.id, (SELECT m.kind FROM members m WHERE m.directory_id = $1 AND m.group_id = $2 AND m.member_id = w.id) FROM wanted w"
        );
        for mut row in tx.query(&sql, &given)? {
            if let Some(kind) = row.take_opt_text(1)? {
                kinds.insert(row.take_text(0)?, kind);
            }
        }
    }
    let member = |(id, kind)| Member { id, kind };
    Ok(kinds.into_iter().map(member).collect())
}

/// Members that a filter selects, read in pages. Filters on `value` alone never come here: they are `Remove` steps.
fn matching(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    filter: &Filter,
) -> Result<Vec<String>, Refusal> {
    let group = call.directory.catalog.group();
    let whole = Filter::Value {
        path: portreeve_scim::path::AttributePath::parse("members")?,
        filter: Box::new(filter.clone()),
    };
    let checked = whole.check(group, call.directory.profile)?;
    let mut out = Vec::new();
    let mut after = String::new();
    loop {
        let members = page(tx, &call.directory.id, group_id, &after, PAGE)?;
        let Some(last) = members.last() else {
            return Ok(out);
        };
        after.clone_from(&last.id);
        for member in members {
            let element = json!({"members": [{"value": member.id, "type": member.kind}]});
            if element.as_object().is_some_and(|map| checked.matches(map)) {
                out.push(member.id);
            }
        }
    }
}

/// Members per page of a scan.
const PAGE: i64 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roll;
    use portreeve_store::{Database, Options, Store};

    /// SQLite, that is. How PostgreSQL does it depends on what it knows of the table.
    #[tokio::test]
    async fn those_who_are_removed_are_looked_up_by_their_whole_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db.sqlite");
        let options = Options::new(Database::Sqlite { path }, roll::MIGRATIONS, 0);
        let store = Store::open(&options).unwrap();
        for count in [1, 2, 9, CHUNK] {
            let plan = store.read(move |tx| {
                let ids = vec!["member"; count];
                let mut given: Vec<Param<'_>> = params!["directory", "group"].to_vec();
                let list = rows(&ids, &mut given, |place| format!("($1,$2,{place})"));
                let explain = format!("EXPLAIN QUERY PLAN {}", removal(&list));
                let steps = tx.query(&explain, &given)?;
                steps
                    .iter()
                    .map(|row| Ok(row.text(3)?.to_owned()))
                    .collect::<Result<Vec<_>, Refusal>>()
            });
            let plan = plan.await.unwrap();
            let by_key =
                |step: &String| step.contains("members") && step.matches("_id=?").count() == 3;
            assert!(plan.iter().any(by_key), "{count}: {plan:#?}");
            assert!(
                !plan.iter().any(|step| step.starts_with("SCAN members")),
                "{count}: {plan:#?}"
            );
        }
    }
}
