//! By which groups somebody is in a group, and for how long.

use super::moment;
use crate::Refusal;
use crate::members::{self, CHUNK};
use crate::memberships::InGroup;
use portreeve_access::Membership;
use portreeve_store::{Param, Tx};
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

/// The groups that somebody is in, each with the way on which that lasts longest.
pub(super) fn memberships(
    tx: &mut Tx<'_>,
    directory_id: &str,
    groups: Vec<InGroup>,
) -> Result<Vec<Membership>, Refusal> {
    if groups.iter().all(|group| group.direct) {
        return Ok(groups.into_iter().map(own).collect());
    }
    let outer = outer(tx, directory_id, &groups)?;
    let (mut own_groups, mut rest): (Vec<_>, HashMap<_, _>) = (Vec::new(), HashMap::new());
    for group in groups {
        rest.insert(group.id.clone(), group.display.clone());
        if group.direct {
            own_groups.push(own(group));
        }
    }
    // Whatever is reached from the one that lasts longest lasts as long.
    own_groups.sort_by_key(|membership| {
        Reverse(
            membership
                .until
                .map_or(i128::MAX, |until| until.as_nanosecond()),
        )
    });
    let mut all = Vec::new();
    for first in own_groups {
        let mut ways = VecDeque::from([first]);
        while let Some(way) = ways.pop_front() {
            if rest.remove(&way.group_id).is_none() {
                continue;
            }
            let through: Vec<String> = way.through.iter().chain([&way.group]).cloned().collect();
            for group_id in outer.get(&way.group_id).into_iter().flatten() {
                if let Some(name) = rest.get(group_id) {
                    ways.push_back(Membership {
                        group_id: group_id.clone(),
                        group: name.clone(),
                        through: through.clone(),
                        until: way.until,
                    });
                }
            }
            all.push(way);
        }
    }
    Ok(all)
}

/// The membership in a group of somebody who is a member itself.
fn own(group: InGroup) -> Membership {
    let local = group.local.filter(|_| !group.managed);
    Membership {
        until: local.and_then(|local| local.expires_at).map(moment),
        group_id: group.id,
        group: group.display,
        through: Vec::new(),
    }
}

/// For each of some groups, those that it is a member of.
fn outer(
    tx: &mut Tx<'_>,
    directory_id: &str,
    groups: &[InGroup],
) -> Result<HashMap<String, Vec<String>>, Refusal> {
    let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    let mut outer: HashMap<String, Vec<String>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![directory_id.into()];
        let list = members::placeholders(chunk, &mut given);
        let sql = format!(
            "SELECT member_id, group_id FROM members WHERE directory_id = $1 AND member_id IN ({list}) ORDER BY member_id, group_id"
        );
        for mut row in tx.query(&sql, &given)? {
            let (inner, group) = (row.take_text(0)?, row.take_text(1)?);
            outer.entry(inner).or_default().push(group);
        }
    }
    Ok(outer)
}
