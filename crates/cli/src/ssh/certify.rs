//! From a session to a certificate.

use super::hosts::{self, Hosts};
use super::key::{self, Keeper};
use super::place::{Lock, Place};
use super::{files, pair, too_late};
use crate::client::Api;
use crate::failure::{Code, Failure};
use crate::login::{self, Way};
use crate::{environment, runtime, time};
use serde::Deserialize;
use serde_json::json;
use ssh_key::Certificate;
use std::time::Duration;

/// Nobody waits longer for a certificate.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do where nobody is signed in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    /// Fail.
    Nobody,
    /// Have the person sign in.
    Person(Way),
}

/// A certificate that is good now, and who has its key.
pub(super) type Held = (Certificate, Keeper);

/// The server's answer.
#[derive(Deserialize)]
struct Made {
    certificate: String,
    #[serde(default)]
    host_keys: Vec<String>,
}

/// The certificate that is there, or a new one. Of several that come at the same time, one asks.
pub(super) fn ready(place: &mut Place, ask: Ask) -> Result<Held, Failure> {
    ready_for(place, ask, |_| true)
}

/// As [`ready`], where not every certificate that is good will do.
pub(super) fn ready_for(
    place: &mut Place,
    ask: Ask,
    will_do: impl Fn(&Certificate) -> bool,
) -> Result<Held, Failure> {
    let usable = |place: &Place| key::usable(place, time::now()).filter(|held| will_do(&held.0));
    if let Some(held) = usable(place) {
        return Ok(held);
    }
    let lock =
        place.lock(|| eprintln!("Waiting for the certificate that another ssh is getting."))?;
    if let Some(held) = usable(place) {
        return Ok(held);
    }
    place.look_again()?;
    let held = renew(place, ask, &lock)?;
    let now = time::now();
    if !Hosts::kept(place, now).is_some_and(|hosts| hosts.is_fresh(now)) {
        hosts::ask(place)?;
    }
    write_files(place, &held.0)?;
    Ok(held)
}

/// A new certificate, whatever is there.
pub(super) fn renew(place: &mut Place, ask: Ask, _lock: &Lock) -> Result<Held, Failure> {
    let pair = key::next(place)?;
    let line = pair::public(pair.public, "")?;
    let made = match request(place, &line) {
        Err(failure) if failure.code == Code::NotSignedIn => match ask {
            Ask::Person(way) if environment::var("PORTREEVE_TOKEN").is_none() => {
                place.token = Some(login::again(&place.name, &place.url, way)?);
                request(place, &line)?
            }
            _ => return Err(failure),
        },
        made => made?,
    };
    let certificate = Certificate::from_openssh(made.certificate.trim_end())
        .ok()
        .filter(|it| it.public_key().ed25519() == Some(&pair.public))
        .ok_or_else(|| {
            Failure::plain("the server's answer has no certificate for the key that was sent")
        })?;
    files::write_known_hosts(place, &made.host_keys)?;
    let keeper = key::keep(place, &pair, &certificate, time::now())?;
    Ok((certificate, keeper))
}

/// Writes the files anew that depend on hosts and certificate.
pub(super) fn write_files(place: &Place, certificate: &Certificate) -> Result<(), Failure> {
    match Hosts::kept(place, time::now()) {
        Some(hosts) => files::write(place, &hosts, account(certificate)),
        None => Ok(()),
    }
}

/// The name of the person's account: it comes first in every certificate of theirs.
pub(super) fn account(certificate: &Certificate) -> &str {
    let first = certificate.valid_principals().first();
    first.map_or("", String::as_str)
}

fn request(place: &Place, line: &str) -> Result<Made, Failure> {
    let token = place.token.clone();
    let made = runtime::client(async {
        let api = Api::remote(&place.url, token, place.context())?;
        let body = json!({"public_key": line});
        let asked = api.post(&["me", "certificate"], &body);
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        asked.unwrap_or_else(|_| Err(too_late(place)))
    })?;
    Made::deserialize(made)
        .map_err(|error| Failure::plain(format!("the server's answer has no certificate: {error}")))
}
