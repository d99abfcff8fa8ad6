//! The one way to an SSH certificate: who it is for is looked up, what it says is decided, it is written down, and then it
//! is signed.

use super::keyring::SshKey;
use super::{By, Error, Keyring, random};
use crate::admin::explain::{self, Entitlement, NotEntitled};
use crate::app::App;
use jiff::Timestamp;
use portreeve_access::NoAccess;
use portreeve_directory::certificates::{self, Certificate, Whose};
use portreeve_directory::events::{self, Category, New, Outcome};
use portreeve_directory::holders::{self, Holder};
use portreeve_directory::{Refusal, access, directories, revocations, teams, used_tokens};
use portreeve_ssh_cert::authority::Signed;
use portreeve_ssh_cert::policy::{self, Asked, Kind, Named};
use portreeve_ssh_cert::{SubjectKey, Unsigned};
use portreeve_store::{Scope, Tx};
use serde_json::{Value, json};
use std::sync::Arc;

/// A certificate that somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// For whom.
    pub(crate) for_whom: ForWhom,
    /// The key.
    pub(crate) key: SubjectKey,
    /// When it should be valid.
    pub(crate) asked: Asked,
    /// How it is asked for; `None`: through Portreeve itself.
    pub(crate) provisioner: Option<String>,
    /// From which address.
    pub(crate) address: String,
    /// The serial number of the one that it takes the place of.
    pub(crate) replaces: Option<u64>,
    /// Principals that were asked for and are not the person's to choose; the event tells of them.
    pub(crate) ignored: Vec<String>,
    /// The token that it is asked for with, which is used up by it.
    pub(crate) once: Option<Once>,
}

/// A token of somebody else that is good for once.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    /// What tells it from all others.
    pub(crate) hash: [u8; 32],
    /// When nobody would accept it any more (microseconds since 1970 UTC).
    pub(crate) expires_at: i64,
}

impl Once {
    /// For whoever brings it again.
    pub(crate) const USED: &str =
        "this token was used already, and each is good for once; get another one";
}

/// Whom a certificate is for.
#[derive(Debug, Clone)]
pub(crate) enum ForWhom {
    /// A user or service account: the directory and the grants say what it says.
    Person(Holder),
    /// A host, by its id, with the names that it is reached by.
    Host {
        id: String,
        key_id: String,
        principals: Vec<String>,
    },
    /// A name that a provisioner vouches for, and that is nobody's here.
    Vouched {
        kind: Kind,
        key_id: String,
        principals: Vec<String>,
    },
}

/// A certificate that was issued.
pub(crate) struct Issued {
    /// The certificate.
    pub(crate) certificate: Signed,
    /// From when.
    pub(crate) valid_after: Timestamp,
    /// Until when.
    pub(crate) valid_before: Timestamp,
    /// The keys of the authority, for those who want to be told them too.
    pub(crate) keyring: Arc<Keyring>,
}

/// Issues a certificate. One that is refused leaves an event with the reason, too.
pub(crate) async fn issue(
    app: &App,
    team_id: &str,
    by: &By,
    wanted: Wanted,
) -> Result<Issued, Error> {
    let whose = wanted.for_whom.whose();
    let fingerprint = wanted.key.fingerprint();
    let done = issue_it(app, team_id, by, wanted).await;
    if let Err(Error::Refused { code, detail }) = &done {
        let refused = Refused {
            whose,
            fingerprint,
            code,
            detail: detail.clone(),
        };
        refused.tell(app, team_id, by).await;
    }
    done
}

/// Issues a certificate to a user for whoever runs the server in their own process; as the line of a `-cert.pub` file.
pub(crate) async fn issue_here(
    app: &App,
    (directory_id, user_id): (&str, &str),
    public_key: &str,
) -> Result<String, Error> {
    let key = SubjectKey::from_openssh(public_key)
        .map_err(|error| Error::refused("public_key", error))?;
    let holder = Holder::User {
        directory_id: directory_id.to_owned(),
        id: user_id.to_owned(),
    };
    let id = directory_id.to_owned();
    let directory = app.store.lookup(move |tx| directories::by_id(tx, &id));
    let team_id = directory.await?.team_id;
    let wanted = Wanted {
        for_whom: ForWhom::Person(holder),
        key,
        asked: Asked::default(),
        provisioner: None,
        address: String::new(),
        replaces: None,
        ignored: Vec::new(),
        once: None,
    };
    let issued = issue(app, &team_id, &By::system(app), wanted).await?;
    Ok(issued.certificate.openssh())
}

async fn issue_it(app: &App, team_id: &str, by: &By, wanted: Wanted) -> Result<Issued, Error> {
    let keyring = app.keyring(team_id).await?;
    let now = access::moment(by.at);
    let mut asked = wanted.asked;
    let (kind, named, grants) = match &wanted.for_whom {
        ForWhom::Person(holder) => {
            let entitled = entitled(app, team_id, holder, by.at).await?;
            let ends = [asked.no_later_than, entitled.until];
            asked.no_later_than = ends.into_iter().flatten().min();
            let named = Named {
                key_id: entitled.person.name,
                principals: entitled.principals,
            };
            (Kind::User, named, entitled.grants)
        }
        ForWhom::Host {
            key_id, principals, ..
        } => (Kind::Host, named(key_id, principals), Vec::new()),
        ForWhom::Vouched {
            kind,
            key_id,
            principals,
        } => (*kind, named(key_id, principals), Vec::new()),
    };
    let unsigned = keyring
        .policy
        .decide(kind, wanted.key.clone(), named, &asked, now)
        .map_err(|refusal| Error::refused(code_of(&refusal), refusal))?;
    let signs = match kind {
        Kind::User => keyring.user()?.clone(),
        Kind::Host => keyring.host()?.clone(),
    };
    let row = row(&unsigned, &wanted, &signs, grants, by.at)?;
    let serial = row.serial;
    write(app, team_id, by, row, (&wanted.ignored, wanted.once)).await?;
    let (valid_after, valid_before) = unsigned.valid();
    let certificate = sign(signs, unsigned, serial).await?;
    Ok(Issued {
        certificate,
        valid_after,
        valid_before,
        keyring,
    })
}

fn named(key_id: &str, principals: &[String]) -> Named {
    Named {
        key_id: key_id.to_owned(),
        principals: principals.to_vec(),
    }
}

/// What the certificate of somebody says.
async fn entitled(
    app: &App,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<Entitlement, Error> {
    let entitled = explain::entitlement(app, team_id, holder, now).await;
    entitled.map_err(|no| match no {
        NotEntitled::NoAccess(no) => Error::refused(no_access(&no), no),
        NotEntitled::Refused(refusal) => refusal.into(),
    })
}

/// What is written down of a certificate.
fn row(
    unsigned: &Unsigned,
    wanted: &Wanted,
    signs: &SshKey,
    grants: Vec<String>,
    now: i64,
) -> Result<Certificate, Error> {
    let (valid_after, valid_before) = unsigned.valid();
    Ok(Certificate {
        serial: serial()?,
        kind: match unsigned.kind() {
            Kind::User => certificates::Kind::User,
            Kind::Host => certificates::Kind::Host,
        },
        authority_id: signs.id.clone(),
        whose: wanted.for_whom.whose(),
        key_id: unsigned.named().key_id.clone(),
        principals: unsigned.named().principals.clone(),
        key_type: unsigned.key().algorithm(),
        fingerprint: unsigned.key().fingerprint(),
        grants,
        provisioner: wanted.provisioner.clone(),
        address: wanted.address.clone(),
        valid_after: valid_after.as_microsecond(),
        valid_before: valid_before.as_microsecond(),
        issued_at: now,
        replaces: wanted.replaces.map(u64::cast_signed),
        revoked_at: None,
        revoked_why: None,
    })
}

/// Random and above 0; databases count up to 63 bits.
fn serial() -> Result<i64, Error> {
    let random = i64::from_le_bytes(random()?) & i64::MAX;
    Ok(random.max(1))
}

/// Writes a certificate down, in the part of the database in which its holder is suspended, so that either is seen by the
/// other: nobody is issued one who is out, and whoever is put out loses it.
async fn write(
    app: &App,
    team_id: &str,
    by: &By,
    row: Certificate,
    (ignored, once): (&[String], Option<Once>),
) -> Result<(), Error> {
    let scope = match row.whose.directory_id() {
        Some(directory_id) => Scope::of(directory_id),
        None => Scope::of(team_id),
    };
    let extra: Vec<Value> = match ignored.is_empty() {
        true => Vec::new(),
        false => vec![json!({"attribute": "principals_not_given", "old": ignored})],
    };
    let (team, by) = (team_id.to_owned(), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        if let Some(no) = barred(tx, &team, &row)? {
            return Ok(Err(no));
        }
        if let Some(once) = &once
            && !used_tokens::use_up(tx, &team, &once.hash, once.expires_at)?
        {
            return Ok(Err(("token_used", Once::USED.to_owned())));
        }
        let cause = by.cause(&team, row.whose.directory_id());
        certificates::record(tx, &cause, &row, &extra)?;
        Ok(Ok(()))
    };
    let written = app.write(scope, work).await?;
    written.map_err(|(code, detail)| Error::refused(code, detail))
}

type No = (&'static str, String);

/// Why there is no certificate after all: what has changed since it was decided on.
fn barred(tx: &mut Tx<'_>, team_id: &str, row: &Certificate) -> Result<Option<No>, Refusal> {
    if revocations::is_key_revoked(tx, team_id, &row.fingerprint)? {
        let detail = "this key was revoked; make a new one (ssh-keygen -t ed25519)";
        return Ok(Some(("key_revoked", detail.to_owned())));
    }
    let Whose::Holder(holder) = &row.whose else {
        return Ok(None);
    };
    if holders::standing(tx, team_id, holder)?.is_none() {
        let detail = "your account is suspended; ask an admin of your team";
        return Ok(Some(("suspended", detail.to_owned())));
    }
    if let Some(directory_id) = holder.directory_id()
        && teams::by_id(tx, team_id)?.active_directory_id.as_deref() != Some(directory_id)
    {
        let detail = "people of another directory reach hosts now; sign in with your account there";
        return Ok(Some(("directory_inactive", detail.to_owned())));
    }
    Ok(None)
}

/// Signs. Keys that are held elsewhere take their time, in which nobody else waits.
async fn sign(signs: SshKey, unsigned: Unsigned, serial: i64) -> Result<Signed, Error> {
    let nonce = random()?;
    let serial = serial.cast_unsigned();
    if !signs.authority.is_elsewhere() {
        return Ok(signs.authority.sign(&unsigned, serial, nonce)?);
    }
    let signed =
        tokio::task::spawn_blocking(move || signs.authority.sign(&unsigned, serial, nonce));
    Ok(signed.await.map_err(Error::keys)??)
}

impl ForWhom {
    fn whose(&self) -> Whose {
        match self {
            Self::Person(holder) => Whose::Holder(holder.clone()),
            Self::Host { id, .. } => Whose::Host(id.clone()),
            Self::Vouched { .. } => Whose::Nobody,
        }
    }
}

/// A certificate that was not issued.
struct Refused {
    whose: Whose,
    fingerprint: String,
    code: &'static str,
    detail: String,
}

impl Refused {
    /// Leaves an event. The refusal stands whether or not that can be written.
    async fn tell(self, app: &App, team_id: &str, by: &By) {
        let (team, by) = (team_id.to_owned(), by.clone());
        let work = move |tx: &mut Tx<'_>| {
            let changes = json!([{"attribute": "key", "new": self.fingerprint}]).to_string();
            let event = New {
                category: Category::SshCert,
                action: "issue",
                outcome: Outcome::Refused {
                    reason: self.code,
                    detail: &self.detail,
                },
                object_kind: self.whose.kind().map(kind_of),
                object_id: self.whose.id(),
                object_name: None,
                version: None,
                changes: Some(&changes),
            };
            let cause = by.cause(&team, self.whose.directory_id());
            events::record_of(tx, &cause, &event)
        };
        if let Err(error) = app.write(Scope::of(team_id), work).await {
            tracing::warn!(%error, "the refusal of a certificate was not written down");
        }
    }
}

/// What events call the kind of a holder.
fn kind_of(kind: &str) -> &'static str {
    match kind {
        "host" => "Host",
        "service" => "ServiceAccount",
        "owner" => "Owner",
        _ => "User",
    }
}

fn no_access(no: &NoAccess) -> &'static str {
    match no {
        NoAccess::Suspended(_) => "suspended",
        NoAccess::Directory(_) => "directory_inactive",
        NoAccess::NoGrant => "no_access",
        NoAccess::NoHost(_) => "no_host",
        NoAccess::NoAccount(_) => "no_account",
    }
}

fn code_of(refusal: &policy::Refusal) -> &'static str {
    match refusal {
        policy::Refusal::NoPrincipals | policy::Refusal::TooManyPrincipals(_) => "principals",
        policy::Refusal::Principal(_) => "principal",
        policy::Refusal::KeyId(_) => "key_id",
        policy::Refusal::Backwards => "backwards",
        policy::Refusal::TooShort(_) => "too_short",
        policy::Refusal::TooLong(_) => "too_long",
        policy::Refusal::TooEarly(_) => "too_early",
    }
}
