//! `POST /enroll`: a machine becomes a host. It brings a token that an admin has made, or proves that it has the key by which
//! the host of that name is known already.

use super::ask::{self, Ask};
use super::certify::{self, For, Trusted};
use crate::api::Problem;
use crate::ca::{By, Keyring};
use crate::neighbours;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_access::tags::Tags;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::enrolments::{self, EnrolmentToken};
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::host_agents::{self, Agent, Status};
use portreeve_directory::hosts::{self, Decided, Host};
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::{Actor, Refusal, host_policies, host_sessions, identities, used_tokens};
use portreeve_host_policy::api::{
    Enroll, Enrolled, LONGEST_WAIT, PROOF_NAMESPACE, PROOF_SECONDS, Proof,
};
use portreeve_scim::text::fold;
use portreeve_ssh_cert::{SubjectKey, file};
use portreeve_store::{Scope, Tx};
use portreeve_x509::Request;
use serde_json::json;
use std::collections::BTreeMap;

/// The most bytes of a request.
const LIMIT: usize = 64 * 1024;

/// The most names that a host may have beside its own.
const MOST_NAMES: usize = 32;

pub(super) async fn enroll(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Enroll = ask::body(&ask, body, LIMIT).await?;
    match enrolled(&ask, &wanted).await {
        Ok(answer) => Ok(super::json(StatusCode::CREATED, &answer)),
        Err(problem) => {
            ask::refused(&ask, &wanted.name, &problem).await;
            Err(problem)
        }
    }
}

async fn enrolled(ask: &Ask, wanted: &Enroll) -> Result<Enrolled, Problem> {
    let request = Request::from_pem(&wanted.csr).map_err(|error| refuse("csr", error))?;
    let key =
        SubjectKey::from_openssh(&wanted.host_key).map_err(|error| refuse("host_key", error))?;
    if wanted.hostnames.len() > MOST_NAMES {
        return Err(refuse("hostnames", format!("at most {MOST_NAMES}")));
    }
    let keyring = ask.app.keyring(&ask.team_id).await?;
    // An authority that cannot sign is found out before anything is written.
    keyring.host()?;
    keyring.issuer()?;
    let claim = Claim::of(ask, &keyring, wanted, &key)?;
    let (host, hostnames) = enter(ask, claim).await?;
    ask.let_in(&host.id)?;
    let by = ask.by(Actor::Host(host.id.clone()));
    let about = For {
        host: &host,
        hostnames: &hostnames,
    };
    let shown = certify::ssh(ask, &by, &about, key, None).await?;
    let identity = certify::identity(ask, &by, &host, request, None).await?;
    let trusted = Trusted::of(&keyring);
    Ok(Enrolled {
        team: ask.team_id.to_string(),
        host: portreeve_host_policy::Host {
            id: host.id,
            name: host.name,
        },
        identity,
        roots: trusted.roots,
        certificate: shown.certificate.openssh(),
        user_keys: trusted.user_keys,
        host_keys: trusted.host_keys,
        policy_wait_seconds: LONGEST_WAIT,
    })
}

/// What a machine says, as far as it was checked without the database.
#[derive(Clone)]
struct Claim {
    wanted: Enroll,
    tags: Tags,
    /// `SHA256:…` of the key that is to be trusted.
    host_key: String,
    token: Option<Presented>,
    /// `SHA256:…` of the key that has signed the proof, and what tells the proof from all others.
    proven: Option<(String, [u8; 32])>,
}

impl Claim {
    fn of(
        ask: &Ask,
        keyring: &Keyring,
        wanted: &Enroll,
        key: &SubjectKey,
    ) -> Result<Self, Problem> {
        let token = match &wanted.token {
            None => None,
            Some(secret) => Some(
                Presented::parse(Kind::Enrolment, secret)
                    .ok_or(No::Token(enrolments::Denied::Unknown))?,
            ),
        };
        let proven = match &wanted.proof {
            None => None,
            Some(proof) => Some(proven(ask, keyring, wanted, proof)?),
        };
        Ok(Self {
            tags: Tags::try_from(wanted.tags.clone()).map_err(Refusal::from)?,
            host_key: key.fingerprint(),
            token,
            proven,
            wanted: wanted.clone(),
        })
    }
}

/// The key that a proof is by, if it is good.
fn proven(
    ask: &Ask,
    keyring: &Keyring,
    wanted: &Enroll,
    proof: &Proof,
) -> Result<(String, [u8; 32]), Problem> {
    if proof.at.duration_since(ask.now()).as_secs().abs() > PROOF_SECONDS {
        return Err(No::ProofTime.into());
    }
    let key = SubjectKey::from_openssh(&proof.key).map_err(|error| refuse("proof", error))?;
    let is_signed = |root: &Vec<u8>| {
        let text = Proof::text(&portreeve_x509::fingerprint(root), proof.at, wanted);
        file::verify(&[key.blob()], PROOF_NAMESPACE, &text, &proof.signature).is_ok()
    };
    // The machine may know a root that is about to be replaced.
    if !keyring.roots.iter().any(is_signed) {
        return Err(No::Proof.into());
    }
    Ok((key.fingerprint(), certify::hash(proof.signature.as_bytes())))
}

/// Why a machine does not become a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum No {
    #[error(transparent)]
    Token(#[from] enrolments::Denied),
    #[error("to enrol takes a token; an admin makes one with: portreeve host token create")]
    Tokenless,
    #[error(
        "no host of this name is known by this key; enrol with a token, which an admin makes with: portreeve host token create"
    )]
    UnknownKey,
    #[error("the token is for hosts named like {0}")]
    Name(String),
    #[error(
        "a host of this name has enrolled already; choose another name, enrol on the machine that has its SSH key, or bring a token that may replace hosts together with --replace"
    )]
    Taken,
    #[error(
        "a host of this name is waited for that has another SSH key; enrol on the machine that has it, or bring a token that may replace hosts together with --replace"
    )]
    OtherKey,
    #[error("the proof is not signed by the key that it names, or is for something else")]
    Proof,
    #[error(
        "the proof was not made just now; set the clock of the machine, which differs from the server's by more than {PROOF_SECONDS} s"
    )]
    ProofTime,
    #[error("this proof was used already; make another one")]
    ProofUsed,
}

impl No {
    fn code(&self) -> &'static str {
        match self {
            Self::Token(denied) => denied.code(),
            Self::Tokenless => "token_missing",
            Self::UnknownKey => "host_key_unknown",
            Self::Name(_) => "name_not_allowed",
            Self::Taken => "name_taken",
            Self::OtherKey => "host_key_required",
            Self::Proof => "proof_wrong",
            Self::ProofTime => "proof_time",
            Self::ProofUsed => "proof_used",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Name(_) => StatusCode::FORBIDDEN,
            Self::Taken | Self::OtherKey => StatusCode::CONFLICT,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl From<No> for Problem {
    fn from(no: No) -> Self {
        Self::new(no.status(), no.code(), no.to_string())
    }
}

fn refuse(field: &str, why: impl std::fmt::Display) -> Problem {
    Problem::invalid(format!("{field}: {why}"))
}

/// Writes the host down, with the names that its certificate may have beside its own.
async fn enter(ask: &Ask, claim: Claim) -> Result<(Host, Vec<String>), Problem> {
    let (by, team_id, address) = (
        ask.by(Actor::Anonymous),
        ask.team_id.clone(),
        ask.address.clone(),
    );
    let id = ask.app.ids.next(ask.at).to_string();
    let written = ask.app.write(Scope::ALL, move |tx| {
        let before = known(tx, &team_id, &claim.wanted.name)?;
        let grounds = match grounds(tx, &team_id, &claim, before.as_ref(), by.at)? {
            Ok(grounds) => grounds,
            Err(no) => return Ok(Err(no)),
        };
        if let Some(no) = used(tx, &team_id, &grounds, by.at)? {
            return Ok(Err(no));
        }
        let entry = Entry {
            by: &by,
            team_id: &team_id,
            claim: &claim,
            grounds: &grounds,
        };
        entry.write(tx, before, (&id, &address)).map(Ok)
    });
    let entered = written.await??;
    neighbours::tell_rules(&ask.app);
    Ok(entered)
}

/// The host of that name, with its agent.
fn known(
    tx: &mut Tx<'_>,
    team_id: &str,
    name: &str,
) -> Result<Option<(Host, Option<Agent>)>, Refusal> {
    match hosts::by_name(tx, team_id, name.trim()) {
        Ok(host) => {
            let agent = host_agents::by_host(tx, team_id, &host.id)?;
            Ok(Some((host, agent)))
        }
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What lets a machine become that host.
enum Grounds {
    /// It has the key by which the host is known; its proof is good for once.
    Key([u8; 32]),
    /// A token, and whether it takes the place of another machine by it.
    Token(Box<EnrolmentToken>, bool),
}

fn grounds(
    tx: &mut Tx<'_>,
    team_id: &str,
    claim: &Claim,
    before: Option<&(Host, Option<Agent>)>,
    now: i64,
) -> Result<Result<Grounds, No>, Refusal> {
    let agent = before.and_then(|(_, agent)| agent.as_ref());
    let known_by = agent.and_then(|agent| agent.host_key.as_deref());
    if let (Some((key, hash)), Some(known_by)) = (&claim.proven, known_by)
        && key == known_by
    {
        return Ok(Ok(Grounds::Key(*hash)));
    }
    let Some(presented) = &claim.token else {
        return Ok(Err(match claim.proven {
            Some(_) => No::UnknownKey,
            None => No::Tokenless,
        }));
    };
    let token = match enrolments::verify(tx, team_id, presented, now)? {
        Ok(token) => token,
        Err(denied) => return Ok(Err(denied.into())),
    };
    if !token.allows(claim.wanted.name.trim()) {
        return Ok(Err(No::Name(token.pattern)));
    }
    let stands_in_the_way = match (agent.map(|agent| agent.status), known_by) {
        (Some(Status::Enrolled), _) => Some(No::Taken),
        (Some(Status::Registered), Some(_)) => Some(No::OtherKey),
        _ => None,
    };
    let replaces = claim.wanted.replace && token.may_replace;
    Ok(match stands_in_the_way {
        Some(no) if !replaces => Err(no),
        other => Ok(Grounds::Token(Box::new(token), other.is_some())),
    })
}

/// Uses up what lets the machine in; why it does not any more.
fn used(
    tx: &mut Tx<'_>,
    team_id: &str,
    grounds: &Grounds,
    now: i64,
) -> Result<Option<No>, Refusal> {
    let (is_good, otherwise) = match grounds {
        Grounds::Key(hash) => {
            let end = now + 2 * PROOF_SECONDS * 1_000_000;
            (used_tokens::use_up(tx, team_id, hash, end)?, No::ProofUsed)
        }
        Grounds::Token(token, _) => (
            enrolments::use_one(tx, team_id, &token.id, now)?,
            No::Token(enrolments::Denied::UsedUp),
        ),
    };
    Ok((!is_good).then_some(otherwise))
}

/// An enrolment that is granted.
struct Entry<'a> {
    by: &'a By,
    team_id: &'a str,
    claim: &'a Claim,
    grounds: &'a Grounds,
}

impl Entry<'_> {
    fn write(
        &self,
        tx: &mut Tx<'_>,
        before: Option<(Host, Option<Agent>)>,
        (id, address): (&str, &str),
    ) -> Result<(Host, Vec<String>), Refusal> {
        let cause = self.by.cause(self.team_id, None);
        let host = match before {
            None => self.create(tx, &cause, id)?,
            Some((host, _)) => {
                self.replace(tx, &cause, &host)?;
                self.update(tx, &cause, host)?
            }
        };
        let hostnames = self.hostnames(tx, &host)?;
        let Enroll {
            agent_version, os, ..
        } = &self.claim.wanted;
        let (version, os) = (certify::short(agent_version), certify::short(os));
        host_agents::enrol(
            tx,
            self.team_id,
            &host.id,
            (&self.claim.host_key, &hostnames),
            (&version, &os),
            self.by.at,
        )?;
        host_sessions::forget(tx, self.team_id, &host.id)?;
        // Whom it is about is worked out while the machine gets ready to ask.
        host_policies::begin_host(tx, self.team_id, &host.id)?;
        let token = match self.grounds {
            Grounds::Key(_) => None,
            Grounds::Token(token, _) => Some(&token.id),
        };
        let changes = json!([
            {"attribute": "host_key", "new": self.claim.host_key},
            {"attribute": "token", "new": token},
            {"attribute": "address", "new": address},
            {"attribute": "agent_version", "new": version},
            {"attribute": "os", "new": os},
        ]);
        record(tx, &cause, "enroll", &host, Some(&changes.to_string()))?;
        Ok((host, hostnames))
    }

    fn create(&self, tx: &mut Tx<'_>, cause: &Cause<'_>, id: &str) -> Result<Host, Refusal> {
        let wanted = &self.claim.wanted;
        let new = Decided {
            name: wanted.name.clone(),
            tags: self.tagged(&self.claim.tags)?,
            is_bastion: wanted.is_bastion,
            bastion: wanted.bastion.clone(),
        };
        let host = hosts::create(tx, self.team_id, id, &new, self.by.at)?;
        let tags: BTreeMap<String, String> = host.tags.clone().into();
        let changes = json!({"name": host.name, "tags": tags, "is_bastion": host.is_bastion, "bastion": host.bastion});
        record(tx, cause, "create", &host, Some(&changes.to_string()))?;
        Ok(host)
    }

    /// Another machine may have had this name: what that was given counts no more.
    fn replace(&self, tx: &mut Tx<'_>, cause: &Cause<'_>, host: &Host) -> Result<(), Refusal> {
        identities::revoke_of_holder(tx, cause, &host.id, "replaced")?;
        if let Grounds::Token(_, true) = self.grounds {
            revocations::revoke(tx, cause, Revoke::Holder(&host.id), "replaced")?;
        }
        Ok(())
    }

    /// What an admin has decided about a host that is known stays; the tags of the token come on top.
    fn update(&self, tx: &mut Tx<'_>, cause: &Cause<'_>, before: Host) -> Result<Host, Refusal> {
        let new = Decided {
            tags: self.tagged(&before.tags)?,
            ..before.decided()
        };
        if new == before.decided() {
            return Ok(before);
        }
        let after = hosts::update(tx, self.team_id, &before, &new, self.by.at)?;
        let tags = |host: &Host| {
            let tags: BTreeMap<String, String> = host.tags.clone().into();
            json!(tags)
        };
        let changes = json!([{"attribute": "tags", "old": tags(&before), "new": tags(&after)}]);
        record(tx, cause, "update", &after, Some(&changes.to_string()))?;
        Ok(after)
    }

    /// Tags, with those of the token in place of others.
    fn tagged(&self, tags: &Tags) -> Result<Tags, Refusal> {
        let mut all: BTreeMap<String, String> = tags.clone().into();
        if let Grounds::Token(token, _) = self.grounds {
            let fixed: BTreeMap<String, String> = token.tags.clone().into();
            all.extend(fixed);
        }
        Ok(Tags::try_from(all)?)
    }

    /// The names that the host may have beside its own: longer forms of that, as far as the token allows them and they are
    /// no other host's. Whatever else a machine called itself, it would be taken for another one.
    fn hostnames(&self, tx: &mut Tx<'_>, host: &Host) -> Result<Vec<String>, Refusal> {
        let begins = format!("{}.", fold(&host.name));
        let mut names: Vec<String> = Vec::new();
        for asked in &self.claim.wanted.hostnames {
            let name = fold(asked.trim()).into_owned();
            let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let is_allowed = match self.grounds {
                Grounds::Key(_) => true,
                Grounds::Token(token, _) => token.allows(&name),
            };
            let fits = name.len() <= 253 && name.chars().all(ok) && name.starts_with(&begins);
            if !fits || !is_allowed || names.contains(&name) {
                continue;
            }
            match hosts::by_name(tx, self.team_id, &name) {
                Ok(_) => {}
                Err(Refusal::NotFound(..)) => names.push(name),
                Err(error) => return Err(error),
            }
        }
        Ok(names)
    }
}

/// Leaves an event about a host.
pub(super) fn record(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    action: &str,
    host: &Host,
    changes: Option<&str>,
) -> Result<(), Refusal> {
    let event = New {
        category: Category::Admin,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("Host"),
        object_id: Some(&host.id),
        object_name: Some(&host.name),
        version: Some(host.version),
        changes,
    };
    events::record_of(tx, cause, &event)
}
