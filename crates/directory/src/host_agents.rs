//! The agents of hosts: which hosts are waited for, which have enrolled, and what they last said.

use crate::Refusal;
use portreeve_store::{Row, Tx, params, statements};
use std::collections::HashMap;

/// What [`from_row`] takes.
macro_rules! select {
    () => {
        "SELECT a.host_id, a.status, a.host_key, a.identity, a.identity_before, a.hostnames, a.enrolled_at, a.left_at, a.reported_at, a.version, a.os, a.boot_id, a.applied_version, a.applied_at, a.lease_until, a.krl, a.certificate_serial, a.certificate_until, a.clock_ahead, a.conflicts, a.doctor, p.version, p.issued_version, p.issued_at FROM host_agents a LEFT JOIN host_policies p ON p.team_id = a.team_id AND p.host_id = a.host_id"
    };
}

statements! {
    BY_HOST = concat!(select!(), " WHERE a.team_id = $1 AND a.host_id = $2");
    BETWEEN = concat!(select!(), " JOIN hosts h ON h.team_id = a.team_id AND h.id = a.host_id WHERE a.team_id = $1 AND h.name_key >= $2 AND h.name_key <= $3");
    OF_TEAM = concat!(select!(), " WHERE a.team_id = $1");
    OF_HOLDER = concat!(select!(), " WHERE a.team_id = $1 AND a.host_id IN (SELECT host_id FROM host_accounts WHERE team_id = $1 AND holder_id = $2 UNION SELECT host_id FROM host_removals WHERE team_id = $1 AND holder_id = $2)");
    SILENT = "SELECT count(*) FROM host_agents WHERE team_id = $1 AND status = 'enrolled' AND reported_at < $2";
    REGISTER = "INSERT INTO host_agents (team_id, host_id, status, host_key, hostnames, version, os, conflicts) VALUES ($1, $2, 'registered', $3, '[]', '', '', '[]')";
    ENROL = "INSERT INTO host_agents (team_id, host_id, status, host_key, hostnames, enrolled_at, version, os, conflicts) VALUES ($1, $2, 'enrolled', $3, $4, $5, $6, $7, '[]')";
    IDENTIFIED = "UPDATE host_agents SET identity = $3, identity_before = $4 WHERE team_id = $1 AND host_id = $2 AND status = 'enrolled'";
    REPORT = "UPDATE host_agents SET reported_at = $4, version = $5, os = $6, boot_id = $7, applied_version = $8, applied_at = $9, lease_until = $10, krl = $11, certificate_serial = $12, certificate_until = $13, clock_ahead = $14, conflicts = $15, doctor = COALESCE($16, doctor), identity_before = CASE WHEN identity = $3 THEN NULL ELSE identity_before END WHERE team_id = $1 AND host_id = $2 AND status = 'enrolled'";
    LEAVE = "UPDATE host_agents SET status = 'left', left_at = $3, host_key = NULL, identity = NULL, identity_before = NULL WHERE team_id = $1 AND host_id = $2 AND status = 'enrolled' RETURNING host_id";
    FORGET = "DELETE FROM host_agents WHERE team_id = $1 AND host_id = $2";
}

/// How far a host has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has no agent, as far as is known.
    Registered,
    /// It has one, which has proven itself.
    Enrolled,
    /// Its agent has taken leave.
    Left,
}

impl Status {
    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Enrolled => "enrolled",
            Self::Left => "left",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "enrolled" => Self::Enrolled,
            "left" => Self::Left,
            _ => Self::Registered,
        }
    }
}

/// The agent of a host, as it was last heard. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The host.
    pub host_id: String,
    /// How far it has come.
    pub status: Status,
    /// `SHA256:…` of the key by which it proves to be this host.
    pub host_key: Option<String>,
    /// The serial number of its identity certificate.
    pub identity: Option<String>,
    /// That of the one before, which is good until the newer one is used.
    pub identity_before: Option<String>,
    /// Names in its certificate beside its own.
    pub hostnames: Vec<String>,
    /// When it enrolled last.
    pub enrolled_at: Option<i64>,
    /// When it took leave.
    pub left_at: Option<i64>,
    /// When it reported last; `None`: it has not since it enrolled.
    pub reported_at: Option<i64>,
    /// What it said then.
    pub said: Said,
    /// The policy that there is for it; `None`: none was made yet.
    pub policy: Option<Policy>,
}

/// What an agent says of its host. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The version of the agent.
    pub version: String,
    /// The operating system.
    pub os: String,
    /// Changes with each start of the machine.
    pub boot_id: Option<String>,
    /// The version of the policy that is in force, and since when.
    pub applied: Option<(i64, i64)>,
    /// When the host closes by itself.
    pub lease_until: Option<i64>,
    /// The entity tag of the revocation list in force.
    pub krl: Option<String>,
    /// The certificate that `sshd` shows, by its serial number, and its end.
    pub certificate: Option<(i64, i64)>,
    /// By how many milliseconds its clock is ahead of ours.
    pub clock_ahead: Option<i64>,
    /// What of the policy was not done, as a JSON array.
    pub conflicts: String,
    /// What the doctor found last, as a JSON array.
    pub doctor: Option<String>,
}

/// The policy that there is for a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Its version.
    pub version: i64,
    /// The version of the document that was signed last, which the host may have fetched; 0: none was.
    pub issued_version: i64,
    /// When that was signed.
    pub issued_at: Option<i64>,
}

impl Agent {
    /// Whether it may speak for its host with the identity certificate of that serial number.
    pub fn is(&self, serial: &str) -> bool {
        let known = [&self.identity, &self.identity_before];
        self.status == Status::Enrolled && known.into_iter().flatten().any(|known| known == serial)
    }
}

/// The agent of a host; `None`: nobody has heard of one.
pub fn by_host(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<Option<Agent>, Refusal> {
    let row = tx.query_one(BY_HOST, &params![team_id, host_id])?;
    row.map(from_row).transpose()
}

/// The agents of the hosts whose folded names are from the first to the last one, by the id of the host.
pub fn between(
    tx: &mut Tx<'_>,
    team_id: &str,
    (first, last): (&str, &str),
) -> Result<HashMap<String, Agent>, Refusal> {
    by_id(tx.query(BETWEEN, &params![team_id, first, last])?)
}

/// The agents of all hosts of a team, by the id of the host.
pub fn of_team(tx: &mut Tx<'_>, team_id: &str) -> Result<HashMap<String, Agent>, Refusal> {
    by_id(tx.query(OF_TEAM, &params![team_id])?)
}

/// The agents of the hosts on which somebody has or had an account, by the id of the host.
pub fn of_holder(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
) -> Result<HashMap<String, Agent>, Refusal> {
    by_id(tx.query(OF_HOLDER, &params![team_id, holder_id])?)
}

/// How many hosts have reported, and not since that time.
pub fn silent(tx: &mut Tx<'_>, team_id: &str, since: i64) -> Result<i64, Refusal> {
    match tx.query_one(SILENT, &params![team_id, since])? {
        Some(row) => Ok(row.int(0)?),
        None => Ok(0),
    }
}

/// Waits for a new host, which will prove itself by the key with that fingerprint.
pub fn register(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    host_key: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(REGISTER, &params![team_id, host_id, host_key])?)
}

/// A host has enrolled, with the key of that fingerprint. What was known of its agent before is forgotten.
pub fn enrol(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    (host_key, hostnames): (&str, &[String]),
    said: (&str, &str),
    now: i64,
) -> Result<(), Refusal> {
    forget(tx, team_id, host_id)?;
    let hostnames = serde_json::Value::from(hostnames.to_vec()).to_string();
    let row = params![team_id, host_id, host_key, &hostnames, now, said.0, said.1];
    Ok(tx.exec(ENROL, &row)?)
}

/// A host has got an identity certificate; the one that it has shown for it, if any, is good until the new one is used.
pub fn identified(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    (new, before): (&str, Option<&str>),
) -> Result<(), Refusal> {
    Ok(tx.exec(IDENTIFIED, &params![team_id, host_id, new, before])?)
}

/// Keeps what an agent says, which has shown the identity certificate of that serial number.
pub fn report(
    tx: &mut Tx<'_>,
    team_id: &str,
    (host_id, serial): (&str, &str),
    said: &Said,
    now: i64,
) -> Result<(), Refusal> {
    let row = params![
        team_id,
        host_id,
        serial,
        now,
        &said.version,
        &said.os,
        said.boot_id.as_ref(),
        said.applied.map(|applied| applied.0),
        said.applied.map(|applied| applied.1),
        said.lease_until,
        said.krl.as_ref(),
        said.certificate.map(|shown| shown.0),
        said.certificate.map(|shown| shown.1),
        said.clock_ahead,
        &said.conflicts,
        said.doctor.as_ref(),
    ];
    Ok(tx.exec(REPORT, &row)?)
}

/// The agent of a host takes leave. `false`: it had none.
pub fn leave(tx: &mut Tx<'_>, team_id: &str, host_id: &str, now: i64) -> Result<bool, Refusal> {
    let row = tx.query_one(LEAVE, &params![team_id, host_id, now])?;
    Ok(row.is_some())
}

/// Forgets the agent of a host.
pub fn forget(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET, &params![team_id, host_id])?)
}

fn by_id(rows: Vec<Row>) -> Result<HashMap<String, Agent>, Refusal> {
    let mut agents = HashMap::with_capacity(rows.len());
    for row in rows {
        let agent = from_row(row)?;
        agents.insert(agent.host_id.clone(), agent);
    }
    Ok(agents)
}

fn from_row(mut row: Row) -> Result<Agent, Refusal> {
    // Only we write it.
    let hostnames = serde_json::from_str(row.text(5)?).unwrap_or_default();
    let policy = match (row.opt_int(21)?, row.opt_int(22)?) {
        (Some(version), Some(issued_version)) => Some(Policy {
            version,
            issued_version,
            issued_at: row.opt_int(23)?,
        }),
        _ => None,
    };
    Ok(Agent {
        status: Status::of(row.text(1)?),
        hostnames,
        enrolled_at: row.opt_int(6)?,
        left_at: row.opt_int(7)?,
        reported_at: row.opt_int(8)?,
        policy,
        said: Said {
            applied: row.opt_int(12)?.zip(row.opt_int(13)?),
            lease_until: row.opt_int(14)?,
            certificate: row.opt_int(16)?.zip(row.opt_int(17)?),
            clock_ahead: row.opt_int(18)?,
            version: row.take_text(9)?,
            os: row.take_text(10)?,
            boot_id: row.take_opt_text(11)?,
            krl: row.take_opt_text(15)?,
            conflicts: row.take_text(19)?,
            doctor: row.take_opt_text(20)?,
        },
        host_id: row.take_text(0)?,
        host_key: row.take_opt_text(2)?,
        identity: row.take_opt_text(3)?,
        identity_before: row.take_opt_text(4)?,
    })
}
