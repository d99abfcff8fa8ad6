//! References: what refers from one object to another, as the source tells it and as the target has it.
//!
//! Members are told by the source, thousands at a time, and worked out anew where nested groups are expanded
//! ([`expand`]). Other references, such as a manager, are what the mappings have given for an object ([`want`]). What is
//! wanted and not applied, or the other way round, is *due* while both ends have a resource, and otherwise waits until
//! they have ([`linked`]).

use super::Kind;
use crate::Refusal;
use crate::members::{CHUNK, placeholders};
use portreeve_store::{Param, Row, Tx, params, statements};
use std::collections::{BTreeMap, BTreeSet, HashMap};

mod shown;
pub use shown::{Shown, compare};

/// The attribute that holds the members of a group.
pub const MEMBERS: &str = "members";

/// How many pairs go into one statement.
const PAIRS: usize = 256;

/// The people that group `$2` has directly or through nested groups, with what is said of their kind. Who is not said to
/// be a person is one unless there is a group of that key.
macro_rules! below {
    () => {
        "WITH RECURSIVE below (other_key, other_kind) AS (SELECT r.other_key, r.other_kind FROM link_references r WHERE r.application_id = $1 AND r.kind = 'group' AND r.source_key = $2 AND r.attribute = 'members' AND r.told UNION SELECT r.other_key, r.other_kind FROM below b CROSS JOIN link_references r WHERE b.other_kind <> 'user' AND r.application_id = $1 AND r.kind = 'group' AND r.source_key = b.other_key AND r.attribute = 'members' AND r.told), people (other_key, other_kind) AS (SELECT b.other_key, b.other_kind FROM below b WHERE b.other_kind = 'user' OR (b.other_kind = '' AND NOT EXISTS (SELECT 1 FROM links l WHERE l.application_id = $1 AND l.kind = 'group' AND l.source_key = b.other_key))) "
    };
}

/// What refers to object `$3` of kind `$2`. A change that looks for it by its end alone would read the whole table.
macro_rules! to {
    () => {
        "application_id = $1 AND (kind, source_key, attribute, other_key, other_kind) IN (SELECT kind, source_key, attribute, other_key, other_kind FROM link_references WHERE application_id = $1 AND other_key = $3 AND other_kind IN ('', $2))"
    };
}

statements! {
    PUT = "INSERT INTO link_references (application_id, kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (application_id, kind, source_key, attribute, other_key, other_kind) DO UPDATE SET told = excluded.told, wanted = excluded.wanted, applied = excluded.applied, due = excluded.due, seen = excluded.seen";
    REMOVE = "DELETE FROM link_references WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4 AND other_key = $5 AND other_kind = $6";
    SEE = "UPDATE link_references SET seen = $4 WHERE application_id = $1 AND kind = 'group' AND source_key = $2 AND attribute = 'members' AND other_key = $3";
    UNSEEN = "SELECT kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen FROM link_references WHERE application_id = $1 AND kind = 'group' AND attribute = 'members' AND (source_key, other_key, other_kind) > ($2, $3, $4) AND told AND seen < $5 ORDER BY source_key, other_key, other_kind LIMIT $6";
    SWEEP = "DELETE FROM link_references WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND NOT told AND NOT wanted AND NOT applied";
    LOST_OF = "UPDATE link_references SET applied = FALSE, due = FALSE WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND (applied OR due)";
    LOST_TO = concat!("UPDATE link_references SET applied = FALSE, due = FALSE WHERE ", to!(), " AND (applied OR due)");
    SWEEP_TO = concat!("DELETE FROM link_references WHERE ", to!(), " AND NOT told AND NOT wanted AND NOT applied");
    FORGET_OF = "DELETE FROM link_references WHERE application_id = $1 AND kind = $2 AND source_key = $3";
    PAGE = "SELECT kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen FROM link_references WHERE application_id = $1 AND (kind, source_key, attribute, other_key, other_kind) > ($2, $3, $4, $5, $6) ORDER BY kind, source_key, attribute, other_key, other_kind LIMIT $7";
    DUE = "SELECT kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen FROM link_references WHERE application_id = $1 AND due AND (kind, source_key, attribute, other_key, other_kind) > ($2, $3, $4, $5, $6) ORDER BY kind, source_key, attribute, other_key, other_kind LIMIT $7";
    COUNT_DUE = "SELECT count(*) FROM link_references WHERE application_id = $1 AND due";
    APPLY = "UPDATE link_references SET applied = $7, due = FALSE WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4 AND other_key = $5 AND other_kind = $6";
    WAIT = "UPDATE link_references SET due = FALSE WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4 AND other_key = $5 AND other_kind = $6";
    FORGET = "UPDATE link_references SET wanted = FALSE, due = FALSE WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4 AND other_key = $5 AND other_kind = $6";
    RECONSIDER = "UPDATE link_references SET wanted = told, due = (told <> applied) WHERE application_id = $1";
    LOST = "UPDATE link_references SET applied = FALSE, due = FALSE WHERE application_id = $1";
    REACHED = concat!(below!(), "INSERT INTO link_references (application_id, kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen) SELECT $1, 'group', $2, 'members', p.other_key, p.other_kind, FALSE, TRUE, FALSE, TRUE, 0 FROM people p WHERE TRUE ON CONFLICT (application_id, kind, source_key, attribute, other_key, other_kind) DO UPDATE SET wanted = TRUE, due = NOT link_references.applied WHERE NOT link_references.wanted RETURNING other_key");
    UNREACHED = concat!(below!(), "UPDATE link_references SET wanted = FALSE, due = applied WHERE application_id = $1 AND kind = 'group' AND source_key = $2 AND attribute = 'members' AND wanted AND (other_key, other_kind) NOT IN (SELECT p.other_key, p.other_kind FROM people p) RETURNING other_key");
    MEMBERS_OF = "SELECT kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen FROM link_references WHERE application_id = $1 AND kind = $2 AND source_key = $3 AND attribute = $4 AND (other_key, other_kind) > ($5, $6) ORDER BY other_key, other_kind LIMIT $7";
}

/// One object that another refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the object that refers is.
    pub kind: Kind,
    /// Its key at the source.
    pub source_key: String,
    /// [`MEMBERS`], or the attribute of the target.
    pub attribute: String,
    /// The key of the other object.
    pub other_key: String,
    /// What the other object is; `None` where nobody has said.
    pub other_kind: Option<Kind>,
    /// Whether the source says so, of members; of other attributes, whether the mappings have given it.
    pub told: bool,
    /// Whether the target is to have it.
    pub wanted: bool,
    /// Whether the target has it.
    pub applied: bool,
    /// Whether it is work for the next cycle that writes references.
    pub due: bool,
    /// The number of the full read that saw it last.
    pub seen: i64,
}

/// What comes of a reference that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The target has it now, or has it no more.
    Applied(bool),
    /// It waits until something about one of its ends changes.
    Waits,
    /// It is not wanted any more until the source tells everything anew.
    Forgotten,
}

/// Members of groups as far as they are known, whatever is known of their kind. A pair is a group and a member.
pub fn members(
    tx: &mut Tx<'_>,
    application_id: &str,
    pairs: &[(&str, &str)],
) -> Result<Vec<Reference>, Refusal> {
    let mut found = Vec::new();
    for chunk in pairs.chunks(PAIRS) {
        let mut given: Vec<Param<'_>> = vec![application_id.into()];
        let list = rows_of(chunk, &mut given);
        // CROSS JOIN has SQLite look up each pair.
        let sql = format!(
            "WITH asked (source_key, other_key) AS (VALUES {list}) \
             SELECT DISTINCT r.kind, r.source_key, r.attribute, r.other_key, r.other_kind, r.told, r.wanted, r.applied, r.due, r.seen FROM asked a CROSS JOIN link_references r \
             WHERE r.application_id = $1 AND r.kind = 'group' AND r.source_key = a.source_key AND r.attribute = 'members' AND r.other_key = a.other_key"
        );
        read(tx, &sql, &given, &mut found)?;
    }
    Ok(found)
}

/// Writes all that is known of a reference.
pub fn put(tx: &mut Tx<'_>, application_id: &str, reference: &Reference) -> Result<(), Refusal> {
    let row = params![
        application_id,
        reference.kind.name(),
        &reference.source_key,
        &reference.attribute,
        &reference.other_key,
        kind_name(reference.other_kind),
        reference.told,
        reference.wanted,
        reference.applied,
        reference.due,
        reference.seen
    ];
    Ok(tx.exec(PUT, &row)?)
}

/// Forgets a reference.
pub fn remove(tx: &mut Tx<'_>, application_id: &str, reference: &Reference) -> Result<(), Refusal> {
    Ok(tx.exec(REMOVE, &key(application_id, reference))?)
}

/// Notes that a full read has seen a member of a group that was known.
pub fn see(
    tx: &mut Tx<'_>,
    application_id: &str,
    group: &str,
    member: &str,
    epoch: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(SEE, &params![application_id, group, member, epoch])?)
}

/// The next `limit` members that were told and that a full read has not seen, after one of them (`None` for the first).
pub fn unseen(
    tx: &mut Tx<'_>,
    application_id: &str,
    after: Option<&Reference>,
    epoch: i64,
    limit: i64,
) -> Result<Vec<Reference>, Refusal> {
    let (holder, other, kind) = after.map_or(("", "", ""), |last| {
        (
            &*last.source_key,
            &*last.other_key,
            kind_name(last.other_kind),
        )
    });
    let given = params![application_id, holder, other, kind, epoch, limit];
    let mut found = Vec::new();
    read(tx, UNSEEN, &given, &mut found)?;
    Ok(found)
}

/// What the mappings give for an object.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its key at the source.
    pub source_key: &'a str,
    /// By attribute of the target, the keys of those whom it refers to.
    pub others: &'a [(String, Vec<String>)],
}

/// Notes which references the mappings give for objects of a kind now. Attributes that are not named keep theirs.
pub fn want(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    objects: &[Wanted<'_>],
) -> Result<(), Refusal> {
    let mut known = named(tx, application_id, kind, objects)?;
    for object in objects {
        for (attribute, others) in object.others {
            let place = (object.source_key.to_owned(), attribute.clone());
            let mut there = known.remove(&place).unwrap_or_default();
            for other in others {
                let reference = there.remove(other).unwrap_or_else(|| Reference {
                    kind,
                    source_key: object.source_key.to_owned(),
                    attribute: attribute.clone(),
                    other_key: other.clone(),
                    other_kind: None,
                    told: false,
                    wanted: false,
                    applied: false,
                    due: false,
                    seen: 0,
                });
                wanted(tx, application_id, &reference, true)?;
            }
            for reference in there.values() {
                wanted(tx, application_id, reference, false)?;
            }
        }
    }
    Ok(())
}

/// Notes that the mappings give a reference, or no more.
fn wanted(
    tx: &mut Tx<'_>,
    application_id: &str,
    reference: &Reference,
    wanted: bool,
) -> Result<(), Refusal> {
    let now = Reference {
        told: wanted,
        wanted,
        due: wanted != reference.applied,
        ..reference.clone()
    };
    match (now == *reference, wanted || now.applied) {
        (true, _) => Ok(()),
        (false, true) => put(tx, application_id, &now),
        (false, false) => remove(tx, application_id, &now),
    }
}

/// References by the object and the attribute, and by the object that is referred to.
type Named = HashMap<(String, String), BTreeMap<String, Reference>>;

/// What is known of the attributes that are named.
fn named(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    objects: &[Wanted<'_>],
) -> Result<Named, Refusal> {
    let keys: Vec<&str> = objects.iter().map(|it| it.source_key).collect();
    let attributes = objects.iter().flat_map(|it| it.others);
    let attributes: BTreeSet<&str> = attributes.map(|(name, _)| name.as_str()).collect();
    let attributes: Vec<&str> = attributes.into_iter().collect();
    let mut found = Vec::new();
    for (keys, attributes) in keys
        .chunks(CHUNK)
        .flat_map(|keys| attributes.chunks(CHUNK).map(move |names| (keys, names)))
    {
        let mut given: Vec<Param<'_>> = params![application_id, kind.name()].to_vec();
        let (keys, names) = (
            placeholders(keys, &mut given),
            placeholders(attributes, &mut given),
        );
        let sql = format!(
            "SELECT kind, source_key, attribute, other_key, other_kind, told, wanted, applied, due, seen FROM link_references \
             WHERE application_id = $1 AND kind = $2 AND source_key IN ({keys}) AND attribute IN ({names})"
        );
        read(tx, &sql, &given, &mut found)?;
    }
    let mut known = Named::new();
    for reference in found {
        let place = (reference.source_key.clone(), reference.attribute.clone());
        let others = known.entry(place).or_default();
        others.insert(reference.other_key.clone(), reference);
    }
    Ok(known)
}

/// Objects have got resources: what they refer to is due, and what refers to them from objects that have resources.
pub fn linked(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_keys: &[&str],
) -> Result<(), Refusal> {
    for chunk in source_keys.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![application_id, kind.name()].to_vec();
        let list = placeholders(chunk, &mut given);
        let of = format!(
            "UPDATE link_references SET due = TRUE WHERE application_id = $1 AND kind = $2 AND source_key IN ({list}) AND wanted <> applied AND NOT due"
        );
        // A change that looks for references by their end alone would read the whole table.
        let to = format!(
            "UPDATE link_references SET due = TRUE WHERE application_id = $1 AND (kind, source_key, attribute, other_key, other_kind) IN \
             (SELECT r.kind, r.source_key, r.attribute, r.other_key, r.other_kind FROM link_references r WHERE r.application_id = $1 AND r.other_key IN ({list}) AND r.other_kind IN ('', $2)) \
             AND wanted <> applied AND NOT due AND EXISTS (SELECT 1 FROM links h WHERE h.application_id = $1 AND h.kind = link_references.kind AND h.source_key = link_references.source_key AND h.state IN ('managed', 'disabled'))"
        );
        tx.exec(&of, &given)?;
        tx.exec(&to, &given)?;
    }
    Ok(())
}

/// The resource of an object is gone, and with it all that it referred to and that referred to it.
pub fn lost(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
) -> Result<(), Refusal> {
    let object = params![application_id, kind.name(), source_key];
    for statement in [LOST_OF, SWEEP, LOST_TO, SWEEP_TO] {
        tx.exec(statement, &object)?;
    }
    Ok(())
}

/// Forgets what an object refers to that is gone for good.
pub fn forget_of(
    tx: &mut Tx<'_>,
    application_id: &str,
    kind: Kind,
    source_key: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET_OF, &params![application_id, kind.name(), source_key])?)
}

/// The next `limit` references that are due, after one of them (`None` for the first), by the object that refers.
pub fn due(
    tx: &mut Tx<'_>,
    application_id: &str,
    after: Option<&Reference>,
    limit: i64,
) -> Result<Vec<Reference>, Refusal> {
    from(tx, DUE, application_id, after, limit)
}

/// The next `limit` references after one of them (`None` for the first), in the same order.
pub fn page(
    tx: &mut Tx<'_>,
    application_id: &str,
    after: Option<&Reference>,
    limit: i64,
) -> Result<Vec<Reference>, Refusal> {
    from(tx, PAGE, application_id, after, limit)
}

fn from(
    tx: &mut Tx<'_>,
    statement: &str,
    application_id: &str,
    after: Option<&Reference>,
    limit: i64,
) -> Result<Vec<Reference>, Refusal> {
    let mut given: Vec<Param<'_>> = match after {
        Some(last) => key(application_id, last).to_vec(),
        None => params![application_id, "", "", "", "", ""].to_vec(),
    };
    given.push(limit.into());
    let mut found = Vec::new();
    read(tx, statement, &given, &mut found)?;
    Ok(found)
}

/// How many references are due.
pub fn count_due(tx: &mut Tx<'_>, application_id: &str) -> Result<i64, Refusal> {
    Ok(tx
        .query_one(COUNT_DUE, &params![application_id])?
        .map_or(Ok(0), |row| row.int(0))?)
}

/// Writes what has come of a reference that was due.
pub fn settle(
    tx: &mut Tx<'_>,
    application_id: &str,
    reference: &Reference,
    settled: Settled,
) -> Result<(), Refusal> {
    let mut given: Vec<Param<'_>> = key(application_id, reference).to_vec();
    match settled {
        // What is neither wanted nor there is not worth a row.
        Settled::Applied(false) if !reference.told && !reference.wanted => {
            Ok(tx.exec(REMOVE, &given)?)
        }
        Settled::Applied(applied) => {
            given.push(applied.into());
            Ok(tx.exec(APPLY, &given)?)
        }
        Settled::Waits => Ok(tx.exec(WAIT, &given)?),
        Settled::Forgotten => Ok(tx.exec(FORGET, &given)?),
    }
}

/// Has every reference looked at again, those that were forgotten included.
pub fn reconsider(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(RECONSIDER, &params![application_id])?)
}

/// All resources are forgotten, and what the target has of references with them.
pub fn lost_all(tx: &mut Tx<'_>, application_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(LOST, &params![application_id])?)
}

/// Works out anew which people a group has directly or through nested groups. Returns the keys of those who come or go.
pub fn expand(tx: &mut Tx<'_>, application_id: &str, group: &str) -> Result<Vec<String>, Refusal> {
    let given = params![application_id, group];
    let mut moved = Vec::new();
    for statement in [REACHED, UNREACHED] {
        for mut row in tx.query(statement, &given)? {
            moved.push(row.take_text(0)?);
        }
    }
    tx.exec(SWEEP, &params![application_id, Kind::Group.name(), group])?;
    Ok(moved)
}

/// The next `limit` references of an object in one attribute, after one of them (`None` for the first), by the key of
/// the other object.
pub fn of(
    tx: &mut Tx<'_>,
    application_id: &str,
    holder: (Kind, &str),
    attribute: &str,
    after: Option<&Reference>,
    limit: i64,
) -> Result<Vec<Reference>, Refusal> {
    let (other, kind) = after.map_or(("", ""), |last| {
        (&*last.other_key, kind_name(last.other_kind))
    });
    let given = params![
        application_id,
        holder.0.name(),
        holder.1,
        attribute,
        other,
        kind,
        limit
    ];
    let mut found = Vec::new();
    read(tx, MEMBERS_OF, &given, &mut found)?;
    Ok(found)
}

/// `($n, $n+1), …` for at most [`PAIRS`] pairs, filled up to one of few lengths by repeating the last one.
fn rows_of<'a>(pairs: &[(&'a str, &'a str)], given: &mut Vec<Param<'a>>) -> String {
    let places = [1, 16, PAIRS]
        .into_iter()
        .find(|n| pairs.len() <= *n)
        .unwrap_or(PAIRS);
    let last = pairs.last().copied().unwrap_or_default();
    let mut list = Vec::with_capacity(places);
    for i in 0..places {
        let (group, member) = pairs.get(i).copied().unwrap_or(last);
        given.extend([Param::Text(group), Param::Text(member)]);
        list.push(format!("(${}, ${})", given.len() - 1, given.len()));
    }
    list.join(",")
}

fn key<'a>(application_id: &'a str, reference: &'a Reference) -> [Param<'a>; 6] {
    params![
        application_id,
        reference.kind.name(),
        &reference.source_key,
        &reference.attribute,
        &reference.other_key,
        kind_name(reference.other_kind)
    ]
}

fn kind_name(kind: Option<Kind>) -> &'static str {
    kind.map_or("", Kind::name)
}

fn read(
    tx: &mut Tx<'_>,
    sql: &str,
    given: &[Param<'_>],
    found: &mut Vec<Reference>,
) -> Result<(), Refusal> {
    for row in tx.query(sql, given)? {
        found.extend(from_row(row)?);
    }
    Ok(())
}

fn from_row(mut row: Row) -> Result<Option<Reference>, Refusal> {
    let Some(kind) = Kind::by_name(row.text(0)?) else {
        return Ok(None);
    };
    Ok(Some(Reference {
        kind,
        other_kind: Kind::by_name(row.text(4)?),
        told: row.bool(5)?,
        wanted: row.bool(6)?,
        applied: row.bool(7)?,
        due: row.bool(8)?,
        seen: row.int(9)?,
        source_key: row.take_text(1)?,
        attribute: row.take_text(2)?,
        other_key: row.take_text(3)?,
    }))
}
