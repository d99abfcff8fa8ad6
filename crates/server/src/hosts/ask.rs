//! What a handler knows of an agent's request: for which host it speaks.

use crate::api::Problem;
use crate::body;
use axum::body::Body;
use http::StatusCode;
use portreeve_directory::certificates::Whose;
use portreeve_directory::events::{self, Category, New, Outcome};
use portreeve_directory::host_agents::{self, Agent, Status};
use portreeve_directory::hosts::{self, Host};
use portreeve_directory::identities::{self, Identity};
use portreeve_directory::{Actor, Refusal};
use portreeve_store::{Scope, Tx};
use portreeve_x509::Details;
use serde::de::DeserializeOwned;

pub(super) use crate::step::Ask;

/// A host whose agent speaks.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) host: Host,
    pub(super) agent: Agent,
    /// The serial number of the identity certificate that it has shown.
    pub(super) identity: String,
}

impl Speaker {
    /// Who events name.
    pub(super) fn actor(&self) -> Actor {
        Actor::Host(self.host.id.clone())
    }
}

/// Why nobody speaks for a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unheard {
    #[error(
        "this needs the identity certificate that a host gets when it enrols; enrol it with: portreeve-host enroll --token …"
    )]
    NoCertificate,
    #[error(
        "the identity certificate of this host has run out; enrol it again: portreeve-host enroll proves by its SSH key that it is the same"
    )]
    Expired,
    #[error("this certificate is none of a host that has enrolled")]
    Unknown,
    #[error(
        "this host has enrolled again, and this is its identity of before; if that was not you, another machine has taken its name"
    )]
    Replaced,
    #[error("this host has left; enrol it again with a token to have it managed")]
    Left,
    #[error("this host was removed; enrol it again with a token to have it managed")]
    Removed,
}

impl Unheard {
    fn code(self) -> &'static str {
        match self {
            Self::NoCertificate => "no_identity",
            Self::Expired => "identity_expired",
            Self::Unknown => "identity_unknown",
            Self::Replaced => "identity_replaced",
            Self::Left => "host_left",
            Self::Removed => "host_removed",
        }
    }
}

impl From<Unheard> for Problem {
    fn from(unheard: Unheard) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            unheard.code(),
            unheard.to_string(),
        )
    }
}

/// The host whose agent speaks, by the certificate of its connection: it is the one that the host was given last, or the
/// one before it until that is used.
pub(super) async fn speaker(ask: &Ask) -> Result<Speaker, Problem> {
    let leaf = ask.certificate.as_ref().and_then(|chain| chain.first());
    let details = Details::read(leaf.ok_or(Unheard::NoCertificate)?);
    let details = details.map_err(|_| Unheard::Unknown)?;
    // The connection may be older than the end of the certificate.
    if !(details.valid_after..details.valid_before).contains(&ask.now()) {
        return Err(Unheard::Expired.into());
    }
    let (team_id, serial) = (ask.team_id.clone(), details.serial);
    let read = ask.app.store.lookup(move |tx| find(tx, &team_id, &serial));
    let speaker = read.await??;
    ask.let_in(&speaker.host.id)?;
    Ok(speaker)
}

fn find(tx: &mut Tx<'_>, team_id: &str, serial: &str) -> Result<Result<Speaker, Unheard>, Refusal> {
    let Some(Identity {
        whose: Whose::Host(id),
        revoked_at,
        ..
    }) = identities::by_serial(tx, team_id, serial)?
    else {
        return Ok(Err(Unheard::Unknown));
    };
    let host = match hosts::by_id(tx, team_id, &id) {
        Ok(host) => host,
        Err(Refusal::NotFound(..)) => return Ok(Err(Unheard::Removed)),
        Err(error) => return Err(error),
    };
    Ok(match host_agents::by_host(tx, team_id, &id)? {
        Some(agent) if agent.is(serial) && revoked_at.is_none() => Ok(Speaker {
            host,
            agent,
            identity: serial.to_owned(),
        }),
        Some(agent) => Err(match agent.status {
            Status::Left => Unheard::Left,
            Status::Enrolled => Unheard::Replaced,
            Status::Registered => Unheard::Unknown,
        }),
        None => Err(Unheard::Unknown),
    })
}

/// The body of a request as a `T`.
pub(super) async fn body<T: DeserializeOwned>(
    ask: &Ask,
    body: Body,
    limit: usize,
) -> Result<T, Problem> {
    let bytes = body::read(&ask.app, &ask.headers, body, limit).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
}

/// Leaves an event of a refusal to somebody who is no host yet, as far as there are not too many. The refusal stands whether
/// or not that can be written.
pub(super) async fn refused(ask: &Ask, name: &str, problem: &Problem) {
    if problem.is_passing() {
        return;
    }
    let key = format!("host/{}", ask.team_id);
    let Some(left_out) = ask.app.strangers.came(&key, ask.at) else {
        return;
    };
    let detail = match left_out {
        0 => problem.detail().to_owned(),
        more => format!(
            "{}. And {more} more refusals since the last such event",
            problem.detail()
        ),
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(253).collect();
    let changes = serde_json::json!([{"attribute": "address", "new": ask.address}]).to_string();
    let (by, team_id, code) = (
        ask.by(Actor::Anonymous),
        ask.team_id.clone(),
        problem.code(),
    );
    let written = ask.app.write(Scope::of(&ask.team_id), move |tx| {
        let event = New {
            category: Category::Admin,
            action: "enroll",
            outcome: Outcome::Refused {
                reason: code,
                detail: &detail,
            },
            object_kind: Some("Host"),
            object_id: None,
            object_name: Some(name.as_str()).filter(|name| !name.is_empty()),
            version: None,
            changes: Some(&changes),
        };
        events::record_of(tx, &by.cause(&team_id, None), &event)
    });
    if let Err(error) = written.await {
        tracing::error!(%error, "the event of a host that was refused was not written");
    }
}
