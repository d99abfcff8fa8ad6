//! A managed host for the sample company: a machine in namespaces of this one, with the agent on it. One of the company's
//! people logs in, becomes root, is out when the identity provider says so, and comes back.

use super::host::{self, Shown, text};
use super::{DIRECTORY, TEAM};
use crate::client::{self, Api};
use crate::failure::{Code, Failure};
use crate::output::{Format, harmless, say};
use crate::{environment, time};
use jiff::Timestamp;
use portreeve_machine::{Client, Error, Machine, Session};
use portreeve_provisioning::demo::Notable;
use portreeve_server::Running;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the machine is called.
const HOST: &str = "web-1";
/// What the grant chooses it by.
const HOSTS: &str = "role=web";
/// By what an earlier run's grant is known.
const NOTE: &str = "by the demonstration, with a managed host";
/// How the team's certificate authority is reached: the server's own address is the first team's.
const AUTHORITY: &str = "ca.contoso.example";
/// The file of the client that `ssh -F` takes.
const CONFIG: &str = "config";

/// What happened.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) host: &'static str,
    pub(super) account: String,
    /// What `id` said there.
    pub(super) id: String,
    /// What `ssh` said when it was refused.
    pub(super) refused: String,
    /// Seconds from the answer to the identity provider to the refusal.
    pub(super) refused_after: f64,
    /// Seconds from that answer to the end of the open session.
    pub(super) ended_after: f64,
    /// For `ssh -F`, as long as the demonstration goes on.
    pub(super) config: PathBuf,
}

/// The machine and the computer that people log in from. They go with it.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    machine: Arc<Machine>,
    client: Arc<Client>,
}

/// What is on this machine that a managed host needs.
///
/// # Errors
/// What is wanting.
pub(super) fn possible() -> Result<PathBuf, Failure> {
    const NAME: &str = "portreeve-host";
    if let Some(wanting) = portreeve_machine::needs() {
        let said = format!("a host cannot be shown on this machine: {wanting}");
        return Err(
            Failure::plain(said).hint("without --with-host, the demonstration needs none of this")
        );
    }
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = environment::var("PATH").unwrap_or_default();
    let mut folders = beside.into_iter().chain(std::env::split_paths(&path));
    let found = folders.find_map(|folder| {
        let program = folder.join(NAME);
        program.is_file().then_some(program)
    });
    found.ok_or_else(|| {
        Failure::plain("the program portreeve-host is neither beside this one nor on the path")
            .hint("install the package portreeve-host, or build it: cargo build --release --package portreeve-host")
    })
}

/// Shows it. The stage is there as long as it is kept.
pub(super) async fn show(
    api: &Api,
    server: &Running,
    provider: &Provider,
    (agent, notable): (&Path, &[Notable]),
    format: Format,
) -> Result<(Shown, Option<Stage>), Failure> {
    let group = host::group(notable);
    let Some(user) = host::someone(api, group).await? else {
        let why = format!("nobody in the group {group} is active");
        return Ok((Shown::Nothing { why }, None));
    };
    grant(api, group).await?;
    let began = time::now();
    let stage = on_thread(Stage::set).await?;
    enrol(api, &stage, agent).await?;
    let took = since(began);
    tell(
        format,
        &format!("{HOST} is made and has enrolled with a token that is good for once: {took:.1} s"),
    );
    let act = Act {
        api,
        server,
        provider,
        stage: &stage,
        user: &user,
        format,
    };
    let story = act.play(group).await?;
    Ok((Shown::Managed(story), Some(stage)))
}

fn tell(format: Format, text: &str) {
    say(format, &format!("  {text}"));
}

fn since(then: Timestamp) -> f64 {
    time::now().duration_since(then).as_secs_f64()
}

/// Grants a group login and sudo on the host, unless an earlier run has.
async fn grant(api: &Api, group: &str) -> Result<(), Failure> {
    let grants = api.list(&["grants"], &[("team", TEAM)]).await?;
    if grants.iter().any(|grant| grant["note"] == NOTE) {
        return Ok(());
    }
    let grant = json!({
        "group": group, "directory": DIRECTORY, "team": TEAM, "hosts": HOSTS, "sudo": true, "note": NOTE,
    });
    api.post(&["grants"], &grant).await.map(drop)
}

/// Makes the machine a host, as an administrator does who pastes the command there.
async fn enrol(api: &Api, stage: &Stage, agent: &Path) -> Result<(), Failure> {
    // An earlier run's machine of that name is gone.
    match api.delete(&["hosts", HOST]).await {
        Err(failure) if failure.code != Code::NotFound => return Err(failure),
        _ => {}
    }
    let team = [("team", TEAM)];
    let authority = json!({"ca_host": AUTHORITY});
    api.patch_where(&["ca", "step"], &team, &authority).await?;
    let (key, value) = HOSTS.split_once('=').unwrap_or((HOSTS, ""));
    let wanted = json!({"name": HOST, "team": TEAM, "tags": {key: value}, "name_pattern": HOST});
    let token = api.post(&["host-tokens"], &wanted).await?;
    let token = SecretString::from(text(&token["secret"]));
    let agent = agent.to_owned();
    stage
        .act(move |machine, _| {
            machine.install(&agent, "/usr/bin/portreeve-host")?;
            machine.run(&format!("echo '127.0.0.1 {AUTHORITY}' >>/etc/hosts"))?;
            machine.write("/root/token", 0o600, token.expose_secret())?;
            machine.run(&format!(
                "portreeve-host enroll --token-file /root/token --name {HOST} && rm /root/token"
            ))?;
            machine.run("setsid portreeve-host run >>/var/log/portreeve-host.log 2>&1 </dev/null &")
        })
        .await
        .map(drop)
}

impl Stage {
    /// A machine with a local account, whose key the client has.
    fn set() -> Result<Self, Error> {
        let (machine, client) = (Machine::start(HOST)?, Client::new()?);
        client.know(&machine)?;
        machine.welcome_warden(&client.key("warden")?)?;
        client.write(CONFIG, client.config(&machine, &["id", "warden"]))?;
        Ok(Self {
            machine: Arc::new(machine),
            client: Arc::new(client),
        })
    }

    /// Does something that waits for other programs.
    async fn act<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Machine, &Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let Self { machine, client } = self.clone();
        on_thread(move || what(&machine, &client)).await
    }
}

async fn on_thread<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(what).await;
    done.map_err(Failure::plain)?.map_err(Failure::plain)
}

/// The identity provider, as the sample company has it: the token of the directory.
pub(super) struct Provider {
    pub(super) tenant_url: String,
    pub(super) secret: SecretString,
}

impl Provider {
    /// Says whether somebody works there.
    async fn active(&self, user: &str, active: bool) -> Result<(), Failure> {
        let http = client::http(reqwest::Client::builder().no_proxy())?;
        let patch = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": active}],
        });
        let url = format!("{}/Users/{user}", self.tenant_url);
        let request = http.patch(&url).json(&patch);
        let answer = request
            .bearer_auth(self.secret.expose_secret())
            .send()
            .await;
        let answer = answer.map_err(|error| client::unreachable_at(&url, &error))?;
        match answer.error_for_status() {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::plain(error)),
        }
    }
}

/// What is played, and with whom.
struct Act<'a> {
    api: &'a Api,
    server: &'a Running,
    provider: &'a Provider,
    stage: &'a Stage,
    user: &'a Value,
    format: Format,
}

impl Act<'_> {
    async fn play(&self, group: &str) -> Result<Story, Failure> {
        let name = harmless(text(&self.user["display_name"]));
        let account = self.certify().await?;
        let id = self.logs_in(&account).await?;
        self.tell(&format!("{name} logs in, and becomes root:"));
        self.show(&format!("ssh {account}@{HOST} id"), &id);
        self.show("sudo id -un", "root");
        let mut session = self.opens(&account).await?;
        self.provider.active(text(&self.user["id"]), false).await?;
        let left = time::now();
        self.tell("The identity provider says that they have left (PATCH active=false), and has its answer:");
        let refused = self.is_refused(&account).await?;
        let refused_after = since(left);
        self.show(
            &format!("{refused_after:.1} s: ssh {account}@{HOST}"),
            &refused,
        );
        self.stage
            .act(move |machine, _| {
                machine.eventually("the open session ends", || session.is_over())
            })
            .await?;
        let ended_after = since(left);
        let ended = "ended, with what ran as root in it";
        self.show(&format!("{ended_after:.1} s: the open session"), ended);
        let home = self.stage.act({
            let account = account.clone();
            move |machine, _| machine.run(&format!("stat -c '%n belongs to %U' ~{account}"))
        });
        self.show("their files", &format!("stay: {}", home.await?.trim()));
        self.warden_gets_in().await?;
        self.provider.active(text(&self.user["id"]), true).await?;
        self.certify().await?;
        self.comes_back(&account).await?;
        self.tell(
            "the identity provider takes that back, and ssh is let in again with a new certificate",
        );
        Ok(Story {
            user: text(&self.user["user_name"]).to_owned(),
            name: text(&self.user["display_name"]).to_owned(),
            group: group.to_owned(),
            host: HOST,
            id,
            refused,
            refused_after,
            ended_after,
            config: self.stage.client.path(CONFIG),
            account,
        })
    }

    fn tell(&self, text: &str) {
        tell(self.format, text);
    }

    fn show(&self, what: &str, said: &str) {
        self.tell(&format!("  {what:<32} {}", harmless(said)));
    }

    /// Sees to it that the local account is let in still.
    async fn warden_gets_in(&self) -> Result<(), Failure> {
        let said = self
            .stage
            .act(|machine, client| client.log_in(machine, "warden", "sudo -n id -un"));
        let said = said.await?;
        let root = said.text().map_err(Failure::plain)?;
        self.show(
            &format!("ssh warden@{HOST} sudo id -un"),
            &format!("{root}: a local account, which nothing here touches"),
        );
        Ok(())
    }

    /// Has the person's key certified. The account, which the first principal names.
    async fn certify(&self) -> Result<String, Failure> {
        let key = self.stage.act(|_, client| client.key("id")).await?;
        let id = |value: &Value| text(&value["id"]).to_owned();
        let directory = self.api.get(&["directories", DIRECTORY], &[]).await?;
        let (directory, user) = (id(&directory), id(self.user));
        let certified = self.server.certify(&directory, &user, &key).await;
        let certified = certified.map_err(Failure::plain)?;
        let certificate = ssh_key::Certificate::from_openssh(&certified);
        let certificate = certificate.map_err(Failure::plain)?;
        self.stage
            .act(move |_, client| client.write("id-cert.pub", certified))
            .await?;
        let account = certificate.valid_principals().first();
        Ok(account.cloned().unwrap_or_default())
    }

    /// Waits until the host has heard of the person, and gives what `id` says of them there.
    async fn logs_in(&self, account: &str) -> Result<String, Failure> {
        let who = format!("id:{account}");
        self.stage
            .act(move |machine, client| {
                let mut said = client.log_in(machine, &who, "true")?;
                machine.eventually("the login of somebody with a grant", || {
                    said = client.log_in(machine, &who, "id; sudo -n true")?;
                    Ok(said.good())
                })?;
                Ok(said.text()?.to_owned())
            })
            .await
    }

    /// Opens a session and becomes root in it, beside.
    async fn opens(&self, account: &str) -> Result<Session, Failure> {
        let who = format!("id:{account}");
        self.stage
            .act(move |machine, client| {
                let mut session = client.open(machine, &who)?;
                session.run("(sudo -n -i setsid sleep infinity >/dev/null 2>&1 &)")?;
                Ok(session)
            })
            .await
    }

    /// Waits until the person is refused. What they are told.
    async fn is_refused(&self, account: &str) -> Result<String, Failure> {
        let who = format!("id:{account}");
        self.stage
            .act(move |machine, client| {
                let mut told = String::new();
                machine.eventually("the refusal of somebody who has left", || {
                    let said = client.log_in(machine, &who, "true")?;
                    told = said.err.trim().to_owned();
                    Ok(!said.good())
                })?;
                Ok(told)
            })
            .await
    }

    async fn comes_back(&self, account: &str) -> Result<(), Failure> {
        let who = format!("id:{account}");
        self.stage
            .act(move |machine, client| {
                machine.eventually("the login of somebody who is back", || {
                    client.gets_in(machine, &who)
                })
            })
            .await
    }
}
