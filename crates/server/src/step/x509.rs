//! X.509 certificates for programs: what `step ca certificate`, `renew`, `rekey` and `revoke` ask for.

use super::ask::{Ask, Peer};
use super::identity::{self, Made, Wanted};
use super::pop::{already, check};
use super::prove::{Proof, Proven, prove};
use super::reply::{Refused, json};
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use portreeve_directory::certificates::Whose;
use portreeve_directory::{Actor, identities};
use portreeve_step::answer::{OK, Signed, TlsOptions};
use portreeve_step::request::{self, Rekey, Sign};
use portreeve_step::{Claims, Endpoint, Fault, duration_text};
use portreeve_store::Scope;
use portreeve_x509::{Name, Request};

/// How long a certificate is good where nobody asks, and at most; and how long at least.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);
/// How far before now one begins, so that a clock that is slow does not refuse it.
const BACKDATE: SignedDuration = SignedDuration::from_mins(1);

/// A certificate for whom a token vouches.
pub(super) async fn sign(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: Sign = ask.body(body).await?;
    match signed(&ask, &request).await {
        Ok(made) => Ok(answer(made)),
        Err(refused) => Err(ask.refused("", refused).await),
    }
}

fn answer(made: Made) -> Response {
    let answer = Signed {
        ca: made.above.first().cloned().unwrap_or_default(),
        crt: made.leaf.clone(),
        cert_chain: made.chain(),
        tls_options: TlsOptions::default(),
    };
    json(StatusCode::CREATED, &answer)
}

async fn signed(ask: &Ask, request: &Sign) -> Result<Made, Refused> {
    if request.csr.is_empty() {
        return Err(Fault::bad_request("missing csr").into());
    }
    let csr = Request::from_pem(&request.csr)?;
    let proven = prove(ask, &request.ott, Endpoint::Sign).await?;
    let now = ask.now();
    let begins = request.not_before.at(now).unwrap_or(now - BACKDATE);
    let ends = match (request.not_after.at(now), &proven.proof) {
        (Some(ends), _) => ends,
        (
            None,
            Proof::Word {
                ends: Some(latest), ..
            },
        ) => (now + LONGEST).min(*latest),
        (None, _) => now + LONGEST,
    };
    check_length(begins, ends)?;
    let wanted = match &proven.proof {
        Proof::Word {
            claims,
            ends: latest,
        } => {
            if latest.is_some_and(|latest| ends > latest) {
                let why = "the certificate would outlive the one that the token was signed with";
                return Err(Refused::forbidden("too_long", why));
            }
            vouched(claims, csr, request, &proven, (begins, ends))?
        }
        Proof::Person(person) => {
            let whose = Whose::Holder(person.holder.clone());
            let valid = (begins, ends);
            identity::beside(csr, &proven.proof, whose, &proven.provisioner, valid)
        }
        Proof::Certificate(_) => {
            let why = "an SSH certificate proves nothing for X.509 certificates";
            return Err(Refused::unauthorized("wrong_provisioner", why));
        }
    };
    proven.use_up(ask).await?;
    identity::make(ask, &ask.by(proven.actor()), wanted).await
}

fn check_length(begins: Timestamp, ends: Timestamp) -> Result<(), Refused> {
    let lasts = SignedDuration::from_secs(ends.duration_since(begins).as_secs());
    let longest = LONGEST + BACKDATE;
    let (code, than, limit) = if lasts > longest {
        (
            "too_long",
            "more than the authorized maximum certificate duration",
            longest,
        )
    } else if lasts < SHORTEST {
        (
            "too_short",
            "less than the authorized minimum certificate duration",
            SHORTEST,
        )
    } else {
        return Ok(());
    };
    let (lasts, limit) = (duration_text(lasts), duration_text(limit));
    let why = format!("requested duration of {lasts} is {than} of {limit}");
    Err(Refused::forbidden(code, why))
}

/// The names of a request are those of its token, all of them.
fn vouched(
    claims: &Claims,
    csr: Request,
    request: &Sign,
    proven: &Proven,
    (valid_after, valid_before): (Timestamp, Timestamp),
) -> Result<Wanted, Refused> {
    let mut granted: Vec<Name> = match claims.sans.as_slice() {
        [] => vec![Name::of(&claims.sub)],
        sans => sans.iter().map(|name| Name::of(name)).collect(),
    };
    let mut asked = csr.names.clone();
    for names in [&mut granted, &mut asked] {
        names.sort();
        names.dedup();
    }
    let is_same = asked.is_empty() || asked == granted;
    if !is_same || !(csr.common_name.is_empty() || csr.common_name == claims.sub) {
        let why = "certificate request does not contain the valid names: those of the token";
        return Err(Refused::forbidden("wrong_names", why));
    }
    if !claims.confirms(&hash(&request.csr)) {
        let why = "the token is for another certificate request";
        return Err(Refused::forbidden("wrong_request", why));
    }
    Ok(Wanted {
        public_key: csr.public_key,
        subject: claims.sub.clone(),
        names: granted,
        whose: Whose::Nobody,
        provisioner: Some(proven.provisioner.clone()),
        valid_after,
        valid_before,
    })
}

/// SHA-256 of a request (DER) that comes as PEM.
fn hash(pem: &str) -> Vec<u8> {
    let body = pem.split("-----").nth(2).unwrap_or_default();
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).unwrap_or_default();
    digest(&SHA256, &der).as_ref().to_vec()
}

/// Another certificate for whoever shows one.
pub(super) async fn renew(ask: Ask) -> Result<Response, Refused> {
    let peer = known(&ask).await?;
    let by = ask.by(super::ask::actor(&peer.whose));
    let wanted = identity::again(peer, None, ask.now());
    Ok(answer(identity::make(&ask, &by, wanted).await?))
}

/// The same with another key.
pub(super) async fn rekey(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: Rekey = ask.body(body).await?;
    let peer = known(&ask).await?;
    let csr = Request::from_pem(&request.csr)?;
    let by = ask.by(super::ask::actor(&peer.whose));
    let wanted = identity::again(peer, Some(csr.public_key), ask.now());
    Ok(answer(identity::make(&ask, &by, wanted).await?))
}

async fn known(ask: &Ask) -> Result<Peer, Refused> {
    let missing = || {
        let why = "missing client certificate, or one that is good no longer";
        Refused::from(Fault::unauthorized(why))
    };
    ask.peer().await?.ok_or_else(missing)
}

/// No certificate any more.
pub(super) async fn revoke(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: request::Revoke = ask.body(body).await?;
    let object = request.serial.clone();
    match revoked(&ask, &request).await {
        Ok(()) => Ok(json(StatusCode::OK, &OK)),
        Err(refused) => Err(ask.refused(&object, refused).await),
    }
}

async fn revoked(ask: &Ask, request: &request::Revoke) -> Result<(), Refused> {
    check(request)?;
    let serial = hexadecimal(&request.serial).ok_or_else(|| {
        Fault::bad_request(format!(
            "'{}' is not a valid serial number - use a base 10 representation or a base 16 representation with '0x' prefix",
            request.serial
        ))
    })?;
    let actor = match request.ott.as_str() {
        "" => {
            let peer = known(ask).await?;
            if peer.details.serial != serial {
                let why = "serial number in client certificate different than body";
                return Err(Refused::unauthorized("not_own_certificate", why));
            }
            super::ask::actor(&peer.whose)
        }
        ott => {
            let proven = prove(ask, ott, Endpoint::Revoke).await?;
            let Proof::Word { claims, .. } = &proven.proof else {
                let why =
                    "X.509 certificates are revoked with themselves, or with a provisioner's token";
                return Err(Refused::unauthorized("wrong_provisioner", why));
            };
            if claims.sub != request.serial {
                let why = "token subject is not the serial number";
                return Err(Refused::unauthorized("not_own_certificate", why));
            }
            proven.use_up(ask).await?;
            Actor::Anonymous
        }
    };
    let (by, team_id) = (ask.by(actor), ask.team_id.clone());
    let why: String = match request.reason.as_str() {
        "" => "revoked".to_owned(),
        reason => reason
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect(),
    };
    let done = ask.app.write(Scope::ALL, move |tx| {
        identities::revoke(tx, &by.cause(&team_id, None), &serial, &why)
    });
    match done.await? {
        true => Ok(()),
        false => Err(already(&request.serial).into()),
    }
}

/// A serial number as it is stored, from a decimal one, or a hexadecimal one with `0x` in front.
fn hexadecimal(text: &str) -> Option<String> {
    /// 20 bytes (RFC 5280 section 4.1.2.2) have no more decimal digits.
    const DIGITS: usize = 49;
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let is_number = !digits.is_empty() && digits.len() <= 40;
        let digits = (is_number && digits.chars().all(|c| c.is_ascii_hexdigit()))
            .then(|| digits.to_ascii_lowercase())?;
        return Some(even(digits));
    }
    if text.is_empty() || text.len() > DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Long division, one hexadecimal digit at a time.
    let mut number: Vec<u32> = text.bytes().map(|byte| u32::from(byte - b'0')).collect();
    let mut digits = Vec::new();
    while !number.is_empty() {
        let mut rest = 0;
        let mut quotient = Vec::new();
        for digit in number {
            let value = rest * 10 + digit;
            rest = value % 16;
            if !quotient.is_empty() || value / 16 > 0 {
                quotient.push(value / 16);
            }
        }
        digits.push(char::from_digit(rest, 16)?);
        number = quotient;
    }
    Some(even(digits.into_iter().rev().collect()))
}

/// Whole bytes.
fn even(digits: String) -> String {
    match digits.len() % 2 {
        0 => digits,
        _ => format!("0{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_read_in_either_form() {
        for (text, expected) in [
            ("255", Some("ff")),
            ("256", Some("0100")),
            ("0xABC", Some("0abc")),
            ("0", Some("00")),
            (
                "340282366920938463463374607431768211455",
                Some("ffffffffffffffffffffffffffffffff"),
            ),
            ("", None),
            ("0x", None),
            ("-1", None),
            ("12a", None),
            ("0xg", None),
        ] {
            assert_eq!(hexadecimal(text).as_deref(), expected, "{text:?}");
        }
    }
}
