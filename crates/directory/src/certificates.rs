//! SSH certificates: every one that was ever issued, for whom, why, and whether it still counts.
//!
//! The row is written before the certificate is signed, so that there is none that nobody knows of.

use crate::events::{self, Category, Cause, Outcome};
use crate::holders::Holder;
use crate::{Refusal, What};
use portreeve_store::{Param, Row, Tx, params, statements};
use serde_json::{Value, json};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "serial, kind, authority_id, holder_kind, directory_id, holder_id, key_id, principals, key_type, fingerprint, grants, provisioner, address, valid_after, valid_before, issued_at, replaces, revoked_at, revoked_why"
    };
}

statements! {
    INSERT = concat!("INSERT INTO certificates (team_id, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, NULL, NULL)");
    BY_SERIAL = concat!("SELECT ", columns!(), " FROM certificates WHERE team_id = $1 AND serial = $2");
    LAST_END = "SELECT max(valid_before) FROM certificates WHERE team_id = $1 AND valid_before > $3 AND authority_id = $2";
    COUNT_OF = "SELECT count(*) FROM certificates WHERE team_id = $1 AND holder_id = $2 AND valid_before > $3 AND revoked_at IS NULL";
    COUNT_LIVE = "SELECT count(*) FROM certificates WHERE team_id = $1 AND valid_before > $2 AND revoked_at IS NULL";
    LAST_OF_HOLDER = concat!("SELECT ", columns!(), " FROM certificates WHERE team_id = $1 AND holder_id = $2 AND valid_before > $3 AND revoked_at IS NULL ORDER BY valid_before DESC LIMIT 1");
    PRUNE = "DELETE FROM certificates WHERE team_id = $1 AND serial IN (SELECT serial FROM certificates WHERE team_id = $1 AND valid_before < $2 ORDER BY valid_before LIMIT $3) RETURNING serial";
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who logs in.
    User,
    /// A machine.
    Host,
}

impl Kind {
    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host => "host",
        }
    }
}

/// Whose a certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A person's, or a service account's.
    Holder(Holder),
    /// A host's, by its id.
    Host(String),
    /// That of a name that a provisioner vouched for, and that is nobody's here.
    Nobody,
}

impl Whose {
    /// `user`, `owner`, `service` or `host`.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Holder(holder) => Some(holder.kind()),
            Self::Host(_) => Some("host"),
            Self::Nobody => None,
        }
    }

    /// The id of user, service account or host.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Holder(holder) => Some(holder.id()),
            Self::Host(id) => Some(id),
            Self::Nobody => None,
        }
    }

    /// The directory of a user.
    pub fn directory_id(&self) -> Option<&str> {
        match self {
            Self::Holder(holder) => holder.directory_id(),
            Self::Host(_) | Self::Nobody => None,
        }
    }
}

/// A certificate as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its own serial number: random, above 0.
    pub serial: i64,
    /// For whom.
    pub kind: Kind,
    /// The key that signed it.
    pub authority_id: String,
    /// Whose it is.
    pub whose: Whose,
    /// What the logs of servers show.
    pub key_id: String,
    /// Accounts, or names of the machine.
    pub principals: Vec<String>,
    /// Such as `ssh-ed25519`.
    pub key_type: String,
    /// `SHA256:…` of the key.
    pub fingerprint: String,
    /// The grants that it rests on, by id.
    pub grants: Vec<String>,
    /// How it was asked for: the name of a provisioner, or none.
    pub provisioner: Option<String>,
    /// From which address.
    pub address: String,
    /// Microseconds since 1970 UTC, as the following ones.
    pub valid_after: i64,
    /// The end, not included.
    pub valid_before: i64,
    /// When it was recorded.
    pub issued_at: i64,
    /// The serial number of the one that it takes the place of.
    pub replaces: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Why: `suspended`, `removed`, `revoked`, ….
    pub revoked_why: Option<String>,
}

/// Whether a certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Live,
    /// It has run out.
    Expired,
    /// It was revoked.
    Revoked,
}

impl State {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Certificate {
    /// Whether it counts at that time.
    pub fn state(&self, now: i64) -> State {
        match self.revoked_at {
            Some(_) => State::Revoked,
            None if self.valid_before <= now => State::Expired,
            None => State::Live,
        }
    }
}

/// Writes a certificate down that is about to be signed, with its event. `extra` are further entries of that event.
pub fn record(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    new: &Certificate,
    extra: &[Value],
) -> Result<(), Refusal> {
    let principals = json!(new.principals).to_string();
    let grants = json!(new.grants).to_string();
    let row = params![
        cause.team_id,
        new.serial,
        new.kind.name(),
        &new.authority_id,
        new.whose.kind(),
        new.whose.directory_id(),
        new.whose.id(),
        &new.key_id,
        &principals,
        &new.key_type,
        &new.fingerprint,
        &grants,
        new.provisioner.as_ref(),
        &new.address,
        new.valid_after,
        new.valid_before,
        new.issued_at,
        new.replaces,
    ];
    tx.exec(INSERT, &row)?;
    let changes = told(new, extra);
    let action = match new.replaces {
        Some(_) => "renew",
        None => "issue",
    };
    let (serial, changes) = (new.serial.to_string(), Value::Array(changes).to_string());
    let event = events::New {
        category: Category::SshCert,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("Certificate"),
        object_id: Some(&serial),
        object_name: Some(&new.key_id),
        version: None,
        changes: Some(&changes),
    };
    events::record_of(tx, cause, &event)
}

/// The entries of the event of a certificate.
fn told(new: &Certificate, extra: &[Value]) -> Vec<Value> {
    let mut changes = vec![
        json!({"attribute": "principals", "new": new.principals}),
        json!({"attribute": "key", "new": new.fingerprint}),
        json!({"attribute": "valid_before", "new": time(new.valid_before)}),
        json!({"attribute": "address", "new": new.address}),
    ];
    if let Some(id) = new.whose.id() {
        changes.push(json!({"attribute": "holder", "new": id}));
    }
    if !new.grants.is_empty() {
        changes.push(json!({"attribute": "grants", "new": new.grants}));
    }
    if let Some(provisioner) = &new.provisioner {
        changes.push(json!({"attribute": "provisioner", "new": provisioner}));
    }
    if let Some(before) = new.replaces {
        changes.push(json!({"attribute": "replaces", "new": before.to_string()}));
    }
    changes.extend_from_slice(extra);
    changes
}

fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| at.to_string())
}

/// The certificate with that serial number.
pub fn by_serial(tx: &mut Tx<'_>, team_id: &str, serial: i64) -> Result<Certificate, Refusal> {
    let row = tx.query_one(BY_SERIAL, &params![team_id, serial])?;
    row.ok_or_else(|| Refusal::NotFound(What::Certificate, serial.to_string()))
        .and_then(from_row)
}

/// The one certificate of somebody, or of a host, that counts for the longest time.
pub fn last_of(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
    now: i64,
) -> Result<Option<Certificate>, Refusal> {
    let row = tx.query_one(LAST_OF_HOLDER, &params![team_id, holder_id, now])?;
    row.map(from_row).transpose()
}

/// How many certificates of somebody count.
pub fn count_of(tx: &mut Tx<'_>, team_id: &str, holder_id: &str, now: i64) -> Result<i64, Refusal> {
    let row = tx.query_one(COUNT_OF, &params![team_id, holder_id, now])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// How many certificates count.
pub fn count_live(tx: &mut Tx<'_>, team_id: &str, now: i64) -> Result<i64, Refusal> {
    let row = tx.query_one(COUNT_LIVE, &params![team_id, now])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// When the last certificate of a key runs out; `None`: all have.
pub fn last_end(
    tx: &mut Tx<'_>,
    team_id: &str,
    authority_id: &str,
    now: i64,
) -> Result<Option<i64>, Refusal> {
    let row = tx.query_one(LAST_END, &params![team_id, authority_id, now])?;
    match row {
        Some(row) => Ok(row.opt_int(0)?),
        None => Ok(None),
    }
}

/// Which certificates to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those of this person, service account or host.
    pub holder_id: Option<String>,
    /// Only those for this key: `SHA256:…`.
    pub fingerprint: Option<String>,
    /// Only those for people, or for hosts.
    pub kind: Option<Kind>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Those that come after this place in the list.
    pub after: Option<(i64, i64)>,
    /// How many at most.
    pub limit: i64,
}

/// Certificates, the latest first.
pub fn list(
    tx: &mut Tx<'_>,
    team_id: &str,
    query: &Query,
    now: i64,
) -> Result<Vec<Certificate>, Refusal> {
    let mut filter = Filter {
        given: vec![team_id.into()],
        conditions: vec!["team_id = $1".to_owned()],
    };
    if let Some(id) = &query.holder_id {
        filter.add("holder_id =", id);
    }
    if let Some(fingerprint) = &query.fingerprint {
        filter.add("fingerprint =", fingerprint);
    }
    if let Some(kind) = query.kind {
        filter.add("kind =", kind.name());
    }
    match query.state {
        Some(State::Live) => filter.add("revoked_at IS NULL AND valid_before >", now),
        Some(State::Expired) => filter.add("revoked_at IS NULL AND valid_before <=", now),
        Some(State::Revoked) => filter.conditions.push("revoked_at IS NOT NULL".to_owned()),
        None => {}
    }
    let Filter {
        mut given,
        mut conditions,
    } = filter;
    if let Some((issued_at, serial)) = query.after {
        given.extend([Param::from(issued_at), Param::from(serial)]);
        let last = given.len();
        conditions.push(format!("(issued_at, serial) < (${}, ${last})", last - 1));
    }
    given.push(query.limit.into());
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM certificates WHERE {} ORDER BY issued_at DESC, serial DESC LIMIT ${}"
        ),
        conditions.join(" AND "),
        given.len()
    );
    tx.query(&sql, &given)?.into_iter().map(from_row).collect()
}

/// Conditions with what they compare with.
struct Filter<'a> {
    given: Vec<Param<'a>>,
    conditions: Vec<String>,
}

impl<'a> Filter<'a> {
    fn add(&mut self, condition: &str, with: impl Into<Param<'a>>) {
        self.given.push(with.into());
        let place = self.given.len();
        self.conditions.push(format!("{condition} ${place}"));
    }
}

/// Forgets up to `limit` certificates that ran out before that time; how many.
pub fn prune(tx: &mut Tx<'_>, team_id: &str, before: i64, limit: i64) -> Result<usize, Refusal> {
    let gone = tx.query(PRUNE, &params![team_id, before, limit])?;
    Ok(gone.len())
}

fn from_row(mut row: Row) -> Result<Certificate, Refusal> {
    let names = |text: &str| serde_json::from_str(text).unwrap_or_default();
    Ok(Certificate {
        serial: row.int(0)?,
        kind: match row.text(1)? {
            "host" => Kind::Host,
            _ => Kind::User,
        },
        whose: match row.opt_text(3)? {
            None => Whose::Nobody,
            Some("host") => Whose::Host(row.take_text(5)?),
            Some(_) => Whose::Holder(Holder::from_row(&mut row, 3, 4, 5)?),
        },
        principals: names(row.text(7)?),
        grants: names(row.text(10)?),
        valid_after: row.int(13)?,
        valid_before: row.int(14)?,
        issued_at: row.int(15)?,
        replaces: row.opt_int(16)?,
        revoked_at: row.opt_int(17)?,
        authority_id: row.take_text(2)?,
        key_id: row.take_text(6)?,
        key_type: row.take_text(8)?,
        fingerprint: row.take_text(9)?,
        provisioner: row.take_opt_text(11)?,
        address: row.take_text(12)?,
        revoked_why: row.take_opt_text(18)?,
    })
}
