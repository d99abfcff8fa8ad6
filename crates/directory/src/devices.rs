//! Devices: command lines without a browser, which somebody lets in from another one by typing a short code (RFC 8628).
//!
//! Until somebody does, a device belongs to no team. What it waits with is a secret as every other one; what people type is
//! short, so it is good for a quarter of an hour and whoever tries codes out is slowed down by the caller.

use crate::bearer::{Kind, Presented};
use crate::holders::Holder;
use crate::sign_ins::{self, Purpose, Spent};
use crate::{Refusal, tokens};
use aws_lc_rs::rand;
use portreeve_store::Tx;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where devices wait that belong to no team yet.
const NO_TEAM: &str = "00000000-0000-0000-0000-000000000000";

/// Letters of user codes: no vowels, so that no code is a word, and none that is taken for a digit (RFC 8628 section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many letters a user code has, in two halves.
const LENGTH: usize = 8;

/// How often a device may ask (microseconds); one that asks more often has to wait that much longer each time
/// (RFC 8628 section 3.5).
pub const INTERVAL: i64 = 5_000_000;
/// A device is due a moment earlier, so that one that keeps to the interval is not refused for the way of its request.
const TOLERANCE: i64 = 1_000_000;

/// What asks to be let in, by its own account; only the address is not made up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// The machine's name.
    pub device: String,
    /// What the program calls itself.
    pub agent: String,
    /// Where it asks from.
    pub address: String,
    /// When it asked (microseconds since 1970 UTC).
    pub at: i64,
}

/// Who lets something in: it acts for them from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Their team.
    pub team_id: String,
    /// Who they are.
    pub holder: Holder,
    /// Their name, for the log.
    pub name: String,
    /// The passkey that their own session goes back to.
    #[serde(default)]
    pub passkey_id: Option<String>,
}

/// The two codes of a device that has asked.
#[derive(Debug)]
pub struct Codes {
    /// What the device waits with. It is returned this once.
    pub device: SecretString,
    /// What people type, such as `BCDF-GHJK`.
    pub user: String,
}

/// What has become of a device that asks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has decided yet.
    Pending,
    /// It asks too often: it must wait this much longer between its questions from now on (microseconds).
    SlowDown(i64),
    /// Somebody has said no.
    Denied,
    /// Somebody has let it in. This is said once.
    Approved(Approval),
    /// Its code is of no use.
    Spent(Spent),
}

/// What is kept of a device.
#[derive(Serialize, Deserialize)]
struct State {
    asks: Asks,
    interval: i64,
    polled_at: Option<i64>,
    decision: Option<Decision>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Decision {
    Denied,
    Approved(Approval),
}

/// Lets a device wait, under an id of its own.
pub fn begin(tx: &mut Tx<'_>, id: &str, asks: Asks) -> Result<Codes, Refusal> {
    let now = asks.at;
    let state = State {
        asks,
        interval: INTERVAL,
        polled_at: None,
        decision: None,
    };
    let device = sign_ins::make(tx, NO_TEAM, id, Purpose::Device, &bytes(&state), now)?;
    let user = random_code()?;
    sign_ins::keep(tx, &typed(&user), Purpose::UserCode, id.as_bytes(), now)?;
    Ok(Codes { device, user })
}

/// What waits under a code that somebody has typed.
pub fn waiting(tx: &mut Tx<'_>, code: &str, now: i64) -> Result<Result<Asks, Spent>, Refusal> {
    let id = match sign_ins::look(tx, &typed(code), Purpose::UserCode, now)? {
        Ok(id) => id,
        Err(spent) => return Ok(Err(spent)),
    };
    let id = String::from_utf8_lossy(&id);
    Ok(state(tx, &id)?
        .map(|state| state.asks)
        .ok_or(Spent::Unknown))
}

/// Lets in what waits under a code, or (without an approval) turns it away. The code is used up.
pub fn decide(
    tx: &mut Tx<'_>,
    code: &str,
    approval: Option<&Approval>,
    now: i64,
) -> Result<Result<Asks, Spent>, Refusal> {
    let id = match sign_ins::take(tx, &typed(code), Purpose::UserCode, now)? {
        Ok(id) => id,
        Err(spent) => return Ok(Err(spent)),
    };
    let id = String::from_utf8_lossy(&id);
    let Some(mut state) = state(tx, &id)? else {
        return Ok(Err(Spent::Unknown));
    };
    state.decision = Some(match approval {
        Some(approval) => Decision::Approved(approval.clone()),
        None => Decision::Denied,
    });
    sign_ins::set(tx, NO_TEAM, &id, &bytes(&state))?;
    Ok(Ok(state.asks))
}

/// A device asks what has become of it.
pub fn poll(tx: &mut Tx<'_>, secret: &str, now: i64) -> Result<Poll, Refusal> {
    let Some(presented) = Presented::parse(Kind::Once, secret) else {
        return Ok(Poll::Spent(Spent::Unknown));
    };
    let mut state: State = match sign_ins::look(tx, &presented, Purpose::Device, now)? {
        Ok(payload) => read(&payload)?,
        Err(spent) => return Ok(Poll::Spent(spent)),
    };
    if let Some(decision) = state.decision {
        return Ok(
            match (
                sign_ins::take(tx, &presented, Purpose::Device, now)?,
                decision,
            ) {
                (Err(spent), _) => Poll::Spent(spent),
                (Ok(_), Decision::Denied) => Poll::Denied,
                (Ok(_), Decision::Approved(approval)) => Poll::Approved(approval),
            },
        );
    }
    let due = state.polled_at.map(|at| at + state.interval - TOLERANCE);
    let too_early = due.is_some_and(|due| now < due);
    if too_early {
        state.interval += INTERVAL;
    }
    state.polled_at = Some(now);
    sign_ins::set(tx, NO_TEAM, &presented.id, &bytes(&state))?;
    Ok(match too_early {
        true => Poll::SlowDown(INTERVAL),
        false => Poll::Pending,
    })
}

/// The code as it is shown, whatever was typed between and around its letters and in whichever case.
pub fn canonical(code: &str) -> String {
    let letters: String = code
        .chars()
        .map(|c| c.to_ascii_uppercase())
        .filter(|c| u8::try_from(*c).is_ok_and(|c| LETTERS.contains(&c)))
        .take(LENGTH + 1)
        .collect();
    match letters.split_at_checked(LENGTH / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters,
    }
}

/// A code as the key of its row, which is found by what it is.
fn typed(code: &str) -> Presented {
    let hash = tokens::hash(&format!("user code {}", canonical(code)));
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    Presented {
        team_id: NO_TEAM.to_owned(),
        id: uuid::Builder::from_custom_bytes(id).into_uuid().to_string(),
        hash,
    }
}

fn random_code() -> Result<String, Refusal> {
    // Of the values of a byte those beyond the last multiple would make some letters likelier than others.
    const EVEN: u8 = (u8::MAX / 20) * 20;
    let mut code = String::new();
    let mut bytes = [0; 32];
    while code.len() < LENGTH {
        rand::fill(&mut bytes).map_err(|_| Refusal::Invalid {
            attribute: "user_code",
            reason: "the machine gives no random numbers".into(),
        })?;
        let even = bytes.iter().filter(|byte| **byte < EVEN);
        let letters = even.map(|byte| char::from(LETTERS[usize::from(byte % 20)]));
        code.extend(letters.take(LENGTH - code.len()));
    }
    Ok(canonical(&code))
}

fn state(tx: &mut Tx<'_>, id: &str) -> Result<Option<State>, Refusal> {
    let payload = sign_ins::payload(tx, NO_TEAM, id, Purpose::Device)?;
    payload.map(|payload| read(&payload)).transpose()
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(payload).map_err(|error| Refusal::Invalid {
        attribute: "sign_in",
        reason: format!("what is kept of this sign-in cannot be read: {error}"),
    })
}
