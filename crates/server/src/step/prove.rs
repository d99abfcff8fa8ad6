//! What a token proves, and whose word that is.

use super::addresses::Addresses;
use super::ask::Ask;
use super::provisioners::{Known, Oidc, Provisioners};
use super::reply::Refused;
use crate::ca::Once;
use crate::sso::{self, providers};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use portreeve_directory::certificates::{self, Certificate, Whose};
use portreeve_directory::holders::Holder;
use portreeve_directory::resolve::{self, Key, Resolved};
use portreeve_directory::{Actor, Refusal, revocations, used_tokens};
use portreeve_ssh_cert::policy::Kind;
use portreeve_ssh_cert::{Signed, SubjectKey};
use portreeve_step::{Audience, Claims, Endpoint, Expected, Fault, PublicKey, Token};
use portreeve_store::Scope;
use portreeve_x509::{Details, Usage};

/// The most certificates in the header of a token.
const LONGEST_CHAIN: usize = 10;

/// A token that was verified. It was not used yet.
#[derive(Debug)]
pub(super) struct Proven {
    /// The name of the provisioner whose word it is.
    pub(super) provisioner: String,
    pub(super) proof: Proof,
    /// So that it is good for once.
    pub(super) once: Once,
}

/// What is proven.
#[derive(Debug)]
pub(super) enum Proof {
    /// The provisioner vouches for what the token says.
    Word {
        claims: Box<Claims>,
        /// What rests on it ends no later than the certificate that signed it.
        ends: Option<Timestamp>,
    },
    /// Somebody is a user of a directory.
    Person(Box<Person>),
    /// Somebody has the key of an SSH certificate of ours, which is good.
    Certificate(Box<Shown>),
}

/// A user who has signed in.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) holder: Holder,
    /// The name to show.
    pub(super) name: String,
    pub(super) claims: resolve::Claims,
}

/// An SSH certificate whose key has signed a token.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) signed: Signed,
    pub(super) key: SubjectKey,
    pub(super) recorded: Certificate,
    /// Whom the token is about: the serial number of a certificate.
    pub(super) subject: String,
}

impl Proven {
    /// Who is said to have caused what follows.
    pub(super) fn actor(&self) -> Actor {
        match &self.proof {
            Proof::Person(person) => person.holder.actor(),
            Proof::Certificate(shown) => match &shown.recorded.whose {
                Whose::Holder(holder) => holder.actor(),
                Whose::Host(_) | Whose::Nobody => Actor::Anonymous,
            },
            Proof::Word { .. } => Actor::Anonymous,
        }
    }

    /// Uses the token up, for what is done without issuing an SSH certificate.
    pub(super) async fn use_up(&self, ask: &Ask) -> Result<(), Refused> {
        let (team_id, once) = (ask.team_id.clone(), self.once.clone());
        let used = ask.app.write(Scope::of(&ask.team_id), move |tx| {
            used_tokens::use_up(tx, &team_id, &once.hash, once.expires_at)
        });
        match used.await? {
            true => Ok(()),
            false => Err(Refused::unauthorized("token_used", Once::USED)),
        }
    }
}

/// Verifies a token that was made for an endpoint.
pub(super) async fn prove(ask: &Ask, ott: &str, endpoint: Endpoint) -> Result<Proven, Refused> {
    if ott.is_empty() {
        return Err(Fault::bad_request("missing or empty ott").into());
    }
    let token = Token::parse(ott)?;
    let provisioners = Provisioners::of(&ask.app, &ask.team_id).await?;
    let known = provisioners.find(&token).ok_or_else(|| {
        let why = "no provisioner has this name and key, or is the client that the token is for; step ca provisioner list shows those there are";
        Refused::unauthorized("unknown_provisioner", why)
    })?;
    let addresses = Addresses::of(&ask.app, &ask.team_id).await?;
    let expected = Expected {
        issuer: known.name(),
        audience: Audience {
            hosts: &addresses.hosts,
            endpoint,
        },
        now: ask.now(),
    };
    let proof = match known {
        Known::Jwk { key, .. } => {
            token.verify(key, &expected)?;
            word(&token, None)
        }
        Known::X5c { roots, .. } => {
            let (key, ends) = certified(&token, roots, ask.now())?;
            token.verify(&key, &expected)?;
            word(&token, Some(ends))
        }
        Known::Sshpop { .. } => Proof::Certificate(Box::new(shown(ask, &token, &expected).await?)),
        Known::Oidc(oidc) => Proof::Person(Box::new(person(ask, ott, &token, oidc).await?)),
    };
    let provisioner = known.name().to_owned();
    match &proof {
        Proof::Person(person) => ask.let_in(person.holder.id())?,
        _ => ask.let_in(&provisioner)?,
    }
    Ok(Proven {
        once: once(&provisioner, &token),
        provisioner,
        proof,
    })
}

fn word(token: &Token, ends: Option<Timestamp>) -> Proof {
    Proof::Word {
        claims: Box::new(token.claims.clone()),
        ends,
    }
}

/// What tells a token from all others that the team takes.
fn once(provisioner: &str, token: &Token) -> Once {
    let text = [provisioner.as_bytes(), &[0], &token.identity()].concat();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &text).as_ref());
    Once {
        hash,
        expires_at: token.expires() * 1_000_000,
    }
}

/// The key of the certificate that a token was signed with, and when that ends.
fn certified(
    token: &Token,
    roots: &[Vec<u8>],
    now: Timestamp,
) -> Result<(PublicKey, Timestamp), Refused> {
    let chain = chain(token)?;
    let untrusted = |why: &dyn std::fmt::Display| {
        Refused::unauthorized("untrusted_certificate", format!("the token's {why}"))
    };
    portreeve_x509::chain::verify(&chain, roots, Usage::Client, now)?;
    let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
    let key = PublicKey::from_certificate(leaf).map_err(|why| untrusted(&why))?;
    Ok((key, Details::read(leaf)?.valid_before))
}

/// The certificates in the header of a token (DER).
fn chain(token: &Token) -> Result<Vec<Vec<u8>>, Refused> {
    let header = token.certificates().unwrap_or_default();
    let decoded: Result<Vec<_>, _> = header.iter().map(|text| STANDARD.decode(text)).collect();
    match decoded {
        Ok(chain) if (1..=LONGEST_CHAIN).contains(&chain.len()) => Ok(chain),
        _ => {
            let why = "the certificates of the token cannot be read";
            Err(Refused::unauthorized("token_malformed", why))
        }
    }
}

/// The certificate of this authority that a token was signed with, as `step` uses it to ask for hosts: who it is.
pub(super) async fn identified(
    ask: &Ask,
    ott: &str,
    endpoint: Endpoint,
) -> Result<(String, Details), Refused> {
    let token = Token::parse(ott)?;
    let roots = &ask.app.keyring(&ask.team_id).await?.roots;
    let (key, _) = certified(&token, roots, ask.now())?;
    let addresses = Addresses::of(&ask.app, &ask.team_id).await?;
    let expected = Expected {
        issuer: "x5c-identity",
        audience: Audience {
            hosts: &addresses.hosts,
            endpoint,
        },
        now: ask.now(),
    };
    token.verify(&key, &expected)?;
    let chain = chain(&token)?;
    let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
    Ok((token.claims.sub, Details::read(leaf)?))
}

/// The SSH certificate whose key has signed a token: one of ours that is good.
async fn shown(ask: &Ask, token: &Token, expected: &Expected<'_>) -> Result<Shown, Refused> {
    let unreadable = |why: &dyn std::fmt::Display| Refused::unauthorized("certificate", why);
    let encoded = token.header.sshpop.as_deref().unwrap_or_default();
    let blob = STANDARD.decode(encoded).map_err(|why| unreadable(&why))?;
    let signed = Signed::from_blob(&blob).map_err(|why| unreadable(&why))?;
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let trusted = match signed.kind() {
        Kind::User => &keyring.trusted_user,
        Kind::Host => &keyring.trusted_host,
    };
    signed.check(trusted).map_err(|why| unreadable(&why))?;
    let key = signed.key().map_err(|why| unreadable(&why))?;
    let public = PublicKey::from_ssh(&key.blob()).map_err(|why| unreadable(&why))?;
    token.verify(&public, expected)?;
    if !signed.is_valid_at(ask.now()) {
        let why = "the SSH certificate has run out, or is not valid yet; ask for a new one";
        return Err(Refused::unauthorized("certificate_expired", why));
    }
    let recorded = standing(ask, &signed, &key).await?;
    Ok(Shown {
        signed,
        key,
        recorded,
        subject: token.claims.sub.clone(),
    })
}

/// What is recorded of a certificate that was not revoked.
async fn standing(ask: &Ask, signed: &Signed, key: &SubjectKey) -> Result<Certificate, Refused> {
    let (team_id, serial) = (ask.team_id.clone(), signed.serial().cast_signed());
    let fingerprint = key.fingerprint();
    let read = ask.app.store.lookup(move |tx| -> Result<_, Refusal> {
        let found = match certificates::by_serial(tx, &team_id, serial) {
            Ok(found) => found,
            Err(Refusal::NotFound(..)) => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let is_revoked =
            found.revoked_at.is_some() || revocations::is_key_revoked(tx, &team_id, &fingerprint)?;
        Ok(Some((found, is_revoked)))
    });
    match read.await? {
        Some((found, false)) => Ok(found),
        Some((_, true)) => {
            let why = format!(
                "the certificate with serial number '{}' has been revoked",
                signed.serial()
            );
            Err(Refused::unauthorized("certificate_revoked", why))
        }
        None => {
            let why = "the certificate is not among those that were issued here";
            Err(Refused::unauthorized("certificate_unknown", why))
        }
    }
}

/// The user whom an ID token is about.
async fn person(ask: &Ask, ott: &str, token: &Token, oidc: &Oidc) -> Result<Person, Refused> {
    let (app, connection) = (&ask.app, &oidc.connection);
    let refused = |error: portreeve_oidc::Error| Refused::unauthorized(error.code(), error);
    let provider = app
        .providers
        .provider(&connection.directory_id, &connection.settings)
        .map_err(refused)?;
    let now = providers::now(app);
    let metadata = provider.metadata(now).await.map_err(refused)?;
    let client = oidc.client(token).unwrap_or_default();
    let said = provider
        .verify_presented(&metadata, ott, client, now)
        .await
        .map_err(refused)?;
    let nonce = token.claims.nonce.as_deref().unwrap_or_default();
    if nonce.starts_with(sso::NONCE) {
        let why = "this ID token is from a sign-in to the console, and good for nothing else; sign in with step ssh login";
        return Err(Refused::unauthorized("foreign_sign_in", why));
    }
    let claims = resolve::Claims {
        issuer: said.issuer,
        subject: said.subject,
        tenant_id: said.tenant_id,
        object_id: said.object_id,
        email: said.email,
        email_verified: said.email_verified,
        preferred_username: said.preferred_username,
    };
    let (connection, wanted) = (connection.clone(), claims.clone());
    let found = app.store.lookup(move |tx| {
        let place = (
            connection.team_id.as_str(),
            connection.directory_id.as_str(),
        );
        resolve::resolve(tx, place, &connection.settings, &wanted)
    });
    let user = found
        .await?
        .map_err(|unresolved| Refused::unauthorized(unresolved.code(), unresolved))?;
    link(ask, oidc, &claims, &user).await?;
    Ok(Person {
        holder: Holder::User {
            directory_id: oidc.connection.directory_id.clone(),
            id: user.user_id,
        },
        name: user.name,
        claims,
    })
}

/// Remembers who somebody is who was found by something that can change.
async fn link(
    ask: &Ask,
    oidc: &Oidc,
    claims: &resolve::Claims,
    user: &Resolved,
) -> Result<(), Refused> {
    if matches!(user.by, Key::ObjectId | Key::Linked) {
        return Ok(());
    }
    let directory_id = oidc.connection.directory_id.clone();
    let (claims, user_id, at) = (claims.clone(), user.user_id.clone(), ask.at);
    let linked = ask
        .app
        .write(Scope::of(&oidc.connection.directory_id), move |tx| {
            resolve::link(tx, &directory_id, &claims, &user_id, at)
        });
    Ok(linked.await?)
}
