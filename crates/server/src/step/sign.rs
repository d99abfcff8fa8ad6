//! `POST /ssh/sign`: an SSH certificate for whoever a token proves somebody to be.

use super::ask::Ask;
use super::hosts::{by_name, find};
use super::identity;
use super::prove::{Proof, Proven, prove};
use super::reply::{Refused, json};
use crate::ca::{ForWhom, Wanted, issue};
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use portreeve_directory::certificates::Whose;
use portreeve_directory::events::{self, Category, New, Outcome};
use portreeve_directory::hosts::{self, Decided, Host};
use portreeve_directory::{Actor, Refusal};
use portreeve_ssh_cert::SubjectKey;
use portreeve_ssh_cert::policy::{Asked, Kind, Policy};
use portreeve_step::answer::{Bytes, SshCertificate};
use portreeve_step::request::SshSign;
use portreeve_step::{Claims, Endpoint, Fault, Moment, SshOptions, duration_text};
use portreeve_store::Scope;
use portreeve_x509::Request;

pub(super) async fn sign(ask: Ask, body: Body) -> Result<Response, Refused> {
    let request: SshSign = ask.body(body).await?;
    let object = request.options.key_id.clone();
    match signed(&ask, request).await {
        Ok(answer) => Ok(json(StatusCode::CREATED, &answer)),
        Err(refused) => Err(ask.refused(&object, refused).await),
    }
}

async fn signed(ask: &Ask, request: SshSign) -> Result<SshCertificate, Refused> {
    let kind = kind_of(&request.options.cert_type)?;
    if request.public_key.is_empty() {
        return Err(Fault::bad_request("missing or empty publicKey").into());
    }
    if request.options.principals.iter().any(String::is_empty) {
        return Err(Fault::bad_request("ssh certificate principals cannot be empty").into());
    }
    let csr = request.identity_csr.as_deref();
    let csr = csr.filter(|csr| !csr.is_empty());
    let csr = csr.map(Request::from_pem).transpose()?;
    let proven = prove(ask, &request.ott, Endpoint::Sign).await?;
    confirmed(&proven, &request.public_key)?;
    let key = key(&request.public_key)?;
    let (for_whom, asked) = decide(ask, &proven, &request.options, kind).await?;
    let whose = match &for_whom {
        ForWhom::Person(holder) => Whose::Holder(holder.clone()),
        ForWhom::Host { id, .. } => Whose::Host(id.clone()),
        ForWhom::Vouched { .. } => Whose::Nobody,
    };
    let ignored = match &proven.proof {
        Proof::Person(_) => request.options.principals,
        _ => Vec::new(),
    };
    let wanted = Wanted {
        for_whom,
        key,
        asked,
        provisioner: Some(proven.provisioner.clone()),
        address: ask.address.clone(),
        replaces: None,
        ignored,
        once: Some(proven.once.clone()),
    };
    let by = ask.by(proven.actor());
    let issued = issue(&ask.app, &ask.team_id, &by, wanted).await?;
    let valid = (issued.valid_after, issued.valid_before);
    let identity_crt = match csr {
        Some(csr) => {
            let beside = identity::beside(csr, &proven.proof, whose, &proven.provisioner, valid);
            Some(identity::make(ask, &by, beside).await?.chain())
        }
        None => None,
    };
    Ok(SshCertificate {
        crt: Bytes(issued.certificate.blob()),
        identity_crt,
    })
}

/// Refuses another key than the one that the token is for, where it says which.
fn confirmed(proven: &Proven, key: &[u8]) -> Result<(), Refused> {
    let Proof::Word { claims, .. } = &proven.proof else {
        return Ok(());
    };
    match claims.confirms(digest(&SHA256, key).as_ref()) {
        true => Ok(()),
        false => {
            let why = "the token is for another key";
            Err(Refused::forbidden("wrong_key", why))
        }
    }
}

/// The key that a certificate is asked for.
pub(super) fn key(blob: &[u8]) -> Result<SubjectKey, Refused> {
    SubjectKey::from_blob(blob)
        .map_err(|why| Refused::invalid("weak_key", format!("error parsing publicKey: {why}")))
}

/// `None`: whichever the token is for.
fn kind_of(name: &str) -> Result<Option<Kind>, Fault> {
    match name {
        "" => Ok(None),
        "user" => Ok(Some(Kind::User)),
        "host" => Ok(Some(Kind::Host)),
        other => Err(Fault::bad_request(format!("invalid certType '{other}'"))),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Host => "host",
    }
}

/// Whom the certificate is for, and when it is to be valid.
async fn decide(
    ask: &Ask,
    proven: &Proven,
    options: &SshOptions,
    kind: Option<Kind>,
) -> Result<(ForWhom, Asked), Refused> {
    let now = ask.now();
    let policy = ask.app.keyring(&ask.team_id).await?.settings.policy();
    match &proven.proof {
        Proof::Person(person) => {
            same_kind(kind, Kind::User)?;
            let asked = asked(options, now, None);
            check_length(&policy, Kind::User, &asked, now)?;
            // What is asked for counts for nothing: the directory says who somebody is.
            Ok((ForWhom::Person(person.holder.clone()), asked))
        }
        Proof::Word { claims, ends } => {
            let granted = claims.step.as_ref().and_then(|step| step.ssh.as_ref());
            let granted = granted.ok_or_else(|| {
                let why = "the token is not for SSH certificates; get one with step ca token --ssh";
                Refused::unauthorized("token_not_ssh", why)
            })?;
            let of = kind_of(&granted.cert_type)?.unwrap_or(Kind::User);
            same_kind(kind, of)?;
            fits(options, granted)?;
            let merged = SshOptions {
                valid_after: either(granted.valid_after, options.valid_after),
                valid_before: either(granted.valid_before, options.valid_before),
                ..SshOptions::default()
            };
            let asked = asked(&merged, now, *ends);
            if let (Some(before), Some(ends)) = (asked.valid_before, *ends)
                && before > ends
            {
                let why = "the certificate would outlive the one that the token was signed with";
                return Err(Refused::forbidden("too_long", why));
            }
            check_length(&policy, of, &asked, now)?;
            let for_whom = vouched(ask, &proven.provisioner, claims, granted, of).await?;
            Ok((for_whom, asked))
        }
        Proof::Certificate(_) => {
            let why = "a certificate is renewed, and proves nothing else; sign in, or use a provisioner's token";
            Err(Refused::unauthorized("wrong_provisioner", why))
        }
    }
}

fn same_kind(asked: Option<Kind>, granted: Kind) -> Result<(), Refused> {
    match asked {
        Some(asked) if asked != granted => {
            let (got, want) = (kind_name(asked), kind_name(granted));
            let why = format!("ssh certificate type does not match - got {got}, want {want}");
            Err(Refused::forbidden("wrong_type", why))
        }
        _ => Ok(()),
    }
}

/// Refuses to give more than a token has.
fn fits(options: &SshOptions, granted: &SshOptions) -> Result<(), Refused> {
    let has = |name: &String| {
        granted
            .principals
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    };
    if !granted.principals.is_empty() && !options.principals.iter().all(has) {
        let why = format!(
            "ssh certificate principals does not match - got [{}], want [{}]",
            options.principals.join(" "),
            granted.principals.join(" ")
        );
        return Err(Refused::forbidden("wrong_principals", why));
    }
    for (name, asked, own) in [
        ("validAfter", options.valid_after, granted.valid_after),
        ("validBefore", options.valid_before, granted.valid_before),
    ] {
        if asked.is_set() && own.is_set() && asked != own {
            let why = format!("ssh certificate {name} does not match that of the token");
            return Err(Refused::forbidden("wrong_times", why));
        }
    }
    Ok(())
}

fn either(first: Moment, second: Moment) -> Moment {
    if first.is_set() { first } else { second }
}

fn asked(options: &SshOptions, now: Timestamp, ends: Option<Timestamp>) -> Asked {
    Asked {
        valid_after: options.valid_after.at(now),
        valid_before: options.valid_before.at(now),
        no_later_than: ends,
    }
}

/// Refuses what is too long or too short as `step-ca` does.
fn check_length(policy: &Policy, kind: Kind, asked: &Asked, now: Timestamp) -> Result<(), Refused> {
    let Some(ends) = asked.valid_before else {
        return Ok(());
    };
    let begins = match asked.valid_after {
        Some(begins) => begins,
        None => now.saturating_sub(policy.backdate).unwrap_or(now),
    };
    let lasts = SignedDuration::from_secs(ends.duration_since(begins).as_secs());
    let rules = policy.of(kind);
    let longest = rules.longest + policy.backdate;
    let (code, than, limit) = if lasts > longest {
        ("too_long", "greater than maximum", longest)
    } else if lasts > SignedDuration::ZERO && lasts < rules.shortest {
        ("too_short", "less than minimum", rules.shortest)
    } else {
        return Ok(());
    };
    let why = format!(
        "requested duration of {} is {than} accepted duration for selected provisioner of {}",
        duration_text(lasts),
        duration_text(limit)
    );
    Err(Refused::forbidden(code, why))
}

/// Whom a provisioner vouches for. A host that is not known yet is made.
async fn vouched(
    ask: &Ask,
    provisioner: &str,
    claims: &Claims,
    granted: &SshOptions,
    kind: Kind,
) -> Result<ForWhom, Refused> {
    let or_subject = |text: &str| match text {
        "" => claims.sub.clone(),
        text => text.to_owned(),
    };
    let key_id = or_subject(&granted.key_id);
    let principals = match granted.principals.as_slice() {
        [] => vec![claims.sub.clone()],
        principals => principals.to_vec(),
    };
    let host = match (kind, principals.first()) {
        (Kind::Host, Some(name)) => host(ask, provisioner, name).await?,
        _ => None,
    };
    Ok(match host {
        Some(host) => ForWhom::Host {
            id: host.id,
            key_id,
            principals,
        },
        None => ForWhom::Vouched {
            kind,
            key_id,
            principals,
        },
    })
}

/// The host of that name. `None`: it cannot be the name of one.
async fn host(ask: &Ask, provisioner: &str, name: &str) -> Result<Option<Host>, Refused> {
    if let Some(host) = find(ask, name).await? {
        return Ok(Some(host));
    }
    let by = ask.by(Actor::System);
    let (team_id, name, at) = (ask.team_id.clone(), name.to_owned(), ask.at);
    let id = ask.app.ids.next(ask.at).to_string();
    let changes = serde_json::json!([{"attribute": "provisioner", "new": provisioner}]).to_string();
    let made = ask.app.write(Scope::ALL, move |tx| {
        if let Some(host) = by_name(tx, &team_id, &name)? {
            return Ok(Some(host));
        }
        let decided = Decided {
            name: name.clone(),
            ..Decided::default()
        };
        let host = match hosts::create(tx, &team_id, &id, &decided, at) {
            Err(Refusal::Invalid { .. }) => return Ok(None),
            made => made?,
        };
        let event = New {
            category: Category::Admin,
            action: "create",
            outcome: Outcome::Ok,
            object_kind: Some("Host"),
            object_id: Some(&host.id),
            object_name: Some(&host.name),
            version: Some(host.version),
            changes: Some(&changes),
        };
        events::record_of(tx, &by.cause(&team_id, None), &event)?;
        Ok(Some(host))
    });
    let made = made.await?;
    ask.app.estates.look_again();
    Ok(made)
}
