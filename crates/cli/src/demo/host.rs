//! A host for the sample company: the OpenSSH server of this machine lets one of its people in, as whoever runs the
//! demonstration, and no more once they are suspended.

use super::{DIRECTORY, TEAM, managed};
use crate::client::Api;
use crate::failure::{Code, Failure};
use crate::ssh::pair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_provisioning::demo::{Notable, What};
use portreeve_server::Running;
use serde::Serialize;
use serde_json::{Value, json};
use ssh_key::Certificate;
use ssh_key::private::Ed25519Keypair;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the host is called.
const HOST: &str = "web-1";
/// What the grant chooses it by.
const TAG: (&str, &str) = ("role", "web");
/// Where OpenSSH's server may be without being on the path.
const SYSTEM: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];
/// Where OpenSSH's server shuts itself in when it runs as root; a service manager makes it.
const SHUT_IN: &str = "/run/sshd";

/// What became of it.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(super) enum Shown {
    /// Somebody was let in, and out.
    Done(Story),
    /// The same on a managed host.
    Managed(managed::Story),
    /// There was nothing to show, and why.
    Nothing { why: String },
}

#[derive(Debug, Serialize)]
pub(super) struct Story {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) host: &'static str,
    /// The name in the certificate.
    pub(super) account: String,
    pub(super) serial: String,
    /// What `ssh` said when it was refused.
    pub(super) refused: String,
}

/// A folder with keys and configuration, and OpenSSH's server.
#[derive(Debug, Clone)]
struct Host {
    folder: PathBuf,
    sshd: PathBuf,
}

/// Grants one of the sample company's groups a host, and has one of its people log in there before and after they are
/// suspended.
pub(super) async fn show(
    api: &Api,
    server: &Running,
    data: &Path,
    directory: &Value,
    notable: &[Notable],
) -> Result<Shown, Failure> {
    let nothing = |why: String| Ok(Shown::Nothing { why });
    let (Some(_), Some(sshd)) = (program("ssh"), program("sshd")) else {
        return nothing("this machine has no OpenSSH server (the package openssh-server)".into());
    };
    let host = Host {
        folder: data.join("host"),
        sshd,
    };
    let group = group(notable);
    let Some(user) = someone(api, group).await? else {
        return nothing(format!("nobody in the group {group} is active"));
    };
    grant(api, group).await?;
    let pair = pair::generate()?;
    let line = pair::public(pair.public, "")?;
    let (directory_id, user_id) = (text(&directory["id"]), text(&user["id"]));
    let certified = server.certify(directory_id, user_id, &line).await;
    let certified = certified.map_err(Failure::plain)?;
    let certificate = Certificate::from_openssh(&certified).map_err(Failure::plain)?;
    let account = certificate.valid_principals().first().cloned();
    let account = account.unwrap_or_default();
    host.set(api, &pair, &certified, &account).await?;
    if let Err(said) = host.log_in().await? {
        return nothing(format!("OpenSSH's server let nobody in: {said}"));
    }
    Ok(Shown::Done(Story {
        refused: refused(api, &host, user_id).await?,
        user: text(&user["user_name"]).to_owned(),
        name: text(&user["display_name"]).to_owned(),
        group: group.to_owned(),
        host: HOST,
        account,
        serial: certificate.serial().to_string(),
    }))
}

/// Suspends somebody, has them try to log in, and reinstates them. What they were told.
async fn refused(api: &Api, host: &Host, user_id: &str) -> Result<String, Failure> {
    let path = ["directories", DIRECTORY, "users", user_id];
    api.patch(&path, &json!({"status": "suspended"})).await?;
    host.fetch_revoked(api).await?;
    let tried = host.log_in().await?;
    api.patch(&path, &json!({"status": "active"})).await?;
    match tried {
        Err(said) => Ok(said),
        Ok(()) => Err(Failure::plain(
            "somebody was let in after they were suspended, which must not be",
        )),
    }
}

/// The group that is granted a host.
pub(super) fn group(notable: &[Notable]) -> &str {
    let mut groups = notable.iter().filter(|it| it.what == What::MembersChanged);
    groups.next_back().map_or("", |it| it.name.as_str())
}

/// An active person in a group.
pub(super) async fn someone(api: &Api, group: &str) -> Result<Option<Value>, Failure> {
    let path = ["directories", DIRECTORY, "groups", group, "members"];
    for member in api.list(&path, &[]).await? {
        if member["type"] != "User" {
            continue;
        }
        let path = ["directories", DIRECTORY, "users", text(&member["id"])];
        let user = api.get(&path, &[]).await?;
        if user["status"] == "active" {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Makes host and grant, unless an earlier run has.
async fn grant(api: &Api, group: &str) -> Result<(), Failure> {
    let (key, value) = TAG;
    let host = json!({"name": HOST, "team": TEAM, "tags": {key: value}});
    match api.post(&["hosts"], &host).await {
        Err(failure) if failure.code == Code::Conflict => return Ok(()),
        made => made?,
    };
    let grant = json!({
        "group": group,
        "directory": DIRECTORY,
        "team": TEAM,
        "hosts": format!("{key}={value}"),
        "note": "by the demonstration",
    });
    api.post(&["grants"], &grant).await.map(drop)
}

impl Host {
    /// Puts keys and configuration there.
    async fn set(
        &self,
        api: &Api,
        pair: &Ed25519Keypair,
        certificate: &str,
        account: &str,
    ) -> Result<(), Failure> {
        let own = pair::generate()?;
        let known = pair::public(own.public, "")?;
        let authority = api.get(&["ca"], &[("team", TEAM)]).await?;
        let trusted = authority["user_keys"].as_array().into_iter().flatten();
        let trusted: String = trusted.map(|key| format!("{}\n", text(key))).collect();
        let mut folder = DirBuilder::new();
        folder
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|error| self.cannot(&error))?;
        for (file, text) in [
            ("host", pair::private(&own, HOST)?.as_bytes()),
            ("id", pair::private(pair, account)?.as_bytes()),
            ("id-cert.pub", format!("{certificate}\n").as_bytes()),
            ("known_hosts", format!("{HOST} {known}\n").as_bytes()),
            ("user_ca.pub", trusted.as_bytes()),
            ("principals", format!("{account}\n").as_bytes()),
            ("sshd_config", self.config().as_bytes()),
        ] {
            self.write(file, text)?;
        }
        self.fetch_revoked(api).await
    }

    /// Whoever has the name of the account in a certificate may log in as whoever runs this.
    fn config(&self) -> String {
        let [host, trusted, revoked, principals] =
            ["host", "user_ca.pub", "revoked.krl", "principals"]
                .map(|file| self.folder.join(file).display().to_string());
        format!(
            "HostKey \"{host}\"\nTrustedUserCAKeys \"{trusted}\"\nRevokedKeys \"{revoked}\"\n\
             AuthorizedPrincipalsFile \"{principals}\"\nAuthorizedKeysFile none\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nStrictModes no\nPidFile none\n"
        )
    }

    /// As a host does again and again.
    async fn fetch_revoked(&self, api: &Api) -> Result<(), Failure> {
        let list = api.get(&["ca", "krl"], &[("team", TEAM)]).await?;
        let list = STANDARD
            .decode(text(&list["krl"]))
            .map_err(Failure::plain)?;
        self.write("revoked.krl", &list)
    }

    /// Logs in with stock `ssh`, which starts the server by itself, as inetd does: no port is needed. What it says where
    /// that fails.
    async fn log_in(&self) -> Result<Result<(), String>, Failure> {
        // There already, or not to be made by somebody who does not need it.
        let _ = fs::create_dir(SHUT_IN);
        let at = |file: &str| {
            self.folder
                .join(file)
                .display()
                .to_string()
                .replace('%', "%%")
        };
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
        ])
        .args(["-o", "StrictHostKeyChecking=yes", "-o"])
        .arg(format!("UserKnownHostsFile=\"{}\"", at("known_hosts")))
        .args(["-o", "GlobalKnownHostsFile=none", "-o"])
        .arg(format!(
            "ProxyCommand='{}' -i -f '{}'",
            self.sshd.display(),
            at("sshd_config")
        ))
        .arg("-i")
        .arg(self.folder.join("id"))
        .args(["-l", &own_name()?, HOST, "true"])
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || ssh.output()).await;
        let output = output.map_err(Failure::plain)?;
        let output =
            output.map_err(|error| Failure::plain(format!("ssh cannot be run: {error}")))?;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(match output.status.success() {
            true => Ok(()),
            false => Err(said.lines().last().unwrap_or_default().trim().to_owned()),
        })
    }

    fn write(&self, file: &str, text: &[u8]) -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(self.folder.join(file))
            .and_then(|mut file| file.write_all(text))
            .map_err(|error| self.cannot(&error))
    }

    fn cannot(&self, error: &io::Error) -> Failure {
        Failure::plain(format!(
            "{} cannot be written: {error}",
            self.folder.display()
        ))
    }
}

/// Where a program is.
fn program(name: &str) -> Option<PathBuf> {
    let path = crate::environment::var("PATH").unwrap_or_default();
    let system = SYSTEM.iter().map(PathBuf::from);
    let folders = std::env::split_paths(&path).chain(system);
    let mut places = folders.map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}

/// The name of whoever runs this.
fn own_name() -> Result<String, Failure> {
    let output = Command::new("id").arg("-un").output();
    let output = output.map_err(|error| Failure::plain(format!("id cannot be run: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
