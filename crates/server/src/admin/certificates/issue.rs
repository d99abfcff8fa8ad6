//! Certificates that are issued here: one's own, and those for the keys of hosts.

use super::invalid;
use crate::admin::Admin;
use crate::admin::view::At;
use crate::app::App;
use crate::ca::{self, ForWhom, Issued, Keyring, Wanted};
use portreeve_directory::hosts::{self, Host};
use portreeve_directory::teams::Team;
use portreeve_scim::text::fold;
use portreeve_ssh_cert::SubjectKey;
use portreeve_ssh_cert::policy::Asked;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A certificate of one's own to be issued.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnRequest {
    /// The public key, as the line of a `.pub` file.
    pub(crate) public_key: String,
    /// For how long, within what the policy allows; without it as long as usual.
    pub(crate) valid_seconds: Option<u64>,
}

/// A certificate for the key of a host to be issued.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostRequest {
    /// The public key of its `sshd`, as the line of a `.pub` file.
    pub(crate) public_key: String,
    /// Names by which people reach it beside its own, such as an address.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// For how long, within what the policy allows; without it as long as usual.
    pub(crate) valid_seconds: Option<u64>,
}

/// A certificate that was issued.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct IssuedCertificate {
    /// As the line of a `-cert.pub` file.
    pub(crate) certificate: String,
    pub(crate) serial: String,
    pub(crate) key_id: String,
    /// The account names that it is good for, or the names of the host.
    pub(crate) principals: Vec<String>,
    pub(crate) valid_after: At,
    pub(crate) valid_before: At,
    /// Keys that certificates of people are signed with.
    pub(crate) user_keys: Vec<String>,
    /// Keys that certificates of hosts are signed with, for `known_hosts`.
    pub(crate) host_keys: Vec<String>,
}

/// Issues a certificate to whoever asks.
pub(crate) async fn own(
    app: &App,
    admin: &Admin,
    address: String,
    wanted: &OwnRequest,
) -> Result<IssuedCertificate, ca::Error> {
    let Some(holder) = admin.holder.clone() else {
        return Err(ca::Error::refused(
            "nobody",
            "the administrator of the server is nobody in a directory; sign in with: portreeve login",
        ));
    };
    let key = SubjectKey::from_openssh(&wanted.public_key)
        .map_err(|error| invalid("public_key", &error.to_string()))?;
    let (asking, id) = (admin.clone(), admin.team_id().map(str::to_owned));
    let team = app.store.lookup(move |tx| asking.team(tx, id.as_deref()));
    let team = team.await?;
    let wanted = Wanted {
        asked: asked(admin, wanted.valid_seconds),
        ..plain(ForWhom::Person(holder), key, address)
    };
    let issued = ca::issue(app, &team.id, &admin.by(), wanted).await?;
    Ok(IssuedCertificate::of(&issued, &team))
}

/// Issues a certificate for the key of a host, by id or name.
pub(crate) async fn of_host(
    app: &App,
    admin: &Admin,
    (team, which, address): (Option<&str>, &str, String),
    wanted: &HostRequest,
) -> Result<IssuedCertificate, ca::Error> {
    let which = which.to_owned();
    let found = admin.lookup(app, team, move |tx, _, team| {
        Ok((team.clone(), hosts::find(tx, &team.id, &which)?))
    });
    let (team, host): (Team, Host) = found.await?;
    let key = SubjectKey::from_openssh(&wanted.public_key)
        .map_err(|error| invalid("public_key", &error.to_string()))?;
    // Clients of OpenSSH ask for names in lower case.
    let mut principals = vec![fold(&host.name).into_owned()];
    for name in &wanted.names {
        let name = fold(name.trim()).into_owned();
        if !principals.contains(&name) {
            principals.push(name);
        }
    }
    let for_whom = ForWhom::Host {
        id: host.id,
        key_id: host.name,
        principals,
    };
    let wanted = Wanted {
        asked: asked(admin, wanted.valid_seconds),
        ..plain(for_whom, key, address)
    };
    let issued = ca::issue(app, &team.id, &admin.by(), wanted).await?;
    Ok(IssuedCertificate::of(&issued, &team))
}

/// A certificate that is asked for through Portreeve itself.
fn plain(for_whom: ForWhom, key: SubjectKey, address: String) -> Wanted {
    Wanted {
        for_whom,
        key,
        asked: Asked::default(),
        provisioner: None,
        address,
        replaces: None,
        ignored: Vec::new(),
        once: None,
    }
}

/// For how long it is asked for.
fn asked(admin: &Admin, valid_seconds: Option<u64>) -> Asked {
    let ends = valid_seconds.map(|seconds| {
        let lasts = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let ends = admin.time().saturating_add(lasts);
        ends.unwrap_or(jiff::Timestamp::MAX)
    });
    Asked {
        valid_before: ends,
        ..Asked::default()
    }
}

impl IssuedCertificate {
    fn of(issued: &Issued, team: &Team) -> Self {
        let certificate = &issued.certificate;
        Self {
            serial: certificate.serial().to_string(),
            key_id: certificate.key_id().to_owned(),
            principals: certificate.principals().to_vec(),
            certificate: certificate.openssh(),
            valid_after: At(issued.valid_after.as_microsecond()),
            valid_before: At(issued.valid_before.as_microsecond()),
            user_keys: Keyring::lines(&issued.keyring.trusted_user, &team.name),
            host_keys: Keyring::lines(&issued.keyring.trusted_host, &team.name),
        }
    }
}
