//! Carrying out the membership part of a PATCH or PUT.

use super::{CHUNK, CLEAR, kind_by_name, kind_name, kinds, page, placeholders};
use crate::{Call, Refusal};
use portreeve_scim::Error;
use portreeve_scim::filter::Filter;
use portreeve_scim::patch::MemberStep;
use portreeve_scim::resource::{MemberKind, MemberRef};
use portreeve_store::{Param, Tx};
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
            MemberStep::Add(new) => add(tx, call, group_id, new, &mut moved)?,
            MemberStep::Remove(gone) => remove(
                tx,
                call,
                group_id,
                gone.iter().map(String::as_str),
                &mut moved,
            )?,
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

/// Makes these the members of a group (PUT, POST).
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
            None => new.push(member.clone()),
        }
    }
    add(tx, call, group_id, &new, moved)
}

fn clear(tx: &mut Tx<'_>, call: &Call, group_id: &str, moved: &mut Moved) -> Result<(), Refusal> {
    for mut row in tx.query(
        CLEAR,
        &portreeve_store::params![&call.directory.id, group_id],
    )? {
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

/// One statement per chunk checks that the members exist, says what kind they are, and adds those who are missing.
fn add(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    new: &[MemberRef],
    moved: &mut Moved,
) -> Result<(), Refusal> {
    let mut wanted = Stated::new();
    for member in new {
        let stated = wanted.entry(&member.value).or_default();
        *stated = stated.or(member.kind);
    }
    let all: Vec<(&str, Option<MemberKind>)> = wanted.into_iter().collect();
    for chunk in all.chunks(CHUNK) {
        let mut left: Stated<'_> = chunk.iter().copied().collect();
        let groups_only = chunk
            .iter()
            .all(|(_, kind)| *kind == Some(MemberKind::Group));
        let tables = if groups_only {
            [GROUPS, USERS]
        } else {
            [USERS, GROUPS]
        };
        for from in tables {
            insert(tx, call, group_id, &mut left, from, moved)?;
        }
        present(tx, call, group_id, &mut left)?;
        if let Some((unknown, _)) = left.first_key_value() {
            return Err(Error::invalid_value(format!(
                "members: there is no user or group with id \"{unknown}\" in this directory; create it first, or leave it out"
            ))
            .into());
        }
    }
    Ok(())
}

/// Members to add, with what the client says they are.
type Stated<'a> = BTreeMap<&'a str, Option<MemberKind>>;

/// Where members of a kind are found.
#[derive(Clone, Copy)]
struct Source {
    kind: MemberKind,
    table: &'static str,
    /// Which of them can be members: a group that is deleted and kept cannot.
    only: &'static str,
}

const USERS: Source = Source {
    kind: MemberKind::User,
    table: "users",
    only: "",
};
const GROUPS: Source = Source {
    kind: MemberKind::Group,
    table: "groups",
    only: " AND s.status = 'active'",
};

fn insert<'a>(
    tx: &mut Tx<'_>,
    call: &'a Call,
    group_id: &'a str,
    left: &mut Stated<'a>,
    from: Source,
    moved: &mut Moved,
) -> Result<(), Refusal> {
    if left.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = left.keys().copied().collect();
    let mut given: Vec<Param<'_>> = vec![
        Param::Text(&call.directory.id),
        Param::Text(group_id),
        Param::Int(call.at),
    ];
    let list = placeholders(&ids, &mut given);
    let Source { kind, table, only } = from;
    let name = kind_name(kind);
    let sql = format!(
        "INSERT INTO members (directory_id, group_id, member_id, kind, added_at) \
         SELECT s.directory_id, $2, s.id, '{name}', $3 FROM {table} s WHERE s.directory_id = $1 AND s.id IN ({list}){only} \
         ON CONFLICT DO NOTHING RETURNING member_id"
    );
    for mut row in tx.query(&sql, &given)? {
        agree(left.remove(row.text(0)?).flatten(), kind, row.text(0)?)?;
        moved.add(row.take_text(0)?);
    }
    Ok(())
}

/// Takes those out of `left` who are members already.
fn present<'a>(
    tx: &mut Tx<'_>,
    call: &'a Call,
    group_id: &'a str,
    left: &mut Stated<'a>,
) -> Result<(), Refusal> {
    if left.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = left.keys().copied().collect();
    let mut given: Vec<Param<'_>> = vec![Param::Text(&call.directory.id), Param::Text(group_id)];
    let list = placeholders(&ids, &mut given);
    let sql = format!(
        "SELECT member_id, kind FROM members WHERE directory_id = $1 AND group_id = $2 AND member_id IN ({list})"
    );
    for row in tx.query(&sql, &given)? {
        let stated = left.remove(row.text(0)?).flatten();
        agree(stated, kind_by_name(row.text(1)?), row.text(0)?)?;
    }
    Ok(())
}

fn remove<'a>(
    tx: &mut Tx<'_>,
    call: &'a Call,
    group_id: &'a str,
    gone: impl Iterator<Item = &'a str>,
    moved: &mut Moved,
) -> Result<(), Refusal> {
    let gone: Vec<&str> = gone.collect();
    for chunk in gone.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> =
            vec![Param::Text(&call.directory.id), Param::Text(group_id)];
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            "DELETE FROM members WHERE directory_id = $1 AND group_id = $2 AND member_id IN ({list}) RETURNING member_id"
        );
        for mut row in tx.query(&sql, &given)? {
            moved.remove(row.take_text(0)?);
        }
    }
    Ok(())
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
