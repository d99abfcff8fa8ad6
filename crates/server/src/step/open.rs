//! What everybody is told.

use super::ask::Ask;
use super::provisioners::Provisioners;
use super::reply::{Refused, json, text};
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use portreeve_directory::identities;
use portreeve_directory::step_settings::Mode;
use portreeve_scim::query;
use portreeve_step::Fault;
use portreeve_step::answer::{Certificates, OK, Root, Version};
use portreeve_step::provisioner::{self, EncryptedKey};
use portreeve_x509::chain::to_pem;
use portreeve_x509::fingerprint;

const PEM: &str = "application/x-pem-file";

/// How long a list of revoked certificates is good.
const CRL_LIFE: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn version(ask: Ask) -> Result<Response, Refused> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        require_client_authentication: ask.settings().await?.mode == Mode::Managed,
    };
    Ok(json(StatusCode::OK, &version))
}

pub(super) async fn health() -> Response {
    json(StatusCode::OK, &OK)
}

/// The root with that fingerprint. Clients ask for it without knowing us, and verify what they get.
pub(super) async fn root(ask: Ask, Path(sha): Path<String>) -> Result<Response, Refused> {
    let wanted = sha.replace('-', "").to_ascii_lowercase();
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let mut roots = keyring.roots.iter();
    let root = roots.find(|root| fingerprint(root) == wanted);
    let ca = to_pem(root.ok_or_else(Fault::not_found)?);
    Ok(json(StatusCode::OK, &Root { ca }))
}

pub(super) async fn roots(ask: Ask) -> Result<Response, Refused> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    Ok(certificates(&keyring.roots))
}

pub(super) async fn roots_pem(ask: Ask) -> Result<Response, Refused> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    Ok(pem(&keyring.roots))
}

pub(super) async fn intermediates(ask: Ask) -> Result<Response, Refused> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    Ok(certificates(&keyring.intermediates))
}

pub(super) async fn intermediates_pem(ask: Ask) -> Result<Response, Refused> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    Ok(pem(&keyring.intermediates))
}

fn certificates(ders: &[Vec<u8>]) -> Response {
    let crts = ders.iter().map(|der| to_pem(der)).collect();
    json(StatusCode::CREATED, &Certificates { crts })
}

fn pem(ders: &[Vec<u8>]) -> Response {
    let all: String = ders.iter().map(|der| to_pem(der)).collect();
    text(StatusCode::OK, PEM, all)
}

/// A page of those whose tokens are taken.
pub(super) async fn provisioners(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, Refused> {
    let pairs = query::pairs(query.as_deref().unwrap_or_default())
        .map_err(|_| Fault::bad_request("the query is not UTF-8"))?;
    let get = |wanted: &str| {
        let found = pairs.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    let limit = match get("limit") {
        "" => 0,
        limit => limit
            .parse::<i64>()
            .map_err(|_| Fault::bad_request(format!("limit '{limit}' is not an integer")))?,
    };
    let all = Provisioners::of(&ask.app, &ask.team_id).await?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let page = provisioner::page(&all.shown, get("cursor"), limit);
    Ok(json(StatusCode::OK, &page))
}

pub(super) async fn encrypted_key(ask: Ask, Path(kid): Path<String>) -> Result<Response, Refused> {
    let all = Provisioners::of(&ask.app, &ask.team_id).await?;
    let key = all.encrypted_key(&kid).ok_or_else(Fault::not_found)?;
    let key = key.to_owned();
    Ok(json(StatusCode::OK, &EncryptedKey { key }))
}

/// X.509 certificates that are revoked (RFC 5280 section 5).
pub(super) async fn crl(ask: Ask) -> Result<Response, Refused> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let (team_id, at) = (ask.team_id.clone(), ask.at);
    let read = ask
        .app
        .store
        .read(move |tx| identities::revoked(tx, &team_id, at));
    let revoked = read.await?;
    let time = |at: i64| Timestamp::from_microsecond(at).unwrap_or_default();
    let revoked: Vec<(String, Timestamp)> = revoked
        .into_iter()
        .map(|(serial, at)| (serial, time(at)))
        .collect();
    // It rises with each list that differs, and is the same on all servers.
    let last = revoked.iter().map(|(_, at)| at.as_second()).max();
    let number = u64::try_from(last.unwrap_or_default()).unwrap_or_default();
    let now = ask.now();
    let list = keyring
        .issuer()?
        .crl(&revoked, number, (now, now + CRL_LIFE))?;
    Ok(text(StatusCode::OK, "application/pkix-crl", list))
}
