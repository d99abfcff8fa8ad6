//! The certificates of a host: what `sshd` shows, and by what its agent is known.

use super::ask::Ask;
use crate::api::Problem;
use crate::ca::{self, By, ForWhom, Issued, Keyring, Wanted, issue};
use crate::step::{WantedIdentity, make_identity};
use aws_lc_rs::digest::{SHA256, digest};
use portreeve_directory::certificates::Whose;
use portreeve_directory::host_agents;
use portreeve_directory::hosts::Host;
use portreeve_host_policy::api::MAX_TEXT;
use portreeve_scim::text::fold;
use portreeve_ssh_cert::SubjectKey;
use portreeve_ssh_cert::policy::Asked;
use portreeve_store::Scope;
use portreeve_x509::chain::to_pem;
use portreeve_x509::{Name, Request};

/// Whose certificate it is.
pub(super) struct For<'a> {
    pub(super) host: &'a Host,
    /// Names that it may have beside its own.
    pub(super) hostnames: &'a [String],
}

/// What hosts trust.
pub(super) struct Trusted {
    /// X.509 roots (PEM), the current one first.
    pub(super) roots: Vec<String>,
    /// Lines of OpenSSH.
    pub(super) user_keys: Vec<String>,
    pub(super) host_keys: Vec<String>,
}

impl Trusted {
    pub(super) fn of(keyring: &Keyring) -> Self {
        Self {
            roots: keyring.roots.iter().map(|root| to_pem(root)).collect(),
            user_keys: Keyring::lines(&keyring.trusted_user, "portreeve"),
            host_keys: Keyring::lines(&keyring.trusted_host, "portreeve"),
        }
    }
}

/// A certificate for the key that `sshd` shows.
pub(super) async fn ssh(
    ask: &Ask,
    by: &By,
    about: &For<'_>,
    key: SubjectKey,
    replaces: Option<u64>,
) -> Result<Issued, ca::Error> {
    // Clients of OpenSSH ask for names in lower case.
    let mut principals = vec![fold(&about.host.name).into_owned()];
    principals.extend(about.hostnames.iter().cloned());
    let wanted = Wanted {
        for_whom: ForWhom::Host {
            id: about.host.id.clone(),
            key_id: about.host.name.clone(),
            principals,
        },
        key,
        asked: Asked::default(),
        provisioner: None,
        address: ask.address.clone(),
        replaces,
        ignored: Vec::new(),
        once: None,
    };
    issue(&ask.app, &ask.team_id, by, wanted).await
}

/// An identity certificate, with what leads to the root (PEM): good for as long as certificates of hosts are. The one that
/// was shown for it, by its serial number, is good until it is used.
pub(super) async fn identity(
    ask: &Ask,
    by: &By,
    host: &Host,
    request: Request,
    before: Option<&str>,
) -> Result<Vec<String>, Problem> {
    let keyring = ask.app.keyring(&ask.team_id).await?;
    let policy = keyring.settings.policy();
    let wanted = WantedIdentity {
        public_key: request.public_key,
        subject: host.name.clone(),
        names: vec![
            Name::Uri(format!("urn:uuid:{}", host.id)),
            Name::of(&host.name),
        ],
        whose: Whose::Host(host.id.clone()),
        provisioner: None,
        valid_after: ask.now() - policy.backdate,
        valid_before: ask.now() + policy.host.default,
    };
    let made = make_identity(ask, by, wanted).await?;
    let (team_id, host_id) = (ask.team_id.clone(), host.id.clone());
    let (serial, before) = (made.serial.clone(), before.map(str::to_owned));
    let written = ask.app.write(Scope::of(&ask.team_id), move |tx| {
        host_agents::identified(tx, &team_id, &host_id, (&serial, before.as_deref()))
    });
    written.await?;
    Ok(made.chain())
}

/// What tells a text from all others.
pub(super) fn hash(text: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text).as_ref());
    hash
}

/// A text of somebody else as it is kept: in one line, and not too long.
pub(super) fn short(text: &str) -> String {
    let mut out = String::new();
    for c in text.trim().chars().filter(|c| !c.is_control()) {
        if out.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        out.push(c);
    }
    out
}
