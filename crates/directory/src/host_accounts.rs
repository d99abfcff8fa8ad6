//! Who has an account on which host, as access said when it was last worked out.
//!
//! One row for each person and host, written by the follower of a team's changes alone, so that what a host is to know is
//! read and not decided anew. A row stays when access ends: it says since when, and whose the files are that are left.

use crate::holders::Holder;
use crate::{Refusal, access};
use jiff::Timestamp;
use portreeve_store::{Row, Tx, params, statements};

mod wanted;

pub(crate) use wanted::wanted;

/// What [`from_row`] takes.
macro_rules! select {
    () => {
        "SELECT host_id, holder_id, directory_id, account, is_shared, name, uid, gid, home, full_name, state, sudo, posix_groups, principals, until_at, since_at, denied_at, version FROM host_accounts WHERE team_id = $1"
    };
}

statements! {
    OF_HOST = concat!(select!(), " AND host_id = $2 ORDER BY account, holder_id");
    OF_HOLDER = concat!(select!(), " AND holder_id = $2 ORDER BY host_id");
    ON = "SELECT directory_id, holder_id FROM host_accounts WHERE team_id = $1 AND host_id = $2 AND state = 'active' ORDER BY holder_id";
    EVERYBODY = "SELECT DISTINCT directory_id, holder_id FROM host_accounts WHERE team_id = $1 AND state = 'active'";
    PUT = "INSERT INTO host_accounts (team_id, host_id, holder_id, directory_id, account, is_shared, name, uid, gid, home, full_name, state, sudo, posix_groups, principals, until_at, since_at, denied_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', $12, $13, $14, $15, $16, NULL, $17) \
        ON CONFLICT (team_id, host_id, holder_id) DO UPDATE SET account = excluded.account, is_shared = excluded.is_shared, name = excluded.name, uid = excluded.uid, gid = excluded.gid, home = excluded.home, full_name = excluded.full_name, state = excluded.state, sudo = excluded.sudo, posix_groups = excluded.posix_groups, principals = excluded.principals, until_at = excluded.until_at, since_at = excluded.since_at, denied_at = excluded.denied_at, version = excluded.version";
    LEAVE = "UPDATE host_accounts SET state = 'left', denied_at = $4, version = $5 WHERE team_id = $1 AND host_id = $2 AND holder_id = $3";
    REMOVE = "DELETE FROM host_accounts WHERE team_id = $1 AND host_id = $2 AND holder_id = $3 AND state = 'left'";
}

/// Somebody and a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAccount {
    /// Where.
    pub host_id: String,
    /// Who: a user or service account, which may be gone.
    pub holder: Holder,
    /// The name that they log in by, or did.
    pub account: String,
    /// Whether that account is the host's own, so that there is nothing to be made.
    pub is_shared: bool,
    /// Their own account there, now or before; `None`: they never had one.
    pub own: Option<Own>,
    /// What they are called.
    pub full_name: String,
    /// Whether they may log in. If not, the following says what they had last.
    pub is_active: bool,
    /// Whether they may use `sudo`.
    pub sudo: bool,
    /// POSIX groups that they are in there, in order.
    pub posix_groups: Vec<String>,
    /// Other accounts of the host that grants let them into, in order.
    pub principals: Vec<Extra>,
    /// When it ends by itself (microseconds since 1970 UTC, as the following); `None`: never.
    pub until_at: Option<i64>,
    /// Since when they have had access without a break, or had when it ended.
    pub since_at: i64,
    /// Since when they have none; `None`: they have.
    pub denied_at: Option<i64>,
    /// The version of the host's policy that tells of it first. A host that has applied that one knows.
    pub version: i64,
}

/// An account that was made for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// What it is called.
    pub name: String,
    /// Number of the user.
    pub uid: u32,
    /// Number of the user's own group.
    pub gid: u32,
    /// The name of the home, below where homes are. It stays when the account is renamed.
    pub home: String,
}

/// An account of the host's own that somebody may log in to besides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extra {
    /// What it is called.
    pub name: String,
    /// Until when (microseconds since 1970 UTC); `None`: without end.
    pub until_at: Option<i64>,
}

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// They have access, as this says; `version` and `since_at` are filled in as it is written.
    Put(Box<HostAccount>),
    /// They have none any more on this host.
    Leave(String),
}

impl Change {
    /// The host that it is about.
    pub(crate) fn host_id(&self) -> &str {
        match self {
            Self::Put(row) => &row.host_id,
            Self::Leave(host_id) => host_id,
        }
    }
}

/// Everybody who has or had an account on a host, by the account's name.
pub fn of_host(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<Vec<HostAccount>, Refusal> {
    let rows = tx.query(OF_HOST, &params![team_id, host_id])?;
    rows.into_iter().map(from_row).collect()
}

/// All hosts where somebody has or had an account, by the hosts' ids. A host may be gone.
pub fn of_holder(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
) -> Result<Vec<HostAccount>, Refusal> {
    let rows = tx.query(OF_HOLDER, &params![team_id, holder_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Forgets that somebody had an account on a host, because what was left of it there is removed. Whoever has access keeps
/// their row.
pub fn remove(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    holder_id: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(REMOVE, &params![team_id, host_id, holder_id])?)
}

/// Who may log in to a host.
pub(crate) fn on(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<Vec<Holder>, Refusal> {
    holders(&tx.query(ON, &params![team_id, host_id])?)
}

/// Who may log in anywhere.
pub(crate) fn everybody(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Holder>, Refusal> {
    holders(&tx.query(EVERYBODY, &params![team_id])?)
}

/// Writes a change, as part of that version of the host's policy.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder: &Holder,
    change: &Change,
    (version, now): (i64, i64),
) -> Result<(), Refusal> {
    let row = match change {
        Change::Put(row) => row,
        Change::Leave(host_id) => {
            let row = params![team_id, host_id, holder.id(), now, version];
            return Ok(tx.exec(LEAVE, &row)?);
        }
    };
    let (groups, principals) = (row.posix_groups.join(" "), extras_text(&row.principals)?);
    let number = |number: fn(&Own) -> u32| row.own.as_ref().map(|own| i64::from(number(own)));
    let text = |text: fn(&Own) -> &String| row.own.as_ref().map(|own| text(own).as_str());
    let row = params![
        team_id,
        &row.host_id,
        holder.id(),
        holder.directory_id().unwrap_or_default(),
        &row.account,
        row.is_shared,
        text(|own| &own.name),
        number(|own| own.uid),
        number(|own| own.gid),
        text(|own| &own.home),
        &row.full_name,
        row.sudo,
        &groups,
        &principals,
        row.until_at,
        row.since_at,
        version
    ];
    Ok(tx.exec(PUT, &row)?)
}

/// Microseconds since 1970 UTC.
pub(crate) fn micros(until: Option<Timestamp>) -> Option<i64> {
    until.map(Timestamp::as_microsecond)
}

impl HostAccount {
    /// When it ends by itself, as documents say it.
    pub fn until(&self) -> Option<Timestamp> {
        self.until_at.map(access::moment)
    }
}

fn holders(rows: &[Row]) -> Result<Vec<Holder>, Refusal> {
    rows.iter().map(|row| holder(row, 0, 1)).collect()
}

/// From the columns that say who it is: service accounts are in no directory.
pub(crate) fn holder(row: &Row, directory_id: usize, id: usize) -> Result<Holder, Refusal> {
    let (directory_id, id) = (row.text(directory_id)?, row.text(id)?.to_owned());
    Ok(match directory_id {
        "" => Holder::Service(id),
        directory_id => Holder::User {
            directory_id: directory_id.to_owned(),
            id,
        },
    })
}

fn from_row(mut row: Row) -> Result<HostAccount, Refusal> {
    let number = |column| row.opt_int(column).map(|number| number.map(u32::try_from));
    let own = match (number(6)?, number(7)?) {
        (Some(Ok(uid)), Some(Ok(gid))) => Some((uid, gid)),
        _ => None,
    };
    let principals = extras_of(row.text(13)?)?;
    Ok(HostAccount {
        holder: holder(&row, 2, 1)?,
        is_shared: row.bool(4)?,
        is_active: row.text(10)? == "active",
        sudo: row.bool(11)?,
        posix_groups: row
            .text(12)?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        principals,
        until_at: row.opt_int(14)?,
        since_at: row.int(15)?,
        denied_at: row.opt_int(16)?,
        version: row.int(17)?,
        own: match own {
            Some((uid, gid)) => Some(Own {
                name: row.take_opt_text(5)?.unwrap_or_default(),
                home: row.take_opt_text(8)?.unwrap_or_default(),
                uid,
                gid,
            }),
            None => None,
        },
        host_id: row.take_text(0)?,
        account: row.take_text(3)?,
        full_name: row.take_text(9)?,
    })
}

fn extras_text(extras: &[Extra]) -> Result<String, Refusal> {
    let pairs: Vec<(&str, Option<i64>)> = extras
        .iter()
        .map(|extra| (extra.name.as_str(), extra.until_at))
        .collect();
    serde_json::to_string(&pairs).map_err(|error| unreadable(&error))
}

fn extras_of(text: &str) -> Result<Vec<Extra>, Refusal> {
    let pairs: Vec<(String, Option<i64>)> =
        serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    Ok(pairs
        .into_iter()
        .map(|(name, until_at)| Extra { name, until_at })
        .collect())
}

/// This program wrote it, so that failure means a damaged database.
fn unreadable(error: &serde_json::Error) -> Refusal {
    Refusal::Store(portreeve_store::Error::Failed(format!(
        "what somebody may do on a host cannot be read: {error}; restore the database from a backup"
    )))
}
