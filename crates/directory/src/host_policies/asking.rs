//! The hosts that ask for their policies. For others nothing is worked out.

use crate::Refusal;
use crate::members::{CHUNK, placeholders};
use portreeve_store::{Param, Row, Tx, params, statements};
use std::collections::HashSet;

/// New hosts that are looked at, at once.
const AT_ONCE: i64 = 100;

statements! {
    /// Also those that wait for their first version.
    EACH = "SELECT host_id FROM host_policies WHERE team_id = $1 AND issued_version >= 0";
    NEW = "SELECT host_id FROM host_policies WHERE team_id = $1 AND version = 0 ORDER BY host_id LIMIT $2";
    READY = "UPDATE host_policies SET version = 1, wave = $3 WHERE team_id = $1 AND host_id = $2 AND version = 0";
}

/// Which hosts of a team ask, as of one moment. They are read when they are needed first, because somebody with few hosts
/// needs a few of them only.
#[derive(Debug, Default)]
pub struct Asking(Option<HashSet<String>>);

impl Asking {
    /// Those of some hosts that ask.
    pub(super) fn among(
        &mut self,
        tx: &mut Tx<'_>,
        team_id: &str,
        hosts: &[&str],
    ) -> Result<HashSet<String>, Refusal> {
        if hosts.len() <= CHUNK && self.0.is_none() {
            return few(tx, team_id, hosts);
        }
        let all = match &mut self.0 {
            Some(all) => all,
            none => none.insert(ids(tx.query(EACH, &params![team_id])?)?),
        };
        let known = hosts.iter().filter_map(|id| all.get(*id));
        Ok(known.cloned().collect())
    }
}

/// The first of the hosts that wait for their first version.
pub(super) fn new(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(NEW, &params![team_id, AT_ONCE])?;
    ids(rows)
}

/// Some hosts have their first version.
pub(super) fn ready(tx: &mut Tx<'_>, team_id: &str, hosts: &[String]) -> Result<(), Refusal> {
    if hosts.is_empty() {
        return Ok(());
    }
    let wave = super::next_wave(tx, team_id)?;
    for host_id in hosts {
        tx.exec(READY, &params![team_id, host_id, wave])?;
    }
    Ok(())
}

fn few(tx: &mut Tx<'_>, team_id: &str, hosts: &[&str]) -> Result<HashSet<String>, Refusal> {
    if hosts.is_empty() {
        return Ok(HashSet::new());
    }
    let mut given: Vec<Param<'_>> = params![team_id].to_vec();
    let list = placeholders(hosts, &mut given);
    let sql = format!(
        "SELECT host_id FROM host_policies WHERE team_id = $1 AND host_id IN ({list}) AND issued_version >= 0"
    );
    ids(tx.query(&sql, &given)?)
}

fn ids<C: FromIterator<String>>(rows: Vec<Row>) -> Result<C, Refusal> {
    let ids = rows.into_iter().map(|mut row| Ok(row.take_text(0)?));
    ids.collect()
}
