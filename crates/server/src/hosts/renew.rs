//! `POST /renew`: certificates in the place of those that will run out. `POST /leave`: the host is managed no more.

use super::ask::{self, Ask, Speaker};
use super::certify::{self, For, Trusted};
use super::enroll::record;
use crate::api::Problem;
use crate::neighbours;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::{Refusal, host_agents, host_sessions, hosts, identities};
use portreeve_host_policy::api::{Renew, Renewed};
use portreeve_ssh_cert::SubjectKey;
use portreeve_store::{Scope, Tx};
use portreeve_x509::Request;

/// The most bytes of a request.
const LIMIT: usize = 64 * 1024;

pub(super) async fn renew(ask: Ask, body: Body) -> Result<Response, Problem> {
    let speaker = ask::speaker(&ask).await?;
    let wanted: Renew = ask::body(&ask, body, LIMIT).await?;
    let request = wanted.csr.as_deref().map(Request::from_pem).transpose();
    let request = request.map_err(|error| Problem::invalid(format!("csr: {error}")))?;
    let key = wanted.host_key.as_deref().map(|line| own(&speaker, line));
    let key = key.transpose()?;
    let by = ask.by(speaker.actor());
    let mut renewed = Renewed {
        roots: Trusted::of(&*ask.app.keyring(&ask.team_id).await?).roots,
        ..Renewed::default()
    };
    if let Some(key) = key {
        let about = For {
            host: &speaker.host,
            hostnames: &hostnames(&ask, &speaker).await?,
        };
        let replaces = speaker.agent.said.certificate;
        let replaces = replaces.map(|(serial, _)| serial.cast_unsigned());
        let issued = certify::ssh(&ask, &by, &about, key, replaces).await?;
        renewed.certificate = Some(issued.certificate.openssh());
    }
    if let Some(request) = request {
        let before = Some(speaker.identity.as_str());
        let chain = certify::identity(&ask, &by, &speaker.host, request, before).await?;
        renewed.identity = Some(chain);
    }
    Ok(super::json(StatusCode::OK, &renewed))
}

/// The key that the host has enrolled with. Another one takes an enrolment, which proves that the machine is the same.
fn own(speaker: &Speaker, line: &str) -> Result<SubjectKey, Problem> {
    let key = SubjectKey::from_openssh(line)
        .map_err(|error| Problem::invalid(format!("host_key: {error}")))?;
    match speaker.agent.host_key.as_deref() == Some(key.fingerprint().as_str()) {
        true => Ok(key),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "host_key_changed",
            "this is not the SSH key that the host has enrolled with; if it has another one now, enrol it again",
        )),
    }
}

/// The names that the host may have beside its own, as long as no other host has them.
async fn hostnames(ask: &Ask, speaker: &Speaker) -> Result<Vec<String>, Problem> {
    let (team_id, names) = (ask.team_id.clone(), speaker.agent.hostnames.clone());
    let id = speaker.host.id.clone();
    let read = ask.app.store.lookup(move |tx| {
        let mut free = Vec::new();
        for name in &names {
            match hosts::by_name(tx, &team_id, name) {
                Ok(other) if other.id != id => {}
                Ok(_) | Err(Refusal::NotFound(..)) => free.push(name.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(free)
    });
    Ok(read.await?)
}

pub(super) async fn leave(ask: Ask) -> Result<Response, Problem> {
    let speaker = ask::speaker(&ask).await?;
    let (by, team_id) = (ask.by(speaker.actor()), ask.team_id.clone());
    let written = ask.app.write(Scope::ALL, move |tx: &mut Tx<'_>| {
        let host = &speaker.host;
        if !host_agents::leave(tx, &team_id, &host.id, by.at)? {
            return Ok(());
        }
        let cause = by.cause(&team_id, None);
        host_sessions::end_all(tx, &team_id, &host.id)?;
        identities::revoke_of_holder(tx, &cause, &host.id, "left")?;
        revocations::revoke(tx, &cause, Revoke::Holder(&host.id), "left")?;
        record(tx, &cause, "leave", host, None)
    });
    written.await?;
    neighbours::tell_rules(&ask.app);
    Ok(StatusCode::NO_CONTENT.into_response())
}
