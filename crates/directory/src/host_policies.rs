//! Policies of hosts: in which version each is, the document that was signed last, and what all hosts of a team go by.
//!
//! A policy gets another version when something changes that its host is to know. The document is made and signed when the
//! host asks for it, from rows alone, and rows are kept for hosts that ask, so that hosts without an agent cost nothing. The
//! first version is there when everybody was worked out. Versions of one host rise and are never used twice. Changes are counted in waves for the whole team, so that one question tells which hosts have changed since.

use crate::host_accounts::{self, HostAccount};
use crate::members::{CHUNK, placeholders};
use crate::{Refusal, hosts};
use portreeve_store::{Param, Tx, params, statements};
use std::collections::BTreeSet;

pub(crate) mod asking;
pub(crate) mod follow;
pub(crate) mod on_host;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod rules;
pub(crate) mod settle;

pub use asking::Asking;
pub use follow::{Behind, Look, Who, behind, look};
pub use on_host::plan_hosts;
pub use plan::{Plan, give_accounts, plan};
pub use rules::{
    PEOPLE, Rules, SUDO, Settings, forget_lease, lease_of, managed_groups, rules, set_lease,
    set_managed_groups, set_settings,
};
pub use settle::{Chunk, chunks, settle};

statements! {
    BEGIN = "INSERT INTO host_policy_feed (team_id, seen_at, wave, common, settings) VALUES ($1, 0, 0, '', '{}') ON CONFLICT (team_id) DO NOTHING";
    BEGIN_HOST = "INSERT INTO host_policies (team_id, host_id, version, wave, issued_version) VALUES ($1, $2, 0, 0, 0) ON CONFLICT (team_id, host_id) DO NOTHING";
    STATE = "SELECT version, issued_version, envelope, issued_at, lease_until FROM host_policies WHERE team_id = $1 AND host_id = $2";
    ISSUED = "UPDATE host_policies SET version = $5, issued_version = $5, envelope = $6, issued_at = $7, lease_until = $8 WHERE team_id = $1 AND host_id = $2 AND version = $3 AND issued_version = $4 RETURNING version";
    WAVE = "SELECT p.wave, (SELECT max(r.position) FROM revocations r WHERE r.team_id = p.team_id) FROM host_policy_feed p WHERE p.team_id = $1";
    SINCE = "SELECT host_id, version, wave FROM host_policies WHERE team_id = $1 AND wave > $2 ORDER BY wave";
    VERSION = "SELECT version FROM host_policies WHERE team_id = $1 AND host_id = $2";
    NEXT_WAVE = "UPDATE host_policy_feed SET wave = wave + 1 WHERE team_id = $1 RETURNING wave";
    RAISE_ALL = "UPDATE host_policies SET version = version + 1, wave = $2 WHERE team_id = $1 AND version > 0";
    COMMON = "SELECT common FROM host_policy_feed WHERE team_id = $1";
    SET_COMMON = "UPDATE host_policy_feed SET common = $2 WHERE team_id = $1";
    CLEAR = "DELETE FROM host_policies WHERE team_id = $1 AND issued_version < 0";
    FORGET = "UPDATE host_policies SET envelope = NULL, issued_version = -1, version = version + 1 WHERE team_id = $1 AND host_id = $2";
}

/// The policy of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The version that it is in; 0: whom it is about is not worked out yet.
    pub version: i64,
    /// That of the document that was signed last; 0: none was.
    pub issued_version: i64,
    /// That document with its signature.
    pub envelope: Option<String>,
    /// When it was signed (microseconds since 1970 UTC).
    pub issued_at: Option<i64>,
    /// Until when the host goes by it without hearing of us; `None`: for ever.
    pub lease_until: Option<i64>,
    /// For how many seconds the host is to go by a document; `None`: for ever.
    pub lease: Option<i64>,
}

/// What a document is made of.
#[derive(Debug, Clone)]
pub struct Material {
    /// In which state the policy is.
    pub state: State,
    /// What the host is called.
    pub host_name: String,
    /// Everybody who has or had an account there.
    pub accounts: Vec<HostAccount>,
    /// What all hosts of the team go by.
    pub rules: Rules,
    /// Groups that are made on hosts, with their numbers, by name.
    pub groups: Vec<(String, u32)>,
    /// As [`common`] has it.
    pub common: String,
}

/// A document that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its version.
    pub version: i64,
    /// The document with its signature.
    pub envelope: String,
    /// When it was made (microseconds since 1970 UTC).
    pub at: i64,
    /// Until when the host goes by it; `None`: for ever.
    pub lease_until: Option<i64>,
}

/// What a team's waiting hosts are to hear of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// How often policies have changed.
    pub wave: i64,
    /// The position of what was revoked last; 0: nothing was.
    pub revoked: i64,
}

impl State {
    /// Whether it is not worked out yet whom it is about.
    pub fn is_new(&self) -> bool {
        self.version == 0
    }
}

/// The changes of a team are followed from now on; doing it twice changes nothing.
pub(crate) fn begin(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(BEGIN, &params![team_id])?)
}

/// A host has a policy from now on, because it asks for it. Whom it is about is worked out by whoever follows the team, and
/// it is in version 0 until then.
///
/// # Errors
/// There is no such host, or no number is left for the groups of the team.
pub fn begin_host(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    hosts::by_id(tx, team_id, host_id)?;
    begin(tx, team_id)?;
    rules::ensure_numbers(tx, team_id)?;
    Ok(tx.exec(BEGIN_HOST, &params![team_id, host_id])?)
}

/// In which state the policy of a host is; `None`: it has not asked for it yet, or is gone.
pub fn state(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<Option<State>, Refusal> {
    let row = tx.query_one(STATE, &params![team_id, host_id])?;
    let Some(mut row) = row else {
        return Ok(None);
    };
    let lease = match lease_of(tx, team_id, host_id)? {
        Some(lease) => lease,
        None => rules(tx, team_id)?.settings.lease,
    };
    Ok(Some(State {
        version: row.int(0)?,
        issued_version: row.int(1)?,
        envelope: row.take_opt_text(2)?,
        issued_at: row.opt_int(3)?,
        lease_until: row.opt_int(4)?,
        lease,
    }))
}

/// What the document of a host is made of; `None` as [`state`].
pub fn material(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
) -> Result<Option<Material>, Refusal> {
    let Some(state) = state(tx, team_id, host_id)? else {
        return Ok(None);
    };
    Ok(Some(Material {
        state,
        host_name: hosts::by_id(tx, team_id, host_id)?.name,
        accounts: host_accounts::of_host(tx, team_id, host_id)?,
        groups: rules::managed(tx, team_id)?,
        common: common(tx, team_id)?,
        rules: rules(tx, team_id)?,
    }))
}

/// Writes down that a document was signed, if nothing has changed since that state was read. Whether it was written.
pub fn issued(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    before: &State,
    issued: &Issued,
) -> Result<bool, Refusal> {
    let row = params![
        team_id,
        host_id,
        before.version,
        before.issued_version,
        issued.version,
        &issued.envelope,
        issued.at,
        issued.lease_until
    ];
    Ok(tx.query_one(ISSUED, &row)?.is_some())
}

/// What the hosts of a team that wait are to hear of.
pub fn news(tx: &mut Tx<'_>, team_id: &str) -> Result<News, Refusal> {
    let row = tx.query_one(WAVE, &params![team_id])?;
    row.map_or(Ok(News::default()), |row| {
        Ok(News {
            wave: row.int(0)?,
            revoked: row.opt_int(1)?.unwrap_or(0),
        })
    })
}

/// The version of a host's policy, 0 where it has none; and the news of the team as of the same moment.
pub fn version(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(i64, News), Refusal> {
    let row = tx.query_one(VERSION, &params![team_id, host_id])?;
    let version = row.map_or(Ok(0), |row| row.int(0))?;
    Ok((version, news(tx, team_id)?))
}

/// The hosts of a team whose policies have changed after a wave, with their versions.
pub fn since(tx: &mut Tx<'_>, team_id: &str, wave: i64) -> Result<Vec<(String, i64)>, Refusal> {
    let rows = tx.query(SINCE, &params![team_id, wave])?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, row.int(1)?)))
        .collect()
}

/// A hash of what all documents of a team have in common besides the rules; empty before it was first said.
pub fn common(tx: &mut Tx<'_>, team_id: &str) -> Result<String, Refusal> {
    let row = tx.query_one(COMMON, &params![team_id])?;
    row.map_or(Ok(String::new()), |mut row| Ok(row.take_text(0)?))
}

/// Says what all documents have in common now. Where it was something else, all hosts get another version.
pub fn set_common(tx: &mut Tx<'_>, team_id: &str, hash: &str) -> Result<(), Refusal> {
    let before = common(tx, team_id)?;
    if before == hash {
        return Ok(());
    }
    tx.exec(SET_COMMON, &params![team_id, hash])?;
    match before.is_empty() {
        true => Ok(()),
        false => raise_all(tx, team_id),
    }
}

/// All hosts of a team get another version.
pub(crate) fn raise_all(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    let wave = next_wave(tx, team_id)?;
    Ok(tx.exec(RAISE_ALL, &params![team_id, wave])?)
}

/// Some hosts get another version: their ids with it. Those that have not heard of the first one keep that.
pub(crate) fn raise(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_ids: &[&str],
) -> Result<Vec<(String, i64)>, Refusal> {
    if host_ids.is_empty() {
        return Ok(Vec::new());
    }
    let wave = next_wave(tx, team_id)?;
    let mut raised = Vec::new();
    for chunk in host_ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![team_id, wave].to_vec();
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            "UPDATE host_policies SET version = version + 1, wave = $2 WHERE team_id = $1 AND host_id IN ({list}) AND version > 0 RETURNING host_id, version"
        );
        for mut row in tx.query(&sql, &given)? {
            raised.push((row.take_text(0)?, row.int(1)?));
        }
    }
    Ok(raised)
}

/// Forgets the policies of hosts that are gone. Their rows go when the next ones do, so that whoever waits hears of it by
/// their last version.
pub(crate) fn forget_hosts(
    tx: &mut Tx<'_>,
    team_id: &str,
    gone: &BTreeSet<String>,
) -> Result<(), Refusal> {
    if gone.is_empty() {
        return Ok(());
    }
    tx.exec(CLEAR, &params![team_id])?;
    let ids: Vec<&str> = gone.iter().map(String::as_str).collect();
    raise(tx, team_id, &ids)?;
    for host_id in ids {
        tx.exec(FORGET, &params![team_id, host_id])?;
        rules::forget_lease_of_gone(tx, team_id, host_id)?;
    }
    Ok(())
}

fn next_wave(tx: &mut Tx<'_>, team_id: &str) -> Result<i64, Refusal> {
    let row = tx.query_one(NEXT_WAVE, &params![team_id])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}
