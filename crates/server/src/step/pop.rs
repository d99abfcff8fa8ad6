//! What is done with an SSH certificate that somebody has: another one in its place, or none any more.

use super::ask::Ask;
use super::identity;
use super::prove::{Proof, Proven, Shown, prove};
use super::reply::{Refused, json};
use super::sign::key;
use crate::ca::{ForWhom, Wanted, issue};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use jiff::SignedDuration;
use portreeve_directory::certificates::{self, Whose};
use portreeve_directory::holders::{self, Holder};
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::{Permission, Refusal, hosts};
use portreeve_ssh_cert::SubjectKey;
use portreeve_ssh_cert::policy::{Asked, Kind};
use portreeve_step::answer::{Bytes, OK, SshCertificate};
use portreeve_step::request::{self, SshRenew};
use portreeve_step::{Endpoint, Fault};
use portreeve_store::Scope;

/// Another certificate for the same key.
pub(super) async fn renew(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: SshRenew = ask.body(body).await?;
    let done = again(&ask, &request.ott, Endpoint::SshRenew, None).await;
    finish(&ask, done).await
}

/// Another certificate for another key.
pub(super) async fn rekey(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: SshRenew = ask.body(body).await?;
    if request.public_key.is_empty() {
        return Err(Fault::bad_request("missing or empty public key").into());
    }
    let done = match key(&request.public_key) {
        Ok(key) => again(&ask, &request.ott, Endpoint::SshRekey, Some(key)).await,
        Err(refused) => Err(refused),
    };
    finish(&ask, done).await
}

async fn finish(ask: &Ask, done: Result<SshCertificate, Refused>) -> Result<Response, Refused> {
    match done {
        Ok(answer) => Ok(json(StatusCode::CREATED, &answer)),
        Err(refused) => Err(ask.refused("", refused).await),
    }
}

/// A certificate like the one whose key has signed the token, from now, for as long as that was.
async fn again(
    ask: &Ask,
    ott: &str,
    endpoint: Endpoint,
    key: Option<SubjectKey>,
) -> Result<SshCertificate, Refused> {
    let proven = prove(ask, ott, endpoint).await?;
    let shown = shown(&proven)?;
    if shown.signed.kind() != Kind::Host {
        let why = "sshpop certificate must be a host ssh certificate";
        return Err(Refused::invalid("wrong_type", why));
    }
    let backdate = ask
        .app
        .keyring(&ask.team_id)
        .await?
        .settings
        .policy()
        .backdate;
    let (after, before) = shown.signed.valid();
    let lasts = i64::try_from(before.saturating_sub(after)).unwrap_or(i64::MAX);
    let begins = ask.now() - backdate;
    let wanted = Wanted {
        for_whom: same(shown),
        key: key.unwrap_or_else(|| shown.key.clone()),
        asked: Asked {
            valid_after: Some(begins),
            valid_before: begins.saturating_add(SignedDuration::from_secs(lasts)).ok(),
            no_later_than: None,
        },
        provisioner: Some(proven.provisioner.clone()),
        address: ask.address.clone(),
        replaces: Some(shown.signed.serial()),
        ignored: Vec::new(),
        once: Some(proven.once.clone()),
    };
    let by = ask.by(proven.actor());
    let issued = issue(&ask.app, &ask.team_id, &by, wanted).await?;
    heard(ask, &shown.recorded.whose).await;
    let identity_crt = match ask.peer().await? {
        Some(peer) => {
            let wanted = identity::again(peer, None, ask.now());
            Some(identity::make(ask, &by, wanted).await?.chain())
        }
        None => None,
    };
    Ok(SshCertificate {
        crt: Bytes(issued.certificate.blob()),
        identity_crt,
    })
}

/// Whom a certificate of a host is for.
fn same(shown: &Shown) -> ForWhom {
    let key_id = shown.signed.key_id().to_owned();
    let principals = shown.signed.principals().to_vec();
    match &shown.recorded.whose {
        Whose::Host(id) => ForWhom::Host {
            id: id.clone(),
            key_id,
            principals,
        },
        Whose::Holder(_) | Whose::Nobody => ForWhom::Vouched {
            kind: Kind::Host,
            key_id,
            principals,
        },
    }
}

fn shown(proven: &Proven) -> Result<&Shown, Refused> {
    match &proven.proof {
        Proof::Certificate(shown) => Ok(shown),
        _ => {
            let why = "the token was not signed with the key of an SSH certificate";
            Err(Refused::unauthorized("wrong_provisioner", why))
        }
    }
}

/// A host was heard of. That it cannot be written down changes nothing.
async fn heard(ask: &Ask, whose: &Whose) {
    if let Whose::Host(id) = whose {
        let (team_id, id, at) = (ask.team_id.clone(), id.clone(), ask.at);
        let written = ask.app.write(Scope::of(&ask.team_id), move |tx| {
            hosts::contact(tx, &team_id, &id, at)
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "when a host was last heard of was not written down");
        }
    }
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
    if request.ott.is_empty() {
        return Err(Fault::bad_request("missing ott").into());
    }
    let serial: u64 = request.serial.parse().map_err(|_| {
        Fault::bad_request(format!("'{}' is not a valid serial number", request.serial))
    })?;
    let proven = prove(ask, &request.ott, Endpoint::SshRevoke).await?;
    let may = match &proven.proof {
        Proof::Certificate(shown) => {
            shown.subject == request.serial && shown.signed.serial() == serial
        }
        Proof::Word { claims, .. } => claims.sub == request.serial,
        Proof::Person(person) => may_revoke(ask, &person.holder, serial).await?,
    };
    if !may {
        let why = "the token is not for this certificate; people revoke their own, and whoever has the permission certificate:write all";
        return Err(Refused::unauthorized("not_own_certificate", why));
    }
    proven.use_up(ask).await?;
    let (by, team_id) = (ask.by(proven.actor()), ask.team_id.clone());
    let why = match request.reason.as_str() {
        "" => "revoked".to_owned(),
        reason => reason
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect(),
    };
    let done = ask.app.write(Scope::ALL, move |tx| {
        let cause = by.cause(&team_id, None);
        revocations::revoke(tx, &cause, Revoke::Serial(serial.cast_signed()), &why)
    });
    match done.await?.is_empty() {
        true => Err(already(&request.serial).into()),
        false => Ok(()),
    }
}

/// What is wrong with a request to revoke something, whatever that is.
pub(super) fn check(request: &request::Revoke) -> Result<(), Fault> {
    if request.serial.is_empty() {
        return Err(Fault::bad_request("missing serial"));
    }
    if !(0..=10).contains(&request.reason_code) {
        return Err(Fault::bad_request("reasonCode out of bounds"));
    }
    match request.passive {
        true => Ok(()),
        false => Err(Fault::not_implemented()),
    }
}

pub(super) fn already(serial: &str) -> Fault {
    Fault::bad_request(format!(
        "certificate with serial number '{serial}' is already revoked"
    ))
}

/// Whether somebody may revoke a certificate: it is their own, or they may revoke all.
async fn may_revoke(ask: &Ask, holder: &Holder, serial: u64) -> Result<bool, Refused> {
    let (team_id, holder) = (ask.team_id.clone(), holder.clone());
    let read = ask.app.store.lookup(move |tx| -> Result<_, Refusal> {
        let standing = holders::standing(tx, &team_id, &holder)?;
        if standing.is_some_and(|one| one.permissions.has(Permission::CertificateWrite)) {
            return Ok(true);
        }
        match certificates::by_serial(tx, &team_id, serial.cast_signed()) {
            Ok(found) => Ok(found.whose == Whose::Holder(holder.clone())),
            Err(Refusal::NotFound(..)) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    });
    Ok(read.await?)
}
