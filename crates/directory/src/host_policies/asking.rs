//! The hosts that ask for their policies. For others nothing is worked out.

use crate::Refusal;
use crate::members::{CHUNK, placeholders};
use portreeve_store::{Param, Row, Tx, params, statements};
use std::collections::HashSet;

statements! {
    /// Also those that wait for their first version.
    EACH = "SELECT host_id FROM host_policies WHERE team_id = $1 AND issued_version >= 0";
    NEW = "SELECT host_id, queued_at FROM host_policies WHERE team_id = $1 AND version = 0";
    OLDEST = "SELECT min(due_at) FROM host_policy_queue WHERE team_id = $1";
    QUEUED = "UPDATE host_policies SET queued_at = $3 WHERE team_id = $1 AND host_id = $2 AND version = 0";
    READY = "UPDATE host_policies SET version = 1, wave = $3, queued_at = NULL WHERE team_id = $1 AND host_id = $2 AND version = 0";
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

/// Hosts that wait for their first version.
#[derive(Debug, Default)]
pub(super) struct New {
    /// Those whose people are to be worked out.
    pub(super) unseen: Vec<String>,
    /// Those whose people were.
    pub(super) ready: Vec<String>,
}

/// The hosts that wait for their first version.
pub(super) fn new(tx: &mut Tx<'_>, team_id: &str) -> Result<New, Refusal> {
    let mut new = New::default();
    let rows = tx.query(NEW, &params![team_id])?;
    if rows.is_empty() {
        return Ok(new);
    }
    let oldest = tx.query_one(OLDEST, &params![team_id])?;
    let oldest = oldest.map_or(Ok(None), |row| row.opt_int(0))?;
    for mut row in rows {
        match row.opt_int(1)? {
            None => new.unseen.push(row.take_text(0)?),
            // Whoever has waited since then is not looked at yet.
            Some(since) if oldest.is_some_and(|oldest| oldest <= since) => {}
            Some(_) => new.ready.push(row.take_text(0)?),
        }
    }
    Ok(new)
}

/// The people of some hosts wait to be worked out since a time.
pub(super) fn queued(
    tx: &mut Tx<'_>,
    team_id: &str,
    hosts: &[String],
    at: i64,
) -> Result<(), Refusal> {
    for host_id in hosts {
        tx.exec(QUEUED, &params![team_id, host_id, at])?;
    }
    Ok(())
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

fn ids(rows: Vec<Row>) -> Result<HashSet<String>, Refusal> {
    let ids = rows.into_iter().map(|mut row| Ok(row.take_text(0)?));
    ids.collect()
}
