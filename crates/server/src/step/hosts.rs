//! What those are told who may know hosts and keys.

use super::ask::{Ask, holder};
use super::prove::identified;
use super::provisioners::Provisioners;
use super::reply::{Refused, json};
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use portreeve_access::{Host as Known, Reach, may};
use portreeve_directory::access;
use portreeve_directory::certificates::Whose;
use portreeve_directory::holders::{self, Holder};
use portreeve_directory::hosts::{self, Host};
use portreeve_directory::step_settings::Mode;
use portreeve_directory::{Refusal, identities};
use portreeve_step::answer::{self, Bytes, Exists, Hosts, SshRoots, Through};
use portreeve_step::request::{Bastion, CheckHost, Config};
use portreeve_step::{Endpoint, Fault, template};
use portreeve_store::Tx;

/// The keys that SSH certificates are signed with.
pub(super) async fn roots(ask: Ask) -> Result<Response, Refused> {
    ask.must_be_known().await?;
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let bytes = |keys: &[Vec<u8>]| keys.iter().cloned().map(Bytes).collect();
    let roots = SshRoots {
        user_key: bytes(&keyring.trusted_user),
        host_key: bytes(&keyring.trusted_host),
    };
    Ok(json(StatusCode::OK, &roots))
}

/// Whether a host is known, and in managed mode reached by whoever asks. `ssh` asks each time before it does anything.
pub(super) async fn check(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: CheckHost = ask.body(body).await?;
    if !matches!(request.kind.as_str(), "" | "host") {
        let why = format!("unsupported type '{}'", request.kind);
        return Err(Fault::bad_request(why).into());
    }
    if request.principal.is_empty() {
        return Err(Fault::bad_request("missing or empty principal").into());
    }
    let asks = match ask.settings().await?.mode {
        Mode::Open => None,
        Mode::Managed => Some(who(&ask, &request).await?),
    };
    let Some(host) = find(&ask, &request.principal).await? else {
        return Ok(json(StatusCode::OK, &Exists { exists: false }));
    };
    let exists = match asks {
        Some(Whose::Holder(holder)) => reaches(&ask, &holder, &host.known()).await?,
        Some(Whose::Host(_) | Whose::Nobody) | None => true,
    };
    Ok(json(StatusCode::OK, &Exists { exists }))
}

/// Whoever asks in managed mode: by the token that `step` makes of their identity certificate, or by the connection's.
async fn who(ask: &Ask, request: &CheckHost) -> Result<Whose, Refused> {
    let unknown = || {
        let why = "sign in with step ssh login; your certificate is not good any more";
        Refused::from(Fault::unauthorized(why))
    };
    if request.token.is_empty() {
        return Ok(ask.peer().await?.ok_or_else(unknown)?.whose);
    }
    let (subject, details) = identified(ask, &request.token, Endpoint::CheckHost).await?;
    if !subject.eq_ignore_ascii_case(&request.principal) {
        return Err(unknown());
    }
    let (team_id, serial) = (ask.team_id.clone(), details.serial);
    let read = ask.app.store.lookup(move |tx| -> Result<_, Refusal> {
        let found = identities::by_serial(tx, &team_id, &serial)?;
        let Some(found) = found.filter(|found| found.revoked_at.is_none()) else {
            return Ok(None);
        };
        Ok(match &found.whose {
            Whose::Holder(holder) => {
                holders::standing(tx, &team_id, holder)?.map(|_| found.whose.clone())
            }
            Whose::Host(_) | Whose::Nobody => Some(found.whose),
        })
    });
    read.await?.ok_or_else(unknown)
}

/// The host of that name, in any letter case.
pub(super) async fn find(ask: &Ask, name: &str) -> Result<Option<Host>, Refused> {
    let (team_id, name) = (ask.team_id.clone(), name.to_owned());
    let read = ask.app.store.lookup(move |tx| by_name(tx, &team_id, &name));
    Ok(read.await?)
}

pub(super) fn by_name(tx: &mut Tx<'_>, team_id: &str, name: &str) -> Result<Option<Host>, Refusal> {
    match hosts::by_name(tx, team_id, name) {
        Ok(host) => Ok(Some(host)),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// Whether somebody may log in to a host now.
async fn reaches(ask: &Ask, holder: &Holder, host: &Known) -> Result<bool, Refused> {
    let known = ask.app.access(&ask.team_id).await?;
    let (team_id, holder, at) = (ask.team_id.clone(), holder.clone(), ask.at);
    let read = ask
        .app
        .store
        .lookup(move |tx| access::person(tx, &team_id, &holder, at));
    let person = read.await?;
    Ok(may(&person, host, &known.grants, ask.now()).allowed)
}

/// The hosts that somebody may log in to; whoever is not known in open mode sees all.
pub(super) async fn list(ask: Ask) -> Result<Response, Refused> {
    let peer = ask.must_be_known().await?;
    let known = ask.app.access(&ask.team_id).await?;
    let hosts: Vec<answer::Host> = match peer.as_ref().and_then(|peer| holder(&peer.whose)) {
        None => known.estate.hosts().iter().map(shown).collect(),
        Some(holder) => {
            let (team_id, holder, at) = (ask.team_id.clone(), holder.clone(), ask.at);
            let read = ask
                .app
                .store
                .lookup(move |tx| access::person(tx, &team_id, &holder, at));
            let person = read.await?;
            match Reach::of(&person, &known.estate, &known.grants, ask.now()) {
                Ok(reach) => reach.hosts().map(|reached| shown(reached.host)).collect(),
                Err(_) => Vec::new(),
            }
        }
    };
    Ok(json(StatusCode::OK, &Hosts { hosts }))
}

fn shown(host: &Known) -> answer::Host {
    let tags: Vec<answer::Tag> = host
        .tags
        .iter()
        .map(|(key, value)| answer::Tag {
            id: key.to_owned(),
            name: key.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    answer::Host {
        id: host.id.clone(),
        host_tags: (!tags.is_empty()).then_some(tags),
        hostname: host.name.clone(),
    }
}

/// Through which host another one is reached. An unknown one is reached directly: a refusal would end the person's `ssh`.
pub(super) async fn bastion(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: Bastion = ask.body(body).await?;
    ask.must_be_known().await?;
    for (name, value) in [("user", &request.user), ("hostname", &request.hostname)] {
        if value.is_empty() {
            return Err(Fault::bad_request(format!("missing or empty {name}")).into());
        }
    }
    let host = find(&ask, &request.hostname).await?;
    let through = host.and_then(|host| host.bastion);
    let answer = answer::Bastion {
        hostname: request.hostname,
        bastion: through.map(|hostname| Through {
            hostname,
            user: None,
        }),
    };
    Ok(json(StatusCode::OK, &answer))
}

/// What `step ssh config` writes.
pub(super) async fn config(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: Config = ask.body(body).await?;
    written(&ask, &request.kind.clone(), request).await
}

/// The same, with the type in the address.
pub(super) async fn config_of(
    ask: Ask,
    Path(kind): Path<String>,
    body: Body,
) -> Result<Response, Refused> {
    let request: Config = ask.body(body).await?;
    written(&ask, &kind, request).await
}

async fn written(ask: &Ask, kind: &str, request: Config) -> Result<Response, Refused> {
    ask.must_be_known().await?;
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let templates = match kind {
        "user" => {
            let provisioners = Provisioners::of(&ask.app, &ask.team_id).await?;
            let provisioner = provisioners.only_oidc();
            template::user(&request.data, &keyring.trusted_host, provisioner)
        }
        "host" => {
            template::host(&request.data, &keyring.trusted_user).map_err(Fault::bad_request)?
        }
        other => return Err(Fault::bad_request(format!("invalid type '{other}'")).into()),
    };
    Ok(json(StatusCode::OK, &templates))
}
