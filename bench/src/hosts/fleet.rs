//! A server with people and with agents that wait.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::agent::{Mould, News, follow};
use super::{ALL, Change, ONE};
use crate::certificates::town::{authority, target};
use crate::client::{Connection, Exchange, Target};
use crate::machine::processor_seconds;
use crate::requests;
use crate::server::Server;

/// Enrolments at the same time.
const ENROLLING: u64 = 16;
/// When nothing has come for so long, nothing is on its way.
const QUIET: Duration = Duration::from_secs(3);
/// What never comes is waited for so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often somebody comes and goes on one host.
const ROUNDS: usize = 50;
/// What the grant of everybody chooses hosts by.
const EVERYWHERE: &str = "role=web";
/// What chooses the first host alone.
const SOMEWHERE: &str = "first=yes";

pub(super) struct Fleet {
    server: Server,
    /// Its data folder, with its socket: a connection of an admin is closed while agents are waited for.
    data: PathBuf,
    /// Where agents without an identity ask.
    address: Target,
    mould: Arc<Mould>,
    agents: JoinSet<Result<()>>,
    count: u64,
    sender: UnboundedSender<News>,
    news: UnboundedReceiver<News>,
    /// Comes to and leaves the group of those who may log in everywhere.
    guest: Arc<str>,
    /// The group with a grant on all hosts.
    everybody: Arc<str>,
}

impl Fleet {
    /// Starts a server with people.
    pub(super) async fn start(program: &Path, folder: &Path, people: u64) -> Result<Self> {
        let data = folder.join("portreeve");
        std::fs::create_dir(&data)?;
        let server = Server::portreeve(program, &data, None).await?;
        let mut admin = Connection::local(&data, "/api/v1").await?;
        let (address, roots) = authority(&mut admin, &server).await?;
        let mut provider = Connection::open(&server.target).await?;
        let mut ids = Vec::new();
        for number in 0..=people {
            ids.push(made(&mut provider, &requests::create(number)).await?);
        }
        let guest = ids.pop().context("nobody")?;
        let everybody = made(&mut provider, &requests::create_group("everybody")).await?;
        provider
            .exchange(&requests::add_members(&everybody, &ids))
            .await?;
        let grant = json!({"group": "everybody", "hosts": EVERYWHERE});
        post(&mut admin, "/grants", &grant).await?;
        let (sender, news) = unbounded_channel();
        Ok(Self {
            address: target(address, roots.clone()),
            mould: Arc::new(Mould::new(roots)?),
            server,
            data,
            agents: JoinSet::new(),
            count: 0,
            sender,
            news,
            guest,
            everybody,
        })
    }

    async fn admin(&self) -> Result<Connection> {
        Connection::local(&self.data, "/api/v1").await
    }

    pub(super) fn process(&self) -> Result<u32> {
        self.server.process()
    }

    /// Makes so many machines hosts, and has each wait for its policy. Enrolments a second.
    pub(super) async fn enrol(&mut self, count: u64) -> Result<f64> {
        let (key, value) = EVERYWHERE.split_once('=').context("no tag")?;
        let token = json!({"name": "bench", "uses": count, "tags": {key: value}});
        let token = post(&mut self.admin().await?, "/host-tokens", &token).await?;
        let token: Arc<str> = token["secret"]
            .as_str()
            .context("a token without a secret")?
            .into();
        let token: Arc<str> = secret(&token)?.into();
        let began = Instant::now();
        let mut enrolling = JoinSet::new();
        for first in 0..ENROLLING {
            let (mould, address, token) = (
                Arc::clone(&self.mould),
                self.address.clone(),
                Arc::clone(&token),
            );
            enrolling.spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let mut enrolled = Vec::new();
                for agent in (first..count).step_by(usize::try_from(ENROLLING)?) {
                    let name = name(agent);
                    let target = mould
                        .enrol(&mut connection, &address, (&token, &name))
                        .await?;
                    enrolled.push((agent, target));
                }
                anyhow::Ok(enrolled)
            });
        }
        let mut enrolled = Vec::new();
        while let Some(some) = enrolling.join_next().await {
            enrolled.extend(some??);
        }
        let per_second = count as f64 / began.elapsed().as_secs_f64();
        for (agent, target) in enrolled {
            self.agents
                .spawn(follow(agent, target, self.sender.clone()));
        }
        self.count = count;
        let one = json!({"tags": {key: value, "first": "yes"}});
        let host = format!("/hosts/{}", name(0));
        let changed = self
            .admin()
            .await?
            .send(&Method::PATCH, &host, one.to_string().into())
            .await?;
        ensure!(
            changed.status == StatusCode::OK,
            "{host} answered {}",
            changed.status
        );
        Ok(per_second)
    }

    /// Waits until everybody waits.
    pub(super) async fn settle(&mut self) -> Result<()> {
        let mut heard = HashSet::new();
        while (heard.len() as u64) < self.count {
            heard.insert(self.next().await?.agent);
        }
        while timeout(QUIET, self.news.recv()).await.is_ok() {}
        Ok(())
    }

    async fn next(&mut self) -> Result<News> {
        tokio::select! {
            news = timeout(PATIENCE, self.news.recv()) => news.context("a policy does not come")?.context("nobody waits"),
            ended = self.agents.join_next() => match ended {
                Some(ended) => bail!("an agent has ended: {:?}", ended?),
                None => bail!("there is no agent"),
            },
        }
    }

    /// Somebody comes to all hosts and leaves them again.
    pub(super) async fn everywhere(&mut self) -> Result<Change> {
        let (process, members) = (self.process()?, [self.guest.clone()]);
        let before = processor_seconds(process)?;
        let mut seconds = Vec::new();
        for change in [
            requests::add_members(&self.everybody, &members),
            requests::remove_members(&self.everybody, &members),
        ] {
            let began = self.ask(&change).await?;
            let mut heard = HashSet::new();
            while (heard.len() as u64) < self.count {
                let news = self.next().await?;
                if heard.insert(news.agent) {
                    seconds.push(news.at.duration_since(began).as_secs_f64());
                }
            }
        }
        self.settle_again().await;
        let server = processor_seconds(process)? - before;
        Change::new("what concerns all, at all", seconds, server, ALL)
    }

    /// Somebody who may log in to one host is deactivated and comes back, in turn.
    pub(super) async fn somewhere(&mut self) -> Result<Change> {
        let group = requests::create_group("few");
        let mut provider = Connection::open(&self.server.target).await?;
        let few = made(&mut provider, &group).await?;
        let members = [self.guest.clone()];
        provider
            .exchange(&requests::add_members(&few, &members))
            .await?;
        let grant = json!({"group": "few", "hosts": SOMEWHERE});
        post(&mut self.admin().await?, "/grants", &grant).await?;
        // That they come to that host is no part of what is measured.
        while self.next().await?.agent != 0 {}
        self.settle_again().await;
        let process = self.process()?;
        let before = processor_seconds(process)?;
        let mut seconds = Vec::new();
        for round in 0..ROUNDS {
            let began = self.ask(&active(&self.guest, round % 2 == 1)).await?;
            let news = self.next().await?;
            ensure!(news.agent == 0, "another host was told");
            seconds.push(news.at.duration_since(began).as_secs_f64());
        }
        let server = processor_seconds(process)? - before;
        Change::new("what concerns one, at that one", seconds, server, ONE)
    }

    /// Takes what is on its way.
    async fn settle_again(&mut self) {
        while timeout(QUIET, self.news.recv()).await.is_ok() {}
    }

    /// Has the provider say something. When it had its answer.
    async fn ask(&self, change: &Exchange) -> Result<Instant> {
        Connection::open(&self.server.target)
            .await?
            .exchange(change)
            .await?;
        Ok(Instant::now())
    }
}

fn name(agent: u64) -> String {
    format!("host-{agent}")
}

/// What the server knows a token by: the token itself is that with the server's address, in base64url.
fn secret(token: &str) -> Result<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let text = token.strip_prefix("pe_").context("no enrolment token")?;
    let inside: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text)?)?;
    Ok(inside["secret"]
        .as_str()
        .context("a token without a secret")?
        .to_owned())
}

fn active(user: &str, active: bool) -> Exchange {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": active}],
    });
    Exchange {
        method: Method::PATCH,
        path: format!("/Users/{user}"),
        body: body.to_string().into(),
        status: StatusCode::OK,
        contains: String::new(),
    }
}

async fn made(connection: &mut Connection, exchange: &Exchange) -> Result<Arc<str>> {
    let answer = connection.exchange(exchange).await?;
    let answer: Value = serde_json::from_slice(&answer.body)?;
    Ok(answer["id"]
        .as_str()
        .context("something without an id")?
        .into())
}

async fn post(admin: &mut Connection, path: &str, body: &Value) -> Result<Value> {
    let body: Bytes = body.to_string().into();
    let answer = admin.send(&Method::POST, path, body).await?;
    ensure!(
        answer.status == StatusCode::CREATED,
        "{path} answered {}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    Ok(serde_json::from_slice(&answer.body)?)
}
