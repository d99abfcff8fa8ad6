//! Links: each object that the source has told of, and the resource of the target that it is linked with.
//!
//! The import writes what the source says ([`put`], [`see`], [`vanish`]) and marks what has changed as dirty; settling
//! writes what is known of the target ([`settle`]) and clears the mark.

use super::Kind;
use crate::Refusal;
use crate::members::{CHUNK, placeholders};
use portreeve_store::{Param, Tx, params, statements};

mod row;

pub use row::{Count, End, Link, Presence, Settled, State};
use row::{columns, from_row};

statements! {
    PUT = "INSERT INTO links (application_id, kind, source_key, presence, attributes, roles, seen, roles_seen, stale, dirty, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'none') ON CONFLICT (application_id, kind, source_key) DO UPDATE SET presence = excluded.presence, attributes = excluded.attributes, roles = excluded.roles, seen = excluded.seen, roles_seen = excluded.roles_seen, stale = excluded.stale, dirty = excluded.dirty";
    PAGE = concat!("SELECT ", columns!(), " FROM links WHERE application_id = $1 AND kind = $2 AND source_key > $3 ORDER BY source_key LIMIT $4");
    DIRTY = concat!("SELECT ", columns!(), " FROM links WHERE application_id = $1 AND kind = $2 AND dirty AND source_key > $3 ORDER BY source_key LIMIT $4");
    DIRTY_LINKED = concat!("SELECT ", columns!(), " FROM links WHERE application_id = $1 AND kind = $2 AND dirty AND source_key > $3 AND state IN ('managed', 'disabled', 'sent') ORDER BY source_key LIMIT $4");
    COUNT_DIRTY = "SELECT count(*) FROM links WHERE application_id = $1 AND dirty";
    COUNT_STATES = "SELECT kind, state, count(*) FROM links WHERE application_id = $1 GROUP BY kind, state";
    UNSEEN = "SELECT source_key FROM links WHERE application_id = $1 AND kind = $2 AND source_key > $3 AND seen < $4 AND presence <> 'gone' ORDER BY source_key LIMIT $5";
    UNTOLD_ROLES = "SELECT source_key FROM links WHERE application_id = $1 AND kind = $2 AND source_key > $3 AND roles IS NOT NULL AND roles_seen < $4 ORDER BY source_key LIMIT $5";
    TOUCH_MEMBERS = "UPDATE links SET dirty = TRUE WHERE application_id = $1 AND kind = 'user' AND NOT dirty AND source_key IN (SELECT other_key FROM link_references WHERE application_id = $1 AND kind = 'group' AND source_key = $2 AND attribute = 'members' AND wanted AND other_kind <> 'group')";
    TOUCH_ALL = "UPDATE links SET dirty = TRUE, exported = NULL WHERE application_id = $1";
    UNLINK_ALL = "UPDATE links SET state = CASE WHEN state IN ('disabled', 'dropped') THEN 'dropped' WHEN state = 'sent' THEN 'sent' ELSE 'none' END, target_id = NULL, exported = NULL WHERE application_id = $1";
    UNLINK = "UPDATE links SET state = 'none', target_id = NULL, exported = NULL WHERE application_id = $1 AND kind = $2 AND source_key = $3";
    REPLACE = "UPDATE links SET state = 'sent', target_id = NULL, exported = NULL WHERE application_id = $1 AND kind = $2 AND source_key = $3";
    SETTLE = "UPDATE links SET state = $4, target_id = $5, exported = $6, dirty = $7 WHERE application_id = $1 AND kind = $2 AND source_key = $3";
    RELEASE = "DELETE FROM links WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND presence = 'gone' AND roles IS NULL AND NOT dirty AND state IN ('none', 'released')";
    STALE = "SELECT source_key, roles FROM links WHERE application_id = $1 AND kind = 'group' AND stale ORDER BY source_key LIMIT $2";
    ALL_STALE = "UPDATE links SET stale = TRUE WHERE application_id = $1 AND kind = 'group'";
    STALE_ABOVE = "UPDATE links SET stale = TRUE WHERE application_id = $1 AND kind = 'group' AND NOT stale AND source_key IN (WITH RECURSIVE above (source_key) AS (SELECT source_key FROM links WHERE application_id = $1 AND kind = 'group' AND stale UNION SELECT r.source_key FROM above a CROSS JOIN link_references r WHERE r.application_id = $1 AND r.other_key = a.source_key AND r.kind = 'group' AND r.attribute = 'members' AND r.told AND r.other_kind <> 'user') SELECT source_key FROM above)";
    FRESH = "UPDATE links SET stale = FALSE WHERE application_id = $1 AND kind = 'group' AND source_key = $2";
}

/// The objects with these keys, as far as they are known, in no order.
pub fn of(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<Vec<Link>, Refusal> {
    let mut found = Vec::new();
    for chunk in source_keys.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![application_id, kind.name()].to_vec();
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM links WHERE application_id = $1 AND kind = $2 AND source_key IN ({})"
            ),
            list
        );
        for row in tx.query(&sql, &given)? {
            found.push(from_row(row)?);
        }
    }
    Ok(found)
}

/// Writes what the source says of an object. What is known of its resource stays.
pub fn put(tx: &mut Tx<'_>, application_id: &str, kind: Kind, link: &Link) -> Result<(), Refusal> {
    let row = params![
        application_id,
        kind.name(),
        &link.source_key,
        link.presence.name(),
        &link.attributes,
        link.roles.as_ref(),
        link.seen,
        link.roles_seen,
        link.stale,
        link.dirty
    ];
    Ok(tx.exec(PUT, &row)?)
}

/// Notes that a full read has seen these objects as they were.
pub fn see(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
    epoch: i64,
) -> Result<(), Refusal> {
    let change = Change {
        set: "seen = $3",
        value: Some(epoch),
    };
    change.apply(tx, application_id, kind, source_keys)
}

/// The next `limit` objects that a full read has not seen, after a key (empty for the first).
pub fn unseen(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    after: &str,
    epoch: i64,
    limit: i64,
) -> Result<Vec<String>, Refusal> {
    let given = params![application_id, kind.name(), after, epoch, limit];
    keys(tx, UNSEEN, &given)
}

/// The next `limit` objects with an assignment that a telling of all assignments has not told, after a key.
pub fn untold_roles(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    after: &str,
    roles_epoch: i64,
    limit: i64,
) -> Result<Vec<String>, Refusal> {
    let given = params![application_id, kind.name(), after, roles_epoch, limit];
    keys(tx, UNTOLD_ROLES, &given)
}

/// Notes that objects are gone for good.
pub fn vanish(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<(), Refusal> {
    let change = Change {
        set: "presence = 'gone', dirty = TRUE",
        value: None,
    };
    change.apply(tx, application_id, kind, source_keys)
}

/// Notes that objects are not assigned directly any more.
pub fn unassign(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<(), Refusal> {
    let change = Change {
        set: "roles = NULL, dirty = TRUE",
        value: None,
    };
    change.apply(tx, application_id, kind, source_keys)
}

/// Has objects looked at again.
pub fn touch(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<(), Refusal> {
    let change = Change {
        set: "dirty = TRUE",
        value: None,
    };
    change.apply(tx, application_id, kind, source_keys)
}

/// Has the people in a group looked at again.
pub fn touch_members(tx: &mut Tx<'_>, application_id: &str, group: &str) -> Result<(), Refusal> {
    Ok(tx.exec(TOUCH_MEMBERS, &params![application_id, group])?)
}

/// Has every object looked at again and compared with its resource.
pub fn touch_all(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(TOUCH_ALL, &params![application_id])?)
}

/// Notes that objects are about to get access: with the resource that they have, or with one that is made.
pub fn announce(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<(), Refusal> {
    let change = Change {
        set: "state = CASE WHEN target_id IS NULL THEN 'sent' ELSE 'managed' END, exported = NULL",
        value: None,
    };
    change.apply(tx, application_id, kind, source_keys)
}

/// Notes that the resource of an object is gone, and that another one is about to be made in its place.
pub fn replace(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(REPLACE, &params![application_id, kind.name(), source_key])?)
}

/// Forgets every resource, so that all are matched or made again. Of those that were disabled it stays known that there
/// was one.
pub fn unlink_all(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(UNLINK_ALL, &params![application_id])?)
}

/// The next `limit` objects after a key (empty for the first), by key.
pub fn page(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    after: &str,
    limit: i64,
) -> Result<Vec<Link>, Refusal> {
    links(tx, PAGE, application_id, kind, after, limit)
}

/// The next `limit` dirty objects after a key (empty for the first), by key.
pub fn dirty(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    after: &str,
    limit: i64,
) -> Result<Vec<Link>, Refusal> {
    links(tx, DIRTY, application_id, kind, after, limit)
}

/// As [`dirty`], those alone that have a resource which follows them, or may have one, and which they may lose.
pub fn dirty_linked(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    after: &str,
    limit: i64,
) -> Result<Vec<Link>, Refusal> {
    links(tx, DIRTY_LINKED, application_id, kind, after, limit)
}

/// How many objects are dirty.
pub fn count_dirty(tx: &mut Tx<'_>, application_id: &str) -> Result<i64, Refusal> {
    Ok(tx
        .query_one(COUNT_DIRTY, &params![application_id])?
        .map_or(Ok(0), |row| row.int(0))?)
}

/// How many objects there are of each kind and state. It reads them all.
pub fn count(tx: &mut Tx<'_>, application_id: &str) -> Result<Vec<Count>, Refusal> {
    let mut counts = Vec::new();
    for row in tx.query(COUNT_STATES, &params![application_id])? {
        if let Some(kind) = Kind::by_name(row.text(0)?) {
            counts.push(Count {
                kind,
                state: State::by_name(row.text(1)?),
                count: row.int(2)?,
            });
        }
    }
    Ok(counts)
}

/// Writes what is known of the resource of an object.
pub fn settle(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
    settled: &Settled,
) -> Result<(), Refusal> {
    let row = params![
        application_id,
        kind.name(),
        source_key,
        settled.state.name(),
        settled.target_id.as_ref(),
        settled.exported.as_ref(),
        settled.dirty
    ];
    Ok(tx.exec(SETTLE, &row)?)
}

/// Forgets an object that is gone from the source, not assigned, and without a resource that follows it.
pub fn release(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
) -> Result<(), Refusal> {
    let row = params![application_id, kind.name(), source_key];
    Ok(tx.exec(RELEASE, &row)?)
}

/// What is known of the resources of these objects, without what the source has told of them.
pub fn ends(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<Vec<End>, Refusal> {
    ends_where(tx, application_id, kind, "source_key", source_keys)
}

/// The objects that these resources are linked with.
pub fn owners(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    target_ids: &[&str],
) -> Result<Vec<End>, Refusal> {
    ends_where(tx, application_id, kind, "target_id", target_ids)
}

fn ends_where(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    column: &str,
    values: &[&str],
) -> Result<Vec<End>, Refusal> {
    let mut ends = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![application_id, kind.name()].to_vec();
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            "SELECT source_key, state, target_id FROM links WHERE application_id = $1 AND kind = $2 AND {column} IN ({list})"
        );
        for mut row in tx.query(&sql, &given)? {
            ends.push(End {
                state: State::by_name(row.text(1)?),
                source_key: row.take_text(0)?,
                target_id: row.take_opt_text(2)?,
            });
        }
    }
    Ok(ends)
}

/// Forgets the resource of an object that another one takes over.
pub fn unlink(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(UNLINK, &params![application_id, kind.name(), source_key])?)
}

/// The roles that people get through the groups they are members of: key of the person, JSON list. Only groups that
/// are assigned and present count.
pub fn roles_by_groups(
    tx: &mut Tx<'_>,
    application_id: &str,
    users: &[&str],
) -> Result<Vec<(String, String)>, Refusal> {
    let mut found = Vec::new();
    for chunk in users.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![application_id.into()];
        let list = placeholders(chunk, &mut given);
        // CROSS JOIN has SQLite look up the groups of each person, and not the members of each group.
        let sql = format!(
            "SELECT r.other_key, g.roles FROM link_references r CROSS JOIN links g WHERE r.application_id = $1 AND r.other_key IN ({list}) \
             AND r.kind = 'group' AND r.attribute = 'members' AND r.wanted AND r.other_kind <> 'group' \
             AND g.application_id = $1 AND g.kind = 'group' AND g.source_key = r.source_key AND g.roles IS NOT NULL AND g.presence = 'present'"
        );
        for mut row in tx.query(&sql, &given)? {
            found.push((row.take_text(0)?, row.take_text(1)?));
        }
    }
    Ok(found)
}

/// Marks all groups as stale: which people they have through nested groups is worked out anew.
pub fn all_stale(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(ALL_STALE, &params![application_id])?)
}

/// Marks the groups above stale ones as stale, too.
pub fn stale_above(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(STALE_ABOVE, &params![application_id])?)
}

/// The first `limit` stale groups, and whether they are assigned.
pub fn stale(
    tx: &mut Tx<'_>,
    application_id: &str,
    limit: i64,
) -> Result<Vec<(String, bool)>, Refusal> {
    tx.query(STALE, &params![application_id, limit])?
        .into_iter()
        .map(|mut row| {
            let assigned = row.opt_text(1)?.is_some();
            Ok((row.take_text(0)?, assigned))
        })
        .collect()
}

/// Notes that the people of a group are worked out.
pub fn fresh(tx: &mut Tx<'_>, application_id: &str, group: &str) -> Result<(), Refusal> {
    Ok(tx.exec(FRESH, &params![application_id, group])?)
}

/// A change of many objects at once.
struct Change {
    set: &'static str,
    /// `$3`, where there is one.
    value: Option<i64>,
}

impl Change {
    fn apply(
        &self,
        tx: &mut Tx<'_>,
        application_id: &str,
        kind: Kind,
        source_keys: &[&str],
    ) -> Result<(), Refusal> {
        for chunk in source_keys.chunks(CHUNK) {
            let mut given: Vec<Param<'_>> = params![application_id, kind.name()].to_vec();
            given.extend(self.value.map(Param::from));
            let list = placeholders(chunk, &mut given);
            let sql = format!(
                "UPDATE links SET {} WHERE application_id = $1 AND kind = $2 AND source_key IN ({list})",
                self.set
            );
            tx.exec(&sql, &given)?;
        }
        Ok(())
    }
}

fn keys(tx: &mut Tx<'_>, statement: &str, given: &[Param<'_>]) -> Result<Vec<String>, Refusal> {
    tx.query(statement, given)?
        .into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

fn links(
    tx: &mut Tx<'_>,
    statement: &str,
    application_id: &str,
    kind: Kind,
    after: &str,
    limit: i64,
) -> Result<Vec<Link>, Refusal> {
    let rows = tx.query(
        statement,
        &params![application_id, kind.name(), after, limit],
    )?;
    rows.into_iter().map(from_row).collect()
}
