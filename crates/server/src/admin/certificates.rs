//! SSH certificates: which there are, for whom and why; revoking them; and one's own.

mod issue;

pub(crate) use issue::{HostRequest, IssuedCertificate, OwnRequest, of_host, own};

use super::grants::holder_of;
use super::holders::{HolderView, Names};
use super::view::At;
use super::{Admin, version};
use crate::app::App;
use portreeve_directory::certificates::{self, Certificate, Kind, Query, State, Whose};
use portreeve_directory::holders::Holder;
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::teams::Team;
use portreeve_directory::{Refusal, What, hosts};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A certificate as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct CertificateView {
    /// Its own serial number, as text because it has up to 63 bits.
    pub(crate) serial: String,
    pub(crate) kind: CertificateKind,
    pub(crate) state: CertificateState,
    /// Whose it is; absent where a provisioner vouched for a name that is nobody's here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<HolderView>,
    /// The host that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<HostOf>,
    /// What the logs of servers show.
    pub(crate) key_id: String,
    /// Accounts, or names of the host.
    pub(crate) principals: Vec<String>,
    /// Of the key, such as `ssh-ed25519`.
    pub(crate) key_type: String,
    /// Of the key, as `ssh-keygen -l` shows it.
    pub(crate) fingerprint: String,
    /// The grants that it rests on, by id.
    pub(crate) grants: Vec<String>,
    /// How it was asked for; absent: through Portreeve itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provisioner: Option<String>,
    /// From which address; empty on the server's own machine.
    pub(crate) address: String,
    pub(crate) issued_at: At,
    pub(crate) valid_after: At,
    pub(crate) valid_before: At,
    /// The one that it takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_at: Option<At>,
    /// Why: `suspended`, `removed`, `directory_inactive`, or what whoever revoked it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_why: Option<String>,
}

/// A host of a certificate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HostOf {
    pub(crate) id: String,
    /// A host that is gone has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CertificateKind {
    User,
    Host,
}

/// Whether a certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CertificateState {
    Live,
    Expired,
    Revoked,
}

/// Which certificates to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Which {
    /// Only those of the user or service account with this id or name.
    pub(crate) user: Option<String>,
    /// Only those of the host with this id or name.
    pub(crate) host: Option<String>,
    /// Only those for the key with this fingerprint.
    pub(crate) fingerprint: Option<String>,
    /// Only those for people, or for hosts.
    pub(crate) kind: Option<Kind>,
    /// Only those in this state.
    pub(crate) state: Option<State>,
}

/// What is to be revoked: exactly one of the four.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeRequest {
    /// The certificate with this serial number.
    pub(crate) serial: Option<String>,
    /// The key with this fingerprint (`SHA256:…`), with all certificates for it, and those that would come.
    pub(crate) key: Option<String>,
    /// All certificates of the user or service account with this id or name.
    pub(crate) user: Option<String>,
    /// All certificates of the host with this id or name.
    pub(crate) host: Option<String>,
    /// Why, for the log.
    pub(crate) reason: Option<String>,
    pub(crate) team: Option<String>,
}

/// What was revoked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RevokedView {
    /// The serial numbers of the certificates that counted until now.
    pub(crate) revoked: Vec<String>,
}

impl CertificateView {
    /// What `If-Match` compares.
    pub(crate) fn version(&self) -> String {
        version(&(&self.serial, self.revoked_at))
    }
}

/// Certificates, the latest first, after a place; with the place that the next page begins after.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: Which,
    (after, limit): (Option<(i64, i64)>, u64),
) -> Result<(Vec<CertificateView>, Option<(i64, i64)>), Refusal> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = admin.read(app, team, move |tx, admin, team| {
        let holder_id = match (&which.user, &which.host) {
            (Some(user), None) => Some(user_id(tx, admin, team, user)?),
            (None, Some(host)) => Some(host_id(tx, team, host)?),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(invalid("user", "give a user or a host, not both")),
        };
        let query = Query {
            holder_id,
            fingerprint: which.fingerprint.clone(),
            kind: which.kind,
            state: which.state,
            after,
            limit,
        };
        let found = certificates::list(tx, &team.id, &query, admin.at)?;
        let full = i64::try_from(found.len()).is_ok_and(|count| count == limit);
        let last = found.last().map(|one| (one.issued_at, one.serial));
        Ok((views(tx, admin, &team.id, found)?, last.filter(|_| full)))
    });
    read.await
}

/// One certificate, by its serial number.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    serial: &str,
) -> Result<CertificateView, Refusal> {
    let serial = number(serial)?;
    let read = admin.lookup(app, team, move |tx, admin, team| {
        one(tx, admin, team, serial)
    });
    read.await
}

/// Revokes a certificate. One that was revoked already stays as it is.
pub(crate) async fn revoke_one(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    serial: &str,
) -> Result<CertificateView, Refusal> {
    let serial = number(serial)?;
    let done = admin.change(app, team, move |tx, admin, team| {
        let before = one(tx, admin, team, serial)?;
        admin.expect(What::Certificate, &before.version())?;
        let cause = admin.cause(&team.id, None);
        revocations::revoke(tx, &cause, Revoke::Serial(serial), REVOKED)?;
        one(tx, admin, team, serial)
    });
    done.await
}

/// Revokes by serial number, key, person or host.
pub(crate) async fn revoke(
    app: &App,
    admin: &Admin,
    wanted: RevokeRequest,
) -> Result<RevokedView, Refusal> {
    let admin = admin.clone();
    let why = wanted
        .reason
        .as_deref()
        .unwrap_or(REVOKED)
        .trim()
        .to_owned();
    if why.is_empty() || why.chars().count() > 200 || why.contains(char::is_control) {
        return Err(invalid(
            "reason",
            "a reason has 1 to 200 characters, and no line breaks",
        ));
    }
    let team = wanted.team.clone();
    let done = admin.change(app, team.as_deref(), move |tx, admin, team| {
        let cause = admin.cause(&team.id, None);
        let mut revoke = |what| revocations::revoke(tx, &cause, what, &why);
        let revoked = match (&wanted.serial, &wanted.key, &wanted.user, &wanted.host) {
            (Some(serial), None, None, None) => revoke(Revoke::Serial(number(serial)?))?,
            (None, Some(key), None, None) => revoke(Revoke::Key(fingerprint(key)?))?,
            (None, None, Some(user), None) => {
                let id = user_id(tx, admin, team, user)?;
                revocations::revoke(tx, &cause, Revoke::Holder(&id), &why)?
            }
            (None, None, None, Some(host)) => {
                let id = host_id(tx, team, host)?;
                revocations::revoke(tx, &cause, Revoke::Holder(&id), &why)?
            }
            _ => {
                return Err(invalid(
                    "serial",
                    "say what is to be revoked by exactly one of serial, key, user and host",
                ));
            }
        };
        Ok(RevokedView {
            revoked: revoked.iter().map(|one| one.serial.to_string()).collect(),
        })
    });
    done.await
}

/// Why a certificate is revoked where nobody says more.
const REVOKED: &str = "revoked";

fn one(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    serial: i64,
) -> Result<CertificateView, Refusal> {
    let found = certificates::by_serial(tx, &team.id, serial)?;
    let mut views = views(tx, admin, &team.id, vec![found])?;
    let missing = || Refusal::NotFound(What::Certificate, serial.to_string());
    views.pop().ok_or_else(missing)
}

fn user_id(tx: &mut Tx<'_>, admin: &Admin, team: &Team, user: &str) -> Result<String, Refusal> {
    Ok(holder_of(tx, admin, team, None, user)?.id().to_owned())
}

fn host_id(tx: &mut Tx<'_>, team: &Team, host: &str) -> Result<String, Refusal> {
    Ok(hosts::find(tx, &team.id, host)?.id)
}

fn number(serial: &str) -> Result<i64, Refusal> {
    let number = serial.parse().ok().filter(|serial| *serial > 0);
    number.ok_or_else(|| Refusal::NotFound(What::Certificate, serial.to_owned()))
}

fn fingerprint(key: &str) -> Result<&str, Refusal> {
    match portreeve_ssh_cert::Krl::default().revoke_fingerprint(key) {
        true => Ok(key),
        false => Err(invalid(
            "key",
            "give the fingerprint of the key as ssh-keygen -l shows it, such as SHA256:…",
        )),
    }
}

fn invalid(attribute: &'static str, reason: &str) -> Refusal {
    Refusal::Invalid {
        attribute,
        reason: reason.to_owned(),
    }
}

fn views(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team_id: &str,
    found: Vec<Certificate>,
) -> Result<Vec<CertificateView>, Refusal> {
    let mut names = Names::default();
    let mut views = Vec::with_capacity(found.len());
    for one in found {
        let (holder, host) = match &one.whose {
            Whose::Holder(holder) => (Some(holder_view(tx, &mut names, team_id, holder)?), None),
            Whose::Host(id) => (None, Some(host_view(tx, team_id, id)?)),
            Whose::Nobody => (None, None),
        };
        views.push(view(one, holder, host, admin.at));
    }
    Ok(views)
}

fn holder_view(
    tx: &mut Tx<'_>,
    names: &mut Names,
    team_id: &str,
    holder: &Holder,
) -> Result<HolderView, Refusal> {
    names.view(tx, team_id, holder)
}

fn host_view(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<HostOf, Refusal> {
    let name = match hosts::find(tx, team_id, id) {
        Ok(host) => Some(host.name),
        Err(Refusal::NotFound(..)) => None,
        Err(error) => return Err(error),
    };
    Ok(HostOf {
        id: id.to_owned(),
        name,
    })
}

fn view(
    one: Certificate,
    holder: Option<HolderView>,
    host: Option<HostOf>,
    now: i64,
) -> CertificateView {
    CertificateView {
        serial: one.serial.to_string(),
        kind: match one.kind {
            Kind::User => CertificateKind::User,
            Kind::Host => CertificateKind::Host,
        },
        state: match one.state(now) {
            State::Live => CertificateState::Live,
            State::Expired => CertificateState::Expired,
            State::Revoked => CertificateState::Revoked,
        },
        holder,
        host,
        issued_at: At(one.issued_at),
        valid_after: At(one.valid_after),
        valid_before: At(one.valid_before),
        replaces: one.replaces.map(|serial| serial.to_string()),
        revoked_at: one.revoked_at.map(At),
        key_id: one.key_id,
        principals: one.principals,
        key_type: one.key_type,
        fingerprint: one.fingerprint,
        grants: one.grants,
        provisioner: one.provisioner,
        address: one.address,
        revoked_why: one.revoked_why,
    }
}
