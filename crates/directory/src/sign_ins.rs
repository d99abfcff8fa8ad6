//! Secrets that live for minutes and are good for once: owner links, sign-ins that are under way at a provider, codes for
//! the command line.

use crate::Refusal;
use crate::bearer::{self, Kind, Presented};
use portreeve_store::{Tx, params, statements};
use secrecy::SecretString;

statements! {
    INSERT = "INSERT INTO sign_ins (team_id, id, purpose, hash, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    BY_ID = "SELECT hash, payload, expires_at, used_at FROM sign_ins WHERE team_id = $1 AND id = $2 AND purpose = $3";
    USE = "UPDATE sign_ins SET used_at = $3 WHERE team_id = $1 AND id = $2 AND used_at IS NULL RETURNING id";
    SET = "UPDATE sign_ins SET payload = $3 WHERE team_id = $1 AND id = $2 AND used_at IS NULL";
    PRUNE = "DELETE FROM sign_ins WHERE expires_at < $1";
}

/// What a secret is for. One for one purpose is none for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A link that signs a local owner in.
    OwnerLink,
    /// A sign-in at an identity provider; the secret is the `state`.
    Openid,
    /// A sign-in that an admin tries out, with what it brought.
    Trial,
    /// A passkey that is being registered or used; the secret names the challenge.
    Passkey,
    /// A code that the command line trades for a session (RFC 6749 section 4.1).
    CliCode,
    /// A device code (RFC 8628), with its user code in the payload.
    Device,
    /// A user code of a device.
    UserCode,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::OwnerLink => "owner_link",
            Self::Openid => "openid",
            Self::Trial => "trial",
            Self::Passkey => "passkey",
            Self::CliCode => "cli_code",
            Self::Device => "device",
            Self::UserCode => "user_code",
        }
    }

    /// How long such a secret lives (microseconds).
    pub fn lifetime(self) -> i64 {
        const MINUTE: i64 = 60_000_000;
        match self {
            Self::OwnerLink | Self::Trial | Self::Device | Self::UserCode => 15 * MINUTE,
            Self::Openid => 10 * MINUTE,
            Self::Passkey => 5 * MINUTE,
            Self::CliCode => MINUTE,
        }
    }
}

/// Why a secret is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Spent {
    /// There is none such.
    #[error("it is not one of this server's, or it was made for something else")]
    Unknown,
    /// It was used before.
    #[error("it was used already; each is good for once")]
    Used,
    /// Its time is over.
    #[error("its time is over")]
    Expired,
}

impl Spent {
    /// The reason code for events.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Used => "used",
            Self::Expired => "expired",
        }
    }
}

/// Makes a secret. It is returned this once.
pub fn make(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    purpose: Purpose,
    payload: &[u8],
    now: i64,
) -> Result<SecretString, Refusal> {
    let (secret, hash) = bearer::make(Kind::Once, team_id, id)?;
    let row = Presented {
        team_id: team_id.to_owned(),
        id: id.to_owned(),
        hash,
    };
    keep(tx, &row, purpose, payload, now)?;
    Ok(secret)
}

/// Keeps a secret of another form than that of [`bearer`], such as one that people type.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    secret: &Presented,
    purpose: Purpose,
    payload: &[u8],
    now: i64,
) -> Result<(), Refusal> {
    let row = params![
        &secret.team_id,
        &secret.id,
        purpose.name(),
        secret.hash.as_slice(),
        payload,
        now,
        now + purpose.lifetime()
    ];
    Ok(tx.exec(INSERT, &row)?)
}

/// Uses a secret up and returns its payload. Of two who use it at once one comes too late.
pub fn take(
    tx: &mut Tx<'_>,
    presented: &Presented,
    purpose: Purpose,
    now: i64,
) -> Result<Result<Vec<u8>, Spent>, Refusal> {
    let payload = match look(tx, presented, purpose, now)? {
        Ok(payload) => payload,
        Err(spent) => return Ok(Err(spent)),
    };
    let used = tx.query_one(USE, &params![&presented.team_id, &presented.id, now])?;
    Ok(used.map(|_| payload).ok_or(Spent::Used))
}

/// The payload of a secret that stays good.
pub fn look(
    tx: &mut Tx<'_>,
    presented: &Presented,
    purpose: Purpose,
    now: i64,
) -> Result<Result<Vec<u8>, Spent>, Refusal> {
    let key = params![&presented.team_id, &presented.id, purpose.name()];
    let Some(row) = tx.query_one(BY_ID, &key)? else {
        return Ok(Err(Spent::Unknown));
    };
    if !presented.is(row.bytes(0)?) {
        return Ok(Err(Spent::Unknown));
    }
    if row.opt_int(3)?.is_some() {
        return Ok(Err(Spent::Used));
    }
    if row.int(2)? <= now {
        return Ok(Err(Spent::Expired));
    }
    Ok(Ok(row.bytes(1)?.to_vec()))
}

/// What a secret stands for that somebody else has presented, or that is presented by another name.
pub(crate) fn payload(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    purpose: Purpose,
) -> Result<Option<Vec<u8>>, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id, purpose.name()])?;
    row.map(|row| Ok(row.bytes(1)?.to_vec())).transpose()
}

/// Changes what a secret that is not used up stands for.
pub fn set(tx: &mut Tx<'_>, team_id: &str, id: &str, payload: &[u8]) -> Result<(), Refusal> {
    Ok(tx.exec(SET, &params![team_id, id, payload])?)
}

/// Forgets those whose time was over by then.
pub fn prune(tx: &mut Tx<'_>, before: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![before])?)
}
